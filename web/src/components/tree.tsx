import type { KeyboardEvent } from 'react';
import type { Branch } from '../api/forest.ts';
import { go } from '../api/location.ts';
import { Age } from './age.tsx';
import { Revision } from './revision.tsx';
import { StateMark } from './state-mark.tsx';

interface TreeProps {
  readonly forest: readonly Branch[];
  readonly selected: string;
  readonly changed: ReadonlySet<string>;
}

/** Everything as one outline: source, Kustomization, objects, pods; a row per node, with its message in the row. */
export function Tree({ forest, selected, changed }: TreeProps) {
  return (
    <table className="tree" onKeyDown={moveWithArrows}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Revision</th>
          <th scope="col">Age</th>
          <th scope="col">Message</th>
        </tr>
      </thead>
      <tbody>{forest.flatMap((branch) => rows(branch, 0, selected, changed))}</tbody>
    </table>
  );
}

function rows(
  { node, below }: Branch,
  depth: number,
  selected: string,
  changed: ReadonlySet<string>,
): React.ReactNode[] {
  const classes = [`tier-${node.tier}`, selected === node.id ? 'selected' : '', changed.has(node.id) ? 'changed' : ''];
  const row = (
    <tr key={node.id} className={classes.join(' ')} data-node={node.id} data-state={node.state}>
      <td className={`name depth-${Math.min(depth, 5)}`}>
        <button type="button" onClick={() => go({ node: selected === node.id ? '' : node.id })}>
          <span className="kind">{node.kind}</span>{' '}
          <span className="namespace">{node.namespace === '' ? '' : `${node.namespace}/`}</span>
          {node.name}
        </button>
        <span className="facts">
          {node.facts
            .filter(({ name }) => name === 'image' || name === 'ready')
            .map(({ name, value }) => (
              <code key={name + value}>{value}</code>
            ))}
        </span>
      </td>
      <td>
        <StateMark state={node.state} word />
      </td>
      <td>
        <Revision of={node.revision} />
      </td>
      <td>
        <Age at={node.createdAt} />
      </td>
      <td className="message">{node.message}</td>
    </tr>
  );
  return [row, ...below.flatMap((branch) => rows(branch, depth + 1, selected, changed))];
}

function moveWithArrows(event: KeyboardEvent<HTMLTableElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const next =
    buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
