import { useMemo, useState } from 'react';
import type { ViewNode } from '../../../src/api/view.ts';
import { CARD, type Card, type Edge, layOut } from '../api/flow-layout.ts';
import { type Branch, pathThrough } from '../api/forest.ts';
import { go } from '../api/location.ts';
import { Age } from './age.tsx';
import { Revision } from './revision.tsx';
import { StateMark } from './state-mark.tsx';

interface FlowProps {
  readonly forest: readonly Branch[];
  readonly nodes: ReadonlyMap<string, ViewNode>;
  readonly selected: string;
  readonly changed: ReadonlySet<string>;
}

const COLUMNS = ['Source', 'Kustomization', 'Applied object', 'Pod'];

/** The data's way from left to right; selecting a card lights its path and dims the rest. */
export function Flow({ forest, nodes, selected, changed }: FlowProps) {
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const layout = useMemo(() => layOut(forest, unfolded), [forest, unfolded]);
  const lit = useMemo(() => (selected === '' ? undefined : pathThrough(nodes, selected)), [nodes, selected]);
  const places = new Map(layout.cards.map((card) => [card.id, card]));
  const toggle = (id: string): void => {
    const next = new Set(unfolded);
    if (!next.delete(id)) next.add(id);
    setUnfolded(next);
  };
  return (
    <div className="flow">
      <div className="canvas" style={{ width: layout.width, height: layout.height + 28 }}>
        {COLUMNS.map((title, column) => (
          <h2 key={title} style={{ left: column * (CARD.width + CARD.gapX), width: CARD.width }}>
            {title}
          </h2>
        ))}
        <div className="cards" style={{ width: layout.width, height: layout.height }}>
          <svg width={layout.width} height={layout.height} aria-hidden="true">
            {layout.edges.map((edge) => (
              <path
                key={`${edge.kind} ${edge.from} ${edge.to}`}
                d={curve(places.get(edge.from), places.get(edge.to))}
                className={edgeClass(edge, lit)}
              />
            ))}
          </svg>
          {layout.cards.map((card) =>
            card.node === undefined ? (
              <FoldedCard key={card.id} card={card} open={unfolded.has(card.group?.of ?? '')} toggle={toggle} />
            ) : (
              <NodeCard key={card.id} card={card} node={card.node} selected={selected} lit={lit} changed={changed} />
            ),
          )}
        </div>
      </div>
    </div>
  );
}

interface NodeCardProps {
  readonly card: Card;
  readonly node: ViewNode;
  readonly selected: string;
  readonly lit: ReadonlySet<string> | undefined;
  readonly changed: ReadonlySet<string>;
}

function NodeCard({ card, node, selected, lit, changed }: NodeCardProps) {
  const classes = ['card', `is-${node.state.toLowerCase()}`];
  if (selected === node.id) classes.push('selected');
  if (lit !== undefined && !lit.has(node.id)) classes.push('dim');
  if (changed.has(node.id)) classes.push('changed');
  const image = node.facts.find(({ name }) => name === 'image')?.value;
  const trouble = node.state === 'Ready' ? undefined : node.message;
  return (
    <button
      type="button"
      className={classes.join(' ')}
      style={{ left: card.x, top: card.y, width: CARD.width, height: CARD.height }}
      data-node={node.id}
      data-state={node.state}
      aria-pressed={selected === node.id}
      title={`${node.kind} ${node.namespace === '' ? '' : `${node.namespace}/`}${node.name}\n${node.message}`}
      onClick={() => go({ node: selected === node.id ? '' : node.id })}
    >
      <StateMark state={node.state} />
      <span className="body">
        <span className="title">
          <b>{node.name}</b> <Age at={node.createdAt} />
        </span>
        <span className="detail">
          <span className="kind">{node.kind}</span>
          {node.namespace === '' ? '' : ` ${node.namespace}`}
          {node.tier === 'source' || node.tier === 'applier' ? <Revision of={node.revision} /> : null}
          {image === undefined ? null : <code className="image">{image}</code>}
        </span>
        {trouble === undefined ? null : <span className="trouble">{trouble}</span>}
      </span>
    </button>
  );
}

function FoldedCard({ card, open, toggle }: { readonly card: Card; readonly open: boolean; toggle(id: string): void }) {
  const group = card.group;
  if (group === undefined) return null;
  const kinds = new Map<string, number>();
  for (const { kind } of group.nodes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const list = [...kinds].map(([kind, count]) => (count === 1 ? kind : `${count} ${kind}`)).join(', ');
  return (
    <button
      type="button"
      className="card folded"
      style={{ left: card.x, top: card.y, width: CARD.width, height: CARD.height }}
      aria-expanded={open}
      title={list}
      onClick={() => toggle(group.of)}
    >
      <StateMark state="Ready" />
      <span className="body">
        <span className="title">
          <b>{open ? 'Fold away' : `${group.nodes.length} more, all ready`}</b>
        </span>
        <span className="detail">{list}</span>
      </span>
    </button>
  );
}

function curve(from: Card | undefined, to: Card | undefined): string {
  if (from === undefined || to === undefined) return '';
  const y1 = from.y + CARD.height / 2;
  const y2 = to.y + CARD.height / 2;
  if (from.x === to.x) {
    // Within a column (a Kustomization that another one applied, a dependency): a bow at the left.
    return `M${from.x} ${y1} C${from.x - 36} ${y1} ${to.x - 36} ${y2} ${to.x} ${y2}`;
  }
  const [x1, x2] = from.x < to.x ? [from.x + CARD.width, to.x] : [from.x, to.x + CARD.width];
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function edgeClass({ from, to, kind }: Edge, lit: ReadonlySet<string> | undefined): string {
  const state = lit === undefined ? '' : lit.has(from) && lit.has(to) ? ' lit' : ' dim';
  return `edge ${kind}${state}`;
}
