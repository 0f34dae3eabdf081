import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { type KubeObject, type ObjectRef, printRef, refOf } from '../../api/object.ts';
import { ignoreRules } from '../../apply/ignore-rules.ts';
import { compareRefs } from '../../apply/order.ts';
import { policiesOf } from '../../apply/policy.ts';
import { withScope } from '../../apply/scope.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CliContext, type CliResult, done, failed } from '../command.ts';
import { inventoryOf } from '../inventory.ts';
import type { CompareReleases } from './diff-releases.ts';
import { buildLocally, type LocalBuild } from './local-build.ts';
import { broughtBy, type DiffOptions } from './object-diff.ts';
import { NOTHING, type Told, tellObject } from './tell-object.ts';

const GROUP = 'kustomize.toolkit.fluxcd.io';
const MANAGER = 'kustomize-controller';
/** Failures exit with this, since 1 says that there are differences. */
const FAILURE = 2;

/** One command's comparison: what was found, and what could not be compared. */
interface Comparison {
  readonly context: CliContext;
  readonly client: KubeClient;
  readonly brings: DiffOptions['brings'];
  readonly errors: string[];
  /** Builds of nested Kustomizations that were not told yet, by their names. */
  readonly nested: Map<string, LocalBuild>;
  /** Under --with-helm-releases: what the releases among the objects would do. */
  readonly releases: CompareReleases | undefined;
}

/** What a reconciliation of one build would do; errors are collected, so that the rest is told all the same. */
async function diffBuild(comparison: Comparison, { kustomization, objects: built }: LocalBuild): Promise<Told> {
  const { context, client, brings, errors, releases } = comparison;
  const desired = built.map((object) => ({ object }));
  const objects = (await withScope(desired, client)).map(({ object }) => object);
  const { spec } = kustomization as unknown as Kustomization;
  const ignore = ignoreRules(spec.ignore ?? []);
  if (!ignore.ok) errors.push(ignore.error);
  const options: DiffOptions = {
    client,
    manager: MANAGER,
    signal: context.signal,
    ignore: ignore.ok ? ignore.value : [],
    force: spec.force === true,
    brings,
  };
  let text = '';
  let changed = false;
  const known = errors.length;
  const tell = (told: Result<Told, string>): void => {
    if (told.ok) {
      text += told.value.text;
      changed ||= told.value.changed;
    } else errors.push(told.error);
  };
  for (const object of objects) {
    tell(await tellObject(object, options, context.columns));
    tell(ok(await diffNested(comparison, object)));
    if (releases !== undefined) tell(await releases.compare(object));
  }
  // What could not be compared is no reason to call anything superfluous.
  if (errors.length > known || spec.prune !== true) return { text, changed };
  for (const ref of await pruned(client, kustomization, objects)) {
    tell(ok({ text: `► ${printRef(ref)} deleted\n`, changed: true }));
    if (releases !== undefined) tell(await releases.remove(ref));
  }
  return { text, changed };
}

/** The same of a Kustomization among the objects, which --recursive has built. */
async function diffNested(comparison: Comparison, object: KubeObject): Promise<Told> {
  const name = printRef(refOf(object));
  const build = comparison.nested.get(name);
  if (build === undefined || !object.apiVersion.startsWith(`${GROUP}/`)) return NOTHING;
  comparison.nested.delete(name);
  if (object.spec?.['kubeConfig'] !== undefined) {
    return { text: `⚠️ ${name} skipped: diff not supported for remote clusters\n`, changed: false };
  }
  const live = await comparison.client.get(refOf(object), comparison.context.signal);
  const { text, changed } = await diffBuild(comparison, withStatus(build, live.ok ? live.value : undefined));
  return { text: changed ? `📁 ${name} changed\n${text}` : text, changed };
}

/** The build with what the cluster knows of its Kustomization: files know nothing of what was applied. */
function withStatus(build: LocalBuild, live: KubeObject | undefined): LocalBuild {
  const { status: _, ...kustomization } = build.kustomization;
  const status = live?.status;
  return { ...build, kustomization: status === undefined ? kustomization : { ...kustomization, status } };
}

/** What is in the inventory and no longer in the build, in the order of deletion; what is kept by its policy is not deleted. */
async function pruned(
  client: KubeClient,
  kustomization: KubeObject,
  objects: readonly KubeObject[],
): Promise<readonly ObjectRef[]> {
  const kept = new Set(objects.map((object) => printRef(refOf(object))));
  const stale = inventoryOf(kustomization)
    .map(({ group, version, kind, namespace, name }) => ({
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      ...(namespace === '' ? {} : { namespace }),
      name,
    }))
    .filter((ref) => !kept.has(printRef(ref)))
    .sort(compareRefs);
  const deleted: ObjectRef[] = [];
  for (const ref of stale) {
    const live = await client.get(ref);
    const policies = live.ok ? policiesOf(live.value, GROUP) : undefined;
    if (policies === undefined || !(policies.keep || policies.ignored)) deleted.push(ref);
  }
  return deleted;
}

/** The Kustomization as the cluster has it; it may be missing only where the user says so. */
async function inCluster(
  context: CliContext,
  client: KubeClient,
  kustomization: KubeObject,
): Promise<CliResult<KubeObject | undefined>> {
  if (context.flags.string('kustomization-file') === '') return ok(kustomization);
  const live = await client.get(refOf(kustomization), context.signal);
  if (live.ok) return ok(live.value);
  if (live.error.code === 404 && context.flags.bool('ignore-not-found')) return ok(undefined);
  return failed(`failed to get kustomization object: ${live.error.message}`, FAILURE);
}

/** Undefined where releases are not asked for; an error where one cannot be rendered: a gap would read as no change. */
async function releasesOf(
  context: CliContext,
  client: KubeClient,
  builds: readonly LocalBuild[],
  brings: DiffOptions['brings'],
): Promise<CliResult<CompareReleases | undefined>> {
  if (!context.flags.bool('with-helm-releases')) return ok(undefined);
  return (await import('./diff-releases.ts')).prepareReleases(context, client, builds, brings);
}

/** Prints what a reconciliation of local files would do. Source: fluxcd/flux2@v2.9 internal/build/diff.go. */
export async function runDiff(context: CliContext): Promise<CliResult> {
  if (context.flags.bool('ignore-not-found') && context.flags.string('kustomization-file') === '') {
    return failed('kustomization file is required when assuming new kustomizations', FAILURE);
  }
  const connected = await context.client();
  if (!connected.ok) return err({ ...connected.error, exitCode: FAILURE });
  const client = connected.value;
  const builds = await buildLocally(context, client);
  if (!builds.ok) return err({ ...builds.error, exitCode: FAILURE });
  const [root, ...others] = builds.value;
  if (root === undefined) return done;
  const live = await inCluster(context, client, root.kustomization);
  if (!live.ok) return live;
  const brings = broughtBy(builds.value.flatMap(({ objects }) => objects));
  const releases = await releasesOf(context, client, builds.value, brings);
  if (!releases.ok) return err({ ...releases.error, exitCode: FAILURE });
  const comparison: Comparison = {
    context,
    client,
    brings,
    releases: releases.value,
    errors: [],
    nested: new Map(others.map((build) => [printRef(refOf(build.kustomization)), build])),
  };
  const { text, changed } = await diffBuild(comparison, withStatus(root, live.value));
  context.print(text);
  if (comparison.errors.length > 0) return failed(comparison.errors.join('\n'), FAILURE);
  if (!changed) return done;
  const message = 'identified at least one change, exiting with non-zero exit code';
  return err({ message, exitCode: 1, warning: true });
}
