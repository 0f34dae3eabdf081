import { useEffect, useMemo, useRef, useState } from 'react';
import { STATES, type ViewNode } from '../../src/api/view.ts';
import { countStates, forestOf, prune } from './api/forest.ts';
import { type Live, useLive } from './api/live.ts';
import { go, type Location, useLocation } from './api/location.ts';
import { age } from './api/words.ts';
import { Now } from './components/age.tsx';
import { Details } from './components/details.tsx';
import { Events } from './components/events.tsx';
import { Flow } from './components/flow.tsx';
import { StateMark } from './components/state-mark.tsx';
import { Tree } from './components/tree.tsx';

export function App() {
  return <Page live={useLive()} location={useLocation()} />;
}

/** The whole page from what is known and what the address asks for. */
export function Page({ live, location }: { readonly live: Live; readonly location: Location }) {
  const now = useNow();
  const search = useRef<HTMLInputElement>(null);
  useShortcuts(search);
  const forest = useMemo(() => prune(forestOf(live.nodes.values()), matcher(location)), [live.nodes, location]);
  const selected = live.nodes.get(location.node);
  return (
    <Now value={now}>
      <header className="top">
        <a
          className="brand"
          href="/"
          onClick={(event) => (event.preventDefault(), go({ place: 'flow', query: '', state: '', node: '' }))}
        >
          <img src="/weir.svg" alt="" width="24" height="24" /> weir
        </a>
        <span className="cluster">{live.cluster}</span>
        <nav aria-label="Views">
          <button
            type="button"
            aria-current={location.place === 'flow' ? 'page' : undefined}
            onClick={() => go({ place: 'flow' })}
          >
            Flow
          </button>
          <button
            type="button"
            aria-current={location.place === 'tree' ? 'page' : undefined}
            onClick={() => go({ place: 'tree' })}
          >
            Tree
          </button>
        </nav>
        <input
          ref={search}
          type="search"
          placeholder="Search, or press /"
          aria-label="Search"
          value={location.query}
          onChange={(event) => go({ query: event.target.value }, true)}
        />
        <Connection live={live} now={now} />
      </header>
      <States live={live} active={location.state} />
      <main>
        <div className="view">
          {live.nodes.size === 0 ? (
            <Nothing live={live} />
          ) : forest.length === 0 ? (
            <p className="empty">Nothing matches. Press Esc to see everything.</p>
          ) : location.place === 'flow' ? (
            <Flow forest={forest} nodes={live.nodes} selected={location.node} changed={live.changed} />
          ) : (
            <Tree forest={forest} selected={location.node} changed={live.changed} />
          )}
        </div>
        <aside>
          {selected === undefined ? null : <Details node={selected} nodes={live.nodes} />}
          <h2>{selected === undefined ? 'What happened' : 'What happened to it'}</h2>
          <Events events={live.events} about={selected?.id ?? ''} />
        </aside>
      </main>
    </Now>
  );
}

function States({ live, active }: { readonly live: Live; readonly active: string }) {
  const counts = countStates(live.nodes.values());
  return (
    <ul className="states" aria-label="Objects by state">
      {STATES.filter((state) => (counts.get(state) ?? 0) > 0 || state === 'Failed').map((state) => (
        <li key={state}>
          <button
            type="button"
            aria-pressed={active === state}
            className={counts.get(state) === 0 ? 'none' : ''}
            onClick={() => go({ state: active === state ? '' : state })}
          >
            <StateMark state={state} /> <b>{counts.get(state)}</b> {state.toLowerCase()}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Connection({ live, now }: { readonly live: Live; readonly now: number }) {
  const { connection } = live;
  if (connection.state === 'live') return <span className="connection live">live</span>;
  if (connection.state !== 'lost') return <span className="connection">connecting</span>;
  return (
    <span className="connection lost" role="status">
      connection lost {age(connection.sinceMs, now)} ago; what you see is from then
    </span>
  );
}

function Nothing({ live }: { readonly live: Live }) {
  if (live.connection.state !== 'live') return null;
  return (
    <p className="empty">
      No sources yet. Create one: <code>weir create source git podinfo --url=ssh://… --branch=master</code>, then a
      Kustomization that reads it.
    </p>
  );
}

function matcher({ query, state }: Location): (node: ViewNode) => boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return (node) => {
    if (state !== '' && node.state !== state) return false;
    const text =
      `${node.kind} ${node.namespace}/${node.name} ${node.message} ${node.facts.map(({ value }) => value).join(' ')}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function useShortcuts(search: React.RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') {
        go({ query: '', state: '', node: '' });
        search.current?.blur();
      } else if (event.key === '/' && document.activeElement !== search.current) {
        event.preventDefault();
        search.current?.focus();
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [search]);
}
