import { STATES, type State, TIERS, type ViewNode } from '../../../src/api/view.ts';

/** A node with what hangs below it. */
export interface Branch {
  readonly node: ViewNode;
  readonly below: readonly Branch[];
}

/** Kinds that people look for first; the others follow by name. */
const FIRST_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Service', 'Ingress'];

/**
 * The nodes as trees: a source, the Kustomizations that read it, what they applied, and the pods.
 * Each node stands once, below the first of its parents that is there; nothing moves when a state changes.
 */
export function forestOf(nodes: Iterable<ViewNode>): readonly Branch[] {
  const all = new Map([...nodes].map((node) => [node.id, node]));
  const below = new Map<string, ViewNode[]>();
  const roots: ViewNode[] = [];
  for (const node of all.values()) {
    const parent = node.tier === 'source' ? undefined : node.parents.find((id) => all.has(id));
    const siblings = parent === undefined ? roots : below.get(parent);
    if (siblings !== undefined) siblings.push(node);
    else if (parent !== undefined) below.set(parent, [node]);
  }
  const seen = new Set<string>();
  const branch = (node: ViewNode): Branch => {
    seen.add(node.id);
    const children = (below.get(node.id) ?? []).filter(({ id }) => !seen.has(id));
    return { node, below: sorted(children).map(branch) };
  };
  return sorted(roots).map(branch);
}

function sorted(nodes: readonly ViewNode[]): readonly ViewNode[] {
  const rank = ({ kind }: ViewNode) => {
    const index = FIRST_KINDS.indexOf(kind);
    return index < 0 ? FIRST_KINDS.length : index;
  };
  return [...nodes].sort(
    (a, b) =>
      TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) ||
      rank(a) - rank(b) ||
      a.kind.localeCompare(b.kind) ||
      a.namespace.localeCompare(b.namespace) ||
      a.name.localeCompare(b.name),
  );
}

/** How many nodes are in each state. */
export function countStates(nodes: Iterable<ViewNode>): ReadonlyMap<State, number> {
  const counts = new Map<State, number>(STATES.map((state) => [state, 0]));
  for (const { state } of nodes) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** The trees without the branches in which nothing matches; a match keeps all that is below it. */
export function prune(forest: readonly Branch[], matches: (node: ViewNode) => boolean): readonly Branch[] {
  return forest.flatMap((branch) => {
    if (matches(branch.node)) return [branch];
    const below = prune(branch.below, matches);
    return below.length > 0 ? [{ node: branch.node, below }] : [];
  });
}

/** The ids on the way from `id` to its sources and to its pods, itself included. */
export function pathThrough(nodes: ReadonlyMap<string, ViewNode>, id: string): ReadonlySet<string> {
  const lit = new Set<string>();
  const up = (current: string): void => {
    const node = nodes.get(current);
    if (node === undefined || lit.has(current)) return;
    lit.add(current);
    for (const parent of node.parents) up(parent);
  };
  up(id);
  const children = new Map<string, string[]>();
  for (const node of nodes.values())
    for (const parent of node.parents) {
      const known = children.get(parent);
      if (known === undefined) children.set(parent, [node.id]);
      else known.push(node.id);
    }
  const down = (current: string): void => {
    for (const child of children.get(current) ?? []) {
      if (lit.has(child)) continue;
      lit.add(child);
      down(child);
    }
  };
  down(id);
  return lit;
}
