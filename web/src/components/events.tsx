import type { ViewEvent } from '../../../src/api/view.ts';
import { go } from '../api/location.ts';
import { Age } from './age.tsx';

/** What happened lately, newest first. */
export function Events({ events, about }: { readonly events: readonly ViewEvent[]; readonly about: string }) {
  const shown = (about === '' ? events : events.filter((event) => event.about === about)).slice(0, 60);
  if (shown.length === 0)
    return (
      <p className="empty">
        {about === '' ? 'Nothing has happened yet.' : 'No events about this object in the last hour.'}
      </p>
    );
  return (
    <ol className="events">
      {shown.map((event) => (
        <li key={event.id} className={event.severity}>
          <Age at={event.at} />
          <button type="button" onClick={() => go({ node: event.about })}>
            {event.about.split('/')[1]} {event.about.split('/').slice(2).filter(Boolean).join('/')}
          </button>
          <span className="reason">{event.reason}</span>
          <pre>{event.message}</pre>
        </li>
      ))}
    </ol>
  );
}
