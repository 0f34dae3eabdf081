import type { ViewEvent, ViewNode } from '../../../src/api/view.ts';
import { go } from '../api/location.ts';
import { shortRevision } from '../api/words.ts';
import { Age } from './age.tsx';

const MAX_SHOWN = 60;
/** Longer messages are folded. */
const MAX_LINES = 5;

/** What happened lately to what the page shows, newest first. */
export function Events({
  events,
  about,
  nodes,
}: {
  readonly events: readonly ViewEvent[];
  readonly about: string;
  readonly nodes: ReadonlyMap<string, ViewNode>;
}) {
  const shown = events.filter((event) => (about === '' ? nodes.has(event.about) : event.about === about));
  if (shown.length === 0)
    return (
      <p className="empty">
        {about === '' ? 'Nothing has happened yet.' : 'No events about this object in the last hour.'}
      </p>
    );
  return (
    <ol className="events">
      {shown.slice(0, MAX_SHOWN).map((event) => (
        <li key={event.id} className={event.severity}>
          <p>
            {about === '' ? <About node={nodes.get(event.about)} /> : null}
            <span className="reason">{event.reason}</span>
            {event.count > 1 ? <span className="count">{event.count}×</span> : null}
            <Age at={event.at} />
          </p>
          <Message text={shortRevision(event.message)} />
        </li>
      ))}
    </ol>
  );
}

function About({ node }: { readonly node: ViewNode | undefined }) {
  if (node === undefined) return null;
  return (
    <button type="button" title={`${node.kind} ${node.namespace}`} onClick={() => go({ node: node.id })}>
      {node.name}
    </button>
  );
}

function Message({ text }: { readonly text: string }) {
  const lines = text.split('\n');
  if (lines.length <= MAX_LINES) return <div className="text">{text}</div>;
  return (
    <details>
      <summary>
        {lines[0]} <span className="more">and {lines.length - 1} more lines</span>
      </summary>
      <div className="text">{lines.slice(1).join('\n')}</div>
    </details>
  );
}
