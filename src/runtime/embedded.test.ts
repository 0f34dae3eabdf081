import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { notReady, ready, reconciling, unknownReady } from '../api/condition.ts';
import type { KubeObject } from '../api/object.ts';
import type { Outcome } from '../api/outcome.ts';
import { silent } from '../base/log.ts';
import { type ControlPlane, createControlPlane } from '../cluster/control-plane.ts';
import type { KubeClient } from '../kube/client.ts';
import { InformerPool } from '../kube/informer-pool.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { systemClock } from '../kube/system-clock.ts';
import { createSocketTransport } from '../kube/transport-socket.ts';
import { type Controller, defineController } from './controller.ts';
import { clusterEvents } from './event-cluster.ts';
import { createEventRecorder } from './events.ts';
import { runAsLeader } from './lease.ts';
import { type Runtime, startControllers } from './manager.ts';

const CRD: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.e.com' },
  spec: {
    group: 'e.com',
    names: { kind: 'Thing', plural: 'things', singular: 'thing', listKind: 'ThingList' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              status: {
                type: 'object',
                default: { observedGeneration: -1 },
                'x-kubernetes-preserve-unknown-fields': true,
              },
            },
          },
        },
      },
    ],
  },
};
const thing: KubeObject = {
  apiVersion: 'e.com/v1',
  kind: 'Thing',
  metadata: { name: 'x', namespace: 'default' },
  spec: { n: '1' },
};
const REF = { apiVersion: 'e.com/v1', kind: 'Thing', namespace: 'default', name: 'x' };

let plane: ControlPlane;
let client: KubeClient;
let stop: AbortController;
let runtime: Runtime | undefined;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  plane = await createControlPlane();
  client = createKubeClient({ handler: plane.handler, userAgent: 'weir/test' });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await runtime?.stopped;
  runtime = undefined;
  for (const close of closers.splice(0)) await close();
  await plane.stop();
});

async function create(object: KubeObject): Promise<void> {
  const created = await client.create(object, { fieldManager: 'scenario' });
  expect(created).toMatchObject({ ok: true });
}

async function current(): Promise<KubeObject | undefined> {
  const read = await client.get(REF);
  return read.ok ? read.value : undefined;
}

/** Succeeds, except for spec.n = bad. */
function start(kube: KubeClient, more: Partial<Controller<KubeObject>> = {}): void {
  const controller = defineController<KubeObject>({
    name: 'kustomize-controller',
    statusManager: 'gotk-kustomize-controller',
    apiVersion: 'e.com/v1',
    kind: 'Thing',
    watches: [],
    conditions: [],
    finalizer: 'e.com/finalizer',
    reconciler: {
      async reconcile(object, { progress }): Promise<Outcome> {
        if (object.metadata.deletionTimestamp !== undefined) return { kind: 'deleted' };
        const begun = reconciling('Progressing', 'working');
        await progress({ conditions: [unknownReady('Progressing', 'working'), begun] });
        if (object.spec?.['n'] === 'bad') {
          const event = { severity: 'error', reason: 'Failed', message: 'bad' } as const;
          return {
            kind: 'retry',
            requeueAfterMs: 600_000,
            conditions: [notReady('Failed', 'bad'), begun],
            events: [event],
            status: {},
          };
        }
        const event = { severity: 'info', reason: 'Succeeded', message: 'ok', metadata: { revision: 'r' } } as const;
        return {
          kind: 'done',
          requeueAfterMs: 600_000,
          conditions: [ready('Succeeded', 'ok')],
          events: [event],
          status: { inventory: { entries: [] } },
        };
      },
    },
    ...more,
  });
  const sinks = [clusterEvents({ client: kube, clock: systemClock, log: silent, instance: 'pod' })];
  const events = createEventRecorder({ sinks, clock: systemClock, log: silent });
  runtime = startControllers({ controllers: [controller], client: kube, log: silent, signal: stop.signal, events });
}

const readyReason = async (): Promise<string | undefined> => {
  const conditions = ((await current())?.status?.['conditions'] ?? []) as unknown as { type: string; reason: string }[];
  return conditions.find(({ type }) => type === 'Ready')?.reason;
};

describe('the runtime over the embedded control plane', () => {
  test('notices a CRD that is installed later and brings its objects to their state', async () => {
    start(client);
    await runtime?.synced;
    await create(CRD);
    await expect.poll(async () => (await client.resource(REF)).ok, { timeout: 10_000 }).toBe(true);
    await create(thing);
    await expect.poll(readyReason, { timeout: 8_000 }).toBe('Succeeded');
    const object = (await current()) as KubeObject;
    expect(object.metadata.finalizers).toEqual(['e.com/finalizer']);
    expect(object.status).toMatchObject({ observedGeneration: 1, inventory: { entries: [] } });
    expect(object.status?.['conditions']).toHaveLength(1);
    const managers = object.metadata.managedFields?.map(
      ({ manager, operation, subresource }) =>
        `${manager} ${operation}${subresource === undefined ? '' : ` ${subresource}`}`,
    );
    expect(managers?.toSorted()).toEqual([
      'gotk-kustomize-controller Update',
      'gotk-kustomize-controller Update status',
      'scenario Update',
    ]);
  });

  test('follows spec and requests, records events, and lets a deleted object go', async () => {
    await create(CRD);
    start(client);
    await expect.poll(async () => (await client.create(thing)).ok, { timeout: 10_000 }).toBe(true);
    await expect.poll(readyReason, { timeout: 8_000 }).toBe('Succeeded');
    await client.patch(REF, { spec: { n: 'bad' } }, { type: 'merge', fieldManager: 'scenario' });
    await expect.poll(readyReason, { timeout: 10_000 }).toBe('Failed');
    expect((await current())?.status).toMatchObject({
      observedGeneration: 1,
      conditions: [
        { type: 'Reconciling', reason: 'ProgressingWithRetry', observedGeneration: 2 },
        { type: 'Ready', status: 'False' },
      ],
    });
    const annotations = { 'reconcile.fluxcd.io/requestedAt': 'r1' };
    await client.patch(REF, { metadata: { annotations } }, { type: 'merge', fieldManager: 'scenario' });
    await expect
      .poll(async () => (await current())?.status?.['lastHandledReconcileAt'], { timeout: 10_000 })
      .toBe('r1');
    const events = async (): Promise<unknown[]> => {
      const listed = await client.list({ apiVersion: 'v1', kind: 'Event' }, { namespace: 'default' });
      if (!listed.ok) return [];
      return listed.value.items
        .map((item) => item as unknown as { reason: string; type: string; count: number })
        .map(({ reason, type, count }) => `${type} ${reason} ${count}`)
        .toSorted();
    };
    await expect.poll(events, { timeout: 10_000 }).toEqual(['Normal Succeeded 1', 'Warning Failed 2']);
    await client.delete(REF);
    await expect.poll(current, { timeout: 10_000 }).toBeUndefined();
  });

  test('works the same over a socket with client certificates', async () => {
    await create(CRD);
    const { url, pki } = await plane.listen({ port: 0 });
    const transport = createSocketTransport({
      server: url,
      ca: pki.authority,
      clientCertificate: pki.admin.certificate,
      clientKey: pki.admin.key,
    });
    closers.push(() => transport.close());
    start(createKubeClient({ handler: transport.handler, userAgent: 'weir/test' }));
    await expect.poll(async () => (await client.create(thing)).ok, { timeout: 10_000 }).toBe(true);
    await expect.poll(readyReason, { timeout: 8_000 }).toBe('Succeeded');
  });
});

test('informers of built-in kinds see what happens in process', async () => {
  const pool = new InformerPool({ client, clock: systemClock, log: silent, signal: stop.signal });
  const maps = pool.watch({ apiVersion: 'v1', kind: 'ConfigMap', labelSelector: 'k=v' });
  await maps.synced;
  await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'no', namespace: 'default' } });
  await create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'yes', namespace: 'default', labels: { k: 'v' } },
  });
  await expect.poll(() => maps.list().map(({ metadata }) => metadata.name)).toEqual(['yes']);
});

test('of two engines one leads, and the other takes over when it stops', async () => {
  const log: string[] = [];
  const times = { leaseDurationMs: 2000, renewDeadlineMs: 1000, retryPeriodMs: 50 };
  const enter = (identity: string, signal: AbortSignal): Promise<string> =>
    runAsLeader(
      { client, clock: systemClock, log: silent, namespace: 'default', name: 'weir', identity, times, signal },
      async (leading) => {
        log.push(identity);
        await new Promise((resolve) => leading.addEventListener('abort', resolve, { once: true }));
      },
    );
  const [first, second] = [new AbortController(), new AbortController()];
  const one = enter('one', first.signal);
  await expect.poll(() => log).toEqual(['one']);
  const two = enter('two', second.signal);
  first.abort();
  expect(await one).toBe('stopped');
  await expect.poll(() => log, { timeout: 10_000 }).toEqual(['one', 'two']);
  second.abort();
  expect(await two).toBe('stopped');
});
