import { groupOf, type KubeObject, type ObjectRef, printRef, refOf } from '../../api/object.ts';
import { at } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { HELM_GROUP, readRelease } from '../../build/helm/release-spec.ts';
import type { CliResult } from '../command.ts';
import { type InventoryEntry, inventoryOf } from '../inventory.ts';
import { type Comparison, compareObject, fail } from './compare-object.ts';
import type { LocalBuild } from './local-build.ts';
import { type ReleaseBuild, renderReleases } from './render-releases.ts';
import { storedObjects } from './stored-release.ts';

const MANAGER = 'helm-controller';
const KEEP = 'helm.sh/resource-policy';

/** Compares what HelmReleases apply; both print, and tell whether anything would change. */
export interface CompareReleases {
  /** What the release `owner` would do; nothing where it is no HelmRelease. */
  compare(owner: KubeObject): Promise<CliResult<boolean>>;
  /** What goes with a HelmRelease that is deleted. */
  remove(entry: InventoryEntry): Promise<CliResult<boolean>>;
}

/** Renders all releases of the builds before anything is printed. */
export async function prepareReleases(
  comparison: Comparison,
  builds: readonly LocalBuild[],
): Promise<CliResult<CompareReleases>> {
  const { context, client } = comparison;
  const rendered = await renderReleases(context, client, builds);
  if (!rendered.ok) return rendered;
  return ok({
    compare: async (owner) => {
      const release = rendered.value.get(owner);
      if (release === undefined) return ok(false);
      const reason = leftOut(owner);
      if (reason === undefined) return compareRelease(comparison, release);
      context.progress.warning(`${printRef(refOf(owner))}: what it applies is not compared: ${reason}`);
      return ok(false);
    },
    remove: async (entry) => {
      if (entry.kind !== 'HelmRelease' || entry.group !== HELM_GROUP) return ok(false);
      const { kind, namespace, name, version } = entry;
      const live = await client.get({ apiVersion: `${HELM_GROUP}/${version}`, kind, namespace, name }, context.signal);
      return live.ok ? printDeleted(comparison, live.value, new Set()) : ok(false);
    },
  });
}

/** Why the controller would do nothing to this cluster. */
function leftOut({ spec }: KubeObject): string | undefined {
  if (at(spec, 'suspend') === true) return 'it is suspended';
  return at(spec, 'kubeConfig') === undefined ? undefined : 'it applies to another cluster';
}

async function compareRelease(all: Comparison, build: ReleaseBuild): Promise<CliResult<boolean>> {
  const { release, objects, owner, live, secrets } = build;
  const comparison: Comparison = { ...all, manager: MANAGER, secrets };
  if (at(owner.spec, 'install', 'createNamespace') === true && live === undefined) {
    const namespace = await all.client.get({ apiVersion: 'v1', kind: 'Namespace', name: release.releaseNamespace });
    if (!namespace.ok) all.createdNamespaces.add(release.releaseNamespace);
  }
  let changed = false;
  const kept = new Set<string>();
  for (const { object } of objects) {
    const placed = await withNamespace(comparison, object, release.releaseNamespace);
    kept.add(keyOf(refOf(placed)));
    const compared = await compareObject(comparison, placed);
    if (!compared.ok) return compared;
    changed ||= compared.value;
  }
  if (live === undefined) return ok(changed);
  const deleted = await printDeleted(comparison, live, kept);
  return deleted.ok ? ok(changed || deleted.value) : deleted;
}

/** Objects without a namespace go into the release's, where their kind has namespaces. */
async function withNamespace({ client }: Comparison, object: KubeObject, namespace: string): Promise<KubeObject> {
  const { apiVersion, kind } = object;
  const found = await client.resource({ apiVersion, kind });
  const { namespace: own, ...metadata } = object.metadata;
  if (found.ok && !found.value.namespaced) return own === undefined ? object : { ...object, metadata };
  return own === undefined ? { ...object, metadata: { ...metadata, namespace } } : object;
}

/** Prints what the cluster's release has applied and is not in `kept`: by its inventory, or by what Helm stored of it. */
async function printDeleted(
  { context, client }: Comparison,
  live: KubeObject,
  kept: ReadonlySet<string>,
): Promise<CliResult<boolean>> {
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
    if (!stored.ok) return fail(stored.error, printRef(refOf(live)));
    applied = stored.value;
  }
  let changed = false;
  for (const ref of applied) {
    if (kept.has(keyOf(ref))) continue;
    const found = await client.get(ref, context.signal);
    // Helm never deletes these: custom resource definitions of `crds/`, and what is marked.
    if (!found.ok || found.value.metadata.annotations?.[KEEP] === 'keep' || isCrdOfChart(found.value)) continue;
    context.print(`► ${printRef(ref)} deleted\n`);
    changed = true;
  }
  return ok(changed);
}

/** CRDs that templates render have Helm's mark; those of `crds/` do not. */
function isCrdOfChart({ kind, metadata }: KubeObject): boolean {
  return kind === 'CustomResourceDefinition' && metadata.annotations?.['meta.helm.sh/release-name'] === undefined;
}

function keyOf({ apiVersion, kind, namespace = '', name }: ObjectRef): string {
  return `${groupOf(apiVersion)}/${kind}/${namespace}/${name}`;
}
