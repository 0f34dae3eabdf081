import { TIERS, type ViewNode } from '../../../src/api/view.ts';
import type { Branch } from './forest.ts';

/** A card on the canvas: its column and its row (rows may be broken: groups stand a little apart). */
export interface Card {
  readonly id: string;
  readonly column: number;
  readonly row: number;
  readonly node?: ViewNode;
  /** Stands for ready objects of one parent that are folded away. */
  readonly group?: { readonly of: string; readonly nodes: readonly ViewNode[] };
}
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'data' | 'dependency';
}
export interface Layout {
  readonly cards: readonly Card[];
  readonly edges: readonly Edge[];
  readonly rows: number;
}

/** Kinds that are always shown by themselves: what runs, and what leads to it. */
const ALWAYS_SHOWN = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Service', 'Ingress', 'Pod']);
/** So few quiet objects need no folding. */
const FOLD_FROM = 3;
const GROUP_GAP = 0.3;
const OBJECT_COLUMN = TIERS.indexOf('object');

/**
 * Places the trees in columns: source, Kustomization, object, pod. A parent stands at the height of its first child, so that
 * the eye goes along lines, and a node's place depends only on which nodes there are: nothing jumps when a state changes,
 * but for a folded object that stops being ready, which comes out.
 */
export function layOut(forest: readonly Branch[], unfolded: ReadonlySet<string>): Layout {
  const cards: Card[] = [];
  const edges: Edge[] = [];
  let row = 0;
  const branch = ({ node, below }: Branch): void => {
    const top = row;
    cards.push({ id: node.id, node, column: TIERS.indexOf(node.tier), row: top });
    for (const parent of node.parents) edges.push({ from: parent, to: node.id, kind: 'data' });
    for (const dependency of node.dependsOn) edges.push({ from: dependency, to: node.id, kind: 'dependency' });
    const quiet = below.filter(isQuiet);
    const fold = quiet.length >= FOLD_FROM && !unfolded.has(node.id);
    for (const child of below) if (!fold || !isQuiet(child)) branch(child);
    if (quiet.length >= FOLD_FROM) {
      const id = `${node.id}#folded`;
      cards.push({
        id,
        column: OBJECT_COLUMN,
        row,
        group: { of: node.id, nodes: quiet.map((child) => child.node) },
      });
      edges.push({ from: node.id, to: id, kind: 'data' });
      row++;
    }
    row = Math.max(row, top + 1);
  };
  for (const root of forest) {
    branch(root);
    row += GROUP_GAP;
  }
  const placed = new Set(cards.map(({ id }) => id));
  return {
    cards,
    edges: edges.filter(({ from, to }) => placed.has(from) && placed.has(to)),
    rows: Math.max(1, row - GROUP_GAP),
  };
}

function isQuiet({ node, below }: Branch): boolean {
  return node.tier === 'object' && node.state === 'Ready' && below.length === 0 && !ALWAYS_SHOWN.has(node.kind);
}
