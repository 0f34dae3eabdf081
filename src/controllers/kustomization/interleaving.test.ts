import { afterEach, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import {
  applies,
  cm,
  exists,
  hasFailed,
  holdBack,
  holds,
  holdWatches,
  isGone,
  isReady,
  keyOf,
  ks,
  kustomize,
  manifest,
  messageOf,
  refusal,
} from '../../../tests/support/kustomization-scenario.ts';
import type { KubeObject } from '../../api/object.ts';
import type { HttpRequest, HttpResponse } from '../../base/http.ts';
import { at, isArray, type JsonObject, stringAt } from '../../base/json.ts';

// What others do between two steps of a pass. No interval comes to the rescue: it is an hour.

const app = ks('app');
const ONE = { 'x/a.yaml': manifest('a') };
const CONFLICT = 'Operation cannot be fulfilled on configmaps "a": the object has been modified';

let engine: TestEngine;
afterEach(() => engine.stop());

async function start(files: Readonly<Record<string, string>> = ONE, spec: JsonObject = {}): Promise<void> {
  engine = await startTestEngine();
  await engine.publish('repo', 'main@sha1:a', files);
  await kustomize(engine, 'app', spec);
  await engine.until(app, isReady('main@sha1:a'));
}

/** Revisions that its history knows of. */
const totalOf = (found: KubeObject | undefined): number => {
  const history = at(found?.status, 'history');
  return isArray(history) ? history.length : 0;
};
const isDryRun = ({ path }: HttpRequest): boolean => path.includes('dryRun');

describe('a server that could not apply an object because others wrote it', () => {
  const change = async (times: number, matches: (request: HttpRequest) => boolean): Promise<string | undefined> => {
    await start(ONE, { force: true });
    const { uid } = (await engine.until(cm('a'), exists))?.metadata ?? {};
    // Nothing is remembered: the object is rehearsed.
    await engine.restart();
    let left = times;
    engine.intercept(async (request, pass) => {
      if (!applies('a', request) || !matches(request) || left-- <= 0) return pass(request);
      return refusal(409, 'Conflict', CONFLICT);
    });
    engine.takeRequests();
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
    return uid;
  };

  it.each<[string, (request: HttpRequest) => boolean]>([
    ['in the rehearsal', isDryRun],
    ['in the write', (request) => !isDryRun(request)],
  ])('is asked again: %s', async (_, matches) => {
    const uid = await change(2, matches);
    await engine.until(app, isReady('main@sha1:b'));
    const found = await engine.until(cm('a'), holds('two'));
    expect(found?.metadata.uid).toBe(uid);
  });

  it('is no reason to make the object anew, however often', async () => {
    const uid = await change(Number.POSITIVE_INFINITY, () => true);
    expect(messageOf(await engine.until(app, hasFailed))).toContain(CONFLICT);
    expect((await engine.until(cm('a'), exists))?.metadata.uid).toBe(uid);
    expect(engine.takeRequests().filter((request) => request.startsWith('DELETE'))).toEqual([]);
  });

  it('because the manifest means another object: what is there stays', async () => {
    await start(ONE, { force: true });
    const { uid } = (await engine.until(cm('a'), exists))?.metadata ?? {};
    const other = '  uid: 00000000-0000-4000-8000-000000000000\n';
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two', other) });
    await engine.until(app, hasFailed);
    const found = await engine.until(cm('a'), exists);
    expect([found?.metadata.uid, keyOf(found)]).toEqual([uid, 'one']);
  });
});

describe('an object that is only made where there is none', () => {
  const once = '  annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}\n';
  const files = { 'x/a.yaml': manifest('a', 'one', once) };
  const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { key: 'theirs' } };

  it('is left alone when the server cannot say whether there is one', async () => {
    engine = await startTestEngine();
    await engine.apply(theirs as never);
    let looks = 0;
    engine.intercept(async (request, pass) => {
      const isLook = request.method === 'GET' && request.path.endsWith('/configmaps/a') && looks++ === 0;
      return isLook ? refusal(500, 'InternalError', 'Internal error occurred: try again') : pass(request);
    });
    await engine.publish('repo', 'main@sha1:a', files);
    await kustomize(engine, 'app');
    await engine.until(app, hasFailed);
    expect(keyOf(await engine.until(cm('a'), exists))).toBe('theirs');
  });

  it('is left alone when it is made right after it was looked for', async () => {
    engine = await startTestEngine();
    const rehearsal = holdBack(engine, (request) => applies('a', request) && isDryRun(request));
    await engine.publish('repo', 'main@sha1:a', files);
    await kustomize(engine, 'app');
    await rehearsal.reached;
    await engine.apply(theirs as never);
    rehearsal.release();
    await engine.until(app, isReady('main@sha1:a'));
    expect(keyOf(await engine.until(cm('a'), exists))).toBe('theirs');
  });
});

it('goes back to a revision that comes again while the one after it is applied', async () => {
  await start();
  const write = holdBack(engine, (request) => applies('a', request));
  await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
  await write.reached;
  await engine.publish('repo', 'main@sha1:a', ONE);
  // The engine has seen it when it has seen what came after it.
  await engine.publish('other', 'main@sha1:z', { 'x/z.yaml': manifest('z') });
  await kustomize(engine, 'later', { sourceRef: { kind: 'GitRepository', name: 'other' } });
  await engine.until(ks('later'), isReady('main@sha1:z'));
  write.release();
  // It was applied in between.
  await engine.until(app, (found) => totalOf(found) > 1);
  await engine.until(app, isReady('main@sha1:a'));
  expect(keyOf(await engine.until(cm('a'), exists))).toBe('one');
});

it('goes on when its dependency has seen to a new spec, although its revision is the same', async () => {
  engine = await startTestEngine({ requeueDependencyMs: 3_600_000 });
  await engine.publish('repo', 'main@sha1:a', { ...ONE, 'y/b.yaml': manifest('b') });
  await kustomize(engine, 'base', { path: './y' });
  await engine.until(ks('base'), isReady('main@sha1:a'));
  const write = holdBack(engine, (request) => /kustomizations\/base\/status/.test(request.path));
  await kustomize(engine, 'base', { path: './y', timeout: '2m' });
  await write.reached;
  await kustomize(engine, 'app', { dependsOn: [{ name: 'base' }] });
  expect(messageOf(await engine.until(app, hasFailed))).toContain("dependency 'default/base' is not ready");
  write.release();
  await engine.until(app, isReady('main@sha1:a'));
});

describe('a server that has no time for a while', () => {
  const gone = (): never => {
    throw new Error('connect ECONNREFUSED');
  };
  it.each<[string, (request: HttpRequest) => boolean, () => HttpResponse]>([
    ['when an object is rehearsed', isDryRun, () => refusal(500, 'InternalError', 'Internal error occurred: timeout')],
    ['when an object is written', (request) => !isDryRun(request), gone],
    ['when an object is deleted', ({ method }) => method === 'DELETE', gone],
  ])('is asked again before the interval: %s', async (_, matches, answer) => {
    await start({ ...ONE, 'x/b.yaml': manifest('b') });
    await engine.restart();
    let left = 3;
    engine.intercept(async (request, pass) => {
      return request.path.includes('/configmaps/') && request.method !== 'GET' && matches(request) && left-- > 0
        ? answer()
        : pass(request);
    });
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
    await engine.until(app, isReady('main@sha1:b'));
    await engine.until(cm('b'), isGone);
    expect(left).toBeLessThan(0);
    expect(engine.events.map(({ severity }) => severity)).toContain('error');
  });
});

describe('a watch that is behind', () => {
  const write = (data: JsonObject) => engine.client.patch(cm('a'), { data }, { type: 'merge', fieldManager: 'other' });
  /** Waits until the engine has done a pass that began after this. */
  const another = async (name: string): Promise<void> => {
    await kustomize(engine, name, { path: './none' });
    await engine.until(ks(name), hasFailed);
  };

  it('holds up a new revision only until it shows it, whoever asked for a pass meanwhile', async () => {
    await start();
    const watches = await holdWatches(engine, 'gitrepositories');
    await another('first');
    watches.hold();
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
    await kustomize(engine, 'app', {}, { 'reconcile.fluxcd.io/requestedAt': 'now' });
    await engine.until(app, ({ status } = {} as KubeObject) => stringAt(status, 'lastHandledReconcileAt') === 'now');
    watches.release();
    const found = await engine.until(app, isReady('main@sha1:b'));
    expect(stringAt(found?.status, 'lastHandledReconcileAt')).toBe('now');
    expect(keyOf(await engine.until(cm('a'), exists))).toBe('two');
  });

  it('does not make a change of ours one of somebody else', async () => {
    await start();
    const watches = await holdWatches(engine, 'configmaps');
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
    await engine.until(app, isReady('main@sha1:b'));
    // It is watched once drift is put back.
    await write({ key: 'evil' });
    await engine.until(cm('a'), holds('two'));
    const told = engine.events.length;
    engine.intercept(async (request, pass) => {
      if (!applies('a', request) || isDryRun(request)) return pass(request);
      engine.intercept(undefined);
      await write({ other: 'x' });
      // The watch shows that, but not what follows.
      await new Promise((resolve) => setTimeout(resolve, 50));
      watches.hold();
      return pass(request);
    });
    await engine.publish('repo', 'main@sha1:c', { 'x/a.yaml': manifest('a', 'three') });
    await engine.until(app, isReady('main@sha1:c'));
    await another('later');
    watches.release();
    expect(engine.events.slice(told).map(({ reason }) => reason)).not.toContain('DriftCorrected');
  });
});
