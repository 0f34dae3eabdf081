import { type KeyboardEvent, type ReactNode, useMemo, useState } from 'react';
import type { Branch } from '../api/forest.ts';
import { go } from '../api/location.ts';
import { shortRevision } from '../api/words.ts';
import { Age } from './age.tsx';
import { Revision } from './revision.tsx';
import { StateMark } from './state-mark.tsx';

interface TreeProps {
  readonly forest: readonly Branch[];
  readonly selected: string;
  readonly changed: ReadonlySet<string>;
}

/** Above this many rows, what is all ready begins folded. */
const ALL_OPEN_UP_TO = 300;
const INDENT = 22;

/** Everything as one outline: source, Kustomization, objects, pods; a row per node, with its message in the row. */
export function Tree({ forest, selected, changed }: TreeProps) {
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const folds = useMemo(() => foldable(forest), [forest]);
  const toggle = (id: string): void => {
    const next = new Set(toggled);
    if (!next.delete(id)) next.add(id);
    setToggled(next);
  };
  const isOpen = (id: string): boolean => folds.has(id) === toggled.has(id);
  const rows = (branch: Branch, depth: number): ReactNode[] => {
    const { node, below } = branch;
    const open = isOpen(node.id);
    const classes = [`tier-${node.tier}`];
    if (selected === node.id) classes.push('selected');
    if (changed.has(node.id)) classes.push('changed');
    const row = (
      <tr
        key={node.id}
        className={classes.join(' ')}
        data-node={node.id}
        data-state={node.state}
        aria-level={depth + 1}
        {...(below.length === 0 ? {} : { 'aria-expanded': open })}
      >
        <td className="name" style={{ paddingLeft: 10 + depth * INDENT }}>
          {below.length === 0 ? (
            <span className="twist" />
          ) : (
            <button
              type="button"
              className={`twist${open ? ' open' : ''}`}
              tabIndex={-1}
              aria-label={`${open ? 'Fold' : 'Unfold'} ${node.name}`}
              onClick={() => toggle(node.id)}
            />
          )}
          <button
            type="button"
            className="pick"
            onClick={() => go({ node: selected === node.id ? '' : node.id })}
            onKeyDown={(event) => {
              if ((event.key === 'ArrowRight' && !open) || (event.key === 'ArrowLeft' && open)) toggle(node.id);
            }}
          >
            <span className="kind">{node.kind}</span>{' '}
            <span className="namespace">{node.namespace === '' ? '' : `${node.namespace}/`}</span>
            {node.name}
          </button>
          {node.facts
            .filter(({ name }) => name === 'image' || name === 'ready')
            .map(({ name, value }) => (
              <code key={name + value} className="fact">
                {value}
              </code>
            ))}
          {open || below.length === 0 ? null : <span className="folded-count">{count(below)} below</span>}
        </td>
        <td>
          <StateMark state={node.state} word />
        </td>
        <td>
          <Revision of={node.revision} />
        </td>
        <td className="age-cell">
          <Age at={node.createdAt} />
        </td>
        <td className="message">
          <div>{shortRevision(node.message)}</div>
        </td>
      </tr>
    );
    return open ? [row, ...below.flatMap((child) => rows(child, depth + 1))] : [row];
  };
  return (
    <table className="tree" role="treegrid" onKeyDown={moveWithArrows}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Revision</th>
          <th scope="col">Age</th>
          <th scope="col">Message</th>
        </tr>
      </thead>
      <tbody>{forest.flatMap((branch) => rows(branch, 0))}</tbody>
    </table>
  );
}

/** Kustomizations that begin folded: in a large tree, those below which everything is ready. */
function foldable(forest: readonly Branch[]): ReadonlySet<string> {
  const folded = new Set<string>();
  if (count(forest) <= ALL_OPEN_UP_TO) return folded;
  const look = (branch: Branch): void => {
    if (branch.node.tier === 'applier' && isAllReady(branch)) folded.add(branch.node.id);
    else branch.below.forEach(look);
  };
  forest.forEach(look);
  return folded;
}

function isAllReady({ node, below }: Branch): boolean {
  return node.state === 'Ready' && below.every(isAllReady);
}

function count(forest: readonly Branch[]): number {
  return forest.reduce((sum, { below }) => sum + 1 + count(below), 0);
}

function moveWithArrows(event: KeyboardEvent<HTMLTableElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>('button.pick')];
  const here = buttons.indexOf(document.activeElement as HTMLButtonElement);
  const next = buttons[here + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
