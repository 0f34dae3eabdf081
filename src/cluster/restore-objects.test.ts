import { expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { createControlPlane } from './control-plane.ts';
import { restoreObjects } from './restore-objects.ts';
import { Store } from './store/store.ts';

const widgets = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com', uid: 'u-1', resourceVersion: '70000' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
} as unknown as KubeObject;
const widget = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'w', namespace: 'default', uid: 'u-2', resourceVersion: '70001' },
} as unknown as KubeObject;
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    namespace: 'default',
    uid: 'u-3',
    resourceVersion: '81234',
    generation: 3,
    creationTimestamp: '2020-01-01T00:00:00Z',
    deletionTimestamp: '2020-01-02T00:00:00Z',
    deletionGracePeriodSeconds: 30,
    finalizers: ['example.com/hold'],
    managedFields: [{ manager: 'm', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
  },
  spec: { containers: [{ name: 'c', image: 'i' }] },
  status: { phase: 'Running', podIP: '10.0.0.7' },
} as unknown as KubeObject;

it('serves restored objects exactly as they were, and goes on from their newest version', async () => {
  const plane = await createControlPlane({ objects: [widget, pod, widgets] });
  try {
    expect(plane.registry.get({ group: '', plural: 'pods' }, 'default', 'p')).toEqual(pod);
    expect(plane.registry.get({ group: 'example.com', plural: 'widgets' }, 'default', 'w')).toEqual(widget);
    const made = await plane.registry.create(
      { group: '', plural: 'configmaps' },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'default' } },
      'test',
    );
    expect(made.ok && Number(made.value.metadata.resourceVersion)).toBeGreaterThan(81234);
  } finally {
    await plane.stop();
  }
});

it.each([
  ['an unknown kind', { ...widget }, 'Widget w: no kind "Widget" is served in version "example.com/v1"'],
  ['a missing namespace', { ...pod, metadata: { name: 'p' } }, 'Pod p: a namespace is missing'],
  ['no name', { ...pod, metadata: {} }, 'Pod: an object needs a kind and a metadata.name'],
  ['a review', { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: { name: 't' } }, /no kind/],
])('refuses %s', (_what, object, message) => {
  const restored = restoreObjects(new Store(), [object as unknown as KubeObject]);
  expect(restored).toMatchObject({ ok: false, error: expect.stringMatching(message) });
});
