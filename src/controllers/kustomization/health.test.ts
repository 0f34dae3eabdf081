import { afterEach, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import { cm, KUSTOMIZE, ks, TOYS } from '../../../tests/support/kustomization-scenario.ts';
import { type KubeObject, type ObjectRef, refOf } from '../../api/object.ts';
import { ManualClock } from '../../base/clock.ts';
import { at, isArray, type JsonObject, stringAt } from '../../base/json.ts';
import { unwatched } from '../../health/live-objects.ts';
import { waitForHealth } from '../../health/wait.ts';

const app = ks('app');
const toy: ObjectRef = { apiVersion: 'example.com/v1', kind: 'Toy', namespace: 'default', name: 'a' };
const job: ObjectRef = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'default', name: 'a' };

const TOY = 'apiVersion: example.com/v1\nkind: Toy\nmetadata: {name: a}\n';
/** Its pods find no node. */
const STUCK = {
  replicas: 1,
  selector: { matchLabels: { app: 'a' } },
  template: {
    metadata: { labels: { app: 'a' } },
    spec: { nodeSelector: { 'example.com/none': 'here' }, containers: [{ name: 'a', image: 'local/a:1' }] },
  },
};
/** Nothing but the test writes its status. */
const SUSPENDED = `apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: a, image: local/a:1}]
`;
const manifest = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data:\n  key: one\n`;

let engine: TestEngine;
afterEach(() => engine.stop());

const condition = (found: KubeObject | undefined, type: string): JsonObject | undefined => {
  const list = at(found?.status, 'conditions');
  return isArray(list) ? (list.find((item) => stringAt(item, 'type') === type) as JsonObject | undefined) : undefined;
};
const messageOf = (found: KubeObject | undefined) => stringAt(condition(found, 'Ready'), 'message') ?? '';
const isReady = (revision: string) => (found: KubeObject | undefined) =>
  messageOf(found) === `Applied revision: ${revision}`;
const isUnhealthy = (found: KubeObject | undefined) =>
  stringAt(condition(found, 'Ready'), 'reason') === 'HealthCheckFailed';
const isWaiting = (found: KubeObject | undefined) =>
  stringAt(condition(found, 'Reconciling'), 'message')?.startsWith('Running health checks') === true;

async function kustomize(spec: JsonObject): Promise<void> {
  await engine.apply({
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name: 'app' },
    spec: {
      interval: '1h',
      retryInterval: '1h',
      path: './x',
      prune: true,
      wait: true,
      targetNamespace: 'default',
      sourceRef: { kind: 'GitRepository', name: 'repo' },
      ...spec,
    },
  });
}

async function start(files: Readonly<Record<string, string>>, spec: JsonObject): Promise<void> {
  engine = await startTestEngine();
  await engine.publish('repo', 'main@sha1:a', files);
  await kustomize(spec);
}

/** What an operator does to its object. */
async function report(status: JsonObject): Promise<void> {
  const patched = await engine.client.patch(toy, { status }, { type: 'merge', fieldManager: 'operator' });
  if (!patched.ok) throw new Error(patched.error.message);
}

const conditions = (type: string, status: string): JsonObject => {
  return { conditions: [{ type, status, reason: 'Told', message: 'by the operator' }] };
};

describe('C16: health that does not come', () => {
  it('an object of a kind without status is healthy as it is', async () => {
    await start({ 'x/crd.yaml': TOYS, 'x/toy.yaml': TOY }, { timeout: '1h' });
    const ready = await engine.until(app, isReady('main@sha1:a'));
    expect(stringAt(condition(ready, 'Healthy'), 'status')).toBe('True');
  });

  it('an object that is never ready is waited for until the timeout, and no longer', async () => {
    engine = await startTestEngine();
    const made = await engine.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: STUCK,
    });
    const clock = new ManualClock(0);
    const signal = new AbortController().signal;
    const waited = waitForHealth([{ ref: refOf(made) }], {
      client: engine.client,
      live: unwatched,
      clock,
      rules: [],
      timeoutMs: 30_000,
      failFast: true,
      pollMs: 5_000,
      signal,
    });
    // A poll after the other, as soon as it is waited for.
    const stop = new AbortController();
    void waited.finally(() => stop.abort());
    while (!stop.signal.aborted) {
      if (clock.next() !== undefined) clock.advance(5_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await waited).toEqual({
      ok: false,
      error: { code: 'timeout', message: "timeout waiting for: [Deployment/default/a status: 'InProgress']" },
    });
    expect(clock.now()).toBe(30_000);
  });

  it('an object that is not ready gives way to the next revision', async () => {
    await start({ 'x/crd.yaml': TOYS, 'x/toy.yaml': TOY }, { timeout: '1h' });
    await engine.until(app, isReady('main@sha1:a'));
    await report(conditions('Ready', 'False'));
    await engine.publish('repo', 'main@sha1:b', { 'x/crd.yaml': TOYS, 'x/toy.yaml': TOY, 'x/b.yaml': manifest('b') });
    await engine.until(app, isWaiting);
    await engine.publish('repo', 'main@sha1:c', { 'x/b.yaml': manifest('b') });
    expect(await engine.until(app, isReady('main@sha1:c'))).toBeDefined();
  });

  it('an object whose health comes and goes ends the wait the first time that it is there', async () => {
    await start({ 'x/crd.yaml': TOYS, 'x/toy.yaml': TOY }, { timeout: '1h' });
    await engine.until(app, isReady('main@sha1:a'));
    await report(conditions('Ready', 'False'));
    await engine.publish('repo', 'main@sha1:b', { 'x/crd.yaml': TOYS, 'x/toy.yaml': TOY, 'x/b.yaml': manifest('b') });
    await engine.until(app, isWaiting);
    for (const status of ['Unknown', 'False', 'Unknown', 'False']) await report(conditions('Ready', status));
    expect(messageOf(await engine.until(app, () => true))).not.toBe('Applied revision: main@sha1:b');
    await report(conditions('Ready', 'True'));
    await report(conditions('Ready', 'False'));
    await report(conditions('Ready', 'True'));
    await engine.until(app, isReady('main@sha1:b'));
    // What it does later is not this revision's fault.
    await report(conditions('Ready', 'False'));
    expect(messageOf(await engine.until(app, () => true))).toBe('Applied revision: main@sha1:b');
  });

  it('an object that reports a failure ends the wait at once', async () => {
    await start({ 'x/crd.yaml': TOYS, 'x/toy.yaml': TOY }, { timeout: '1h' });
    await engine.until(app, isReady('main@sha1:a'));
    await report(conditions('Stalled', 'True'));
    await engine.publish('repo', 'main@sha1:b', { 'x/crd.yaml': TOYS, 'x/toy.yaml': TOY, 'x/b.yaml': manifest('b') });
    expect(messageOf(await engine.until(app, isUnhealthy))).toMatch(
      /failed early due to stalled resources: \[Toy\/default\/a status: 'Failed'\]$/,
    );
  });

  it('a Job that fails ends the wait at once', async () => {
    await start({ 'x/job.yaml': SUSPENDED }, { timeout: '1h' });
    await engine.until(app, isReady('main@sha1:a'));
    const status = conditions('Failed', 'True');
    const options = { type: 'merge', subresource: 'status', fieldManager: 'operator' } as const;
    const patched = await engine.client.patch(job, { status }, options);
    if (!patched.ok) throw new Error(patched.error.message);
    await engine.publish('repo', 'main@sha1:b', { 'x/job.yaml': SUSPENDED, 'x/b.yaml': manifest('b') });
    expect(messageOf(await engine.until(app, isUnhealthy))).toMatch(
      /failed early due to stalled resources: \[Job\/default\/a status: 'Failed'\]$/,
    );
  });

  it('an object that a finalizer keeps from going holds up no revision', async () => {
    const held = manifest('a', '  finalizers: [example.com/hold]\n');
    await start({ 'x/a.yaml': held, 'x/b.yaml': manifest('b') }, { timeout: '1h', wait: false });
    await engine.until(app, isReady('main@sha1:a'));
    await engine.publish('repo', 'main@sha1:b', { 'x/b.yaml': manifest('b') });
    await engine.until(app, isReady('main@sha1:b'));
    await engine.until(cm('a'), (found) => found?.metadata.deletionTimestamp !== undefined);
    await engine.publish('repo', 'main@sha1:c', { 'x/b.yaml': manifest('b'), 'x/c.yaml': manifest('c') });
    await engine.until(app, isReady('main@sha1:c'));
    expect(await engine.until(cm('c'), (found) => found !== undefined)).toBeDefined();
  });
});

describe('a health check that no waiting helps', () => {
  it.each([
    [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'a' },
      'resource ConfigMap a is namespace scoped, but namespace is not set',
    ],
    [
      { apiVersion: 'a/b/c', kind: 'ConfigMap', name: 'a', namespace: 'default' },
      'unexpected GroupVersion string: a/b/c',
    ],
  ])('%j fails at once', async (check, message) => {
    await start({ 'x/a.yaml': manifest('a') }, { wait: false, healthChecks: [check] });
    const found = await engine.until(app, isUnhealthy);
    expect(messageOf(found)).toMatch(message);
  });
});
