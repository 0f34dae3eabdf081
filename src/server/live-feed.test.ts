import { afterEach, beforeEach, expect, it } from 'vitest';
import { crdOf } from '../api/crd.ts';
import { gitRepository } from '../api/kinds/git-repository.ts';
import { kustomization } from '../api/kinds/kustomization.ts';
import type { KubeObject } from '../api/object.ts';
import type { ViewMessage, ViewNode } from '../api/view.ts';
import { silent } from '../base/log.ts';
import { type ControlPlane, createControlPlane } from '../cluster/control-plane.ts';
import type { KubeClient } from '../kube/client.ts';
import { InformerPool } from '../kube/informer-pool.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { systemClock } from '../kube/system-clock.ts';
import type { Feed } from './http.ts';
import { liveFeed } from './live-feed.ts';

const NAMESPACE = 'default';
const OWNED = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': NAMESPACE };
const APP = 'kustomize.toolkit.fluxcd.io/Kustomization/default/app';

let plane: ControlPlane;
let client: KubeClient;
let stop: AbortController;
let feed: Feed;
/** The page's picture: the snapshot and all deltas since. */
let seen: Map<string, ViewNode>;
let messages: ViewMessage[];
let wake = (): void => undefined;

beforeEach(async () => {
  plane = await createControlPlane();
  client = createKubeClient({ handler: plane.handler, userAgent: 'weir/test' });
  for (const kind of [gitRepository, kustomization]) await create(crdOf(kind));
  await create({
    ...object('source.toolkit.fluxcd.io/v1', 'GitRepository', 'repo'),
    spec: { url: 'ssh://git@example.com/repo.git', interval: '1m' },
  });
  await create({
    ...object('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', 'app'),
    spec: { sourceRef: { kind: 'GitRepository', name: 'repo' }, interval: '10m', prune: true },
  });
  stop = new AbortController();
  const pool = new InformerPool({ client, clock: systemClock, log: silent, signal: stop.signal });
  feed = liveFeed({ pool, clock: systemClock, cluster: 'test', sources: [gitRepository], appliers: [kustomization] });
  seen = new Map();
  messages = [];
  feed.subscribe((message) => {
    messages.push(message);
    if (message.type === 'delta') for (const id of message.removed) seen.delete(id);
    for (const node of message.nodes) seen.set(node.id, node);
    wake();
  });
});
afterEach(async () => {
  stop.abort();
  await plane.stop();
});

function object(
  apiVersion: string,
  kind: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: NAMESPACE, labels } };
}

async function create(made: KubeObject): Promise<KubeObject> {
  // A definition is served a moment after it is made: the first objects of its kind are tried again.
  for (;;) {
    const created = await client.create(made, { fieldManager: 'test' });
    if (created.ok) return created.value;
    if (created.error.reason !== 'NoMatch' && created.error.code !== 404) throw new Error(created.error.message);
  }
}

async function setStatus(name: string, entries: readonly string[]): Promise<void> {
  const status = {
    lastAppliedRevision: 'main@sha1:1',
    inventory: { entries: entries.map((id) => ({ id, v: 'v1' })) },
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'ReconciliationSucceeded',
        message: 'Applied revision: main@sha1:1',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  };
  const ref = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: NAMESPACE, name };
  const patched = await client.patch(ref, { status }, { type: 'merge', subresource: 'status', fieldManager: 'test' });
  if (!patched.ok) throw new Error(patched.error.message);
}

/** Resolves when the page's picture is so; the test's time limit ends it otherwise. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
}

it('shows what there is, then what was applied and what it owns, as it comes and goes', async () => {
  await until(() => seen.size === 2);
  expect(seen.get(APP)).toMatchObject({
    state: 'Unknown',
    parents: ['source.toolkit.fluxcd.io/GitRepository/default/repo'],
  });

  const config = await create(object('v1', 'ConfigMap', 'config', OWNED));
  await setStatus('app', ['default_config__ConfigMap']);
  await until(() => seen.has('/ConfigMap/default/config'));
  expect(seen.get(APP)).toMatchObject({ state: 'Ready', revision: 'main@sha1:1' });
  expect(seen.get('/ConfigMap/default/config')).toMatchObject({ state: 'Ready', parents: [APP] });

  const pod = await create({
    ...object('v1', 'Pod', 'worker'),
    metadata: {
      name: 'worker',
      namespace: NAMESPACE,
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'config', uid: config.metadata.uid ?? '', controller: true },
      ],
    },
    spec: { containers: [{ name: 'main', image: 'main:v1' }] },
  });
  await until(() => seen.has('/Pod/default/worker'));
  expect(seen.get('/Pod/default/worker')).toMatchObject({ tier: 'pod', parents: ['/ConfigMap/default/config'] });

  await client.delete({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE, name: pod.metadata.name });
  await until(() => seen.get('/Pod/default/worker')?.state !== 'Ready');
  await client.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: 'config' });
  await until(() => seen.get('/ConfigMap/default/config')?.state === 'Failed');

  await setStatus('app', []);
  await until(() => !seen.has('/ConfigMap/default/config'));
  const snapshot = feed.snapshot();
  expect(snapshot).toMatchObject({ type: 'snapshot', cluster: 'test' });
  expect(new Map(snapshot.nodes.map((node) => [node.id, node]))).toEqual(seen);
});

it('passes events on with the node that they are about', async () => {
  await until(() => seen.size === 2);
  await create({
    ...object('v1', 'Event', 'app.1'),
    involvedObject: {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      namespace: NAMESPACE,
      name: 'app',
    },
    type: 'Warning',
    reason: 'BuildFailed',
    message: 'broken',
    lastTimestamp: '2026-01-01T00:00:00Z',
  } as KubeObject);
  await until(() => messages.some(({ events }) => events.length > 0));
  expect(feed.snapshot().events).toMatchObject([{ about: APP, severity: 'error', reason: 'BuildFailed' }]);
});

it('says nothing when nothing that it shows has changed', async () => {
  await until(() => seen.size === 2);
  const before = messages.length;
  const ref = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository', namespace: NAMESPACE, name: 'repo' };
  const annotate = (value: string) =>
    client.patch(ref, { metadata: { annotations: { note: value } } }, { type: 'merge', fieldManager: 'test' });
  await annotate('a');
  // What comes after it shows that it was looked at.
  await client.patch(ref, { spec: { suspend: true } }, { type: 'merge', fieldManager: 'test' });
  await until(() => messages.length > before);
  expect(messages.slice(before).flatMap(({ nodes }) => nodes.map(({ state }) => state))).toEqual(['Suspended']);
});
