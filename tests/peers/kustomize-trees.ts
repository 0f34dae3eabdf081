import * as fc from 'fast-check';
import type { Json } from '../../src/base/json.ts';
import { printYaml } from '../../src/engine/yaml/print.ts';

/** A generated tree of kustomizations: path -> text. The overlay to build is `overlay`. */
export type Tree = Readonly<Record<string, string>>;

const name = fc.constantFrom('web', 'db', 'cache', 'a', 'x-1');
const word = fc.constantFrom(
  'red',
  'yes',
  '1',
  'true',
  'null',
  '1e3',
  '0x1F',
  'a: b',
  ' lead',
  "it's",
  '',
  '2024-01-01',
  'é',
  'x #y',
  '08',
  'off',
  '~',
  '*',
  '"q"',
);
const labelValue = fc.constantFrom('red', 'yes', '1', 'true', 'v1.2', 'on', '');
const key = fc.constantFrom('app', 'team', 'tier', 'n', 'example.com/part');
const labels = fc.dictionary(key, labelValue, { minKeys: 1, maxKeys: 3 });
const annotations = fc.dictionary(key, word, { maxKeys: 3 });
const text = fc.oneof(
  word,
  fc.constantFrom(
    'l1\nl2\n',
    'l1\n\nl3',
    '  deep\nless\n',
    'trail \nx',
    'tab\there',
    'end\n\n',
    'long '.repeat(30),
    `${'word '.repeat(20)}: x`,
  ),
);

const metadata = (withNamespace: boolean) =>
  fc.record(
    {
      name,
      ...(withNamespace && { namespace: fc.constantFrom('one', 'two', 'default') }),
      labels,
      annotations,
    },
    { requiredKeys: ['name'] },
  );

const container = fc.record(
  {
    name: fc.constantFrom('main', 'side', 'init'),
    image: fc.constantFrom('nginx', 'nginx:1.25', 'registry.example.com:5000/app/web:v2', 'busybox@sha256:abc', 'app'),
    command: fc.array(word, { maxLength: 2 }),
    env: fc.uniqueArray(fc.record({ name: fc.constantFrom('A', 'B', 'C'), value: word }), {
      maxLength: 3,
      selector: (one) => one.name,
    }),
    envFrom: fc.array(fc.record({ configMapRef: fc.record({ name }) }), { maxLength: 1 }),
    ports: fc.uniqueArray(
      fc.record(
        { containerPort: fc.constantFrom(80, 443, 8080), protocol: fc.constantFrom('TCP', 'UDP') },
        { requiredKeys: ['containerPort'] },
      ),
      { maxLength: 2, selector: (one) => `${one.containerPort}/${one.protocol}` },
    ),
  },
  { requiredKeys: ['name', 'image'] },
);

const podSpec = fc.record(
  {
    containers: fc.uniqueArray(container, { minLength: 1, maxLength: 2, selector: (one) => one.name }),
    serviceAccountName: name,
    volumes: fc.uniqueArray(fc.record({ name: fc.constantFrom('v1', 'v2'), configMap: fc.record({ name }) }), {
      maxLength: 2,
      selector: (one) => one.name,
    }),
  },
  { requiredKeys: ['containers'] },
);

const workload = fc
  .record({
    kind: fc.constantFrom('Deployment', 'StatefulSet', 'DaemonSet'),
    metadata: metadata(true),
    template: fc.record({ metadata: fc.record({ labels }), spec: podSpec }),
    matchLabels: labels,
    replicas: fc.constantFrom(1, 3),
  })
  .map(({ kind, metadata: meta, template, matchLabels, replicas }) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: meta,
    spec: { selector: { matchLabels }, template, ...(kind !== 'DaemonSet' && { replicas }) },
  }));

const configMap = fc
  .record({
    metadata: metadata(true),
    data: fc.dictionary(fc.constantFrom('k1', 'k2', 'file.txt', '10', '2'), text, { maxKeys: 4 }),
  })
  .map((one) => ({ apiVersion: 'v1', kind: 'ConfigMap', ...one }));

const service = fc
  .record({ metadata: metadata(true), selector: labels, port: fc.constantFrom(80, 443) })
  .map(({ metadata: meta, selector, port }) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta,
    spec: { selector, ports: [{ port, name: 'http' }] },
  }));

const clusterWide = fc.oneof(
  fc.record({ metadata: metadata(false) }).map((one) => ({ apiVersion: 'v1', kind: 'Namespace', ...one })),
  fc
    .record({ metadata: metadata(false), role: name, subject: fc.constantFrom('default', 'web') })
    .map(({ metadata: meta, role, subject }) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: meta,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: subject, namespace: 'one' }],
    })),
  fc
    .record({ metadata: metadata(false), value: fc.constantFrom(1, 1.5, 1e21, 12345678, true, null, 'x') })
    .map(({ metadata: meta, value }) => ({
      apiVersion: 'example.com/v1',
      kind: 'Thing',
      metadata: meta,
      spec: { value, list: [value, { deep: [] }], empty: {} },
    })),
);

const resources = fc.uniqueArray(fc.oneof(workload, configMap, service, clusterWide), {
  minLength: 1,
  maxLength: 5,
  selector: ({ kind, metadata: meta }) => `${kind}/${meta.name}/${'namespace' in meta ? meta.namespace : ''}`,
});

const selector = fc.record(
  {
    kind: fc.constantFrom('Deployment', 'ConfigMap', '.*Set', 'Service'),
    name: fc.constantFrom('web', '.*', 'w.b', 'db|a'),
    labelSelector: fc.constantFrom('app', 'app=red', 'team!=x', 'tier in (red, 1)'),
  },
  { requiredKeys: ['kind'] },
);

const patch = fc.oneof(
  fc.record({
    target: selector,
    patch: fc.constantFrom(
      '[{"op": "add", "path": "/metadata/annotations/patched", "value": "yes"}]',
      '- op: add\n  path: /spec\n  value: {a: 1, b: [x, 2.5]}',
      '- op: replace\n  path: /metadata/name\n  value: renamed',
    ),
  }),
  fc.record({
    target: selector,
    patch: fc.constantFrom(
      'apiVersion: v1\nkind: X\nmetadata:\n  name: any\n  labels:\n    patched: "on"\n',
      'apiVersion: v1\nkind: X\nmetadata:\n  name: any\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - name: A\n          value: "2"\n      - name: extra\n        image: extra\n',
      'apiVersion: v1\nkind: X\nmetadata:\n  name: any\n  annotations: null\n$patch: delete\n',
    ),
  }),
);

/** A field that a third of the kustomizations have: with more of them, nearly every build would fail. */
const sometimes = <T>(field: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: field });

const fieldsOf = (role: string) =>
  ({
    namePrefix: fc.constantFrom('p-', 'pre-'),
    nameSuffix: fc.constantFrom('-s', '-1'),
    namespace: fc.constantFrom('one', 'prod'),
    labels: fc.array(
      fc.record(
        { pairs: labels, includeSelectors: fc.boolean(), includeTemplates: fc.boolean() },
        { requiredKeys: ['pairs'] },
      ),
      { maxLength: 2 },
    ),
    commonAnnotations: fc.dictionary(key, labelValue, { minKeys: 1, maxKeys: 2 }),
    images: fc.array(
      fc.record(
        {
          name: fc.constantFrom('nginx', 'app', 'registry.example.com:5000/app/web'),
          newName: fc.constant('mirror/x'),
          newTag: fc.constantFrom('9', '1.0', 'yes'),
          digest: fc.constant('sha256:def'),
        },
        { requiredKeys: ['name'] },
      ),
      { maxLength: 2 },
    ),
    configMapGenerator: fc.uniqueArray(
      fc.record(
        {
          name: fc.constantFrom(`gen-${role}`, `web-${role}`),
          literals: fc.uniqueArray(fc.constantFrom('a=1', 'b=yes', "c='q'", 'd=x=y', 'e='), { maxLength: 3 }),
          options: fc.record({ disableNameSuffixHash: fc.boolean(), labels }, { requiredKeys: [] }),
        },
        { requiredKeys: ['name', 'literals'] },
      ),
      { maxLength: 2, selector: (one) => one.name },
    ),
    secretGenerator: fc.array(
      fc.record(
        { name: fc.constant(`sec-${role}`), literals: fc.constant(['p=w', 'u=\u00e9']), type: fc.constant('Opaque') },
        { requiredKeys: ['name', 'literals'] },
      ),
      { maxLength: 1 },
    ),
    patches: fc.array(patch, { maxLength: 2 }),
    replacements: fc.array(
      fc.record({
        source: fc.record(
          {
            kind: fc.constantFrom('ConfigMap', 'Service'),
            name,
            fieldPath: fc.constantFrom('metadata.name', 'kind'),
          },
          { requiredKeys: ['kind', 'name'] },
        ),
        targets: fc.constant([
          { select: { kind: 'Deployment' }, fieldPaths: ['metadata.annotations.copied'], options: { create: true } },
        ]),
      }),
      { maxLength: 1 },
    ),
    sortOptions: fc.constantFrom({ order: 'fifo' }, { order: 'legacy' }),
    buildMetadata: fc.constantFrom(
      ['originAnnotations'],
      ['managedByLabel'],
      ['originAnnotations', 'transformerAnnotations'],
    ),
  }) satisfies Record<string, fc.Arbitrary<unknown>>;

const kustomization = (role: string): fc.Arbitrary<Readonly<Record<string, unknown>>> =>
  fc
    .record(
      Object.fromEntries(Object.entries(fieldsOf(role)).map(([field, values]) => [field, sometimes<unknown>(values)])),
    )
    .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));

/** Trees of a base, perhaps a component, and an overlay over them. */
export const trees: fc.Arbitrary<Tree> = fc
  .record({
    base: kustomization('base'),
    objects: resources,
    overlay: kustomization('overlay'),
    more: resources,
    component: fc.option(kustomization('component'), { nil: undefined }),
  })
  .map(({ base, objects, overlay, more, component }) => ({
    'base/kustomization.yaml': printYaml({ ...base, resources: ['all.yaml'] } as Json),
    'base/all.yaml': objects.map((one) => printYaml(one as Json)).join('---\n'),
    'overlay/more.yaml': more.map((one) => printYaml(one as Json)).join('---\n'),
    'overlay/kustomization.yaml': printYaml({
      ...overlay,
      resources: ['../base', 'more.yaml'],
      ...(component !== undefined && { components: ['../component'] }),
    } as Json),
    ...(component !== undefined && {
      'component/kustomization.yaml': printYaml({
        apiVersion: 'kustomize.config.k8s.io/v1alpha1',
        kind: 'Component',
        ...component,
      } as Json),
    }),
  }));
