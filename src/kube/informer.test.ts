import { afterEach, describe, expect, test, vi } from 'vitest';
import { failure, TinyApi } from '../../tests/support/tiny-api.ts';
import type { KubeObject } from '../api/object.ts';
import { ManualClock } from '../base/clock.ts';
import { silent } from '../base/log.ts';
import { type Informer, watchKind } from './informer.ts';
import { InformerPool } from './informer-pool.ts';
import { createKubeClient } from './rest-client.ts';

const THINGS = { apiVersion: 'e.com/v1', kind: 'Thing', plural: 'things' };
const thing = (name: string, spec: Record<string, string> = {}, labels?: Record<string, string>): KubeObject => ({
  apiVersion: 'e.com/v1',
  kind: 'Thing',
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
  spec,
});

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function start(api: TinyApi): { informer: Informer; clock: ManualClock; seen: string[]; pool: InformerPool } {
  const clock = new ManualClock(0);
  const stop = new AbortController();
  stops.push(stop);
  const client = createKubeClient({ handler: api.handler, userAgent: 'test', clock, random: () => 0 });
  const options = { client, clock, log: silent, signal: stop.signal, random: () => 0 };
  const informer = watchKind({ ...options, kind: THINGS });
  const seen: string[] = [];
  informer.subscribe(({ type, object, previous }) => {
    seen.push(
      `${type} ${object.metadata.name}${previous === undefined ? '' : ` was ${JSON.stringify(previous.spec)}`}`,
    );
  });
  return { informer, clock, seen, pool: new InformerPool(options) };
}

/** Waits for work that has no timer of its own. */
const until = (check: () => boolean): Promise<void> => vi.waitFor(() => expect(check()).toBe(true), { interval: 1 });

describe('an informer', () => {
  test('lists what there is, then follows changes with the object as it was', async () => {
    const api = new TinyApi([THINGS]);
    api.put(thing('x', { n: '1' }));
    const { informer, seen } = start(api);
    await informer.synced;
    expect(informer.get('a', 'x')?.spec).toEqual({ n: '1' });
    api.put(thing('x', { n: '2' }));
    api.put(thing('y'));
    api.delete('Thing', 'x');
    await until(() => seen.length === 4);
    expect(seen).toEqual(['ADDED x', 'MODIFIED x was {"n":"1"}', 'ADDED y', 'DELETED x was {"n":"2"}']);
    expect(informer.list('a').map(({ metadata }) => metadata.name)).toEqual(['y']);
  });

  test('tells a new subscriber of the objects it holds', async () => {
    const api = new TinyApi([THINGS]);
    api.put(thing('x'));
    const { informer } = start(api);
    await informer.synced;
    const late: string[] = [];
    informer.subscribe(({ type, object }) => late.push(`${type} ${object.metadata.name}`));
    expect(late).toEqual(['ADDED x']);
  });

  test('keeps its indexes current', async () => {
    const api = new TinyApi([THINGS]);
    const { informer, seen } = start(api);
    const bySource = informer.index(({ spec }) => (typeof spec?.['source'] === 'string' ? [spec['source']] : []));
    await informer.synced;
    api.put(thing('x', { source: 's1' }));
    api.put(thing('y', { source: 's1' }));
    api.put(thing('x', { source: 's2' }));
    await until(() => seen.length === 3);
    expect(bySource.get('s1').map(({ metadata }) => metadata.name)).toEqual(['y']);
    expect(bySource.get('s2').map(({ metadata }) => metadata.name)).toEqual(['x']);
  });

  test('goes on from where it was when the connection ends', async () => {
    const api = new TinyApi([THINGS]);
    const { informer, seen, clock } = start(api);
    await informer.synced;
    api.put(thing('x'));
    await until(() => seen.length === 1);
    api.cutWatches();
    api.put(thing('y'));
    await until(() => {
      clock.advance(1000);
      return seen.length === 2;
    });
    expect(seen).toEqual(['ADDED x', 'ADDED y']);
  });

  test('lists anew when the server has forgotten its version, and tells what it missed', async () => {
    const api = new TinyApi([THINGS]);
    api.put(thing('x', { n: '1' }));
    api.put(thing('gone'));
    const { informer, seen, clock } = start(api);
    await informer.synced;
    let lost = true;
    api.intercept = ({ path }) =>
      lost && path.includes('watch=true') ? failure(500, 'InternalError', 'lost') : undefined;
    api.cutWatches();
    api.put(thing('x', { n: '2' }));
    api.delete('Thing', 'gone');
    api.oldest = api.version;
    lost = false;
    await until(() => {
      clock.advance(1000);
      return seen.length === 4;
    });
    expect(seen.slice(2)).toEqual(['MODIFIED x was {"n":"1"}', 'DELETED gone was {}']);
  });

  test('does not spin when the server refuses every version it gives', async () => {
    const api = new TinyApi([THINGS]);
    let lists = 0;
    api.intercept = ({ path }) => {
      if (!path.includes('watch=true')) lists += path.includes('things') ? 1 : 0;
      return path.includes('watch=true') ? failure(410, 'Expired', 'too old') : undefined;
    };
    const { informer, clock } = start(api);
    await informer.synced;
    await until(() => clock.next() === 800);
    expect(lists).toBe(1);
    clock.advance(800);
    await until(() => lists === 2);
  });

  test('waits for a kind that does not exist yet, and counts as synced without objects', async () => {
    const api = new TinyApi([]);
    const { informer, seen, clock } = start(api);
    await informer.synced;
    expect(informer.list()).toEqual([]);
    api.serve(THINGS);
    api.put(thing('x'));
    await until(() => {
      clock.advance(5000);
      return seen.length === 1;
    });
    expect(seen).toEqual(['ADDED x']);
  });

  test('aborts a watch that outlives its time and opens another', async () => {
    const api = new TinyApi([THINGS]);
    let watches = 0;
    api.intercept = ({ path }) => {
      if (path.includes('watch=true')) watches++;
      return undefined;
    };
    const { informer, clock } = start(api);
    await informer.synced;
    await until(() => watches === 1);
    clock.advance(331_000);
    await until(() => watches === 2);
    expect(informer.isSynced()).toBe(true);
  });

  test('does not let one failing handler keep an event from the others', async () => {
    const api = new TinyApi([THINGS]);
    const { informer } = start(api);
    informer.subscribe(() => {
      throw new Error('bug');
    });
    const seen: string[] = [];
    informer.subscribe(({ type }) => seen.push(type));
    await informer.synced;
    api.put(thing('x'));
    await until(() => seen.length === 1);
    expect(seen).toEqual(['ADDED']);
  });
});

test('a pool shares one informer per selection', () => {
  const { pool } = start(new TinyApi([THINGS]));
  expect(pool.watch(THINGS)).toBe(pool.watch({ apiVersion: 'e.com/v1', kind: 'Thing', labelSelector: '' }));
  expect(pool.watch(THINGS)).not.toBe(pool.watch({ ...THINGS, namespace: 'a' }));
});
