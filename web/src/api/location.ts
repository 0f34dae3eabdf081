import { useSyncExternalStore } from 'react';

export type Place = 'tree' | 'flow';

/** What the address says: views can be sent to a colleague. */
export interface Location {
  readonly place: Place;
  readonly query: string;
  readonly state: string;
  readonly node: string;
}

const listeners = new Set<() => void>();

function read(): Location {
  const { pathname, search } = window.location;
  const params = new URLSearchParams(search);
  return {
    place: pathname === '/tree' || (pathname !== '/flow' && isNarrow()) ? 'tree' : 'flow',
    query: params.get('q') ?? '',
    state: params.get('state') ?? '',
    node: params.get('node') ?? '',
  };
}

/** Columns side by side need room: a phone begins with the tree. */
function isNarrow(): boolean {
  return typeof window.matchMedia === 'function' && window.matchMedia('(max-width: 700px)').matches;
}

let current = read();
function changed(): void {
  current = read();
  for (const listener of listeners) listener();
}
window.addEventListener('popstate', changed);

/** Goes to a view; typing in a field replaces the entry instead of filling the history. */
export function go(to: Partial<Location>, replace = false): void {
  const next = { ...current, ...to };
  const params = new URLSearchParams();
  if (next.query !== '') params.set('q', next.query);
  if (next.state !== '') params.set('state', next.state);
  if (next.node !== '') params.set('node', next.node);
  const search = params.toString();
  const address = `/${next.place}${search === '' ? '' : `?${search}`}`;
  window.history[replace ? 'replaceState' : 'pushState'](null, '', address);
  changed();
}

export function useLocation(): Location {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
