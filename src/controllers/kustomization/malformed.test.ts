import { afterEach, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import {
  conditionOf,
  exists,
  isReady,
  KUSTOMIZE,
  ks,
  kustomize,
  manifest,
} from '../../../tests/support/kustomization-scenario.ts';
import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';

let engine: TestEngine;
afterEach(() => engine.stop());

const sourceRef = { kind: 'GitRepository', name: 'repo' };
const GOOD: JsonObject = { interval: '1h', path: './y', prune: true, targetNamespace: 'default', sourceRef };
/** What an older definition of the kind, or none, has let through. */
const SPECS: readonly Json[] = [
  null,
  'text',
  [],
  {},
  { ...GOOD, interval: 5 },
  { ...GOOD, interval: '-1s' },
  { ...GOOD, interval: '9e9h' },
  { ...GOOD, interval: '1d' },
  { ...GOOD, interval: null, timeout: [], retryInterval: {} },
  { ...GOOD, sourceRef: null },
  { ...GOOD, sourceRef: 'repo' },
  { ...GOOD, sourceRef: { kind: 5, name: {} } },
  { ...GOOD, path: 7 },
  { ...GOOD, dependsOn: 'app' },
  { ...GOOD, dependsOn: [null, 5, { name: 7 }] },
  { ...GOOD, postBuild: { substitute: [], substituteFrom: 'x' } },
  { ...GOOD, postBuild: { substituteFrom: [{ kind: 'Secret' }, null] } },
  { ...GOOD, healthChecks: 'x', wait: 'yes' },
  { ...GOOD, healthCheckExprs: [null] },
  { ...GOOD, healthCheckExprs: 'x' },
  { ...GOOD, decryption: 'x' },
  { ...GOOD, kubeConfig: 'x' },
  { ...GOOD, ignore: 'x' },
  { ...GOOD, ignore: [{ paths: 'x' }] },
  { ...GOOD, commonMetadata: { labels: 'x' } },
  { ...GOOD, patches: 'x', images: 5, components: {} },
  { ...GOOD, targetNamespace: [] },
  { ...GOOD, deletionPolicy: 'Perhaps' },
];
const STATUSES: readonly Json[] = [
  'text',
  { conditions: 'x' },
  { conditions: [null] },
  { inventory: 'x' },
  { inventory: { entries: 'x' } },
  { inventory: { entries: [null, { id: 5 }, { id: '___' }] } },
  { history: 'x' },
  { history: [null] },
];

it('B14: objects that are not what their kind says stall nobody else, whatever is wrong with them', async () => {
  engine = await startTestEngine();
  await engine.publish('repo', 'main@sha1:a', { 'x/a.yaml': manifest('a') });
  await kustomize(engine, 'app');
  await engine.until(ks('app'), isReady('main@sha1:a'));
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const loosened = await engine.client.patch(
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      name: 'kustomizations.kustomize.toolkit.fluxcd.io',
    },
    [{ op: 'replace', path: '/spec/versions/0/schema', value: schema }],
    { type: 'json', fieldManager: 'test' },
  );
  expect(loosened).toMatchObject({ ok: true });

  const make = async (name: string, body: JsonObject): Promise<void> => {
    const made = await engine.client.create({
      apiVersion: KUSTOMIZE,
      kind: 'Kustomization',
      metadata: { name, namespace: 'default' },
      ...body,
    } as unknown as KubeObject);
    expect(made, name).toMatchObject({ ok: true });
  };
  for (const [index, spec] of SPECS.entries()) await make(`spec-${index}`, spec === null ? {} : { spec });
  for (const [index, status] of STATUSES.entries()) {
    await make(`status-${index}`, { spec: { ...GOOD, path: './none' } });
    const patched = await engine.client.patch(ks(`status-${index}`), [{ op: 'add', path: '/status', value: status }], {
      type: 'json',
      subresource: 'status',
      fieldManager: 'test',
    });
    expect(patched, String(index)).toMatchObject({ ok: true });
  }

  // Those that are whole go on, with what the same queue has before and after the others, also in an engine that finds them all.
  await engine.publish('repo', 'main@sha1:b', { 'x/a.yaml': manifest('a', 'two') });
  await engine.until(ks('app'), isReady('main@sha1:b'));
  await engine.restart();
  await kustomize(engine, 'late');
  await engine.until(ks('late'), isReady('main@sha1:b'));
  await engine.publish('repo', 'main@sha1:c', { 'x/a.yaml': manifest('a', 'three'), 'y/b.yaml': manifest('b') });
  for (const name of ['app', 'late']) await engine.until(ks(name), isReady('main@sha1:c'));

  // They can be deleted, and put right.
  await engine.client.patch(ks('spec-3'), { spec: GOOD }, { type: 'merge', fieldManager: 'test' });
  await engine.until(ks('spec-3'), isReady('main@sha1:c'));
  await engine.client.delete(ks('spec-9'));
  await engine.until(ks('spec-9'), (found) => found === undefined);
  expect(conditionOf(await engine.until(ks('app'), exists), 'Ready')).toMatchObject({ status: 'True' });
}, 60_000);
