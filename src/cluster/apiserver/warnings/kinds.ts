import type { KubeObject } from '../../../api/object.ts';
import { at, equal, field, isObject, type Json, stringAt } from '../../../base/json.ts';
import { items, json } from '../draft.ts';
import { checkLabel } from '../names.ts';
import type { Operation } from '../operation.ts';
import { goQuote } from '../status.ts';
import { addressWarnings, cidrWarnings } from './addresses.ts';
import { deprecatedLabel, nodeSelectorTermWarnings, nodeSelectorWarnings } from './node-labels.ts';
import { claimWarnings, podWarnings } from './pod-spec.ts';
import { pairProblem } from './tls-pair.ts';

type Warnings = (object: KubeObject, old: KubeObject | undefined) => readonly string[];

const texts = (value: Json | undefined): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
const HOST_NAME =
  'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended';

/** A name that is no label makes strange host names; said when it is chosen. */
function nameWarnings({ metadata }: KubeObject, old: KubeObject | undefined, message: string): readonly string[] {
  const wrong = old === undefined ? checkLabel(metadata.name) : [];
  return wrong.length === 0 ? [] : [`${message}: [${wrong.join(' ')}]`];
}

/** Warnings about what a workload makes pods from: when it is made, and when its spec changes. */
function template(path: string, named: boolean, more?: Warnings): Warnings {
  const keys = path.split('.');
  return (object, old) => {
    const changed = old === undefined || object.metadata.generation !== old.metadata.generation;
    const found = at(json(object), ...keys);
    return [
      ...(named ? nameWarnings(object, old, HOST_NAME) : []),
      ...(changed && found !== undefined ? podWarnings(found, path) : []),
      ...(more?.(object, old) ?? []),
    ];
  };
}

const COMPLETIONS =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';

function jobWarnings(path: string, more?: Warnings): Warnings {
  const spec = path.split('.');
  const pods = template(`${path}.template`, false);
  return (object, old) => {
    const job = at(json(object), ...spec);
    const many =
      field(job, 'completionMode') === 'Indexed' &&
      Number(field(job, 'completions') ?? 0) > 100_000 &&
      Number(field(job, 'parallelism') ?? 0) > 10_000;
    return [
      ...nameWarnings(object, old, HOST_NAME),
      ...(many ? [`${path}: ${COMPLETIONS}`] : []),
      ...pods(object, old),
      ...(more?.(object, old) ?? []),
    ];
  };
}

const service: Warnings = ({ metadata, spec }) => {
  const warnings: string[] = [];
  if (metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined)
    warnings.push(
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    );
  const type = stringAt(spec, 'type');
  const clusterIP = stringAt(spec, 'clusterIP') ?? '';
  const external = texts(field(spec, 'externalIPs'));
  const balancer = stringAt(spec, 'loadBalancerIP') ?? '';
  if (type !== 'ExternalName' && clusterIP !== 'None' && clusterIP !== '')
    texts(field(spec, 'clusterIPs')).forEach((ip, index) => {
      warnings.push(...addressWarnings(`spec.clusterIPs[${index}]`, ip));
    });
  if (type === 'ClusterIP' && clusterIP === 'None') {
    if (balancer !== '') warnings.push('spec.loadBalancerIP is ignored for headless services');
    if (external.length > 0) warnings.push('spec.externalIPs is ignored for headless services');
    if ((stringAt(spec, 'sessionAffinity') ?? '') !== '')
      warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  external.forEach((ip, index) => {
    warnings.push(...addressWarnings(`spec.externalIPs[${index}]`, ip));
  });
  if (balancer !== '') warnings.push(...addressWarnings('spec.loadBalancerIP', balancer));
  texts(field(spec, 'loadBalancerSourceRanges')).forEach((range, index) => {
    warnings.push(...cidrWarnings(`spec.loadBalancerSourceRanges[${index}]`, range));
  });
  if (type === 'ExternalName' && external.length > 0)
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (type !== 'ExternalName' && (stringAt(spec, 'externalName') ?? '') !== '')
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  return warnings;
};

const STORAGE_CLASS = 'volume.beta.kubernetes.io/storage-class';
const CLASS_NOTE = 'deprecated since v1.8; use "storageClassName" attribute instead';

const claim: Warnings = ({ metadata, spec }) => [
  ...(metadata.annotations?.[STORAGE_CLASS] === undefined
    ? []
    : [`metadata.annotations[${STORAGE_CLASS}]: ${CLASS_NOTE}`]),
  ...claimWarnings(spec, 'spec'),
];

const MOUNT_OPTIONS = 'volume.beta.kubernetes.io/mount-options';
const OLD_VOLUMES: readonly (readonly [kind: string, message: string, shown?: string])[] = [
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+', 'storageOS'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

const volume: Warnings = ({ metadata, spec }) => [
  ...(metadata.annotations?.[STORAGE_CLASS] === undefined
    ? []
    : [`metadata.annotations[${STORAGE_CLASS}]: ${CLASS_NOTE}`]),
  ...(metadata.annotations?.[MOUNT_OPTIONS] === undefined
    ? []
    : [`metadata.annotations[${MOUNT_OPTIONS}]: deprecated since v1.31; use "mountOptions" attribute instead`]),
  ...(field(spec, 'persistentVolumeReclaimPolicy') === 'Recycle'
    ? [
        'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      ]
    : []),
  ...items(at(spec, 'nodeAffinity', 'required'), 'nodeSelectorTerms').flatMap((term, index) =>
    nodeSelectorTermWarnings(term, false, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`),
  ),
  ...OLD_VOLUMES.filter(([kind]) => isObject(field(spec, kind))).map(
    ([kind, message, shown = kind]) => `spec.${shown}: ${message}`,
  ),
];

const secret: Warnings = (object) => {
  if (json(object)['type'] !== 'kubernetes.io/tls') return [];
  const data = json(object)['data'];
  const read = (key: string): string => Buffer.from(stringAt(data, key) ?? '', 'base64').toString('latin1');
  const problem = pairProblem(read('tls.crt'), read('tls.key'));
  return problem === undefined ? [] : [problem];
};

const node: Warnings = ({ spec }) => [
  ...(isObject(field(spec, 'configSource')) ? ['spec.configSource: the feature is removed'] : []),
  ...((stringAt(spec, 'externalID') ?? '') === ''
    ? []
    : ['spec.externalID: this field is deprecated, and is unused by Kubernetes']),
  ...texts(field(spec, 'podCIDRs')).flatMap((range, index) => cidrWarnings(`spec.podCIDRs[${index}]`, range)),
];

const endpoints: Warnings = (object) => {
  // Those that the endpoints controller itself wrote are not its writer's to mend.
  if (object.metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return [];
  return items(json(object), 'subsets').flatMap((subset, index) =>
    ['addresses', 'notReadyAddresses'].flatMap((kind) =>
      items(subset, kind).flatMap((address, place) =>
        addressWarnings(`subsets[${index}].${kind}[${place}].ip`, stringAt(address, 'ip') ?? ''),
      ),
    ),
  );
};

const endpointSlice: Warnings = (object, old) => {
  const by = object.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '';
  const own = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'].includes(by);
  return [
    ...(old === undefined && json(object)['addressType'] === 'FQDN'
      ? ['spec.addressType: FQDN endpoints are deprecated']
      : []),
    ...(own ? [] : items(json(object), 'endpoints')).flatMap((endpoint, index) =>
      texts(field(endpoint, 'addresses')).flatMap((address, place) =>
        addressWarnings(`endpoints[${index}].addresses[${place}]`, address),
      ),
    ),
  ];
};

const networkPolicy: Warnings = ({ spec }) =>
  (
    [
      ['ingress', 'from'],
      ['egress', 'to'],
    ] as const
  ).flatMap(([rules, peers]) =>
    items(spec, rules).flatMap((rule, index) =>
      items(rule, peers).flatMap((peer, place) => {
        const path = `spec.${rules}[${index}].${peers}[${place}].ipBlock`;
        const block = field(peer, 'ipBlock');
        return [
          ...cidrWarnings(`${path}.cidr`, stringAt(block, 'cidr') ?? ''),
          ...texts(field(block, 'except')).flatMap((range, at) => cidrWarnings(`${path}.except[${at}]`, range)),
        ];
      }),
    ),
  );

const INGRESS_CLASS = 'kubernetes.io/ingress.class';

const ingress: Warnings = ({ metadata }, old) =>
  old === undefined && metadata.annotations?.[INGRESS_CLASS] !== undefined
    ? [`annotation ${goQuote(INGRESS_CLASS)} is deprecated, please use 'spec.ingressClassName' instead`]
    : [];

const runtimeClass: Warnings = (object) => {
  const selector = at(json(object), 'scheduling', 'nodeSelector');
  return Object.keys(isObject(selector) ? selector : {}).flatMap((key) => {
    const message = deprecatedLabel(key);
    return message === undefined ? [] : [`scheduling.nodeSelector: ${message}`];
  });
};

const storageClass: Warnings = (object) =>
  items(json(object), 'allowedTopologies').flatMap((topology, index) =>
    items(topology, 'matchLabelExpressions').flatMap((expression, place) => {
      const message = deprecatedLabel(stringAt(expression, 'key') ?? '');
      return message === undefined
        ? []
        : [`allowedTopologies[${index}].matchLabelExpressions[${place}].key: ${message}`];
    }),
  );

const statefulSet: Warnings = ({ spec }, old) => [
  ...items(spec, 'volumeClaimTemplates').flatMap((one, index) =>
    claimWarnings(field(one, 'spec'), `spec.volumeClaimTemplates[${index}]${old === undefined ? '' : '.Spec'}`),
  ),
  ...(Number(field(spec, 'revisionHistoryLimit') ?? 0) < 0
    ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
    : []),
];

const cronJob: Warnings = ({ spec }, old) =>
  old !== undefined && (stringAt(spec, 'schedule') ?? '').includes('TZ')
    ? [
        'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
      ]
    : [];

const pod: Warnings = (object, old) =>
  old !== undefined
    ? []
    : [
        ...nameWarnings(
          object,
          old,
          "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended",
        ),
        ...podWarnings(json(object)),
      ];

const replicationController = template('spec.template', true);

/** Warnings about objects that are valid, by storage. Source: WarningsOnCreate and WarningsOnUpdate of each strategy.go in kubernetes@1.34 pkg/registry. */
const WARNINGS: { readonly [storage: string]: Warnings } = {
  '/pods': pod,
  '/podtemplates': (object, old) =>
    old === undefined || !equal(json(object)['template'] ?? null, json(old)['template'] ?? null)
      ? podWarnings(json(object)['template'] ?? {}, 'template')
      : [],
  // On an update the real server looks at the template that was.
  '/replicationcontrollers': (object, old) =>
    old === undefined || object.metadata.generation === old.metadata.generation
      ? replicationController(object, old)
      : podWarnings(at(old.spec, 'template') ?? {}, 'spec.template'),
  '/services': service,
  '/persistentvolumeclaims': claim,
  '/persistentvolumes': volume,
  '/secrets': secret,
  '/nodes': node,
  '/endpoints': endpoints,
  'apps/deployments': template('spec.template', true),
  'apps/replicasets': template('spec.template', true),
  'apps/daemonsets': template('spec.template', false),
  'apps/statefulsets': template('spec.template', false, statefulSet),
  'batch/jobs': jobWarnings('spec'),
  'batch/cronjobs': jobWarnings('spec.jobTemplate.spec', cronJob),
  'networking.k8s.io/ingresses': ingress,
  'networking.k8s.io/networkpolicies': networkPolicy,
  'discovery.k8s.io/endpointslices': endpointSlice,
  'node.k8s.io/runtimeclasses': runtimeClass,
  'storage.k8s.io/storageclasses': storageClass,
  'storage.k8s.io/csistoragecapacities': (object) => nodeSelectorWarnings(json(object)['nodeTopology'], 'nodeTopology'),
};

/** What a client should hear of a write that is done. Subresources have none. */
export function warningsOf(
  { type, subresource }: Operation,
  object: KubeObject,
  old: KubeObject | undefined,
): readonly string[] {
  if (type.definition !== undefined || (subresource !== undefined && subresource !== '')) return [];
  return WARNINGS[type.storage]?.(object, old) ?? [];
}
