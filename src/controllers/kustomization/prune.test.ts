import { afterEach, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import {
  cm,
  entries,
  exists,
  hasFailed,
  holds,
  isGone,
  isReady,
  ks,
  kustomize,
  manifest,
  messageOf,
} from '../../../tests/support/kustomization-scenario.ts';
import type { ObjectRef } from '../../api/object.ts';
import { inventoryEntry } from '../../apply/inventory.ts';
import { ownerLabels } from '../../apply/owner.ts';
import { prune, waitForTermination } from '../../apply/prune.ts';
import { ManualClock } from '../../base/clock.ts';
import type { HttpRequest, HttpResponse } from '../../base/http.ts';
import type { JsonObject } from '../../base/json.ts';
import { unwatched } from '../../health/live-objects.ts';

const app = ks('app');
const TWO = { 'x/a.yaml': manifest('a'), 'x/b.yaml': manifest('b') };
const ONE = { 'x/a.yaml': manifest('a') };

let engine: TestEngine;
afterEach(() => engine.stop());

async function start(files: Readonly<Record<string, string>> = TWO, spec: JsonObject = {}): Promise<void> {
  engine = await startTestEngine();
  await engine.publish('repo', 'main@sha1:a', files);
  await kustomize(engine, 'app', spec);
  await engine.until(app, isReady('main@sha1:a'));
}

const isDelete = (name: string) => (request: HttpRequest) =>
  request.method === 'DELETE' && new RegExp(`/${name}(\\?|$)`).test(request.path);
const reset = (): Promise<HttpResponse> => Promise.reject(new Error('read ECONNRESET'));

/** A kind of two versions, of which `served` are served. */
const crd = (...served: readonly string[]): string => {
  const version = (name: string): string =>
    `    - {name: ${name}, served: ${served.includes(name)}, storage: ${name === 'v2'}, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}\n`;
  return `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: toys.example.com}\nspec:\n  group: example.com\n  names: {kind: Toy, plural: toys}\n  scope: Namespaced\n  versions:\n${version('v1')}${version('v2')}`;
};
const toy = (version: string): ObjectRef => {
  return { apiVersion: `example.com/${version}`, kind: 'Toy', namespace: 'default', name: 'bear' };
};
const bear = (version: string): string => `apiVersion: example.com/${version}\nkind: Toy\nmetadata: {name: bear}\n`;

describe('an object of the inventory', () => {
  it('whose version is served no more goes by another one', async () => {
    await start({ 'x/crd.yaml': crd('v1', 'v2'), 'x/toy.yaml': bear('v1'), ...ONE });
    await engine.publish('repo', 'main@sha1:b', { 'x/crd.yaml': crd('v2'), ...ONE });
    await engine.until(app, isReady('main@sha1:b'));
    expect(await engine.until(toy('v2'), isGone)).toBeUndefined();
  });

  it('of a group whose own server is down stays in the inventory until that is back', async () => {
    await start({ 'x/crd.yaml': crd('v1', 'v2'), 'x/toy.yaml': bear('v2') });
    // As an aggregated API server that is not reached shows.
    engine.intercept(async (request, pass) => {
      const answer = await pass(request);
      if (request.path !== '/apis') return request.path.startsWith('/apis/example.com/') ? reset() : answer;
      let text = '';
      for await (const chunk of answer.body) text += new TextDecoder().decode(chunk);
      const body = JSON.parse(text);
      const stale = (version: object) => ({ ...version, freshness: 'Stale', resources: [] });
      body.items = body.items.map((group: { metadata: { name: string }; versions: object[] }) =>
        group.metadata.name === 'example.com' ? { ...group, versions: group.versions.map(stale) } : group,
      );
      const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => name !== 'etag'));
      return {
        ...answer,
        headers,
        body: (async function* () {
          yield new TextEncoder().encode(JSON.stringify(body));
        })(),
      };
    });
    await engine.restart({ keepIntercept: true });
    await engine.publish('repo', 'main@sha1:b', { 'x/crd.yaml': crd('v1', 'v2') });
    const failed = await engine.until(app, hasFailed);
    expect(messageOf(failed)).toContain('Toy/default/bear query failed: the server of example.com/v2 is not available');
    expect(entries(failed)).toContain('default_bear_example.com_Toy');
    engine.intercept(undefined);
    await kustomize(engine, 'app', {}, { 'reconcile.fluxcd.io/requestedAt': 'now' });
    await engine.until(app, isReady('main@sha1:b'));
    expect(await engine.until(toy('v2'), isGone)).toBeUndefined();
  });

  it('that is wanted under another group is not taken away under this one', async () => {
    engine = await startTestEngine();
    const owner = { group: 'kustomize.toolkit.fluxcd.io', namespace: 'default', name: 'app' };
    const labels = ownerLabels(owner);
    const made = await engine.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels } as never });
    const ports = { client: engine.client, live: unwatched, signal: new AbortController().signal };
    const stale = [inventoryEntry(made)];
    const wanted = new Set([made.metadata.uid ?? '']);
    expect(await prune(stale, owner, { ...ports, wanted })).toMatchObject({ value: [{ action: 'skipped' }] });
    expect(await prune(stale, owner, ports)).toMatchObject({ value: [{ action: 'deleted' }] });
  });

  it.each([
    ['a watch', 'ConfigMap', 'configmaps'],
    ['a request', 'ServiceAccount', 'serviceaccounts'],
  ])('that somebody takes over right before it is deleted stays (seen by %s)', async (how, kind, plural) => {
    const b: ObjectRef = { apiVersion: 'v1', kind, namespace: 'default', name: 'b' };
    await start({ ...ONE, 'x/b.yaml': `apiVersion: v1\nkind: ${kind}\nmetadata: {name: b}\n` });
    let taken = 0;
    engine.intercept(async (request, pass) => {
      if (request.method === 'DELETE' && request.path.includes(`/${plural}/b`) && taken++ === 0) {
        const labels = { 'kustomize.toolkit.fluxcd.io/name': 'other' };
        await engine.client.patch(b, { metadata: { labels } }, { type: 'merge', fieldManager: 'other' });
      }
      return pass(request);
    });
    if (how === 'a request') {
      await kustomize(engine, 'app', { suspend: true });
      await engine.publish('repo', 'main@sha1:b', ONE);
      // Another engine watches only what it has applied.
      await engine.restart({ keepIntercept: true });
      await kustomize(engine, 'app', { suspend: false });
    } else await engine.publish('repo', 'main@sha1:b', ONE);
    await engine.until(app, isReady('main@sha1:b'));
    expect(taken).toBe(1);
    await engine.until(b, exists);
  });

  it('that changes all the time is kept in the inventory rather than deleted unseen', async () => {
    await start();
    let version = 0;
    engine.intercept(async (request, pass) => {
      if (isDelete('b')(request)) {
        const data = { n: String(version++) };
        await engine.client.patch(cm('b'), { data }, { type: 'merge', fieldManager: 'busy' });
      }
      return pass(request);
    });
    await engine.publish('repo', 'main@sha1:b', ONE);
    const failed = await engine.until(app, hasFailed);
    expect(entries(failed)).toContain('default_b__ConfigMap');
    engine.intercept(undefined);
    await kustomize(engine, 'app', {}, { 'reconcile.fluxcd.io/requestedAt': 'now' });
    await engine.until(cm('b'), isGone);
  });
});

it('a server that stops answering is asked once, not once for each object, and all of them stay in the inventory', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `b${index}`);
  const accounts = names.map((name) => `apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ${name}}\n`);
  await start({ ...ONE, 'x/b.yaml': accounts.join('---\n') });
  let asked = 0;
  engine.intercept((request, pass) => {
    if (!request.path.includes('/serviceaccounts/b')) return pass(request);
    asked++;
    return reset();
  });
  await engine.publish('repo', 'main@sha1:b', ONE);
  const failed = await engine.until(app, hasFailed);
  expect(asked).toBe(1);
  expect(entries(failed)).toHaveLength(11);
  engine.intercept(undefined);
  await kustomize(engine, 'app', {}, { 'reconcile.fluxcd.io/requestedAt': 'now' });
  expect(entries(await engine.until(app, isReady('main@sha1:b')))).toHaveLength(1);
});

it('C16: objects that finalizers keep are waited for until the timeout, and those whose kind is gone are not', async () => {
  engine = await startTestEngine();
  const finalizers = ['example.com/hold'];
  await engine.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers } as never });
  await engine.client.delete(cm('held'));
  const clock = new ManualClock(0);
  const options = {
    client: engine.client,
    clock,
    timeoutMs: 30_000,
    pollMs: 2_000,
    signal: new AbortController().signal,
  };
  expect(await waitForTermination([toy('v1'), cm('none')], options)).toBe(true);
  let isOver = false;
  const waited = waitForTermination([toy('v1'), cm('held')], options).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    if (clock.next() !== undefined) clock.advance(2_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect([await waited, clock.now()]).toEqual([false, 30_000]);
});

describe('an object that is moved in one commit', () => {
  const FOLDERS = { 'x/a.yaml': manifest('a'), 'x/moved.yaml': manifest('moved'), 'y/b.yaml': manifest('b') };
  const MOVED = { 'x/a.yaml': manifest('a'), 'y/b.yaml': manifest('b'), 'y/moved.yaml': manifest('moved') };

  it.each([
    ['the one that gets it', 'app'],
    ['the one that loses it', 'other'],
  ])('is there in the end when %s is first', async (_, late) => {
    await start(FOLDERS);
    await kustomize(engine, 'other', { path: './y' });
    await engine.until(ks('other'), isReady('main@sha1:a'));
    await kustomize(engine, late, { path: late === 'app' ? './x' : './y', suspend: true });
    await engine.publish('repo', 'main@sha1:b', MOVED);
    await engine.until(ks(late === 'app' ? 'other' : 'app'), isReady('main@sha1:b'));
    await kustomize(engine, late, { path: late === 'app' ? './x' : './y', suspend: false });
    await engine.until(ks(late), isReady('main@sha1:b'));
    const found = await engine.until(cm('moved'), exists);
    expect(found?.metadata.labels).toMatchObject({ 'kustomize.toolkit.fluxcd.io/name': 'other' });
    expect(entries(await engine.until(ks('other'), exists))).toContain('default_moved__ConfigMap');
    expect(entries(await engine.until(app, exists))).not.toContain('default_moved__ConfigMap');
  });
});

describe('nothing is orphaned', () => {
  it('when the answer to a creation is lost, and the next revision does not have the object', async () => {
    await start(ONE);
    engine.intercept(async (request, pass) => {
      const answer = await pass(request);
      const isWrite = request.method === 'PATCH' && /configmaps\/b\?/.test(request.path);
      return isWrite && !request.path.includes('dryRun') ? reset() : answer;
    });
    await engine.publish('repo', 'main@sha1:b', TWO);
    const failed = await engine.until(app, hasFailed);
    expect(entries(failed)).toEqual(['default_a__ConfigMap', 'default_b__ConfigMap']);
    engine.intercept(undefined);
    await engine.publish('repo', 'main@sha1:c', ONE);
    const done = await engine.until(app, isReady('main@sha1:c'));
    expect(entries(done)).toEqual(['default_a__ConfigMap']);
    expect(await engine.until(cm('b'), isGone)).toBeUndefined();
  });

  it('when the target namespace changes', async () => {
    await start();
    await engine.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team', namespace: undefined } as never,
    });
    await kustomize(engine, 'app', { targetNamespace: 'team' });
    await engine.until(app, (found) => entries(found).every((id) => id.startsWith('team_')));
    for (const name of ['a', 'b']) {
      await engine.until(cm(name, 'team'), exists);
      expect(await engine.until(cm(name), isGone)).toBeUndefined();
    }
  });

  it('when another source takes the place of the first', async () => {
    await start();
    await engine.publish('second', 'main@sha1:z', { 'x/c.yaml': manifest('c') });
    await kustomize(engine, 'app', { sourceRef: { kind: 'GitRepository', name: 'second' } });
    const done = await engine.until(app, isReady('main@sha1:z'));
    expect(entries(done)).toEqual(['default_c__ConfigMap']);
    for (const name of ['a', 'b']) await engine.until(cm(name), isGone);
  });
});

describe('nothing goes', () => {
  it.each<[string, JsonObject]>([
    ['another folder that is empty', { path: './empty' }],
    ['another folder that is not there', { path: './none' }],
    ['another source that is not there', { sourceRef: { kind: 'GitRepository', name: 'none' } }],
    ['another source that has nothing', { sourceRef: { kind: 'GitRepository', name: 'nothing' } }],
  ])('when the spec names %s', async (_, spec) => {
    engine = await startTestEngine();
    await engine.publish('repo', 'main@sha1:a', { ...TWO, 'empty/.gitkeep': '' });
    await engine.publish('nothing', 'main@sha1:n', { 'x/.gitkeep': '' });
    await kustomize(engine, 'app');
    await engine.until(app, isReady('main@sha1:a'));
    await kustomize(engine, 'app', spec);
    const failed = await engine.until(app, hasFailed);
    expect(entries(failed)).toHaveLength(2);
    for (const name of ['a', 'b']) await engine.until(cm(name), exists);
  });

  it.each(['MirrorPrune', 'Delete', 'WaitForTermination', 'Orphan'])(
    'with a suspended Kustomization of policy %s',
    async (deletionPolicy) => {
      await start(TWO, { deletionPolicy });
      await engine.client.patch(app, { spec: { suspend: true } }, { type: 'merge', fieldManager: 'test' });
      await engine.client.delete(app);
      await engine.until(app, isGone);
      for (const name of ['a', 'b']) expect(await engine.until(cm(name), exists)).toBeDefined();
    },
  );

  it('by a change of prune from off to on, which only counts for what goes from then on', async () => {
    await start(TWO, { prune: false });
    await engine.publish('repo', 'main@sha1:b', ONE);
    await engine.until(app, isReady('main@sha1:b'));
    await engine.until(cm('b'), exists);
    await kustomize(engine, 'app', { prune: true }, { 'reconcile.fluxcd.io/requestedAt': 'now' });
    expect(
      await engine.until(app, (found) => found?.metadata.generation === found?.status?.['observedGeneration']),
    ).toBeDefined();
    expect(await engine.until(cm('b'), exists)).toBeDefined();
  });

  it('that the guard holds, with the Kustomization that is deleted', async () => {
    const namespace = '  namespace: team\n';
    const files = {
      'x/a.yaml': manifest('a', 'one', namespace),
      'x/ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n',
    };
    engine = await startTestEngine();
    await engine.publish('repo', 'main@sha1:a', files);
    await kustomize(engine, 'app', { targetNamespace: null }, { 'weir.dev/prune-guard': 'enabled' });
    await engine.until(app, isReady('main@sha1:a'));
    await engine.client.delete(app);
    await engine.until(app, isGone);
    await engine.until(cm('a', 'team'), isGone);
    const team = await engine.until({ apiVersion: 'v1', kind: 'Namespace', name: 'team' }, exists);
    expect(team?.metadata.deletionTimestamp).toBeUndefined();
    expect(
      engine.events.some(({ message }) => message.includes('held back') && message.includes('Namespace/team')),
    ).toBe(true);
  });
});

describe('force', () => {
  const config = (value: string, more = ''): string => `${manifest('a', value)}immutable: true\n${more}`;

  it('deletes nothing for a change that a new object would not take', async () => {
    await start({ 'x/a.yaml': config('one') }, { force: true });
    const { uid } = (await engine.until(cm('a'), exists))?.metadata ?? {};
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': config('two', 'binaryData: {key: AAAA}\n') });
    await engine.until(app, hasFailed);
    expect((await engine.until(cm('a'), exists))?.metadata.uid).toBe(uid);
    await engine.until(cm('a'), holds('one'));
  });

  it('deletes nothing before everything else of the stage is known to be good', async () => {
    await start({ 'x/a.yaml': config('one'), 'x/z.yaml': manifest('z') }, { force: true });
    const { uid } = (await engine.until(cm('a'), exists))?.metadata ?? {};
    const bad = `${manifest('z')}binaryData: {key: AAAA}\n`;
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': config('two'), 'x/z.yaml': bad });
    await engine.until(app, hasFailed);
    expect((await engine.until(cm('a'), exists))?.metadata.uid).toBe(uid);
    await engine.publish('repo', 'main@sha1:c', { 'x/a.yaml': config('two'), 'x/z.yaml': manifest('z') });
    await engine.until(app, isReady('main@sha1:c'));
    await engine.until(cm('a'), holds('two'));
  });
});
