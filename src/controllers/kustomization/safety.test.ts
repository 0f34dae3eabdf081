import { afterEach, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import {
  applies,
  cm,
  conditionOf,
  entries,
  exists,
  hasFailed,
  holdBack,
  holds,
  isGone,
  isReady,
  KUSTOMIZE,
  keyOf,
  ks,
  kustomize,
  manifest,
  TOYS,
} from '../../../tests/support/kustomization-scenario.ts';
import { at, type JsonObject, stringAt } from '../../base/json.ts';
import { dependencyRefs } from './dependency-graph.ts';

const app = ks('app');
const TWO = { 'x/a.yaml': manifest('a'), 'x/b.yaml': manifest('b') };

let engine: TestEngine;
afterEach(() => engine.stop());

async function start(files: Readonly<Record<string, string>> = TWO, spec: JsonObject = {}): Promise<void> {
  engine = await startTestEngine();
  await engine.publish('repo', 'main@sha1:a', files);
  await kustomize(engine, 'app', spec);
  await engine.until(app, isReady('main@sha1:a'));
}

describe('C01: a revision that cannot be built prunes nothing', () => {
  it.each<[string, Record<string, string>, JsonObject?]>([
    ['a syntax error', { 'x/a.yaml': 'a: [\n' }],
    ['a file that is missing', { 'x/kustomization.yaml': 'resources: [gone.yaml]\n' }],
    ['a manifest without a name', { 'x/a.yaml': 'apiVersion: v1\nkind: ConfigMap\n' }],
    [
      'a variable that is not set',
      { 'x/a.yaml': manifest('a', '$' + '{unset}') },
      { postBuild: { substitute: { a: 'b' } } },
    ],
    [
      'a Secret that nobody can decrypt',
      { 'x/s.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nsops: {mac: x}\n' },
    ],
    ['an object that the server refuses', { 'x/a.yaml': manifest('a').replace('data:', 'data: 5\nx:') }],
  ])('with %s', async (_, files, spec = {}) => {
    await start(TWO, spec);
    await engine.publish('repo', 'main@sha1:b', files);
    const failed = await engine.until(app, hasFailed);
    expect(entries(failed)).toEqual(['default_a__ConfigMap', 'default_b__ConfigMap']);
    for (const name of ['a', 'b']) expect(keyOf(await engine.until(cm(name), exists))).toBe('one');
    expect(engine.takeRequests().filter((request) => request.startsWith('DELETE'))).toEqual([]);
    await engine.publish('repo', 'main@sha1:c', { 'x/a.yaml': manifest('a', 'two') });
    await engine.until(app, isReady('main@sha1:c'));
    await engine.until(cm('b'), isGone);
  });

  it('with an artifact that is gone', async () => {
    await start();
    const source = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      namespace: 'default',
      name: 'repo',
    };
    const artifact = { digest: `sha256:${'0'.repeat(64)}`, revision: 'main@sha1:b' };
    await engine.client.patch(
      source,
      { status: { artifact } },
      { type: 'merge', subresource: 'status', fieldManager: 't' },
    );
    expect(stringAt(conditionOf(await engine.until(app, hasFailed), 'Ready'), 'reason')).toBe('ArtifactFailed');
    expect(keyOf(await engine.until(cm('a'), exists))).toBe('one');
  });
});

describe('C02: nothing is pruned because the source turned empty', () => {
  it.each<[string, Record<string, string>]>([
    ['the tree is empty', { 'x/.gitkeep': '' }],
    ['the path vanished', { 'y/a.yaml': manifest('a') }],
    ['the kustomization lists nothing', { 'x/kustomization.yaml': 'resources: []\n' }],
  ])('when %s', async (_, files) => {
    await start();
    await engine.publish('repo', 'main@sha1:b', files);
    const failed = await engine.until(app, hasFailed);
    expect(entries(failed)).toHaveLength(2);
    for (const name of ['a', 'b']) await engine.until(cm(name), exists);
  });

  it('unless the Kustomization allows it', async () => {
    await start();
    await engine.publish('repo', 'main@sha1:b', { 'x/.gitkeep': '' });
    const failed = await engine.until(app, hasFailed);
    expect(stringAt(conditionOf(failed, 'Ready'), 'message')).toContain('weir.dev/prune-empty=enabled');
    await kustomize(engine, 'app', {}, { 'weir.dev/prune-empty': 'enabled', 'reconcile.fluxcd.io/requestedAt': 'now' });
    await engine.until(app, isReady('main@sha1:b'));
    for (const name of ['a', 'b']) await engine.until(cm(name), isGone);
  });
});

describe('C09: takes over what kubectl applied, though somebody writes in between', () => {
  const LAST = 'kubectl.kubernetes.io/last-applied-configuration';
  it.each<[string, (engine: TestEngine) => Promise<unknown>]>([
    [
      'another field',
      () => engine.client.patch(cm('a'), { data: { other: 'x' } }, { type: 'merge', fieldManager: 'other' }),
    ],
    [
      'the annotation that would be removed',
      () =>
        engine.client.patch(
          cm('a'),
          { metadata: { annotations: { [LAST]: null } } },
          { type: 'merge', fieldManager: 'x' },
        ),
    ],
    ['its end', () => engine.client.delete(cm('a'))],
  ])('%s', async (_, write) => {
    engine = await startTestEngine();
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
    const annotations = { [LAST]: '{}' };
    await engine.client.apply(
      { ...object, metadata: { ...object.metadata, annotations }, data: { key: 'zero' } } as never,
      { fieldManager: 'kubectl-client-side-apply', force: true },
    );
    let cleanups = 0;
    engine.intercept(async (request, pass) => {
      const isCleanup = /configmaps\/a\?/.test(request.path) && request.headers['content-type']?.includes('json-patch');
      if (isCleanup && cleanups++ === 0) await write(engine);
      return pass(request);
    });
    await engine.publish('repo', 'main@sha1:a', TWO);
    await kustomize(engine, 'app');
    await engine.until(app, isReady('main@sha1:a'));
    const found = await engine.until(cm('a'), holds('one'));
    expect(cleanups).toBeGreaterThan(0);
    expect(found?.metadata.annotations?.[LAST]).toBeUndefined();
    expect(found?.metadata.managedFields?.map(({ manager }) => manager)).not.toContain('kubectl-client-side-apply');
  });
});

it('C09: takes its own fields back from another manager, and leaves that one the rest', async () => {
  const deployment = (replicas: string) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n${replicas}  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: a, image: local/a:1}]}\n`;
  await start({ 'x/d.yaml': deployment('') });
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name: 'web' };
  const scaled = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' } };
  await engine.client.apply({ ...scaled, spec: { replicas: 4 } }, { fieldManager: 'hpa', force: true });
  const container = { name: 'a', image: 'local/evil:1' };
  const spec = { template: { spec: { containers: [container] } } };
  await engine.client.apply({ ...scaled, spec }, { fieldManager: 'other', force: true });
  await engine.until(
    web,
    (found) =>
      stringAt(found?.spec, 'template', 'spec', 'containers', '0', 'image') !== 'x' &&
      JSON.stringify(found?.spec).includes('local/a:1'),
  );
  expect(at((await engine.until(web, exists))?.spec, 'replicas')).toBe(4);
  const told = engine.events.find(({ reason }) => reason === 'DriftCorrected');
  expect(told?.message).toContain('.spec.template.spec.containers[0].image: "local/evil:1" (by other) -> "local/a:1"');
  expect(told?.about).toMatchObject({ kind: 'Deployment', name: 'web' });
});

it('shows drift of a Secret without its values', async () => {
  await start({ 'x/s.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n' });
  const secret = { apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 's' };
  await engine.client.patch(
    secret,
    { stringData: { password: 'sesame' } },
    { type: 'merge', fieldManager: 'kubectl-edit' },
  );
  await engine.until(secret, (found) => JSON.stringify(found).includes(Buffer.from('hunter2').toString('base64')));
  await engine.until(app, () => engine.events.some(({ reason }) => reason === 'DriftCorrected'));
  const told = JSON.stringify(engine.events);
  expect(told).toContain('.data.password: *** (by kubectl-edit) -> ***');
  for (const value of ['hunter2', 'sesame']) {
    expect(told).not.toContain(value);
    expect(told).not.toContain(Buffer.from(value).toString('base64'));
  }
});

describe('C11: a change of an immutable field', () => {
  const file = (value: string) => `${manifest('a', value)}immutable: true\n`;
  const change = async (force: boolean): Promise<string | undefined> => {
    await start({ 'x/a.yaml': file('one') }, { force });
    const { uid } = (await engine.until(cm('a'), exists))?.metadata ?? {};
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': file('two') });
    return uid;
  };

  it('names the field, and leaves the object', async () => {
    const uid = await change(false);
    const message = stringAt(conditionOf(await engine.until(app, hasFailed), 'Ready'), 'message');
    expect(message).toMatch(/ConfigMap\/default\/a .*data.*immutable/s);
    expect((await engine.until(cm('a'), exists))?.metadata.uid).toBe(uid);
  });

  it('makes the object anew when asked to', async () => {
    const uid = await change(true);
    await engine.until(app, isReady('main@sha1:b'));
    const made = await engine.until(cm('a'), exists);
    expect(keyOf(made)).toBe('two');
    expect(made?.metadata.uid).not.toBe(uid);
  });
});

describe('C16: dependencies', () => {
  it('that form a cycle are told as one', async () => {
    engine = await startTestEngine({ requeueDependencyMs: 50 });
    await engine.publish('repo', 'main@sha1:a', TWO);
    await kustomize(engine, 'app', { dependsOn: [{ name: 'b' }] });
    await kustomize(engine, 'b', { dependsOn: [{ name: 'c' }] });
    await kustomize(engine, 'c', { dependsOn: [{ name: 'app' }] });
    const message =
      "dependency 'default/b' is not ready: dependency cycle: default/app -> default/b -> default/c -> default/app";
    expect(
      await engine.until(app, (found) => stringAt(conditionOf(found, 'Ready'), 'message') === message),
    ).toBeDefined();
  });

  it('in a chain name what it ends at, and go on as soon as that is ready', async () => {
    engine = await startTestEngine({ requeueDependencyMs: 3_600_000 });
    await engine.publish('repo', 'main@sha1:a', { ...TWO, 'bad/a.yaml': 'a: [\n' });
    await kustomize(engine, 'root', { path: './bad' });
    await engine.until(ks('root'), hasFailed);
    await kustomize(engine, 'middle', { dependsOn: [{ name: 'root' }] });
    await engine.until(ks('middle'), hasFailed);
    await kustomize(engine, 'app', { dependsOn: [{ name: 'middle' }] });
    const message = "dependency 'default/middle' is not ready: blocked by 'default/root' (BuildFailed)";
    expect(stringAt(conditionOf(await engine.until(app, hasFailed), 'Ready'), 'message')).toBe(message);
    await engine.publish('repo', 'main@sha1:b', { ...TWO, 'bad/z.yaml': manifest('z') });
    for (const name of ['root', 'middle', 'app']) await engine.until(ks(name), isReady('main@sha1:b'));
  });

  it('of another kind count by their own readiness', async () => {
    engine = await startTestEngine({ requeueDependencyMs: 3_600_000 });
    await engine.publish('repo', 'main@sha1:a', TWO);
    await kustomize(engine, 'app', { dependsOn: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'db' }] });
    await engine.until(app, hasFailed);
    const labels = { app: 'db' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'local/a:1' }] } };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await engine.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'db' }, spec });
    // Nothing watches the kind before the first one waits for it; from then on its readiness is seen at once.
    expect(await engine.until(app, isReady('main@sha1:a'))).toBeDefined();
  });

  it('are read from any object that has them', () => {
    const spec = {
      dependsOn: [{ name: 'a' }, { name: 'b', kind: 'HelmRelease', namespace: 'x' }, { kind: 'nameless' }],
    };
    expect(
      dependencyRefs({ apiVersion: KUSTOMIZE, kind: 'Kustomization', metadata: { name: 'k', namespace: 'n' }, spec }),
    ).toEqual([
      { apiVersion: KUSTOMIZE, kind: 'Kustomization', name: 'a', namespace: 'n' },
      { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', name: 'b', namespace: 'x' },
    ]);
  });
});

it('C16: a deletion that a finalizer holds up is waited for no longer than the timeout', async () => {
  engine = await startTestEngine();
  const held = manifest('a', 'one', '  finalizers: [example.com/hold]\n');
  await engine.publish('repo', 'main@sha1:a', { 'x/a.yaml': held, 'x/b.yaml': manifest('b') });
  await kustomize(engine, 'app');
  await engine.until(app, isReady('main@sha1:a'));
  await engine.client.delete(app);
  await engine.until(app, isGone);
  expect((await engine.until(cm('a'), exists))?.metadata.deletionTimestamp).toBeDefined();
  await engine.until(cm('b'), isGone);
});

describe('C17: what is not to go stays', () => {
  it.each(['labels', 'annotations'])('with prune: disabled among its %s, in every path', async (map) => {
    const kept = manifest('keep', 'one', `  ${map}: {kustomize.toolkit.fluxcd.io/prune: Disabled}\n`);
    await start({ ...TWO, 'x/keep.yaml': kept });
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a') });
    await engine.until(app, isReady('main@sha1:b'));
    await engine.until(cm('b'), isGone);
    expect(entries(await engine.until(app, exists))).toEqual(['default_a__ConfigMap']);
    await engine.publish('repo', 'main@sha1:c', { 'x/a.yaml': manifest('a'), 'x/keep.yaml': kept });
    await engine.until(app, isReady('main@sha1:c'));
    // The Kustomization gets another name: the old one goes, the new one takes over.
    await kustomize(engine, 'renamed');
    await engine.until(ks('renamed'), isReady('main@sha1:c'));
    await engine.client.delete(app);
    await engine.until(app, isGone);
    for (const name of ['a', 'keep']) await engine.until(cm(name), exists);
    await engine.client.delete(ks('renamed'));
    await engine.until(cm('a'), isGone);
    await engine.until(cm('keep'), exists);
  });

  it('with the guard, until it is allowed', async () => {
    engine = await startTestEngine();
    await engine.publish('repo', 'main@sha1:a', { ...TWO, 'x/crd.yaml': TOYS });
    const guard = { 'weir.dev/prune-guard': 'enabled' };
    await kustomize(engine, 'app', {}, guard);
    await engine.until(app, isReady('main@sha1:a'));
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a') });
    const held = await engine.until(app, isReady('main@sha1:b'));
    await engine.until(cm('b'), isGone);
    const name = 'toys.example.com';
    const toys = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name };
    await engine.until(toys, exists);
    expect(entries(held)).toEqual([
      '_toys.example.com_apiextensions.k8s.io_CustomResourceDefinition',
      'default_a__ConfigMap',
    ]);
    expect(
      engine.events.some(
        ({ message }) => message.includes('held back') && message.includes('CustomResourceDefinition/toys.example.com'),
      ),
    ).toBe(true);
    await kustomize(
      engine,
      'app',
      {},
      {
        ...guard,
        'weir.dev/prune-allow': 'CustomResourceDefinition/toys.example.com',
        'reconcile.fluxcd.io/requestedAt': 'x',
      },
    );
    await engine.until(toys, (found) => found === undefined || found.metadata.deletionTimestamp !== undefined);
  });

  it('when somebody else has made it his own', async () => {
    await start();
    const labels = { 'kustomize.toolkit.fluxcd.io/name': 'other' };
    await engine.client.patch(cm('b'), { metadata: { labels } }, { type: 'merge', fieldManager: 'x' });
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a') });
    await engine.until(app, isReady('main@sha1:b'));
    expect(await engine.until(cm('b'), exists)).toBeDefined();
  });
});

it('C17: a definition goes with its objects, and what is left is pruned without an error', async () => {
  const toy = 'apiVersion: example.com/v1\nkind: Toy\nmetadata: {name: bear}\n';
  await start({ 'x/crd.yaml': TOYS, 'x/toy.yaml': toy, 'x/a.yaml': manifest('a') });
  await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a') });
  const done = await engine.until(app, isReady('main@sha1:b'));
  expect(entries(done)).toEqual(['default_a__ConfigMap']);
  const deleted = engine.takeRequests().filter((request) => request.startsWith('DELETE'));
  expect(deleted.map((request) => /toys\/bear|customresourcedefinitions/.exec(request)?.[0])).toEqual([
    'toys/bear',
    'customresourcedefinitions',
  ]);
});

describe('C18: while a pass runs', () => {
  /** Holds the first creation of ConfigMap a back until it is let go. */
  async function heldApply(): Promise<() => void> {
    engine = await startTestEngine();
    await engine.publish('repo', 'main@sha1:a', TWO);
    const { reached, release } = holdBack(
      engine,
      (request) => applies('a', request) && !request.path.includes('dryRun'),
    );
    await kustomize(engine, 'app');
    await reached;
    return release;
  }

  it('a deletion waits for it, and nothing comes back', async () => {
    const release = await heldApply();
    await engine.client.delete(app);
    release();
    await engine.until(app, isGone);
    for (const name of ['a', 'b']) await engine.until(cm(name), isGone);
    await engine.publish('repo', 'main@sha1:b', TWO);
    await kustomize(engine, 'other', { path: './none' });
    await engine.until(ks('other'), hasFailed);
    for (const name of ['a', 'b']) expect(await engine.until(cm(name), () => true)).toBeUndefined();
  });

  it('a suspension lets it finish, and begins nothing more', async () => {
    const release = await heldApply();
    await engine.client.patch(app, { spec: { suspend: true } }, { type: 'merge', fieldManager: 'test' });
    release();
    await engine.until(cm('b'), exists);
    await engine.until(app, (found) => entries(found).length === 2);
    await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
    await kustomize(engine, 'other', { path: './none' });
    await engine.until(ks('other'), hasFailed);
    expect(keyOf(await engine.until(cm('a'), exists))).toBe('one');
    await engine.until(cm('b'), exists);
  });
});

it('B14: an interval that is none is refused, and the others go on', async () => {
  await start();
  for (const interval of ['5', '-1s', '9e9h', '1d', '', 'x']) {
    const spec = { interval, path: './x', prune: true, sourceRef: { kind: 'GitRepository', name: 'repo' } };
    const object = {
      apiVersion: KUSTOMIZE,
      kind: 'Kustomization',
      metadata: { name: 'odd', namespace: 'default' },
      spec,
    };
    const made = await engine.client.create(object);
    expect([interval, made.ok ? 'accepted' : made.error.code]).toEqual([interval, 422]);
  }
  await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
  await engine.until(app, isReady('main@sha1:b'));
});
