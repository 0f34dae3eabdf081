import { afterEach, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import {
  cm,
  conditionOf,
  exists,
  hasFailed,
  holds,
  isGone,
  isReady,
  keyOf,
  ks,
  kustomize,
  manifest,
  messageOf,
  TOYS,
} from '../../../tests/support/kustomization-scenario.ts';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import { at, field, isArray, stringAt } from '../../base/json.ts';

const app = ks('app');
const ONE = { 'x/a.yaml': manifest('a') };
const KUBECTL = { type: 'merge', fieldManager: 'kubectl-edit' } as const;

let engine: TestEngine;
afterEach(() => engine.stop());

async function start(files: Readonly<Record<string, string>> = ONE, spec: JsonObject = {}): Promise<void> {
  engine = await startTestEngine();
  await engine.publish('repo', 'main@sha1:a', files);
  await kustomize(engine, 'app', spec);
  await engine.until(app, isReady('main@sha1:a'));
}

/** An object as another applier of a name has it. */
const applied = (value: string, labels: Readonly<Record<string, string>>): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default', labels },
    data: { key: value },
  }) as never;
const OWNER = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': 'default' };

describe('a change is put back', () => {
  it('by the pass that has just begun, and is no cause for another one', async () => {
    await start({ ...ONE, 'y/b.yaml': manifest('b') });
    await kustomize(engine, 'base', { path: './y' });
    await engine.until(ks('base'), isReady('main@sha1:a'));
    let drifted = false;
    engine.intercept(async (request, pass) => {
      const answer = await pass(request);
      if (request.method === 'GET' && request.path.endsWith('/kustomizations/base') && !drifted) {
        drifted = true;
        await engine.client.patch(cm('a'), { data: { key: 'evil' } }, KUBECTL);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return answer;
    });
    await kustomize(engine, 'app', { dependsOn: [{ name: 'base' }] });
    const passes = (object: KubeObject | undefined): unknown => {
      const history = field(object?.status, 'history');
      return isArray(history) ? at(history[0], 'totalReconciliations') : undefined;
    };
    await engine.until(app, (object) => drifted && passes(object) === 2);
    expect(await engine.until(cm('a'), holds('one'))).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(passes(await engine.until(app, exists))).toBe(2);
  });

  it('that was made while no engine ran', async () => {
    await start();
    await kustomize(engine, 'app', { suspend: true });
    await engine.client.patch(cm('a'), { data: { key: 'evil' } }, KUBECTL);
    await engine.client.delete(cm('b'));
    await engine.restart();
    await kustomize(engine, 'app', { suspend: false });
    expect(await engine.until(cm('a'), holds('one'))).toBeDefined();
  });

  it('that another program of the same field manager has made', async () => {
    await start();
    // The server tells times of managers to the second.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const made = await engine.client.apply(applied('evil', OWNER), {
      fieldManager: 'kustomize-controller',
      force: true,
    });
    expect(made.ok).toBe(true);
    await engine.until(cm('a'), holds('one'));
  });

  it('that comes before the answer to the apply does', async () => {
    engine = await startTestEngine();
    await engine.publish('repo', 'main@sha1:a', { 'x/z.yaml': manifest('z') });
    await kustomize(engine, 'app');
    await engine.until(app, isReady('main@sha1:a'));
    let count = 0;
    engine.intercept(async (request, pass) => {
      const answer = await pass(request);
      const isWrite = request.method === 'PATCH' && /configmaps\/a\?/.test(request.path);
      if (!isWrite || request.path.includes('dryRun') || count++ > 0) return answer;
      await engine.client.patch(cm('a'), { data: { key: 'evil' } }, KUBECTL);
      // The watch shows it while the pass still waits for its answer.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return answer;
    });
    await engine.publish('repo', 'main@sha1:b', { ...ONE, 'x/z.yaml': manifest('z') });
    await engine.until(app, isReady('main@sha1:b'));
    await engine.until(cm('a'), holds('one'));
    expect(count).toBeGreaterThan(1);
  });

  it.each(['name', 'namespace'])('that takes the owner label %s away', async (label) => {
    await start();
    const key = `kustomize.toolkit.fluxcd.io/${label}`;
    await engine.client.patch(cm('a'), { metadata: { labels: { [key]: null } } }, KUBECTL);
    const found = await engine.until(cm('a'), (object) => object?.metadata.labels?.[key] !== undefined);
    expect(found?.metadata.labels).toMatchObject(OWNER);
  });

  it('while health is waited for, without another wait', async () => {
    await start({
      'x/crd.yaml': TOYS,
      'x/toy.yaml': 'apiVersion: example.com/v1\nkind: Toy\nmetadata: {name: t}\n',
      ...ONE,
    });
    const toy = { apiVersion: 'example.com/v1', kind: 'Toy', namespace: 'default', name: 't' };
    const report = (status: string) =>
      engine.client.patch(
        toy,
        { status: { conditions: [{ type: 'Ready', status, reason: 'Told', message: 'x' }] } },
        { type: 'merge', fieldManager: 'operator' },
      );
    await report('False');
    await kustomize(engine, 'app', { wait: true, timeout: '1h' });
    const isWaiting = (found: KubeObject | undefined) =>
      stringAt(conditionOf(found, 'Reconciling'), 'message')?.startsWith('Running health checks') === true;
    await engine.until(app, isWaiting);
    await engine.client.patch(cm('a'), { data: { key: 'evil' } }, KUBECTL);
    await engine.until(cm('a'), holds('one'));
    await engine.client.delete(cm('a'));
    await engine.until(cm('a'), holds('one'));
    await report('True');
    await engine.until(app, isReady('main@sha1:a'));
    expect(engine.events.filter(({ message }) => message.includes('canceled'))).toEqual([]);
    expect(engine.events.filter(({ reason }) => reason === 'DriftCorrected').length).toBeGreaterThanOrEqual(2);
  });

  it('of a namespace that is deleted, with all in it', async () => {
    const inTeam = manifest('a', 'one', '  namespace: team\n');
    await start(
      { 'x/ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n', 'x/a.yaml': inTeam },
      {
        targetNamespace: null,
        retryInterval: '1s',
      },
    );
    const team = { apiVersion: 'v1', kind: 'Namespace', name: 'team' };
    const { uid } = (await engine.until(team, exists))?.metadata ?? {};
    await engine.client.delete(team);
    await engine.until(team, (found) => found !== undefined && found.metadata.uid !== uid);
    await engine.until(cm('a', 'team'), holds('one'));
    expect(await engine.until(app, isReady('main@sha1:a'))).toBeDefined();
  });

  it('of a kind that is deleted and comes back, with its objects', async () => {
    const toy = 'apiVersion: example.com/v1\nkind: Toy\nmetadata: {name: t}\n';
    await start({ 'x/toy.yaml': toy, 'x/crd.yaml': TOYS }, { retryInterval: '1s' });
    const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'toys.example.com' };
    const { uid } = (await engine.until(crd, exists))?.metadata ?? {};
    await engine.client.delete(crd);
    await engine.until(crd, (found) => found !== undefined && found.metadata.uid !== uid);
    expect(
      await engine.until({ apiVersion: 'example.com/v1', kind: 'Toy', namespace: 'default', name: 't' }, exists),
    ).toBeDefined();
  });
});

describe('a change is left alone', () => {
  it('that a Job has gone through its own time to live, until a pass is due', async () => {
    const job: ObjectRef = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'default', name: 'j' };
    const file = `apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec:\n  suspend: true\n  ttlSecondsAfterFinished: 3600\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: a, image: local/a:1}]\n`;
    await start({ 'x/job.yaml': file, ...ONE });
    const conditions = [{ type: 'Complete', status: 'True', reason: 'x', message: 'y' }];
    const done = await engine.client.patch(
      job,
      { status: { conditions } },
      { type: 'merge', subresource: 'status', fieldManager: 'job-controller' },
    );
    expect(done.ok).toBe(true);
    await engine.client.delete(job);
    // What is put back after it shows that its going was seen before.
    await engine.client.patch(cm('a'), { data: { key: 'evil' } }, KUBECTL);
    await engine.until(cm('a'), holds('one'));
    expect(await engine.until(job, () => true)).toBeUndefined();
    await kustomize(engine, 'app', {}, { 'reconcile.fluxcd.io/requestedAt': 'now' });
    await engine.until(job, exists);
  });

  it('of a field that nobody wants', async () => {
    await start();
    await engine.client.patch(cm('a'), { data: { other: 'x' } }, { type: 'merge', fieldManager: 'operator' });
    await engine.client.patch(cm('a'), { data: { key: 'evil' } }, KUBECTL);
    const found = await engine.until(cm('a'), holds('one'));
    expect(found).toMatchObject({ data: { other: 'x' } });
  });
});

describe('somebody who insists', () => {
  it('is answered more and more slowly', async () => {
    await start();
    const stop = new AbortController();
    const fight = (async () => {
      while (!stop.signal.aborted) {
        const found = await engine.client.get(cm('a'));
        if (found.ok && keyOf(found.value) === 'one')
          await engine.client.patch(cm('a'), { data: { key: 'evil' } }, { type: 'merge', fieldManager: 'operator' });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const corrections = () => engine.events.filter(({ reason }) => reason === 'DriftCorrected').length;
    await engine.until(app, () => corrections() >= 3);
    const before = corrections();
    // The next ones come after one second, two, four.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(corrections() - before).toBeLessThanOrEqual(1);
    stop.abort();
    await fight;
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
    await engine.until(app, isReady('main@sha1:b'));
    await engine.until(cm('a'), holds('two'));
  });
});

describe('what is known of an object counts no more', () => {
  it('when the spec ignores it no longer', async () => {
    await start(ONE, { ignore: [{ paths: ['/data/key'] }] });
    await engine.client.patch(cm('a'), { data: { key: 'mine' } }, KUBECTL);
    await kustomize(engine, 'app', { ignore: [{ paths: ['/data/key'] }] }, { 'reconcile.fluxcd.io/requestedAt': '1' });
    await engine.until(app, (found) => found?.status?.['lastHandledReconcileAt'] === '1');
    await engine.until(cm('a'), holds('mine'));
    await engine.client.patch(app, { spec: { ignore: null } }, { type: 'merge', fieldManager: 'x' });
    expect(await engine.until(cm('a'), holds('one'))).toBeDefined();
  });

  it('when another account is to apply it, which may not', async () => {
    await start();
    await kustomize(engine, 'app', { serviceAccountName: 'nobody' });
    const failed = await engine.until(app, hasFailed);
    expect(messageOf(failed)).toMatch(/forbidden/i);
    await engine.until(cm('a'), exists);
    expect(await engine.until(cm('none'), isGone)).toBeUndefined();
  });
});
