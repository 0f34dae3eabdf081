import { useEffect, useState } from 'react';
import type { ViewEvent, ViewMessage, ViewNode } from '../../../src/api/view.ts';

/** What the page knows, and how fresh it is. */
export interface Live {
  readonly cluster: string;
  readonly nodes: ReadonlyMap<string, ViewNode>;
  /** Newest first. */
  readonly events: readonly ViewEvent[];
  /** Ids that changed with the last message: they light up for a moment. */
  readonly changed: ReadonlySet<string>;
  readonly connection:
    | { readonly state: 'connecting' }
    | { readonly state: 'live' }
    | { readonly state: 'lost'; readonly sinceMs: number };
}

export const nothingYet: Live = {
  cluster: '',
  nodes: new Map(),
  events: [],
  changed: new Set(),
  connection: { state: 'connecting' },
};
const MAX_EVENTS = 200;

/** The state after one message of the stream. */
export function receive(live: Live, message: ViewMessage): Live {
  const connection = { state: 'live' } as const;
  if (message.type === 'snapshot') {
    const nodes = new Map(message.nodes.map((node) => [node.id, node]));
    return {
      cluster: message.cluster,
      nodes,
      events: newestFirst(message.events.toReversed()),
      changed: new Set(),
      connection,
    };
  }
  const nodes = new Map(live.nodes);
  for (const id of message.removed) nodes.delete(id);
  for (const node of message.nodes) nodes.set(node.id, node);
  const ids = new Set(message.events.map(({ id }) => id));
  const events = newestFirst([...message.events.toReversed(), ...live.events.filter(({ id }) => !ids.has(id))]);
  return { ...live, nodes, events, changed: new Set(message.nodes.map(({ id }) => id)), connection };
}

/** Times have whole seconds: within one, what was told later comes first. */
function newestFirst(events: readonly ViewEvent[]): readonly ViewEvent[] {
  return [...events].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, MAX_EVENTS);
}

/** Follows the engine's stream; the browser connects again by itself, and every connection begins with a snapshot. */
export function useLive(): Live {
  const [live, setLive] = useState(nothingYet);
  useEffect(() => {
    const source = new EventSource('/api/stream');
    source.onmessage = ({ data }) => setLive((before) => receive(before, JSON.parse(String(data)) as ViewMessage));
    source.onerror = () =>
      setLive((before) =>
        before.connection.state === 'lost' ? before : { ...before, connection: { state: 'lost', sinceMs: Date.now() } },
      );
    return () => source.close();
  }, []);
  return live;
}
