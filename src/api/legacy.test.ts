import { expect, it } from 'vitest';
import { createControlPlane } from '../cluster/control-plane.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { crdOf } from './crd.ts';
import { kinds } from './kinds/all.ts';
import { upgraded } from './legacy.ts';
import type { KubeObject } from './object.ts';

const patch = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } };
const operations = [{ op: 'add', path: '/data/x', value: 'y' }];

function old(version: string, spec: object): KubeObject {
  return {
    apiVersion: `kustomize.toolkit.fluxcd.io/${version}`,
    kind: 'Kustomization',
    metadata: { name: 'k', namespace: 'default' },
    spec,
  } as KubeObject;
}

it.each([
  [
    'patches of three fields, in the order in which they had effect',
    old('v1beta2', {
      path: './a',
      patches: [{ patch: 'p' }],
      patchesStrategicMerge: [patch],
      patchesJson6902: [{ patch: operations, target: { kind: 'ConfigMap' } }],
    }),
    {
      path: './a',
      patches: [
        { patch: JSON.stringify(patch) },
        { patch: 'p' },
        { patch: JSON.stringify(operations), target: { kind: 'ConfigMap' } },
      ],
    },
  ],
  ['validation, which has no effect', old('v1beta1', { validation: 'client', prune: true }), { prune: true }],
  [
    'the service account of the first version',
    old('v1alpha1', { serviceAccount: { name: 'sa', namespace: 'x' } }),
    { serviceAccountName: 'sa' },
  ],
])('upgrades %s', (_what, object, spec) => {
  expect(upgraded(object)).toEqual({ ...object, apiVersion: 'kustomize.toolkit.fluxcd.io/v1', spec });
});

it.each([
  ['the current version', old('v1', { patchesStrategicMerge: [patch] })],
  ['a version that never was', old('v7', {})],
  ['another kind of the name', { ...old('v1beta2', {}), apiVersion: 'kustomize.config.k8s.io/v1beta1' }],
])('leaves %s alone', (_what, object) => {
  expect(upgraded(object)).toBeUndefined();
});

it('is taken by a cluster with our definitions, and kept in the current version', async () => {
  const plane = await createControlPlane();
  try {
    const client = createKubeClient({ handler: plane.handler, userAgent: 'test' });
    for (const kind of kinds) await client.create(crdOf(kind));
    const spec = { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 's' } };
    const object = old('v1beta2', { ...spec, validation: 'client', patchesStrategicMerge: [patch] });
    const made = await client.apply(object, { fieldManager: 'test' });
    expect(made).toMatchObject({ ok: true });
    const kept = await client.get({
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      namespace: 'default',
      name: 'k',
    });
    expect(kept.ok && kept.value.spec).toEqual({ ...spec, force: false, patches: [{ patch: JSON.stringify(patch) }] });
  } finally {
    await plane.stop();
  }
});
