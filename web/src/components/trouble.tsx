import type { State, ViewNode } from '../../../src/api/view.ts';
import { go } from '../api/location.ts';
import { firstLine, fullName } from '../api/words.ts';
import { Age } from './age.tsx';
import { Revision } from './revision.tsx';
import { StateMark } from './state-mark.tsx';

/** States that someone should know of, worst first. */
const TROUBLE: readonly State[] = ['Failed', 'Drifted', 'Waiting', 'Suspended'];
const MAX_ROWS = 6;

/** What is wrong, with the reason in the row: no click to learn why. */
export function Trouble({ nodes }: { readonly nodes: ReadonlyMap<string, ViewNode> }) {
  const wrong = TROUBLE.flatMap((state) => [...nodes.values()].filter((node) => node.state === state));
  if (wrong.length === 0) return null;
  return (
    <ul className="trouble-list" aria-label="What is not as it should be">
      {wrong.slice(0, MAX_ROWS).map((node) => (
        <li key={node.id} data-trouble={node.state}>
          <button type="button" onClick={() => go({ node: node.id })}>
            <StateMark state={node.state} word />
            <span className="who">
              <span className="kind">{node.kind}</span> <b>{fullName(node)}</b>
            </span>
            <span className="why">{firstLine(node.message)}</span>
            <span className="when">
              <Revision of={node.revision} /> <Age at={node.since} />
            </span>
          </button>
        </li>
      ))}
      {wrong.length > MAX_ROWS ? (
        <li className="more">and {wrong.length - MAX_ROWS} more: choose a state above to see them all</li>
      ) : null}
    </ul>
  );
}
