import { type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { TIERS, type ViewNode } from '../../../src/api/view.ts';
import { type Card, type Edge, type Layout, layOut } from '../api/flow-layout.ts';
import { type Branch, pathThrough } from '../api/forest.ts';
import { go } from '../api/location.ts';
import { firstLine, fullName } from '../api/words.ts';
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
/** Pixels. Cards grow with the window, within these bounds. */
const CARD = { height: 74, minWidth: 208, maxWidth: 340, gapX: 44, gapY: 10 } as const;
const HEAD = 28;
/** Room for focus rings, as styles.css gives it. */
const PADDING = 4;
/** Fewer cards than these are all drawn, so that printing and searching in the page find them. */
const DRAW_ALL_UP_TO = 200;
/** Drawn above and below the window, in pixels. */
const OVERSCAN = 600;

/** Where a card stands, in pixels. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** The data's way from left to right; selecting a card lights its path and dims the rest. */
export function Flow({ forest, nodes, selected, changed }: FlowProps) {
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const layout = useMemo(() => layOut(forest, unfolded), [forest, unfolded]);
  const lit = useMemo(() => (selected === '' ? undefined : pathThrough(nodes, selected)), [nodes, selected]);
  const frame = useRef<HTMLDivElement>(null);
  const cardWidth = useCardWidth(frame);
  const places = useMemo(
    () => new Map(layout.cards.map((card) => [card.id, placeOf(card, cardWidth)])),
    [layout, cardWidth],
  );
  const { cards, edges } = useVisible(frame, layout, places);
  const width = TIERS.length * (cardWidth + CARD.gapX) - CARD.gapX;
  const height = layout.rows * (CARD.height + CARD.gapY);
  const toggle = (id: string): void => {
    const next = new Set(unfolded);
    if (!next.delete(id)) next.add(id);
    setUnfolded(next);
  };
  return (
    <div className="flow" ref={frame} onKeyDown={moveFocus}>
      <div className="canvas" style={{ width, height: height + HEAD }}>
        {COLUMNS.map((title, column) => (
          <h2 key={title} style={{ left: column * (cardWidth + CARD.gapX), width: cardWidth }}>
            {title}
          </h2>
        ))}
        <div className="cards" style={{ width, height }}>
          <svg className="edges" width={width} height={height} aria-hidden="true">
            {edges.map((edge) => (
              <path
                key={`${edge.kind} ${edge.from} ${edge.to}`}
                d={curve(places.get(edge.from), places.get(edge.to))}
                className={edgeClass(edge, lit)}
              />
            ))}
          </svg>
          {cards.map((card) => {
            const place = places.get(card.id);
            if (place === undefined) return null;
            return card.node === undefined ? (
              <FoldedCard
                key={card.id}
                card={card}
                place={place}
                dim={lit !== undefined}
                open={unfolded.has(card.group?.of ?? '')}
                toggle={toggle}
              />
            ) : (
              <NodeCard key={card.id} {...{ place, selected, lit, changed }} node={card.node} />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface NodeCardProps {
  readonly place: Place;
  readonly node: ViewNode;
  readonly selected: string;
  readonly lit: ReadonlySet<string> | undefined;
  readonly changed: ReadonlySet<string>;
}

function NodeCard({ place, node, selected, lit, changed }: NodeCardProps) {
  const classes = ['card', `is-${node.state.toLowerCase()}`];
  if (selected === node.id) classes.push('selected');
  if (lit !== undefined && !lit.has(node.id)) classes.push('dim');
  if (changed.has(node.id)) classes.push('changed');
  return (
    <button
      type="button"
      className={classes.join(' ')}
      style={box(place)}
      data-node={node.id}
      data-state={node.state}
      aria-pressed={selected === node.id}
      title={`${node.kind} ${fullName(node)}\n${node.message}`}
      onClick={() => go({ node: selected === node.id ? '' : node.id })}
    >
      <StateMark state={node.state} />
      <span className="body">
        <span className="title">
          <b>{node.name}</b> <Age at={node.createdAt} />
        </span>
        <span className="detail">
          {node.kind}
          {node.namespace === '' ? '' : ` in ${node.namespace}`}
        </span>
        <LastLine node={node} />
      </span>
    </button>
  );
}

/** What matters most about a node: why it is not ready, else its revision, its image, or what is said of it. */
function LastLine({ node }: { readonly node: ViewNode }) {
  if (node.state !== 'Ready') return <span className="why">{firstLine(node.message)}</span>;
  if (node.tier === 'source' || node.tier === 'applier')
    return (
      <span className="detail">
        <Revision of={node.revision} />
      </span>
    );
  const image = node.facts.find(({ name }) => name === 'image')?.value;
  if (image !== undefined)
    return (
      <span className="detail">
        <code className="image">{image}</code> {node.facts.find(({ name }) => name === 'ready')?.value}
      </span>
    );
  return <span className="detail">{firstLine(node.message)}</span>;
}

interface FoldedCardProps {
  readonly card: Card;
  readonly place: Place;
  readonly dim: boolean;
  readonly open: boolean;
  readonly toggle: (id: string) => void;
}

function FoldedCard({ card, place, dim, open, toggle }: FoldedCardProps) {
  const group = card.group;
  if (group === undefined) return null;
  const kinds = new Map<string, number>();
  for (const { kind } of group.nodes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const list = [...kinds].map(([kind, count]) => (count === 1 ? kind : `${count} ${kind}`)).join(', ');
  return (
    <button
      type="button"
      className={`card folded${dim ? ' dim' : ''}`}
      style={box(place)}
      aria-expanded={open}
      title={list}
      onClick={() => toggle(group.of)}
    >
      <StateMark state="Ready" />
      <span className="body">
        <span className="title">
          <b>{open ? 'Show less' : `${group.nodes.length} more, all ready`}</b>
        </span>
        <span className="detail two-lines">{list}</span>
      </span>
    </button>
  );
}

function placeOf({ column, row }: Card, width: number): Place {
  return { x: column * (width + CARD.gapX), y: row * (CARD.height + CARD.gapY), width };
}

function box({ x, y, width }: Place): { left: number; top: number; width: number; height: number } {
  return { left: x, top: y, width, height: CARD.height };
}

function useCardWidth(frame: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState<number>(CARD.minWidth);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const measure = (): void => {
      const fair = Math.floor((element.clientWidth - 2 * PADDING + CARD.gapX) / TIERS.length) - CARD.gapX;
      setWidth(Math.max(CARD.minWidth, Math.min(CARD.maxWidth, fair)));
    };
    measure();
    if (typeof ResizeObserver === 'undefined') return;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [frame]);
  return width;
}

/** The cards and edges near the window: what is off screen is not drawn. */
function useVisible(
  frame: RefObject<HTMLElement | null>,
  layout: Layout,
  places: ReadonlyMap<string, Place>,
): Pick<Layout, 'cards' | 'edges'> {
  const [[top, bottom], setWindow] = useState<readonly [number, number]>([-OVERSCAN, 2 * OVERSCAN]);
  const all = layout.cards.length <= DRAW_ALL_UP_TO;
  useEffect(() => {
    if (all) return;
    const look = (): void => {
      const above = -(frame.current?.getBoundingClientRect().top ?? 0);
      // In steps, so that not every pixel of scrolling draws anew.
      const start = Math.floor(above / (OVERSCAN / 2)) * (OVERSCAN / 2);
      const next = [start - OVERSCAN, start + window.innerHeight + 1.5 * OVERSCAN] as const;
      setWindow((before) => (before[0] === next[0] && before[1] === next[1] ? before : next));
    };
    look();
    window.addEventListener('scroll', look, { passive: true });
    window.addEventListener('resize', look);
    return () => {
      window.removeEventListener('scroll', look);
      window.removeEventListener('resize', look);
    };
  }, [all, frame]);
  return useMemo(() => {
    if (all) return layout;
    const y = (id: string): number => places.get(id)?.y ?? 0;
    return {
      cards: layout.cards.filter(({ id }) => y(id) > top && y(id) < bottom),
      edges: layout.edges.filter(({ from, to }) => Math.max(y(from), y(to)) > top && Math.min(y(from), y(to)) < bottom),
    };
  }, [all, layout, places, top, bottom]);
}

function curve(from: Place | undefined, to: Place | undefined): string {
  if (from === undefined || to === undefined) return '';
  const y1 = from.y + CARD.height / 2;
  const y2 = to.y + CARD.height / 2;
  if (from.x === to.x) {
    // Within a column (a Kustomization that another one applied, a dependency): a bow at the left.
    const bow = from.x - CARD.gapX * 0.7;
    return `M${from.x} ${y1} C${bow} ${y1} ${bow} ${y2} ${to.x} ${y2}`;
  }
  const [x1, x2] = from.x < to.x ? [from.x + from.width, to.x] : [from.x, to.x + to.width];
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function edgeClass({ from, to, kind }: Edge, lit: ReadonlySet<string> | undefined): string {
  const state = lit === undefined ? '' : lit.has(from) && lit.has(to) ? ' lit' : ' dim';
  return `edge ${kind}${state}`;
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Arrow keys go to the nearest card in that direction. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key];
  const here = document.activeElement;
  if (step === undefined || !(here instanceof HTMLElement) || !here.classList.contains('card')) return;
  const [dx, dy] = step;
  const from = { x: here.offsetLeft, y: here.offsetTop };
  let best: { readonly card: HTMLElement; readonly distance: number } | undefined;
  for (const card of event.currentTarget.querySelectorAll<HTMLElement>('.card')) {
    const x = card.offsetLeft - from.x;
    const y = card.offsetTop - from.y;
    const along = x * dx + y * dy;
    if (along <= 0 || (dy !== 0 && x !== 0)) continue;
    const distance = dx === 0 ? along : along * 4 + Math.abs(y);
    if (best === undefined || distance < best.distance) best = { card, distance };
  }
  if (best === undefined) return;
  event.preventDefault();
  best.card.focus();
}
