import { configMap, deployment, service } from './patches.ts';
import type { Sequence, Step } from './play.ts';

const cms = '/api/v1/namespaces/${ns}/configmaps';
const deps = '/apis/apps/v1/namespaces/${ns}/deployments';
const svcs = '/api/v1/namespaces/${ns}/services';
const hpas = (version: string): string => `/apis/autoscaling/${version}/namespaces/\${ns}/horizontalpodautoscalers`;

const apply = (path: string, manager: string, body: unknown, query = ''): Step => ({
  method: 'PATCH',
  path: `${path}?fieldManager=${manager}${query}`,
  type: 'application/apply-patch+yaml',
  body,
});
const force = '&force=true';
const post = (path: string, body: unknown): Step => ({ method: 'POST', path, body });
const put = (path: string, body: unknown): Step => ({ method: 'PUT', path, body });
const get = (path: string): Step => ({ method: 'GET', path });
const merge = (path: string, body: unknown): Step => ({
  method: 'PATCH',
  path,
  type: 'application/merge-patch+json',
  body,
});
const cm = (data: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', ...metadata },
  data,
});
const dep = (spec: object, containers: readonly object[] = [], metadata: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', ...metadata },
  spec: { ...spec, ...(containers.length === 0 ? {} : { template: { spec: { containers } } }) },
});
const whole = (containers: readonly object[], spec: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec: {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers } },
    ...spec,
  },
});

export const applies: readonly Sequence[] = [
  {
    name: 'server-side apply of a ConfigMap: ownership, conflicts, removal',
    steps: [
      apply(`${cms}/c`, 'm1', cm({ a: '1', b: '1' })),
      apply(`${cms}/c`, 'm1', cm({ a: '1', b: '1' })),
      apply(`${cms}/c`, 'm2', cm({ a: '2' })),
      apply(`${cms}/c`, 'm2', cm({ a: '1', c: '2' })),
      apply(`${cms}/c`, 'm2', cm({ a: '2' }), force),
      apply(`${cms}/c`, 'm1', cm({ b: '1' })),
      apply(`${cms}/c`, 'm2', cm({})),
      merge(`${cms}/c`, { data: { x: 'y', b: 'other' } }),
      apply(`${cms}/c`, 'm1', cm({ b: '1', x: 'z' })),
      apply(`${cms}/c`, 'm3', cm({ b: '3', x: 'z' })),
      apply(`${cms}/c`, 'm1', cm({ b: '1', x: 'z' }), force),
      put(`${cms}/c`, cm({ only: 'this' })),
      apply(`${cms}/c`, 'm1', cm({ b: '1' }, { labels: { l: '1' }, annotations: { n: '1' } })),
      apply(`${cms}/c`, 'm1', cm({ b: '1' })),
      apply(`${cms}/c`, 'm1', { apiVersion: 'v1', kind: 'ConfigMap' }),
      merge(`${cms}/c`, { metadata: { managedFields: [{}] } }),
      apply(`${cms}/c`, 'm1', cm({ b: '1' })),
      merge(`${cms}/c`, { metadata: { managedFields: [] } }),
      merge(`${cms}/c`, { metadata: { managedFields: null } }),
      merge(`${cms}/c`, {
        metadata: {
          managedFields: [
            { manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': {} } },
          ],
        },
      }),
      merge(`${cms}/c`, {
        metadata: {
          managedFields: [{ manager: 'x', operation: 'Bogus', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
        },
      }),
      merge(`${cms}/c`, {
        metadata: {
          managedFields: [
            {
              manager: 'x',
              operation: 'Apply',
              apiVersion: 'v9',
              fieldsType: 'FieldsV1',
              fieldsV1: { 'f:data': { 'f:b': {} } },
            },
          ],
        },
      }),
      apply(`${cms}/c`, 'm1', cm({ b: '2' })),
      get(`${cms}/c`),
    ],
  },
  {
    name: 'server-side apply: bodies that are refused',
    steps: [
      apply(`${cms}/c`, '', cm({})),
      { method: 'PATCH', path: `${cms}/c`, type: 'application/apply-patch+yaml', body: cm({}) },
      apply(`${cms}/c`, 'm', ''),
      apply(`${cms}/c`, 'm', 'null'),
      apply(`${cms}/c`, 'm', '[]'),
      apply(`${cms}/c`, 'm', 'x'),
      apply(`${cms}/c`, 'm', '{'),
      apply(`${cms}/c`, 'm', 'a: b: c'),
      apply(`${cms}/c`, 'm', {}),
      apply(`${cms}/c`, 'm', { apiVersion: 'v1' }),
      apply(`${cms}/c`, 'm', { kind: 'ConfigMap' }),
      apply(`${cms}/c`, 'm', { apiVersion: 'v2', kind: 'ConfigMap' }),
      apply(`${cms}/c`, 'm', { apiVersion: 'v1', kind: 'Secret' }),
      apply(`${cms}/c`, 'm', { apiVersion: 'apps/v1', kind: 'Deployment' }),
      apply(`${cms}/c`, 'm', cm({ a: 1 })),
      apply(`${cms}/c`, 'm', cm({ a: null })),
      apply(`${cms}/c`, 'm', { ...cm({}), bogus: 1 }),
      apply(`${cms}/c`, 'm', { ...cm({}), bogus: 1 }, '&fieldValidation=Strict'),
      apply(`${cms}/c`, 'm', { ...cm({}), data: 'x' }),
      apply(`${cms}/c`, 'm', { ...cm({}), data: ['x'] }),
      apply(`${cms}/c`, 'm', cm({}, { name: 'other' })),
      apply(`${cms}/c`, 'm', cm({}, { namespace: 'other' })),
      apply(`${cms}/c`, 'm', cm({}, { labels: ['x'] })),
      apply(`${cms}/c`, 'm', cm({}, { labels: { x: 1 } })),
      apply(`${cms}/c`, 'm', cm({}, { bogus: { x: 1 } })),
      apply(`${cms}/c`, 'm', cm({}, { managedFields: [] })),
      apply(`${cms}/c`, 'm', cm({}, { managedFields: [{}] })),
      apply(`${cms}/c`, 'm', cm({}, { uid: 'x' })),
      apply(`${cms}/c`, 'm', cm({}, { resourceVersion: '5' })),
      apply(`${cms}/c`, 'm', cm({}, { finalizers: ['a.b/c', 'a.b/c'] })),
      apply(
        `${cms}/c`,
        'm',
        cm(
          {},
          {
            ownerReferences: [
              { apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'u' },
              { apiVersion: 'v1', kind: 'Pod', name: 'y', uid: 'u' },
            ],
          },
        ),
      ),
      apply(`${cms}/c`, 'm', cm({}, { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x' }] })),
      apply(`${cms}/c`, 'm', cm({ ok: 'y' }, { creationTimestamp: null, generateName: 'x-' })),
      apply(`${cms}/c`, 'm', cm({ ok: 'y' }, { uid: 'x' })),
      apply(`${cms}/c`, 'm', cm({ ok: 'y' }, { resourceVersion: '5' })),
      apply(`${cms}/c`, 'm', cm({ ok: 'z' }), '&dryRun=All'),
      apply(`${cms}/c`, 'm', cm({ 'a b': 'z' })),
      apply(`${cms}/c`, 'm', cm({ ok: 'z' }), '&force=x'),
      apply(`${cms}/c/status`, 'm', cm({ ok: 'z' })),
      apply(`${cms}/Bad_`, 'm', cm({ ok: 'z' }, { name: 'Bad_' })),
      apply(cms, 'm', cm({ ok: 'z' })),
      get(`${cms}/c`),
    ],
  },
  {
    name: 'server-side apply of lists: maps by key, sets, atomic ones',
    steps: [
      apply(
        `${deps}/d`,
        'm1',
        whole(
          [
            {
              name: 'a',
              image: 'i',
              ports: [{ containerPort: 80 }, { containerPort: 81, protocol: 'UDP' }],
              env: [{ name: 'X', value: '1' }],
              args: ['a'],
            },
          ],
          { replicas: 2 },
        ),
      ),
      apply(`${deps}/d`, 'm2', dep({ replicas: 3 })),
      apply(`${deps}/d`, 'm2', dep({ replicas: 2 })),
      apply(`${deps}/d`, 'm2', dep({}, [{ name: 'b', image: 'j' }])),
      apply(
        `${deps}/d`,
        'm2',
        dep({}, [
          { name: 'a', env: [{ name: 'Y', value: '2' }] },
          { name: 'b', image: 'j', ports: [{ containerPort: 90 }] },
        ]),
      ),
      apply(
        `${deps}/d`,
        'm1',
        whole([
          {
            name: 'a',
            image: 'i2',
            ports: [{ containerPort: 80 }],
            env: [{ name: 'X', value: '1' }],
            args: ['a', 'b'],
          },
        ]),
      ),
      apply(`${deps}/d`, 'm2', dep({}, [{ name: 'a', image: 'k', args: ['z'] }])),
      apply(`${deps}/d`, 'm2', dep({}, [{ name: 'a', image: 'k', args: ['z'] }]), force),
      apply(
        `${deps}/d`,
        'm1',
        whole([
          { name: 'a', image: 'k' },
          { name: 'a', image: 'l' },
        ]),
      ),
      apply(`${deps}/d`, 'm1', whole([{ image: 'k' }])),
      apply(`${deps}/d`, 'm1', dep({ template: { spec: { containers: ['x'] } } })),
      apply(`${deps}/d`, 'm1', dep({ template: { spec: { containers: {} } } })),
      apply(`${deps}/d`, 'm1', dep({ replicas: 'x', strategy: 5, paused: 'y' })),
      apply(`${deps}/d`, 'm1', dep({ selector: { matchLabels: { q: 'r' } } }), force),
      apply(
        `${deps}/d`,
        'm3',
        dep({
          template: {
            spec: {
              nodeSelector: { x: 'y' },
              tolerations: [{ key: 'a' }],
              volumes: [{ name: 'v', emptyDir: {} }],
              imagePullSecrets: [{ name: 's' }],
              hostAliases: [{ ip: '1.1.1.1' }],
              topologySpreadConstraints: [
                { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: {} },
              ],
            },
          },
        }),
      ),
      apply(
        `${deps}/d`,
        'm4',
        dep({
          template: {
            spec: {
              nodeSelector: { x: 'z' },
              tolerations: [{ key: 'b' }],
              volumes: [{ name: 'v', configMap: { name: 'q' } }],
            },
          },
        }),
      ),
      apply(`${deps}/d`, 'm3', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } }),
      merge(`${deps}/d`, { spec: { template: { spec: { containers: [{ name: 'a', image: 'merged' }] } } } }),
      get(`${deps}/d`),
    ],
  },
  {
    name: 'server-side apply through subresources and versions',
    steps: [
      post(deps, deployment('d')),
      apply(`${deps}/d/status`, 's', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd' },
        status: { replicas: 1, conditions: [{ type: 'A', status: 'True' }] },
      }),
      apply(
        `${deps}/d`,
        's',
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'd' },
          status: { replicas: 2 },
          spec: { replicas: 4 },
        },
        force,
      ),
      apply(`${deps}/d/status`, 't', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd' },
        status: { replicas: 2 },
        spec: { replicas: 5 },
      }),
      merge(`${deps}/d/scale`, { spec: { replicas: 7 } }),
      get(`${deps}/d`),
      apply(`${deps}/d`, 's', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd' },
        spec: { replicas: 8 },
      }),
      apply(`${deps}/none/status`, 's', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'none' } }),
      apply(`${hpas('v1')}/h`, 'm1', {
        apiVersion: 'autoscaling/v1',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h' },
        spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd' }, targetCPUUtilizationPercentage: 50 },
      }),
      apply(`${hpas('v2')}/h`, 'm2', {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h' },
        spec: { maxReplicas: 4, scaleTargetRef: { kind: 'Deployment', name: 'd' } },
      }),
      apply(
        `${hpas('v2')}/h`,
        'm2',
        {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: 'h' },
          spec: { maxReplicas: 4, scaleTargetRef: { kind: 'Deployment', name: 'd' } },
        },
        force,
      ),
      apply(`${hpas('v2')}/h`, 'm1', {
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h' },
        spec: { minReplicas: 2, maxReplicas: 4, scaleTargetRef: { kind: 'Deployment', name: 'd' } },
      }),
      get(`${hpas('v1')}/h`),
      get(`${hpas('v2')}/h`),
    ],
  },
  {
    name: 'server-side apply of a Service, a Secret and a Role; client-side apply taken over',
    steps: [
      apply(`${svcs}/s`, 'm1', service('s')),
      apply(
        `${svcs}/s`,
        'm2',
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 's' },
          spec: { ports: [{ port: 82, name: 'c' }], type: 'NodePort' },
        },
        '&dryRun=All',
      ),
      apply(`${svcs}/s`, 'm1', {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 's' },
        spec: { ports: [{ port: 80, name: 'a' }] },
      }),
      apply('/api/v1/namespaces/${ns}/secrets/s', 'm1', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's' },
        stringData: { a: 'b' },
      }),
      apply('/api/v1/namespaces/${ns}/secrets/s', 'm1', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's' },
        data: { a: 'Yw==' },
      }),
      apply('/apis/rbac.authorization.k8s.io/v1/namespaces/${ns}/roles/r', 'm1', {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'r' },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
      }),
      apply('/apis/rbac.authorization.k8s.io/v1/namespaces/${ns}/roles/r', 'm2', {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'r' },
        rules: [],
      }),
      post(`${cms}?fieldManager=kubectl-client-side-apply`, {
        ...configMap('k'),
        metadata: {
          name: 'k',
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration':
              '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"k"},"data":{"k":"v"}}',
          },
        },
      }),
      apply(`${cms}/k`, 'kubectl', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'k' }, data: { k: 'w' } }),
      apply(`${cms}/k`, 'kubectl', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'k' },
        data: { k: 'x', l: 'y' },
      }),
      apply('/api/v1/namespaces/${ns}', 'm', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: '${ns}', labels: { q: 'r' } },
      }),
    ],
  },
];
