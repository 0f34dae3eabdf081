import { Buffer } from 'node:buffer';
import { expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { normalise, withoutUndeclared } from './normalise.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const metadata = { name: 'x' };
interface Case {
  readonly name: string;
  readonly object: object;
  readonly want: object;
}
const cases: readonly Case[] = [
  {
    name: 'puts the texts of a Secret into its data',
    object: { apiVersion: 'v1', kind: 'Secret', metadata, data: { a: 'Yg==' }, stringData: { a: 'c', d: 'e' } },
    want: { apiVersion: 'v1', kind: 'Secret', metadata, data: { a: 'Yw==', d: 'ZQ==' } },
  },
  {
    name: 'writes the structs that Go always writes, and drops nulls and the status',
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...metadata, creationTimestamp: null },
      spec: { paused: null, template: { spec: { containers: [{ name: 'c', ports: [{ containerPort: 1 }] }] } } },
      status: { replicas: 1 },
    },
    want: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        strategy: {},
        template: {
          metadata: {},
          spec: { containers: [{ name: 'c', ports: [{ containerPort: 1, protocol: 'TCP' }], resources: {} }] },
        },
      },
    },
  },
  {
    name: 'leaves the nulls of a custom resource alone',
    object: { apiVersion: 'a.b/v1', kind: 'Foo', metadata, spec: { a: null }, status: {} },
    want: { apiVersion: 'a.b/v1', kind: 'Foo', metadata, spec: { a: null } },
  },
  {
    name: 'leaves out maps and lists that are empty, and reads a null in a map of texts as an empty text',
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, annotations: {}, finalizers: [], labels: { a: null } },
      data: {},
      binaryData: { a: 'YQ==' },
    },
    want: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, labels: { a: '' } },
      binaryData: { a: 'YQ==' },
    },
  },
  {
    name: 'keeps structs that are empty, and lists that Go always writes',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { containers: [], volumes: [{ name: 'v', emptyDir: {} }], nodeSelector: {}, tolerations: [] },
    },
    want: { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], volumes: [{ name: 'v', emptyDir: {} }] } },
  },
  {
    name: 'keeps a list in the place of a map',
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, labels: [] }, data: [] },
    want: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, labels: [] }, data: [] },
  },
  {
    name: 'leaves out the subjects that a RoleBinding does not have',
    object: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef: {}, subjects: [] },
    want: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef: {} },
  },
  ...[
    ['Cg==', false],
    ['not base64!', false],
    ['LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=', true],
  ].map(([caBundle, kept]): Case => {
    const crd = (clientConfig: object): object => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata,
      spec: { conversion: { webhook: { clientConfig } } },
    });
    return {
      name: `${kept === true ? 'keeps' : 'drops'} the CA bundle ${caBundle}`,
      object: crd({ caBundle, url: 'u' }),
      want: crd(kept === true ? { caBundle, url: 'u' } : { url: 'u' }),
    };
  }),
  {
    name: 'keeps a Role as it is',
    object: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules: null },
    want: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules: null },
  },
];
it.each(cases)('$name', ({ object, want }) => {
  expect(normalise(object as KubeObject, base64)).toEqual(want);
});

it('drops a field that the server does not know, also in a list', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { containers: [{ name: 'c', image: 'i', nope: 1 }] },
  } as unknown as KubeObject;
  const message =
    'failed to create typed patch object (d/x; v1, Kind=Pod): .spec.containers[name="c"].nope: field not declared in schema';
  expect(withoutUndeclared(pod, message)?.spec).toEqual({ containers: [{ name: 'c', image: 'i' }] });
  expect(withoutUndeclared(pod, 'Invalid value')).toBeUndefined();
});
