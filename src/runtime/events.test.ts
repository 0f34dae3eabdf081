import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { TinyApi } from '../../tests/support/tiny-api.ts';
import type { KubeObject } from '../api/object.ts';
import type { EventRecord } from '../api/outcome.ts';
import { ManualClock } from '../base/clock.ts';
import { silent } from '../base/log.ts';
import { readText } from '../kube/body.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { clusterEvents } from './event-cluster.ts';
import { httpEvents, type PostJson } from './event-http.ts';
import { createEventRecorder } from './events.ts';

const OBJECT: KubeObject = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: {
    name: 'app',
    namespace: 'a',
    uid: 'u1',
    resourceVersion: '7',
    annotations: { 'event.toolkit.fluxcd.io/commit': 'c', other: 'x' },
  },
};
const EVENTS = { apiVersion: 'v1', kind: 'Event', plural: 'events' };
const info = (message: string, more: Partial<EventRecord> = {}): EventRecord => ({
  severity: 'info',
  reason: 'Progressing',
  message,
  ...more,
});

describe('events in the cluster', () => {
  async function record(...events: readonly EventRecord[]): Promise<KubeObject[]> {
    const api = new TinyApi([EVENTS]);
    const clock = new ManualClock(Date.UTC(2026, 0, 2));
    const client = createKubeClient({ handler: api.handler, userAgent: 'test', clock });
    const sinks = [clusterEvents({ client, clock, log: silent, instance: 'pod-1' })];
    const recorder = createEventRecorder({ sinks, clock, log: silent });
    for (const event of events) recorder.record('kustomize-controller', OBJECT, event);
    await recorder.close(1000);
    return api.list('Event');
  }

  test('are written as Flux writes them', async () => {
    const [event] = await record(info('applied ', { metadata: { revision: 'r', 'a.b/c': 'd' } }));
    expect(event).toMatchObject({
      metadata: {
        name: 'app.1886c0e67f490000',
        namespace: 'a',
        annotations: {
          'event.toolkit.fluxcd.io/commit': 'c',
          'kustomize.toolkit.fluxcd.io/revision': 'r',
          'a.b/c': 'd',
        },
      },
      involvedObject: {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        name: 'app',
        namespace: 'a',
        uid: 'u1',
        resourceVersion: '7',
      },
      type: 'Normal',
      reason: 'Progressing',
      message: 'applied ',
      count: 1,
      firstTimestamp: '2026-01-02T00:00:00Z',
      lastTimestamp: '2026-01-02T00:00:00Z',
      source: { component: 'kustomize-controller', host: 'pod-1' },
      reportingComponent: 'kustomize-controller',
      reportingInstance: 'pod-1',
    });
  });

  test('of error severity are warnings, trace ones are normal', async () => {
    const events = await record(info('e', { severity: 'error' }), info('t', { severity: 'trace' }));
    expect(events.map((event) => (event as KubeObject & { type: string }).type)).toEqual(['Warning', 'Normal']);
  });

  test('that are the same raise the count of the first, whose annotations stay', async () => {
    const again = (revision: string): EventRecord => info('m', { metadata: { revision } });
    const events = await record(again('r1'), again('r2'), again('r3'), info('other'));
    expect(events.map((event) => event as KubeObject & { count: number }).map(({ count }) => count)).toEqual([3, 1]);
    expect(events[0]?.metadata.annotations?.['kustomize.toolkit.fluxcd.io/revision']).toBe('r1');
  });

  test('that differ only in message are joined from the tenth on, and stop after a burst', async () => {
    const events = await record(...Array.from({ length: 40 }, (_, n) => info(`m${n}`)));
    const all = events.map((event) => event as KubeObject & { count: number; message: string });
    expect(all).toHaveLength(10);
    expect(all.at(-1)).toMatchObject({ count: 16, message: '(combined from similar events): m24' });
  });
});

describe('events over HTTP', () => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  async function send(event: EventRecord, ...statuses: number[]): Promise<{ bodies: unknown[]; pauses: number }> {
    const bodies: unknown[] = [];
    const server = createServer((request, response) => {
      void readText(request).then((text) => {
        bodies.push(JSON.parse(text));
        response.writeHead(statuses[bodies.length - 1] ?? 202).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const post: PostJson = async (url, body, signal) => {
      const response = await fetch(url, { method: 'POST', body, signal });
      return response.status;
    };
    let pauses = 0;
    const clock = {
      now: () => Date.UTC(2026, 0, 2),
      after: (ms: number, fire: () => void) => {
        // The time limit of close() is no pause.
        if (ms < 60_000) {
          pauses++;
          queueMicrotask(fire);
        }
        return () => undefined;
      },
    };
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const sinks = [httpEvents({ address, post, clock, log: silent, instance: 'pod-1' })];
    const recorder = createEventRecorder({ sinks, clock, log: silent });
    recorder.record('kustomize-controller', OBJECT, event);
    await recorder.close(60_000);
    return { bodies, pauses };
  }

  test('have the documented form', async () => {
    const { bodies } = await send(info('m', { severity: 'error', metadata: { revision: 'r' } }));
    expect(bodies).toEqual([
      {
        involvedObject: {
          apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
          kind: 'Kustomization',
          name: 'app',
          namespace: 'a',
          uid: 'u1',
          resourceVersion: '7',
        },
        severity: 'error',
        timestamp: '2026-01-02T00:00:00Z',
        message: 'm',
        reason: 'Progressing',
        metadata: { 'event.toolkit.fluxcd.io/commit': 'c', 'kustomize.toolkit.fluxcd.io/revision': 'r' },
        reportingController: 'kustomize-controller',
        reportingInstance: 'pod-1',
      },
    ]);
  });

  test.each([
    ['a server error is tried again', 'info', [500, 500, 202], 3],
    ['a duplicate is not', 'info', [429], 1],
    ['a refusal is not', 'info', [400], 1],
    ['five attempts are enough', 'info', [500, 500, 500, 500, 500, 500], 5],
    ['a trace is not sent at all', 'trace', [], 0],
  ] as const)('%s', async (_, severity, statuses, times) => {
    const { bodies } = await send(info('m', { severity }), ...statuses);
    expect(bodies).toHaveLength(times);
  });
});

test('a sink that hangs holds up neither the recorder nor the others', async () => {
  const seen: string[] = [];
  const clock = new ManualClock(0);
  const sinks = [
    {
      send: (_event: unknown, signal: AbortSignal) =>
        new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    },
    {
      send: async ({ message }: { message: string }) => {
        seen.push(message);
      },
    },
  ];
  const recorder = createEventRecorder({ sinks, clock, log: silent });
  for (let n = 0; n < 10_500; n++) recorder.record('c', OBJECT, info(`m${n}`));
  const closing = recorder.close(1000);
  await expect.poll(() => seen.length).toBe(10_000);
  clock.advance(1000);
  await closing;
  expect(seen[0]).toBe('m0');
});
