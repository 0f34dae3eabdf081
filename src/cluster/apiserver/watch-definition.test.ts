import { expect, it } from 'vitest';
import { ok } from '../../base/result.ts';
import { createControlPlane } from '../control-plane.ts';

const DEFINITIONS = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };

it('ends the watches of a kind whose definition is deleted', async () => {
  const controlPlane = await createControlPlane();
  const { handler, registry } = controlPlane;
  const made = await registry.create(
    DEFINITIONS,
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'apples.example.org' },
      spec: {
        group: 'example.org',
        scope: 'Cluster',
        names: { kind: 'Apple', plural: 'apples', singular: 'apple', listKind: 'AppleList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
    'test',
  );
  expect(made).toMatchObject(ok(expect.anything()));
  let response = await handler({ method: 'GET', path: '/apis/example.org/v1/apples?watch=true', headers: {} });
  while (response.status !== 200) {
    await new Promise(setImmediate);
    response = await handler({ method: 'GET', path: '/apis/example.org/v1/apples?watch=true', headers: {} });
  }
  const events = response.body?.[Symbol.asyncIterator]();
  const next = events?.next();
  await registry.delete(DEFINITIONS, undefined, 'apples.example.org');
  let last = await next;
  while (last?.done === false) last = await events?.next();
  expect(last?.done).toBe(true);
  await controlPlane.stop();
});
