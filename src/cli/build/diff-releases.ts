import { groupOf, type KubeObject, type ObjectRef, printRef, refOf } from '../../api/object.ts';
import { at } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { HELM_GROUP, readRelease } from '../../build/helm/release-spec.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { CliContext, CliResult } from '../command.ts';
import { inventoryOf } from '../inventory.ts';
import type { LocalBuild } from './local-build.ts';
import { broughtBy, type DiffOptions } from './object-diff.ts';
import { type ReleaseBuild, renderReleases } from './render-releases.ts';
import { storedObjects } from './stored-release.ts';
import { NOTHING, type Told, tellObject } from './tell-object.ts';

const MANAGER = 'helm-controller';
const KEEP = 'helm.sh/resource-policy';

/** Tells of what HelmReleases apply. */
export interface CompareReleases {
  /** What the release `owner` would do; nothing where it is no HelmRelease. */
  compare(owner: KubeObject): Promise<Result<Told, string>>;
  /** What goes with a HelmRelease that is deleted. */
  remove(ref: ObjectRef): Promise<Result<Told, string>>;
}

interface Comparison {
  readonly context: CliContext;
  readonly client: KubeClient;
  /** What the builds create beside the releases. */
  readonly brings: DiffOptions['brings'];
}

/** Renders all releases of the builds before anything is printed. */
export async function prepareReleases(
  context: CliContext,
  client: KubeClient,
  builds: readonly LocalBuild[],
  brings: DiffOptions['brings'],
): Promise<CliResult<CompareReleases>> {
  const rendered = await renderReleases(context, client, builds);
  if (!rendered.ok) return rendered;
  const comparison: Comparison = { context, client, brings };
  return ok({
    compare: async (owner) => {
      const release = rendered.value.get(owner);
      if (release === undefined) return ok(NOTHING);
      const reason = leftOut(owner);
      if (reason === undefined) return compareRelease(comparison, release);
      context.progress.warning(`${printRef(refOf(owner))}: what it applies is not compared: ${reason}`);
      return ok(NOTHING);
    },
    remove: async (ref) => {
      if (ref.kind !== 'HelmRelease' || groupOf(ref.apiVersion) !== HELM_GROUP) return ok(NOTHING);
      const live = await client.get(ref, context.signal);
      return live.ok ? tellDeleted(comparison, live.value, new Set()) : ok(NOTHING);
    },
  });
}

/** Why the controller would do nothing to this cluster. */
function leftOut({ spec }: KubeObject): string | undefined {
  if (at(spec, 'suspend') === true) return 'it is suspended';
  return at(spec, 'kubeConfig') === undefined ? undefined : 'it applies to another cluster';
}

async function compareRelease(comparison: Comparison, build: ReleaseBuild): Promise<Result<Told, string>> {
  const { context, client, brings } = comparison;
  const { release, objects, owner, live, secrets } = build;
  const own = broughtBy(objects.map(({ object }) => object));
  const creates = at(owner.spec, 'install', 'createNamespace') === true && live === undefined;
  const options: DiffOptions = {
    client,
    manager: MANAGER,
    signal: context.signal,
    ignore: [],
    force: false,
    brings: {
      namespaces: new Set([...brings.namespaces, ...own.namespaces, ...(creates ? [release.releaseNamespace] : [])]),
      kinds: new Set([...brings.kinds, ...own.kinds]),
    },
    secrets,
  };
  let text = '';
  let changed = false;
  const kept = new Set<string>();
  for (const { object } of objects) {
    const placed = await withNamespace(comparison, object, release.releaseNamespace);
    kept.add(keyOf(refOf(placed)));
    const told = await tellObject(placed, options, context.columns);
    if (!told.ok) return told;
    text += told.value.text;
    changed ||= told.value.changed;
  }
  if (live === undefined) return ok({ text, changed });
  const deleted = await tellDeleted(comparison, live, kept);
  return deleted.ok ? ok({ text: text + deleted.value.text, changed: changed || deleted.value.changed }) : deleted;
}

/** Objects without a namespace go into the release's, where their kind has namespaces. */
async function withNamespace({ client }: Comparison, object: KubeObject, namespace: string): Promise<KubeObject> {
  const { apiVersion, kind } = object;
  const found = await client.resource({ apiVersion, kind });
  const { namespace: own, ...metadata } = object.metadata;
  if (found.ok && !found.value.namespaced) return own === undefined ? object : { ...object, metadata };
  return own === undefined ? { ...object, metadata: { ...metadata, namespace } } : object;
}

/** Tells what the cluster's release has applied and is not in `kept`: by its inventory, or by what Helm stored of it. */
async function tellDeleted(
  { context, client }: Comparison,
  live: KubeObject,
  kept: ReadonlySet<string>,
): Promise<Result<Told, string>> {
  const inventory = inventoryOf(live).map(({ group, version, kind, namespace, name }) => ({
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    name,
    ...(namespace !== '' && { namespace }),
  }));
  let applied: readonly ObjectRef[] = inventory;
  const release = readRelease(live);
  if (inventory.length === 0 && release !== undefined) {
    const stored = await storedObjects(client, release, context.signal);
    if (!stored.ok) return err(`${printRef(refOf(live))}: ${stored.error}`);
    applied = stored.value;
  }
  let text = '';
  for (const ref of applied) {
    if (kept.has(keyOf(ref))) continue;
    const found = await client.get(ref, context.signal);
    // Helm never deletes these: custom resource definitions of `crds/`, and what is marked.
    if (!found.ok || found.value.metadata.annotations?.[KEEP] === 'keep' || isCrdOfChart(found.value)) continue;
    text += `► ${printRef(ref)} deleted\n`;
  }
  return ok({ text, changed: text !== '' });
}

/** CRDs that templates render have Helm's mark; those of `crds/` do not. */
function isCrdOfChart({ kind, metadata }: KubeObject): boolean {
  return kind === 'CustomResourceDefinition' && metadata.annotations?.['meta.helm.sh/release-name'] === undefined;
}

function keyOf({ apiVersion, kind, namespace = '', name }: ObjectRef): string {
  return `${groupOf(apiVersion)}/${kind}/${namespace}/${name}`;
}
