import { expect, it } from 'vitest';
import { createControlPlane } from '../cluster/control-plane.ts';
import { createKubeClient } from '../kube/rest-client.ts';
import { withScope } from './scope.ts';

// kustomize's own table of kinds without namespaces ends before these: its namespace transformer gives them one.
it.each([
  ['admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', undefined],
  ['v1', 'Namespace', undefined],
  ['v1', 'ConfigMap', 'team'],
  ['example.com/v1', 'NotServedYet', 'team'],
])('an object of %s %s has the namespace that its kind has', async (apiVersion, kind, namespace) => {
  const plane = await createControlPlane();
  try {
    const client = createKubeClient({ handler: plane.handler, userAgent: 'test' });
    const object = { apiVersion, kind, metadata: { name: 'x', namespace: 'team', labels: { a: 'b' } } };
    const [scoped] = await withScope([{ object, hash: 'h' }], client);
    expect(scoped).toEqual({
      object: {
        ...object,
        metadata: { name: 'x', labels: { a: 'b' }, ...(namespace === undefined ? {} : { namespace }) },
      },
      hash: 'h',
    });
  } finally {
    await plane.stop();
  }
});
