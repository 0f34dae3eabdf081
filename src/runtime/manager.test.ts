import { afterEach, describe, expect, test, vi } from 'vitest';
import { failure, TinyApi } from '../../tests/support/tiny-api.ts';
import { notReady, ready, reconciling, unknownReady } from '../api/condition.ts';
import type { KubeObject } from '../api/object.ts';
import type { EventRecord, Outcome } from '../api/outcome.ts';
import { ManualClock } from '../base/clock.ts';
import { silent } from '../base/log.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { type Controller, defineController, type ReconcileContext, type Superseded, type Watch } from './controller.ts';
import { type Runtime, startControllers } from './manager.ts';

const THINGS = { apiVersion: 'e.com/v1', kind: 'Thing', plural: 'things' };
const SOURCES = { apiVersion: 'e.com/v1', kind: 'Source', plural: 'sources' };
const thing = (name = 'x', spec: Record<string, string> = {}, more: object = {}): KubeObject => ({
  apiVersion: 'e.com/v1',
  kind: 'Thing',
  metadata: { name, ...more },
  spec,
  status: { observedGeneration: -1 },
});
const done: Outcome = { kind: 'done', requeueAfterMs: 600_000, conditions: [ready('Succeeded', 'ok')], events: [] };
const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});
const until = (check: () => boolean): Promise<void> => vi.waitFor(() => expect(check()).toBe(true), { interval: 1 });

interface World {
  readonly api: TinyApi;
  readonly clock: ManualClock;
  readonly runtime: Runtime;
  readonly runs: KubeObject[];
  readonly events: string[];
  readonly stop: AbortController;
  /** When the API has been quiet and no reconcile runs. */
  readonly settled: (runs: number) => Promise<void>;
}

function start(
  reconcile: (object: KubeObject, context: ReconcileContext, run: number) => Promise<Outcome>,
  more: Partial<Controller<KubeObject>> = {},
  api = new TinyApi([THINGS, SOURCES]),
  others: readonly Controller<KubeObject>[] = [],
): World {
  const clock = new ManualClock(0);
  const stop = new AbortController();
  stops.push(stop);
  const runs: KubeObject[] = [];
  const events: string[] = [];
  let finished = 0;
  const controller = defineController<KubeObject>({
    name: 'thing-controller',
    statusManager: 'gotk-thing-controller',
    apiVersion: 'e.com/v1',
    kind: 'Thing',
    watches: [],
    conditions: [],
    finalizer: 'finalizers.fluxcd.io',
    reconciler: {
      async reconcile(object, context) {
        runs.push(object);
        try {
          return await reconcile(object, context, runs.length);
        } finally {
          finished++;
        }
      },
    },
    ...more,
  });
  const runtime = startControllers({
    controllers: [controller, ...others],
    client: createKubeClient({ handler: api.handler, userAgent: 'test', clock, random: () => 0 }),
    clock,
    log: silent,
    signal: stop.signal,
    random: () => 0,
    events: {
      record: (_component: string, object: KubeObject, event: EventRecord) => {
        events.push(`${event.reason} ${object.metadata.name}: ${event.message}`);
      },
      close: () => Promise.resolve(),
    },
  });
  const settled = async (count: number): Promise<void> => {
    let last = -1;
    await vi.waitFor(
      () => {
        const before = last;
        last = api.writes.length;
        expect([runs.length, finished, before]).toEqual([count, count, last]);
      },
      { interval: 5 },
    );
  };
  return { api, clock, runtime, runs, events, stop, settled };
}

const patches = (api: TinyApi): string[] =>
  api.writes.map(({ method, path }) => `${method} ${path.replace('/apis/e.com/v1/namespaces/a/', '')}`);

describe('the runtime', () => {
  test.each([0, -1_000, 0.000_001, Number.NaN])(
    'works by an interval of %d ms no more than once a second',
    async (ms) => {
      const { api, settled, clock, runs } = start(async () => ({ ...done, requeueAfterMs: ms }));
      api.put(thing());
      await settled(1);
      clock.advance(900);
      await settled(1);
      clock.advance(200);
      await settled(2);
      expect(runs).toHaveLength(2);
    },
  );

  test('adds the finalizer, reconciles, writes status once and rests', async () => {
    const { api, settled, runs, runtime } = start(async () => done);
    api.put(thing());
    await settled(1);
    await runtime.synced;
    expect(patches(api)).toEqual([
      'PATCH things/x?fieldManager=gotk-thing-controller&fieldValidation=Ignore',
      'PATCH things/x/status?fieldManager=gotk-thing-controller&fieldValidation=Ignore',
    ]);
    expect(runs[0]?.metadata.finalizers).toEqual(['finalizers.fluxcd.io']);
    expect(api.get('Thing', 'x')?.status).toEqual({
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Succeeded',
          message: 'ok',
          observedGeneration: 1,
          lastTransitionTime: '1970-01-01T00:00:00Z',
        },
      ],
    });
  });

  test('reconciles for spec, request and deletion, not for status or other metadata', async () => {
    const { api, settled, runs } = start(async (object) =>
      object.metadata.deletionTimestamp === undefined ? done : { kind: 'deleted' },
    );
    api.put(thing());
    await settled(1);
    const current = (): KubeObject => api.get('Thing', 'x') as KubeObject;
    const annotate = (annotations: Record<string, string>): KubeObject =>
      api.put({ ...current(), metadata: { ...current().metadata, annotations } });
    annotate({ other: '1' });
    api.put({ ...current(), status: { ...current().status, foreign: true } });
    annotate({ 'reconcile.fluxcd.io/requestedAt': 'r1' });
    await settled(2);
    expect(current().status?.['lastHandledReconcileAt']).toBe('r1');
    api.put({ ...current(), spec: { n: '2' } });
    await settled(3);
    expect(current().status?.['observedGeneration']).toBe(2);
    api.delete('Thing', 'x');
    await until(() => api.get('Thing', 'x') === undefined);
    expect(runs).toHaveLength(4);
  });

  test('writes nothing for a reconcile that changes nothing, and comes back after the interval with its jitter', async () => {
    const { api, settled, clock } = start(async () => done);
    api.put(thing());
    await settled(1);
    const writes = api.writes.length;
    clock.advance(569_999);
    await settled(1);
    clock.advance(1);
    await settled(2);
    expect(api.writes).toHaveLength(writes);
  });

  test('does not jitter waits, and retries throws and failures with growing pauses', async () => {
    const { api, settled, clock, runs } = start(async (_object, _context, run) => {
      if (run === 1) throw new Error('bug');
      if (run === 2) return { kind: 'backoff', conditions: [notReady('Failed', 'm')], events: [] };
      return { ...done, kind: 'wait', requeueAfterMs: 30_000 } as Outcome;
    });
    api.put(thing());
    await settled(1);
    clock.advance(750);
    await settled(2);
    clock.advance(1499);
    await settled(2);
    clock.advance(1);
    await settled(3);
    clock.advance(29_999);
    await settled(3);
    clock.advance(1);
    await settled(4);
    expect(runs).toHaveLength(4);
  });

  test('writes progress when it differs, and events with their object', async () => {
    const { api, settled, events } = start(async (_object, { progress }) => {
      const step = { conditions: [unknownReady('Progressing', 'm'), reconciling('Progressing', 'm')] };
      await progress({ ...step, events: [{ severity: 'info', reason: 'Progressing', message: 'begun' }] });
      await progress(step);
      return { ...done, events: [{ severity: 'info', reason: 'Succeeded', message: 'finished' }] } as Outcome;
    });
    api.put(thing());
    await settled(1);
    expect(patches(api)).toHaveLength(3);
    expect(events).toEqual(['Progressing x: begun', 'Succeeded x: finished']);
    expect(api.get('Thing', 'x')?.status?.['conditions']).toMatchObject([{ type: 'Ready', status: 'True' }]);
  });

  test('adds the finalizer to a suspended object and leaves its status alone', async () => {
    const { api, settled } = start(async () => ({ kind: 'none' }));
    api.put(thing());
    await settled(1);
    expect(patches(api)).toEqual(['PATCH things/x?fieldManager=gotk-thing-controller&fieldValidation=Ignore']);
    expect(api.get('Thing', 'x')?.metadata.finalizers).toEqual(['finalizers.fluxcd.io']);
  });

  test('adds its finalizer beside those that others add at the same time', async () => {
    const api = new TinyApi([THINGS, SOURCES]);
    let raced = false;
    api.intercept = ({ method }) => {
      if (method !== 'PATCH' || raced) return undefined;
      raced = true;
      const current = api.get('Thing', 'x') as KubeObject;
      api.put({ ...current, metadata: { ...current.metadata, finalizers: ['other'] } });
      return undefined;
    };
    const { settled } = start(async () => done, {}, api);
    api.put(thing());
    await settled(1);
    expect(api.get('Thing', 'x')?.metadata.finalizers).toEqual(['other', 'finalizers.fluxcd.io']);
  });

  test('leaves an object alone that is being deleted without its finalizer', async () => {
    const { api, settled } = start(async () => done);
    api.put(thing('x', {}, { finalizers: ['other'], deletionTimestamp: '2026-01-01T00:00:00Z' }));
    await settled(0);
    expect(api.writes).toEqual([]);
  });

  test('reconciles what a watch of another kind maps to, if it exists', async () => {
    const watches = [{ apiVersion: 'e.com/v1', kind: 'Source', map: () => ['a/x', 'a/unknown'] }];
    const { api, settled, runs } = start(async () => done, { watches });
    api.put(thing());
    await settled(1);
    api.put({ apiVersion: 'e.com/v1', kind: 'Source', metadata: { name: 's' } });
    await settled(2);
    expect(runs.map(({ metadata }) => metadata.name)).toEqual(['x', 'x']);
  });

  test('begins those first that a watch finds its change matters to, the others when all were looked at', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    let looked: () => void = () => undefined;
    const watch = {
      apiVersion: 'e.com/v1',
      kind: 'Source',
      map: () => names.map((name) => `a/${name}`),
      async first(_keys: readonly string[], _object: KubeObject, found: (key: string) => void) {
        found('a/e');
        await new Promise<void>((resolve) => {
          looked = resolve;
        });
        found('a/c');
      },
    };
    const { api, settled, runs } = start(async () => done, { watches: [watch] });
    for (const name of names) api.put(thing(name));
    await settled(6);
    api.put({ apiVersion: 'e.com/v1', kind: 'Source', metadata: { name: 's' } });
    await settled(7);
    looked();
    await settled(12);
    const order = runs.slice(6).map(({ metadata }) => metadata.name);
    expect([order.slice(0, 2), order.slice(2).sort()]).toEqual([
      ['e', 'c'],
      ['a', 'b', 'd', 'f'],
    ]);
  });

  test('tells a running reconcile that it is out of date, and runs it again right after', async () => {
    const reasons: Superseded[] = [];
    const { api, settled, runs } = start(async (_object, { superseded, signal }, run) => {
      if (run === 1) {
        await new Promise((resolve) => superseded.addEventListener('abort', resolve, { once: true }));
        if (!signal.aborted) reasons.push(superseded.reason as Superseded);
      }
      return done;
    });
    api.put(thing());
    await until(() => runs.length === 1);
    api.put({ ...(api.get('Thing', 'x') as KubeObject), spec: { n: '2' } });
    await settled(2);
    expect(reasons).toEqual([{ cause: 'generation', by: 'Thing/a/x' }]);
    expect(runs[1]?.spec).toEqual({ n: '2' });
  });

  test('does not begin with an older object than the one it wrote last', async () => {
    const api = new TinyApi([THINGS, SOURCES]);
    const { settled, runs, runtime } = start(
      async (_object, _context, run) => ({ ...done, status: { run } }) as Outcome,
      {},
      api,
    );
    api.put(thing());
    await settled(1);
    // The watch says nothing any more, so the cache is behind after the next write.
    api.cutWatches();
    api.intercept = ({ path }) => (path.includes('watch=true') ? failure(500, 'InternalError', 'down') : undefined);
    runtime.enqueue('Thing', 'a/x');
    await settled(2);
    runtime.enqueue('Thing', 'a/x');
    await settled(3);
    expect(runs[2]?.status?.['run']).toBe(2);
  });

  test('stops when running work is done, having told it to hurry, and aborts it after the time for that', async () => {
    const log: string[] = [];
    const { api, runs, stop, runtime, clock } = start(async (_object, { superseded, signal }) => {
      await new Promise((resolve) => superseded.addEventListener('abort', resolve, { once: true }));
      log.push((superseded.reason as Superseded).cause);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      throw signal.reason;
    });
    api.put(thing());
    await until(() => runs.length === 1);
    stop.abort();
    await until(() => log.length === 1);
    clock.advance(30_000);
    await runtime.stopped;
    expect(log).toEqual(['stop']);
  });

  test.each([
    ['when that has been looked at', 'quick', true],
    ['after a while, if that takes long', 'slow', false],
    ['at once, if that does not exist', 'missing', false],
  ])('begins with what comes after another object %s', async (_, state, wasLookedAt) => {
    let release = (): void => {};
    const looked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const order: string[] = [];
    const sources = defineController<KubeObject>({
      name: 'source-controller',
      apiVersion: 'e.com/v1',
      kind: 'Source',
      watches: [],
      conditions: [],
      finalizer: 'finalizers.fluxcd.io',
      reconciler: {
        async reconcile() {
          order.push('begun');
          await looked;
          order.push('looked at');
          return { ...done, status: { artifact: 'a' } } as Outcome;
        },
      },
    });
    const api = new TinyApi([THINGS, SOURCES]);
    api.put({ apiVersion: 'e.com/v1', kind: 'Source', metadata: { name: 's' } });
    api.put(thing());
    const before: boolean[] = [];
    const use = async (): Promise<Outcome> => {
      before.push(seen?.status?.['artifact'] === 'a');
      return done;
    };
    const name = state === 'missing' ? 'none' : 's';
    const after = () => ({ apiVersion: 'e.com/v1', kind: 'Source', namespace: 'a', name });
    // What a watch has told of the other; that it exists is no news.
    let seen: KubeObject | undefined;
    const map: Watch['map'] = ({ object, previous }) => {
      seen = object;
      return previous === undefined ? ['a/x'] : [];
    };
    const watches = [{ apiVersion: 'e.com/v1', kind: 'Source', map }];
    const { clock, runtime } = start(use, { after, watches }, api, [sources]);
    await runtime.synced;
    await until(() => order.includes('begun'));
    if (state === 'slow') clock.advance(30_000);
    if (state === 'quick') release();
    await until(() => before.length > 0);
    release();
    expect(before).toEqual([wasLookedAt]);
  });

  test('leaves what belongs after a last write that no watch has told of', async () => {
    const leave = ({ status }: KubeObject) =>
      status?.['artifact'] === undefined ? undefined : { observedGeneration: 1 };
    const { api, runs, stop, runtime } = start(
      async (_object, { superseded }) => {
        await new Promise((resolve) => superseded.addEventListener('abort', resolve, { once: true }));
        return { ...done, status: { artifact: 'a' } } as Outcome;
      },
      { leave },
    );
    api.put(thing());
    await until(() => runs.length === 1);
    api.intercept = ({ path }) => (path.includes('watch=true') ? failure(500, 'InternalError', 'down') : undefined);
    api.cutWatches();
    stop.abort();
    await runtime.stopped;
    expect(api.get('Thing', 'x')?.status?.['artifact']).toBeUndefined();
  });

  test('leaves at its end what a controller wants to be left, and what somebody else has written since', async () => {
    const leave = ({ spec }: KubeObject) => (spec?.['keep'] === 'yes' ? undefined : { observedGeneration: 1 });
    const artifact: Outcome = { ...done, status: { artifact: 'a' } } as Outcome;
    const { api, settled, stop, runtime } = start(async () => artifact, { leave });
    for (const [name, keep] of [
      ['kept', 'yes'],
      ['left', 'no'],
      ['raced', 'no'],
    ] as const)
      api.put(thing(name, { keep }));
    await settled(3);
    api.intercept = ({ method, path }) =>
      method === 'PATCH' && path.includes('/raced/') ? failure(409, 'Conflict', 'somebody was faster') : undefined;
    stop.abort();
    await runtime.stopped;
    const artifacts = ['kept', 'left', 'raced'].map((name) => api.get('Thing', name)?.status?.['artifact']);
    expect(artifacts).toEqual(['a', undefined, 'a']);
    const { body } = api.writes.findLast(({ path }) => path.includes('/left/')) ?? {};
    expect(body).toMatchObject({ metadata: { resourceVersion: expect.any(String) } });
  });
});
