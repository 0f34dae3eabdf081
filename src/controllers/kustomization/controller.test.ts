import { afterEach, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import { at, isArray, type JsonObject, stringAt } from '../../base/json.ts';

const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const app: ObjectRef = { apiVersion: KUSTOMIZE, kind: 'Kustomization', namespace: 'default', name: 'app' };
const cm = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name });
const manifest = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: "${value}"\n`;
const value = (object: KubeObject | undefined): unknown => at(object as unknown as JsonObject, 'data', 'key');
const readyOf = (object: KubeObject | undefined): JsonObject | undefined => {
  const list = at(object?.status, 'conditions');
  return isArray(list)
    ? (list.find((item) => stringAt(item, 'type') === 'Ready') as JsonObject | undefined)
    : undefined;
};
const applied = (revision: string) => (object: KubeObject | undefined) =>
  readyOf(object)?.['message'] === `Applied revision: ${revision}`;

let engine: TestEngine;
afterEach(() => engine.stop());

async function start(files: Record<string, string>, spec: JsonObject = {}): Promise<void> {
  engine = await startTestEngine();
  await engine.publish('repo', 'main@sha1:a', files);
  await engine.apply({
    apiVersion: KUSTOMIZE,
    kind: 'Kustomization',
    metadata: { name: 'app' },
    spec: {
      interval: '1h',
      path: './',
      prune: true,
      targetNamespace: 'default',
      sourceRef: { kind: 'GitRepository', name: 'repo' },
      ...spec,
    },
  });
}

it('applies a revision, the next one, prunes, and deletes with the Kustomization', async () => {
  await start({ 'a.yaml': manifest('a', 'one'), 'b.yaml': manifest('b', 'x') });
  const first = await engine.until(app, applied('main@sha1:a'));
  expect(first?.status).toMatchObject({
    inventory: {
      entries: [
        { id: 'default_a__ConfigMap', v: 'v1' },
        { id: 'default_b__ConfigMap', v: 'v1' },
      ],
    },
    lastAppliedRevision: 'main@sha1:a',
  });
  await engine.publish('repo', 'main@sha1:b', { 'a.yaml': manifest('a', 'two') });
  await engine.until(app, applied('main@sha1:b'));
  expect(value(await engine.until(cm('a'), () => true))).toBe('two');
  await engine.until(cm('b'), (object) => object === undefined);
  await engine.client.delete(app);
  await engine.until(app, (object) => object === undefined);
  await engine.until(cm('a'), (object) => object === undefined);
  expect(engine.events.map(({ reason, message }) => `${reason}: ${message.replace(/ in .*?,/, ' in TIME,')}`)).toEqual([
    'Progressing: ConfigMap/default/a created\nConfigMap/default/b created',
    'ReconciliationSucceeded: Reconciliation finished in TIME, next run in 1h0m0s',
    'Progressing: ConfigMap/default/a configured',
    'Progressing: 1 to be deleted:\nConfigMap/default/b',
    'PrunePlanned: to be deleted: revision main@sha1:b of Kustomization default/app does not have it',
    'Progressing: ConfigMap/default/b deleted',
    'ReconciliationSucceeded: Reconciliation finished in TIME, next run in 1h0m0s',
    'ReconciliationSucceeded: ConfigMap/default/a deleted',
  ]);
});

it('puts back what somebody changed or deleted, without another line in the history', async () => {
  await start({ 'a.yaml': manifest('a', 'one') });
  await engine.until(app, applied('main@sha1:a'));
  await engine.client.patch(cm('a'), { data: { key: 'two' } }, { type: 'merge', fieldManager: 'kubectl-edit' });
  await engine.until(cm('a'), (object) => value(object) === 'one');
  await engine.client.delete(cm('a'));
  await engine.until(cm('a'), (object) => value(object) === 'one');
  const object = await engine.until(app, () => true);
  expect(at(object?.status, 'history')).toMatchObject([{ totalReconciliations: 1 }]);
});

it('keeps what there is when a revision cannot be built, and says why with file and line', async () => {
  await start({ 'a.yaml': manifest('a', 'one'), 'b.yaml': manifest('b', 'x') });
  await engine.until(app, applied('main@sha1:a'));
  await engine.publish('repo', 'main@sha1:b', { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: a: b\n' });
  const failed = await engine.until(app, (object) => readyOf(object)?.['reason'] === 'BuildFailed');
  expect(readyOf(failed)?.['message']).toMatch(/a\.yaml: MalformedYAMLError: yaml: line 3: /);
  expect(value(await engine.until(cm('b'), () => true))).toBe('x');
  await engine.publish('repo', 'main@sha1:c', { 'a.yaml': manifest('a', 'three') });
  await engine.until(app, applied('main@sha1:c'));
});

it('asks the server for nothing but the status when nothing has changed', async () => {
  await start({ 'a.yaml': manifest('a', 'one'), 'b.yaml': manifest('b', 'x') }, { wait: true });
  await engine.until(app, applied('main@sha1:a'));
  await engine.until(app, () => true);
  // The first passes may still be ahead of the watches.
  const costs: (readonly string[])[] = [];
  for (const revision of ['b', 'c', 'd', 'e', 'f']) {
    engine.takeRequests();
    const files = { 'a.yaml': manifest('a', 'one'), 'b.yaml': manifest('b', 'x'), [`${revision}.txt`]: '' };
    await engine.publish('repo', `main@sha1:${revision}`, files);
    await engine.until(app, applied(`main@sha1:${revision}`));
    // Whether kinds that are not there have come is asked by the clock, not by a pass.
    costs.push(engine.takeRequests().filter((request) => !/^GET \/apis?$/.test(request)));
  }
  const status = [expect.stringMatching(/^PATCH .*\/kustomizations\/app\/status/)];
  expect(costs.at(-1)).toEqual(status);
});

it('rehearses all changes of a commit but the first, and changes nothing when the server refuses one', async () => {
  const immutable = (name: string, text: string): string => `${manifest(name, text)}immutable: true\n`;
  const files = { 'a.yaml': manifest('a', '1'), 'b.yaml': manifest('b', '1'), 'c.yaml': manifest('c', '1') };
  await start({ ...files, 'd.yaml': immutable('0a', '1'), 'e.yaml': immutable('z', '1') });
  await engine.until(app, applied('main@sha1:a'));
  const changed = { 'a.yaml': manifest('a', '2'), 'b.yaml': manifest('b', '2'), 'c.yaml': manifest('c', '2') };
  const fixed = { 'd.yaml': immutable('0a', '1'), 'e.yaml': immutable('z', '1') };
  for (const [revision, name, refused] of [
    // The one that goes first in order, and the one that goes last.
    ['b', '0a', { 'd.yaml': immutable('0a', '2') }],
    ['c', 'z', { 'e.yaml': immutable('z', '2') }],
  ] as const) {
    await engine.publish('repo', `main@sha1:${revision}`, { ...changed, ...fixed, ...refused });
    await engine.until(app, (object) => {
      const { reason, message } = readyOf(object) ?? {};
      return reason === 'ReconciliationFailed' && `${message as string}`.includes(`ConfigMap/default/${name} `);
    });
    for (const other of ['a', 'b', 'c']) expect(value(await engine.until(cm(other), () => true))).toBe('1');
  }
  engine.takeRequests();
  await engine.publish('repo', 'main@sha1:d', { ...changed, ...fixed });
  await engine.until(app, applied('main@sha1:d'));
  const writes = engine.takeRequests().filter((request) => request.includes('/configmaps/'));
  expect(writes.filter((request) => request.includes('dryRun'))).toHaveLength(2);
  expect(writes.filter((request) => !request.includes('dryRun'))).toHaveLength(3);
});

it('is tried again when its source is there again, though it failed at that revision before', async () => {
  const broken = { 'a.yaml': 'x: y\n' };
  const reason = (wanted: string) => (object: KubeObject | undefined) => readyOf(object)?.['reason'] === wanted;
  await start(broken);
  await engine.until(app, reason('BuildFailed'));
  await engine.client.delete({
    ...app,
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    name: 'repo',
  });
  const annotations = { 'reconcile.fluxcd.io/requestedAt': '1' };
  await engine.client.patch(app, { metadata: { annotations } }, { type: 'merge', fieldManager: 'test' });
  await engine.until(app, reason('ArtifactFailed'));
  await engine.publish('repo', 'main@sha1:a', broken);
  expect(await engine.until(app, reason('BuildFailed'))).toBeDefined();
});
