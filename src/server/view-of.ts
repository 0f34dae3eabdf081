import type { KubeObject } from '../api/object.ts';
import { type ViewEvent, type ViewNode, viewId } from '../api/view.ts';
import { equal, type Json, stringAt } from '../base/json.ts';
import { describeFlux, describeMissing, describeObject } from './describe.ts';
import { type InventoryEntry, inventoryOf } from './inventory.ts';

/** The cluster as the page needs it, read from caches. */
export interface Observed {
  readonly sources: readonly KubeObject[];
  readonly appliers: readonly KubeObject[];
  /** An applied object; `'unwatched'` while its kind's cache is not filled. */
  find(entry: InventoryEntry): KubeObject | 'unwatched' | undefined;
  /** Objects that name `uid` as their controller. */
  ownedBy(uid: string): readonly KubeObject[];
}

const FLUX_KINDS = /\.toolkit\.fluxcd\.io\//;
/** Owner chains are short (Deployment, ReplicaSet, Pod); a longer one is cut. */
const MAX_OWNER_DEPTH = 5;

/** All nodes by id: sources, what applies them, what was applied, and what that owns down to the pods. */
export function viewOf(observed: Observed, nowMs: number): ReadonlyMap<string, ViewNode> {
  const nodes = new Map<string, ViewNode>();
  const add = (node: ViewNode): void => {
    const known = nodes.get(node.id);
    // Applied by one Kustomization and itself a source or a Kustomization: one node, with both origins.
    if (known === undefined) nodes.set(node.id, node);
    else nodes.set(node.id, { ...known, parents: [...new Set([...known.parents, ...node.parents])] });
  };
  for (const source of observed.sources) add(describeFlux(source, 'source'));
  for (const applier of observed.appliers) add(describeFlux(applier, 'applier'));
  for (const applier of observed.appliers) {
    const parent = viewId(applier.apiVersion, applier.kind, applier.metadata.namespace, applier.metadata.name);
    const revision = stringAt(applier.status, 'lastAppliedRevision');
    for (const entry of inventoryOf(applier)) {
      const id = viewId(entry.apiVersion, entry.kind, entry.namespace, entry.name);
      // A Kustomization that applies itself is its own parent only in git, not in the picture.
      if (id === parent) continue;
      const object = observed.find(entry);
      if (object === 'unwatched') continue;
      if (object === undefined) add(describeMissing(id, [parent], revision));
      else if (FLUX_KINDS.test(entry.apiVersion) && nodes.has(id)) {
        const known = nodes.get(id) as ViewNode;
        if (known.tier === 'source') continue; // its place is before what reads it
        add({ ...known, parents: [...known.parents, parent] });
      } else {
        add(describeObject(object, 'object', [parent], nowMs, revision));
        addOwned(observed, nowMs, object, id, add, 1);
      }
    }
  }
  return nodes;
}

function addOwned(
  observed: Observed,
  nowMs: number,
  owner: KubeObject,
  parent: string,
  add: (node: ViewNode) => void,
  depth: number,
): void {
  const uid = owner.metadata.uid;
  if (uid === undefined || depth > MAX_OWNER_DEPTH) return;
  for (const child of observed.ownedBy(uid)) {
    // A ReplicaSet scaled to nothing is history, not something that runs.
    if (child.kind === 'ReplicaSet' && child.spec?.['replicas'] === 0) continue;
    const node = describeObject(child, child.kind === 'Pod' ? 'pod' : 'object', [parent], nowMs);
    // The page shows pods under the workload that was applied: ReplicaSets between them add nothing to see.
    if (child.kind === 'ReplicaSet') addOwned(observed, nowMs, child, parent, add, depth + 1);
    else {
      add(node);
      addOwned(observed, nowMs, child, node.id, add, depth + 1);
    }
  }
}

/** What changed between two views. */
export function deltaOf(
  before: ReadonlyMap<string, ViewNode>,
  after: ReadonlyMap<string, ViewNode>,
): { nodes: ViewNode[]; removed: string[] } {
  const nodes = [...after.values()].filter(
    (node) => !equal(node as unknown as Json, before.get(node.id) as unknown as Json),
  );
  const removed = [...before.keys()].filter((id) => !after.has(id));
  return { nodes, removed };
}

/** An event about a node; undefined for events that name no object. */
export function viewEvent(event: KubeObject): ViewEvent | undefined {
  const raw = event as unknown as Json;
  const involved = (key: string) => stringAt(raw, 'involvedObject', key);
  const kind = involved('kind');
  const name = involved('name');
  const at = stringAt(raw, 'lastTimestamp') ?? stringAt(raw, 'eventTime') ?? event.metadata.creationTimestamp;
  if (kind === undefined || name === undefined || at === undefined) return undefined;
  const count = (raw as { count?: unknown }).count;
  return {
    id: event.metadata.uid ?? event.metadata.name,
    at,
    about: viewId(involved('apiVersion') ?? '', kind, involved('namespace'), name),
    severity: stringAt(raw, 'type') === 'Warning' ? 'error' : 'info',
    reason: stringAt(raw, 'reason') ?? '',
    message: stringAt(raw, 'message') ?? '',
    count: typeof count === 'number' ? count : 1,
  };
}
