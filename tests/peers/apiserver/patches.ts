import type { Sequence, Step } from './play.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

const container = {
  name: 'c',
  image: 'nginx:1',
  ports: [{ containerPort: 80, name: 'http' }],
  env: [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ],
};
export const deployment = (name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, labels: { app: name } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [container] } },
  },
});
export const configMap = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { a: '1' } },
  data: { k: 'v' },
});
export const service = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: {
    selector: { app: name },
    ports: [
      { port: 80, name: 'a' },
      { port: 81, name: 'b' },
    ],
  },
});

const cms = '/api/v1/namespaces/${ns}/configmaps';
const deps = '/apis/apps/v1/namespaces/${ns}/deployments';
const svcs = '/api/v1/namespaces/${ns}/services';

const patch = (path: string, type: string, body: unknown, query = ''): Step => ({
  method: 'PATCH',
  path: `${path}${query}`,
  type,
  body,
});
const post = (path: string, body: unknown): Step => ({ method: 'POST', path, body });
const get = (path: string): Step => ({ method: 'GET', path });

/** Each body is sent to a fresh object's own sequence. */
function each(
  name: string,
  first: Step,
  path: string,
  type: string,
  bodies: readonly unknown[],
  query = '',
): Sequence[] {
  return [{ name, steps: [first, ...bodies.map((body) => patch(path, type, body, query)), get(path)] }];
}

const SYNTAX = [
  '',
  '{',
  'null',
  '1',
  '"a"',
  '[]',
  '{}',
  '[1]',
  '[null]',
  '{"a":1',
  '[{"op":"add"}]',
  'true',
  '{"metadata":1}',
  '{"metadata":null}',
  '{"data":{"a":1}}',
  '{"data":[]}',
  '{"data":null}',
  '{"data":{"x":null}}',
  '{"kind":"Secret"}',
  '{"apiVersion":"v2"}',
  '{"apiVersion":"apps/v1"}',
  '{"metadata":{"name":"other"}}',
  '{"metadata":{"namespace":"other"}}',
  '{"metadata":{"uid":"x"}}',
  '{"metadata":{"resourceVersion":"1"}}',
  '{"metadata":{"resourceVersion":"x"}}',
  '{"metadata":{"resourceVersion":"0"}}',
  '{"metadata":{"resourceVersion":""}}',
  '{"metadata":{"resourceVersion":7}}',
  '{"metadata":{"labels":{"a":null,"b":"2"}}}',
  '{"metadata":{"labels":{"b!":"2"}}}',
  '{"metadata":{"labels":["x"]}}',
  '{"metadata":{"labels":{"a":1}}}',
  '{"metadata":{"creationTimestamp":null}}',
  '{"metadata":{"creationTimestamp":"x"}}',
  '{"metadata":{"generateName":"x-"}}',
  '{"metadata":{"finalizers":["x"]}}',
  '{"metadata":{"finalizers":["a.b/c"]}}',
  '{"metadata":{"finalizers":[]}}',
  '{"metadata":{"ownerReferences":[{}]}}',
  '{"metadata":{"annotations":{"a b":"x"}}}',
  '{"metadata":{"selfLink":"x"}}',
  '{"metadata":{"bogus":"x"}}',
  '{"bogus":1}',
  '{"immutable":"x"}',
  '{"immutable":true}',
  '{"data":{"k":"w"}}',
  '{"metadata":{"deletionTimestamp":"2020-01-01T00:00:00Z"}}',
  '{"metadata":{"deletionGracePeriodSeconds":3}}',
  '{"metadata":{"name":""}}',
  '{"metadata":{"name":null}}',
  '{"metadata":{"namespace":null}}',
  '{"kind":null}',
  '{"apiVersion":null}',
  '{"apiVersion":""}',
  '{"kind":1}',
  '{"metadata":{"managedFields":[{}]}}',
  '{"metadata":{"generation":7}}',
];

const OPERATIONS: readonly unknown[] = [
  [{ op: 'add', path: '/data/a', value: '1' }],
  [{ op: 'add', path: '/data/a~1b', value: '1' }],
  [{ op: 'add', path: '/data', value: { z: '1' } }],
  [{ op: 'remove', path: '/data/none' }],
  [{ op: 'remove', path: '/nothing/none' }],
  [{ op: 'replace', path: '/data/none', value: '2' }],
  [{ op: 'replace', path: '', value: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } } }],
  [{ op: 'replace', path: '', value: 'x' }],
  [{ op: 'replace', path: '/metadata/name', value: 'x' }],
  [{ op: 'replace', path: '/metadata/labels/a', value: 5 }],
  [{ op: 'replace', path: '/metadata/resourceVersion', value: 'abc' }],
  [{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }],
  [{ op: 'remove', path: '/metadata' }],
  [{ op: 'remove', path: '/metadata/name' }],
  [{ op: 'remove', path: '/metadata/uid' }],
  [{ op: 'remove', path: '/kind' }],
  [{ op: 'remove', path: '/metadata/creationTimestamp' }],
  [{ op: 'test', path: '/data/none', value: null }],
  [{ op: 'test', path: '/metadata/name', value: 'c' }],
  [{ op: 'test', path: '/metadata/name', value: 'd' }],
  [{ op: 'test', path: '/none/none', value: null }],
  [{ op: 'bogus', path: '/data' }],
  [{ op: 'add' }],
  [{ op: 'add', path: 1, value: '1' }],
  [{ op: 1, path: '/data/z', value: '1' }],
  [{ path: '/data/z', value: '1' }],
  [{ op: 'add', path: 'data/z', value: '1' }],
  [{ op: 'add', path: '/data/z' }],
  [{ op: 'add', path: '/data/z', value: null }],
  [{ op: 'add', path: '/data/-', value: '3' }],
  [
    { op: 'add', path: '/metadata/finalizers', value: ['a.b/c'] },
    { op: 'add', path: '/metadata/finalizers/0', value: 'd.e/f' },
    { op: 'add', path: '/metadata/finalizers/-', value: 'g.h/i' },
  ],
  [{ op: 'add', path: '/metadata/finalizers/9', value: 'd.e/f' }],
  [{ op: 'add', path: '/metadata/finalizers/x', value: 'd.e/f' }],
  [{ op: 'remove', path: '/metadata/finalizers/-1' }],
  [{ op: 'remove', path: '/metadata/finalizers/01' }],
  [{ op: 'remove', path: '/metadata/finalizers' }],
  [{ op: 'move', from: '/data/a', path: '/data/b' }],
  [{ op: 'copy', from: '/data/b', path: '/data/c' }],
  [{ op: 'copy', from: '/data/none', path: '/data/c' }],
  [{ op: 'move', path: '/data/b' }],
  [{ op: 'move', from: '/data', path: '/data/x' }],
  [{ op: 'copy', from: '', path: '/data/x' }],
  [{ op: 'add', path: '/bogus', value: { z: 1, a: 2 } }],
  [{ op: 'add', path: '/data/x', value: 3 }],
  { op: 'add', path: '/data/a', value: '1' },
  'x',
  ['x'],
  '[{"op":"add","path":"/data/a","value":"1"},]',
  '[{"op":"add","op":"remove","path":"/data/a","value":"1"}]',
];

const DEPLOYMENT_MERGES: readonly unknown[] = [
  { spec: { replicas: 'x' } },
  { spec: { replicas: 1.5 } },
  { spec: { replicas: -1 } },
  { spec: { replicas: null } },
  { spec: null },
  { spec: { selector: null } },
  { spec: { selector: { matchLabels: { app: 'x' } } } },
  { spec: { template: { spec: { containers: null } } } },
  { spec: { template: { spec: { containers: 'x' } } } },
  { spec: { template: { spec: { containers: [] } } } },
  { spec: { template: { spec: { containers: [{ name: 'x' }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'c', image: 5 }] } } } },
  { spec: { template: { spec: { containers: ['x'] } } } },
  { spec: { template: { spec: { containers: [null] } } } },
  {
    spec: {
      template: { spec: { containers: [{ name: 'x', image: 'y', bogus: 1, ports: [{ containerPort: 'a' }] }] } },
    },
  },
  { spec: { template: { spec: { bogus: { a: 1 }, terminationGracePeriodSeconds: '30' } } } },
  { spec: { bogus: [1, { b: 2, a: null }, 'x', true, 1.5, 1e21, null] } },
  { spec: { strategy: { type: 'Recreate' } } },
  { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } },
  { spec: { strategy: { type: 'X' } } },
  { spec: { paused: 'yes' } },
  { spec: { paused: 1 } },
  { spec: { minReadySeconds: 5000000000 } },
  { spec: { progressDeadlineSeconds: 0 } },
  { spec: { template: { metadata: { labels: { app: 'y' } } } } },
  { spec: { template: { metadata: { creationTimestamp: 'x' } } } },
  { spec: { template: { spec: { nodeSelector: { a: 1 } } } } },
  { spec: { template: { spec: { volumes: [{ name: 'v', emptyDir: { sizeLimit: 'x' } }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'c', resources: { limits: { cpu: 'x' } } }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'c', resources: { limits: { cpu: true } } }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'c', livenessProbe: { httpGet: { port: 1.5 } } }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'c', livenessProbe: { httpGet: { port: true } } }] } } } },
  { status: { replicas: 7 } },
  { metadata: { labels: { b: '2' } }, spec: { template: { spec: { containers: [{ name: 'd', image: 'x' }] } } } },
];

const STRATEGICS: readonly unknown[] = [
  {
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: 'c',
              env: [
                { name: 'A', value: '9' },
                { name: 'N', value: 'n' },
              ],
            },
          ],
        },
      },
    },
  },
  { spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'B', $patch: 'delete' }] }] } } } },
  {
    spec: {
      template: { spec: { containers: [{ name: 'c', env: [{ $patch: 'replace' }, { name: 'Z', value: 'z' }] }] } },
    },
  },
  { spec: { template: { spec: { containers: [{ name: 'c', env: null }] } } } },
  { spec: { template: { spec: { containers: [{ image: 'x' }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'c', $patch: 'bogus' }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'c', $patch: 'merge' }] } } } },
  { spec: { template: { spec: { $patch: 'bogus' } } } },
  { spec: { template: { spec: { $patch: 'delete' } } } },
  { spec: { template: { spec: { $setElementOrder: [] } } } },
  {
    spec: {
      template: {
        spec: {
          '$setElementOrder/containers': [{ name: 'c' }, { name: 'e' }],
          containers: [{ name: 'e', image: 'e' }],
        },
      },
    },
  },
  { spec: { template: { spec: { '$setElementOrder/containers': [{ name: 'e' }, { name: 'c' }] } } } },
  {
    spec: {
      template: { spec: { '$setElementOrder/containers': [{ name: 'q' }], containers: [{ name: 'e', image: 'e' }] } },
    },
  },
  { spec: { template: { spec: { '$setElementOrder/containers': 'x' } } } },
  { spec: { template: { spec: { containers: [{ name: 'e', $patch: 'delete' }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'none', $patch: 'delete' }] } } } },
  { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
  { spec: { strategy: { $retainKeys: ['type'], type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
  { spec: { strategy: { $retainKeys: 'x' } } },
  { spec: { template: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } } } },
  {
    spec: {
      template: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'x' } }] } },
    },
  },
  { spec: { template: { spec: { volumes: [{ name: 'v', emptyDir: {} }] } } } },
  { spec: { template: { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } } } },
  { spec: { template: { spec: { tolerations: [{ key: 'b', operator: 'Exists' }] } } } },
  { spec: { template: { spec: { imagePullSecrets: [{ name: 'a' }] } } } },
  { spec: { template: { spec: { imagePullSecrets: [{ name: 'b' }] } } } },
  { spec: { template: { spec: { hostAliases: [{ ip: '1.2.3.4', hostnames: ['x'] }] } } } },
  {
    spec: {
      template: {
        spec: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
      },
    },
  },
  {
    spec: {
      template: {
        spec: { topologySpreadConstraints: [{ maxSkew: 2, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
      },
    },
  },
  {
    spec: {
      template: {
        spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, name: 'web' }, { containerPort: 81 }] }] },
      },
    },
  },
  { spec: { template: { spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, $patch: 'delete' }] }] } } } },
  { spec: { template: { spec: { containers: [{ name: 'c', volumeMounts: [{ mountPath: '/a', name: 'v' }] }] } } } },
  { metadata: { '$deleteFromPrimitiveList/finalizers': ['a.b/c'], finalizers: ['d.e/f'] } },
  { metadata: { finalizers: ['a.b/c', 'd.e/f'] } },
  { metadata: { '$deleteFromPrimitiveList/finalizers': ['d.e/f'] } },
  { metadata: { '$deleteFromPrimitiveList/finalizers': 'd.e/f' } },
  { metadata: { '$setElementOrder/finalizers': ['g.h/i', 'a.b/c'], finalizers: ['g.h/i'] } },
  { metadata: { finalizers: null } },
  { metadata: { labels: { $patch: 'replace', app: 'd', q: 'r' } } },
  { metadata: { labels: { $retainKeys: ['app'] } } },
  { $patch: 'delete' },
  { $patch: 'replace', metadata: { name: 'd' } },
  { spec: { replicas: { a: 1 } } },
  { spec: [] },
  { spec: 'x' },
  { spec: { selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['d'] }] } } },
];

export const patches: readonly Sequence[] = [
  ...each('merge patches of a ConfigMap', post(cms, configMap('c')), `${cms}/c`, MERGE, SYNTAX),
  ...each('strategic patches of a ConfigMap', post(cms, configMap('c')), `${cms}/c`, STRATEGIC, SYNTAX),
  ...each(
    'JSON patches of a ConfigMap by text',
    post(cms, configMap('c')),
    `${cms}/c`,
    JSON_PATCH,
    SYNTAX.slice(0, 14),
  ),
  ...each('JSON patches of a ConfigMap', post(cms, configMap('c')), `${cms}/c`, JSON_PATCH, OPERATIONS),
  ...each('merge patches of a Deployment', post(deps, deployment('d')), `${deps}/d`, MERGE, DEPLOYMENT_MERGES),
  ...each(
    'strategic patches of a Deployment with wrong types',
    post(deps, deployment('d')),
    `${deps}/d`,
    STRATEGIC,
    DEPLOYMENT_MERGES,
  ),
  ...each(
    'strict merge patches of a Deployment',
    post(deps, deployment('d')),
    `${deps}/d`,
    MERGE,
    DEPLOYMENT_MERGES,
    '?fieldValidation=Strict',
  ),
  ...each(
    'strict strategic patches of a Deployment',
    post(deps, deployment('d')),
    `${deps}/d`,
    STRATEGIC,
    DEPLOYMENT_MERGES,
    '?fieldValidation=Strict',
  ),
  ...each('strategic merges of lists', post(deps, deployment('d')), `${deps}/d`, STRATEGIC, STRATEGICS),
  ...each('strategic merges of a Service', post(svcs, service('s')), `${svcs}/s`, STRATEGIC, [
    { spec: { ports: [{ port: 80, name: 'x' }] } },
    { spec: { ports: [{ port: 80, protocol: 'UDP', name: 'u' }] } },
    { spec: { ports: [{ port: 81, $patch: 'delete' }] } },
    { spec: { ports: [{ name: 'u' }] } },
    { spec: { ports: [] } },
    { spec: { ports: null } },
    { spec: { type: 'ExternalName', externalName: 'a.b', clusterIP: null, clusterIPs: null } },
    { spec: { selector: { $patch: 'replace', q: 'r' } } },
    { spec: { type: 'bogus' } },
  ]),
  {
    name: 'patches of what is not there, in other media types, and with options',
    steps: [
      patch(`${cms}/none`, MERGE, {}),
      patch(`${cms}/none`, JSON_PATCH, []),
      patch(`${cms}/none`, STRATEGIC, {}),
      patch(`${cms}/none`, MERGE, '{'),
      post(cms, configMap('c')),
      patch(`${cms}/c`, 'application/json', {}),
      patch(`${cms}/c`, 'application/yaml', {}),
      patch(`${cms}/c`, 'text/plain', {}),
      patch(`${cms}/c`, '', {}),
      patch(`${cms}/c`, `${MERGE}; charset=utf-8`, { data: { q: '1' } }),
      patch(`${cms}/c`, 'Application/Merge-Patch+JSON', { data: { q: '2' } }),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?dryRun=All'),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?dryRun=x'),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?dryRun=All&dryRun=x'),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?force=true'),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?force=false'),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?force=x'),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?fieldManager=a%00b'),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?fieldValidation=strict'),
      patch(`${cms}/c`, MERGE, { data: { q: '3' } }, '?bogus=1'),
      patch(cms, MERGE, {}),
      { method: 'PATCH', path: `${cms}/c`, type: MERGE },
      { method: 'PATCH', path: `${cms}/c`, type: JSON_PATCH },
      { method: 'PATCH', path: `${cms}/c`, type: STRATEGIC },
      get(`${cms}/c`),
    ],
  },
];
