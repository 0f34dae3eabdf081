import { useEffect, useMemo, useRef, useState } from 'react';
import { STATES, type ViewNode } from '../../src/api/view.ts';
import { countStates, forestOf, prune } from './api/forest.ts';
import { type Live, useLive } from './api/live.ts';
import { go, type Location, type Place, useLocation } from './api/location.ts';
import { Age, Clock } from './components/age.tsx';
import { Details } from './components/details.tsx';
import { Events } from './components/events.tsx';
import { Flow } from './components/flow.tsx';
import { Help } from './components/help.tsx';
import { StateMark } from './components/state-mark.tsx';
import { ThemeButton } from './components/theme.tsx';
import { Tree } from './components/tree.tsx';
import { Trouble } from './components/trouble.tsx';

export function App() {
  return <Page live={useLive()} location={useLocation()} />;
}

/** The whole page from what is known and what the address asks for. */
export function Page({ live, location }: { readonly live: Live; readonly location: Location }) {
  const search = useRef<HTMLInputElement>(null);
  const [help, setHelp] = useState(false);
  useShortcuts(search, setHelp);
  const forest = useMemo(() => prune(forestOf(live.nodes.values()), matcher(location)), [live.nodes, location]);
  const selected = live.nodes.get(location.node);
  useTitle(live);
  return (
    <Clock>
      <header className="top">
        <a
          className="brand"
          href="/"
          onClick={(event) => (event.preventDefault(), go({ query: '', state: '', node: '' }))}
        >
          <img src="/weir.svg" alt="" width="24" height="24" /> weir
        </a>
        {live.cluster === '' ? null : (
          <span className="cluster" title="Cluster">
            {live.cluster}
          </span>
        )}
        <nav aria-label="Views">
          <ViewButton place="flow" at={location.place} />
          <ViewButton place="tree" at={location.place} />
        </nav>
        <input
          ref={search}
          type="search"
          placeholder="Search, or press /"
          aria-label="Search"
          value={location.query}
          onChange={(event) => go({ query: event.target.value }, true)}
        />
        <Connection live={live} />
        <ThemeButton />
        <button type="button" className="tool" aria-label="Help" title="Keys (?)" onClick={() => setHelp(true)}>
          ?
        </button>
      </header>
      <States live={live} active={location.state} />
      <main>
        <div className="view">
          {location.state === '' && location.query === '' && selected === undefined ? (
            <Trouble nodes={live.nodes} />
          ) : null}
          {live.nodes.size === 0 ? (
            <Nothing live={live} />
          ) : forest.length === 0 ? (
            <p className="empty">Nothing matches. Press Esc to see everything.</p>
          ) : location.place === 'flow' ? (
            <Flow forest={forest} nodes={live.nodes} selected={selected?.id ?? ''} changed={live.changed} />
          ) : (
            <Tree forest={forest} selected={selected?.id ?? ''} changed={live.changed} />
          )}
        </div>
        {live.nodes.size === 0 ? null : (
          <aside>
            {selected === undefined ? null : <Details node={selected} nodes={live.nodes} />}
            <h2>{selected === undefined ? 'What happened' : 'What happened to it'}</h2>
            <Events events={live.events} about={selected?.id ?? ''} nodes={live.nodes} />
          </aside>
        )}
      </main>
      {help ? <Help close={() => setHelp(false)} /> : null}
    </Clock>
  );
}

const PLACE_NAMES: Readonly<Record<Place, string>> = { flow: 'Flow', tree: 'Tree' };

function ViewButton({ place, at }: { readonly place: Place; readonly at: Place }) {
  return (
    <button type="button" aria-current={at === place ? 'page' : undefined} onClick={() => go({ place })}>
      {PLACE_NAMES[place]}
    </button>
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
            <StateMark state={state} bare /> <b>{counts.get(state)}</b> {state.toLowerCase()}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Connection({ live: { connection } }: { readonly live: Live }) {
  return (
    <span className={`connection ${connection.state}`} role="status">
      {connection.state === 'live' ? (
        'live'
      ) : connection.state === 'connecting' ? (
        'connecting'
      ) : (
        <>
          connection lost <Age at={new Date(connection.sinceMs).toISOString()} /> ago: this is how it was then
        </>
      )}
    </span>
  );
}

function Nothing({ live }: { readonly live: Live }) {
  if (live.connection.state === 'connecting') return null;
  return (
    <section className="empty first-steps">
      <h1>No sources yet</h1>
      <p>Tell Weir which repository holds what should run. In a terminal:</p>
      <pre>{`weir create source git my-app --url=ssh://git@example.com/my-app.git --branch=main
weir create kustomization my-app --source=GitRepository/my-app --path=./ --prune=true`}</pre>
      <p>It appears here as soon as it exists.</p>
    </section>
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

/** The browser's tab tells when something is wrong. */
function useTitle({ nodes, cluster }: Live): void {
  const failed = countStates(nodes.values()).get('Failed') ?? 0;
  const name = cluster === '' ? 'Weir' : `Weir: ${cluster}`;
  useEffect(() => {
    document.title = failed === 0 ? name : `${failed} failed, ${name}`;
  }, [failed, name]);
}

function useShortcuts(search: React.RefObject<HTMLInputElement | null>, setHelp: (open: boolean) => void): void {
  useEffect(() => {
    let afterG = false;
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const goTo = afterG ? ({ f: 'flow', t: 'tree' } as Readonly<Record<string, Place>>)[event.key] : undefined;
      afterG = false;
      if (event.key === 'Escape') {
        setHelp(false);
        go({ query: '', state: '', node: '' });
        search.current?.blur();
        return;
      }
      if (document.activeElement === search.current) return;
      if (goTo !== undefined) go({ place: goTo });
      else if (event.key === 'g') afterG = true;
      else if (event.key === '?') setHelp(true);
      else if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [search, setHelp]);
}
