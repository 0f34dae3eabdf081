import { TIERS, type ViewNode } from '../../../src/api/view.ts';
import type { Branch } from './forest.ts';

/** A card on the canvas, in pixels. `group` cards stand for ready objects of one parent that are folded away. */
export interface Card {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly node?: ViewNode;
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
  readonly width: number;
  readonly height: number;
}

export const CARD = { width: 252, height: 60, gapX: 64, gapY: 12 } as const;
/** Kinds that are always shown by themselves: what runs, and what leads to it. */
const ALWAYS_SHOWN = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Service', 'Ingress', 'Pod']);
/** So few quiet objects need no folding. */
const FOLD_FROM = 3;

/**
 * Places the trees in columns: source, Kustomization, object, pod. A parent stands at the height of its first child, so that
 * the eye goes along lines, and a node's place depends only on which nodes there are: nothing jumps when a state changes,
 * but for a folded object that stops being ready, which comes out.
 */
export function layOut(forest: readonly Branch[], unfolded: ReadonlySet<string>): Layout {
  const cards: Card[] = [];
  const edges: Edge[] = [];
  let row = 0;
  const place = (card: Omit<Card, 'x' | 'y'>, column: number, at: number): void => {
    cards.push({ ...card, x: column * (CARD.width + CARD.gapX), y: at * (CARD.height + CARD.gapY) });
  };
  const branch = ({ node, below }: Branch): void => {
    const top = row;
    place({ id: node.id, node }, TIERS.indexOf(node.tier), top);
    for (const parent of node.parents) edges.push({ from: parent, to: node.id, kind: 'data' });
    for (const dependency of node.dependsOn) edges.push({ from: dependency, to: node.id, kind: 'dependency' });
    const quiet = below.filter(isQuiet);
    const fold = quiet.length >= FOLD_FROM && !unfolded.has(node.id);
    for (const child of below) if (!fold || !isQuiet(child)) branch(child);
    if (quiet.length >= FOLD_FROM) {
      const id = `${node.id}#folded`;
      place({ id, group: { of: node.id, nodes: quiet.map((child) => child.node) } }, 2, row);
      edges.push({ from: node.id, to: id, kind: 'data' });
      row++;
    }
    row = Math.max(row, top + 1);
  };
  for (const root of forest) {
    branch(root);
    row += 0.4;
  }
  const placed = new Set(cards.map(({ id }) => id));
  return {
    cards,
    edges: edges.filter(({ from, to }) => placed.has(from) && placed.has(to)),
    width: TIERS.length * CARD.width + (TIERS.length - 1) * CARD.gapX,
    height: Math.max(1, row) * (CARD.height + CARD.gapY),
  };
}

function isQuiet({ node, below }: Branch): boolean {
  return node.tier === 'object' && node.state === 'Ready' && below.length === 0 && !ALWAYS_SHOWN.has(node.kind);
}
