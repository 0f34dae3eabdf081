import {
  clone,
  field,
  isArray,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
  stringAt,
} from '../../base/json.ts';
import { encodeBase64, utf8Encode } from './base64.ts';
import {
  child,
  children,
  defaultClaimSpec,
  defaultPodSpec,
  defaultTemplate,
  preset,
  presetEmpty,
} from './pod-defaults.ts';

type Defaulter = (object: MutableJsonObject) => void;

/**
 * `object` with what a built-in kind defaults in its version, as decoding does in a real server; kinds without defaults and custom
 * resources come back as they are. Give it what {@link decodeGo} made. What strategies and admission add (cluster IPs, job selectors,
 * tolerations) is not here. (kubernetes@1.34 pkg/apis/*\/*\/defaults.go)
 */
export function applyBuiltinDefaults(object: JsonObject): JsonObject {
  const defaulter = defaultsFor(stringAt(object, 'apiVersion') ?? '', stringAt(object, 'kind') ?? '');
  if (defaulter === undefined) return object;
  const out = clone(object) as MutableJsonObject;
  defaulter(out);
  return out;
}

/** What sets the defaults of a kind on a copy of an object; undefined when it has none. */
export function defaultsFor(apiVersion: string, kind: string): Defaulter | undefined {
  const key = `${apiVersion}/${kind}`;
  return Object.hasOwn(DEFAULTS, key) ? DEFAULTS[key] : undefined;
}

/** The object's own `key`, made when it is missing: for specs that are structs in Go. */
function struct(object: MutableJsonObject, key: string): MutableJsonObject {
  const own = child(object, key);
  if (own !== undefined) return own;
  const made: MutableJsonObject = {};
  object[key] = made;
  return made;
}

function service(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  presetEmpty(spec, 'sessionAffinity', 'None');
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
  if (spec['sessionAffinity'] === 'ClientIP') {
    const config = struct(struct(spec, 'sessionAffinityConfig'), 'clientIP');
    preset(config, 'timeoutSeconds', 10_800);
  }
  presetEmpty(spec, 'type', 'ClusterIP');
  for (const port of children(spec, 'ports')) {
    presetEmpty(port, 'protocol', 'TCP');
    if (typeof port['port'] === 'number') presetEmpty(port, 'targetPort', port['port']);
  }
  const { type } = spec;
  const external = isArray(spec['externalIPs']) && spec['externalIPs'].length > 0;
  if (type === 'NodePort' || type === 'LoadBalancer' || external) presetEmpty(spec, 'externalTrafficPolicy', 'Cluster');
  if (type === 'NodePort' || type === 'LoadBalancer' || type === 'ClusterIP')
    preset(spec, 'internalTrafficPolicy', 'Cluster');
  if (type === 'LoadBalancer') preset(spec, 'allocateLoadBalancerNodePorts', true);
}

function deployment(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  preset(spec, 'replicas', 1);
  const strategy = struct(spec, 'strategy');
  presetEmpty(strategy, 'type', 'RollingUpdate');
  if (strategy['type'] === 'RollingUpdate') {
    const rolling = struct(strategy, 'rollingUpdate');
    preset(rolling, 'maxUnavailable', '25%');
    preset(rolling, 'maxSurge', '25%');
  }
  preset(spec, 'revisionHistoryLimit', 10);
  preset(spec, 'progressDeadlineSeconds', 600);
  defaultTemplate(spec);
}

function daemonSet(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  const strategy = struct(spec, 'updateStrategy');
  presetEmpty(strategy, 'type', 'RollingUpdate');
  if (strategy['type'] === 'RollingUpdate') {
    const rolling = struct(strategy, 'rollingUpdate');
    preset(rolling, 'maxUnavailable', 1);
    preset(rolling, 'maxSurge', 0);
  }
  preset(spec, 'revisionHistoryLimit', 10);
  defaultTemplate(spec);
}

function statefulSet(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  presetEmpty(spec, 'podManagementPolicy', 'OrderedReady');
  const strategy = struct(spec, 'updateStrategy');
  presetEmpty(strategy, 'type', 'RollingUpdate');
  if (strategy['type'] === 'RollingUpdate') preset(struct(strategy, 'rollingUpdate'), 'partition', 0);
  const retention = struct(spec, 'persistentVolumeClaimRetentionPolicy');
  presetEmpty(retention, 'whenDeleted', 'Retain');
  presetEmpty(retention, 'whenScaled', 'Retain');
  preset(spec, 'replicas', 1);
  preset(spec, 'revisionHistoryLimit', 10);
  for (const claim of children(spec, 'volumeClaimTemplates')) {
    preset(claim, 'apiVersion', 'v1');
    preset(claim, 'kind', 'PersistentVolumeClaim');
    persistentVolumeClaim(claim);
  }
  defaultTemplate(spec);
}

function replicaSet(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  preset(spec, 'replicas', 1);
  defaultTemplate(spec);
}

function replicationController(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  const labels = child(child(child(spec, 'template'), 'metadata'), 'labels');
  if (labels !== undefined && Object.keys(labels).length > 0) {
    if (Object.keys(child(spec, 'selector') ?? {}).length === 0) spec['selector'] = clone(labels as JsonObject);
    const metadata = struct(object, 'metadata');
    if (Object.keys(child(metadata, 'labels') ?? {}).length === 0) metadata['labels'] = clone(labels as JsonObject);
  }
  preset(spec, 'replicas', 1);
  defaultTemplate(spec);
}

function jobSpec(spec: MutableJsonObject, inJob: boolean): void {
  if (inJob) {
    if (field(spec, 'completions') === undefined && field(spec, 'parallelism') === undefined) {
      spec['completions'] = 1;
      spec['parallelism'] = 1;
    }
    preset(spec, 'parallelism', 1);
    preset(spec, 'backoffLimit', field(spec, 'backoffLimitPerIndex') === undefined ? 6 : 2_147_483_647);
    preset(spec, 'completionMode', 'NonIndexed');
    preset(spec, 'suspend', false);
    preset(spec, 'manualSelector', false);
    preset(
      spec,
      'podReplacementPolicy',
      field(spec, 'podFailurePolicy') === undefined ? 'TerminatingOrFailed' : 'Failed',
    );
    for (const rule of children(child(spec, 'podFailurePolicy'), 'rules')) {
      for (const pattern of children(rule, 'onPodConditions')) presetEmpty(pattern, 'status', 'True');
    }
  }
  defaultTemplate(spec);
}

function cronJob(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  presetEmpty(spec, 'concurrencyPolicy', 'Allow');
  preset(spec, 'suspend', false);
  preset(spec, 'successfulJobsHistoryLimit', 3);
  preset(spec, 'failedJobsHistoryLimit', 1);
  const job = child(child(spec, 'jobTemplate'), 'spec');
  if (job !== undefined) jobSpec(job, false);
}

function persistentVolumeClaim(object: MutableJsonObject): void {
  presetEmpty(struct(object, 'status'), 'phase', 'Pending');
  const spec = child(object, 'spec');
  if (spec !== undefined) defaultClaimSpec(spec);
}

function persistentVolume(object: MutableJsonObject): void {
  presetEmpty(struct(object, 'status'), 'phase', 'Pending');
  const spec = struct(object, 'spec');
  presetEmpty(spec, 'persistentVolumeReclaimPolicy', 'Retain');
  preset(spec, 'volumeMode', 'Filesystem');
  const hostPath = child(spec, 'hostPath');
  if (hostPath !== undefined) preset(hostPath, 'type', '');
  const iscsi = child(spec, 'iscsi');
  if (iscsi !== undefined) presetEmpty(iscsi, 'iscsiInterface', 'default');
}

/** Maxima default the limits, and those the requests; minima default requests last. */
function limitRange(object: MutableJsonObject): void {
  for (const item of children(child(object, 'spec'), 'limits')) {
    if (item['type'] !== 'Container') continue;
    const limits: MutableJsonObject = { ...child(item, 'default') };
    for (const [name, value] of Object.entries(child(item, 'max') ?? {})) preset(limits, name, value);
    const requests: MutableJsonObject = { ...child(item, 'defaultRequest') };
    for (const [name, value] of Object.entries(limits)) preset(requests, name, value);
    for (const [name, value] of Object.entries(child(item, 'min') ?? {})) preset(requests, name, value);
    if (Object.keys(limits).length > 0) item['default'] = limits;
    if (Object.keys(requests).length > 0) item['defaultRequest'] = requests;
  }
}

function node(object: MutableJsonObject): void {
  const status = struct(object, 'status');
  const capacity = child(status, 'capacity');
  if (capacity !== undefined && child(status, 'allocatable') === undefined)
    status['allocatable'] = clone(capacity as JsonObject);
  const spec = struct(object, 'spec');
  const cidr = field(spec, 'podCIDR');
  const cidrs = field(spec, 'podCIDRs');
  if (typeof cidr === 'string' && cidr !== '' && !isArray(cidrs)) spec['podCIDRs'] = [cidr];
  else if (isArray(cidrs) && typeof cidrs[0] === 'string' && cidr === undefined) spec['podCIDR'] = cidrs[0];
}

function hpaV2(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  preset(spec, 'minReplicas', 1);
  if (!isArray(field(spec, 'metrics')) || (field(spec, 'metrics') as readonly Json[]).length === 0) {
    spec['metrics'] = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ];
  }
  const behavior = child(spec, 'behavior');
  if (behavior === undefined) return;
  behavior['scaleUp'] = scaling(child(behavior, 'scaleUp'), {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  });
  behavior['scaleDown'] = scaling(child(behavior, 'scaleDown'), {
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  });
}

function scaling(own: MutableJsonObject | undefined, rules: JsonObject): MutableJsonObject {
  const out: MutableJsonObject = { ...own };
  for (const key of Object.keys(rules)) preset(out, key, rules[key] as Json);
  preset(out, 'selectPolicy', 'Max');
  return out;
}

function networkPolicy(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  for (const rule of [...children(spec, 'ingress'), ...children(spec, 'egress')]) {
    for (const port of children(rule, 'ports')) preset(port, 'protocol', 'TCP');
  }
  if (field(spec, 'policyTypes') === undefined) {
    const egress = field(spec, 'egress');
    spec['policyTypes'] = isArray(egress) && egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
}

function roleBinding(object: MutableJsonObject): void {
  presetEmpty(struct(object, 'roleRef'), 'apiGroup', 'rbac.authorization.k8s.io');
  for (const subject of children(object, 'subjects')) {
    const kind = field(subject, 'kind');
    if (kind === 'User' || kind === 'Group') presetEmpty(subject, 'apiGroup', 'rbac.authorization.k8s.io');
  }
}

function webhooks(mutating: boolean): Defaulter {
  return (object) => {
    for (const hook of children(object, 'webhooks')) {
      preset(hook, 'failurePolicy', 'Fail');
      preset(hook, 'matchPolicy', 'Equivalent');
      preset(hook, 'namespaceSelector', {});
      preset(hook, 'objectSelector', {});
      preset(hook, 'timeoutSeconds', 10);
      if (mutating) preset(hook, 'reinvocationPolicy', 'Never');
      const reference = child(child(hook, 'clientConfig'), 'service');
      if (reference !== undefined) preset(reference, 'port', 443);
      for (const rule of children(hook, 'rules')) preset(rule, 'scope', '*');
    }
  };
}

function admissionMatch(resources: MutableJsonObject | undefined): void {
  if (resources === undefined) return;
  preset(resources, 'matchPolicy', 'Equivalent');
  preset(resources, 'namespaceSelector', {});
  preset(resources, 'objectSelector', {});
  for (const rule of [...children(resources, 'resourceRules'), ...children(resources, 'excludeResourceRules')]) {
    preset(rule, 'scope', '*');
  }
}

function admissionPolicy(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  preset(spec, 'failurePolicy', 'Fail');
  admissionMatch(child(spec, 'matchConstraints'));
}

function admissionBinding(object: MutableJsonObject): void {
  admissionMatch(child(struct(object, 'spec'), 'matchResources'));
}

function endpointSlice(object: MutableJsonObject): void {
  for (const port of children(object, 'ports')) {
    preset(port, 'name', '');
    preset(port, 'protocol', 'TCP');
  }
}

function csiDriver(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  preset(spec, 'attachRequired', true);
  preset(spec, 'podInfoOnMount', false);
  preset(spec, 'storageCapacity', false);
  preset(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
  if (!isArray(field(spec, 'volumeLifecycleModes'))) spec['volumeLifecycleModes'] = ['Persistent'];
  preset(spec, 'requiresRepublish', false);
  preset(spec, 'seLinuxMount', false);
}

function customResourceDefinition(object: MutableJsonObject): void {
  const spec = struct(object, 'spec');
  presetEmpty(spec, 'scope', 'Namespaced');
  const names = struct(spec, 'names');
  const kind = field(names, 'kind');
  if (typeof kind === 'string' && kind !== '') {
    presetEmpty(names, 'singular', kind.toLowerCase());
    presetEmpty(names, 'listKind', `${kind}List`);
  }
  presetEmpty(struct(spec, 'conversion'), 'strategy', 'None');
  const reference = child(child(child(child(spec, 'conversion'), 'webhook'), 'clientConfig'), 'service');
  if (reference !== undefined) preset(reference, 'port', 443);
}

function resourceClaimSpec(spec: MutableJsonObject | undefined): void {
  for (const request of children(child(spec, 'devices'), 'requests')) {
    for (const exact of [child(request, 'exactly'), ...children(request, 'firstAvailable')]) {
      if (exact === undefined) continue;
      presetEmpty(exact, 'allocationMode', 'ExactCount');
      if (exact['allocationMode'] === 'ExactCount') presetEmpty(exact, 'count', 1);
      for (const toleration of children(exact, 'tolerations')) presetEmpty(toleration, 'operator', 'Equal');
    }
  }
}

/** `stringData` is write-only: it goes into `data`, over what is there. */
const secret: Defaulter = (object) => {
  presetEmpty(object, 'type', 'Opaque');
  const written = child(object, 'stringData');
  if (written === undefined) return;
  const data: MutableJsonObject = { ...child(object, 'data') };
  for (const [key, value] of Object.entries(written))
    put(data, key, encodeBase64(utf8Encode(typeof value === 'string' ? value : '')));
  delete object['stringData'];
  object['data'] = data;
};
const pod: Defaulter = (object) => {
  const spec = child(object, 'spec');
  if (spec !== undefined) defaultPodSpec(spec, true);
};

const DEFAULTS: { readonly [kind: string]: Defaulter } = {
  'v1/Secret': secret,
  'v1/Service': service,
  'v1/Pod': pod,
  'v1/PodTemplate': defaultTemplate,
  'v1/ReplicationController': replicationController,
  'v1/PersistentVolumeClaim': persistentVolumeClaim,
  'v1/PersistentVolume': persistentVolume,
  'v1/LimitRange': limitRange,
  'v1/Node': node,
  'v1/Namespace': (object) => {
    presetEmpty(struct(object, 'status'), 'phase', 'Active');
    const metadata = struct(object, 'metadata');
    const name = stringAt(object, 'metadata', 'name') ?? '';
    if (name === '') return;
    const labels: MutableJsonObject = { ...child(metadata, 'labels') };
    put(labels, 'kubernetes.io/metadata.name', name);
    metadata['labels'] = labels;
  },
  'v1/Endpoints': (object) => {
    for (const subset of children(object, 'subsets')) {
      for (const port of children(subset, 'ports')) presetEmpty(port, 'protocol', 'TCP');
    }
  },
  'apps/v1/Deployment': deployment,
  'apps/v1/DaemonSet': daemonSet,
  'apps/v1/StatefulSet': statefulSet,
  'apps/v1/ReplicaSet': replicaSet,
  'batch/v1/Job': (object) => jobSpec(struct(object, 'spec'), true),
  'batch/v1/CronJob': cronJob,
  'autoscaling/v1/HorizontalPodAutoscaler': (object) => preset(struct(object, 'spec'), 'minReplicas', 1),
  'autoscaling/v2/HorizontalPodAutoscaler': hpaV2,
  'networking.k8s.io/v1/NetworkPolicy': networkPolicy,
  'networking.k8s.io/v1/IngressClass': (object) => {
    const parameters = child(child(object, 'spec'), 'parameters');
    if (parameters !== undefined) preset(parameters, 'scope', 'Cluster');
  },
  'rbac.authorization.k8s.io/v1/RoleBinding': roleBinding,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': roleBinding,
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': webhooks(true),
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': webhooks(false),
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': admissionPolicy,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': admissionBinding,
  'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy': admissionPolicy,
  'admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicy': admissionPolicy,
  'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyBinding': admissionBinding,
  'admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicyBinding': admissionBinding,
  'discovery.k8s.io/v1/EndpointSlice': endpointSlice,
  'flowcontrol.apiserver.k8s.io/v1/FlowSchema': (object) =>
    presetEmpty(struct(object, 'spec'), 'matchingPrecedence', 1000),
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration': (object) => {
    const spec = struct(object, 'spec');
    const limited = child(spec, 'limited');
    if (limited !== undefined) {
      preset(limited, 'nominalConcurrencyShares', 30);
      preset(limited, 'lendablePercent', 0);
      const queuing = child(child(limited, 'limitResponse'), 'queuing');
      if (queuing !== undefined) {
        presetEmpty(queuing, 'handSize', 8);
        presetEmpty(queuing, 'queues', 64);
        presetEmpty(queuing, 'queueLengthLimit', 50);
      }
    }
    const exempt = child(spec, 'exempt');
    if (exempt !== undefined || spec['type'] === 'Exempt') {
      const own = struct(spec, 'exempt');
      preset(own, 'nominalConcurrencyShares', 0);
      preset(own, 'lendablePercent', 0);
    }
  },
  'resource.k8s.io/v1/ResourceClaim': (object) => resourceClaimSpec(child(object, 'spec')),
  'resource.k8s.io/v1/ResourceClaimTemplate': (object) => resourceClaimSpec(child(child(object, 'spec'), 'spec')),
  'scheduling.k8s.io/v1/PriorityClass': (object) => preset(object, 'preemptionPolicy', 'PreemptLowerPriority'),
  'storage.k8s.io/v1/StorageClass': (object) => {
    preset(object, 'reclaimPolicy', 'Delete');
    preset(object, 'volumeBindingMode', 'Immediate');
  },
  'storage.k8s.io/v1/CSIDriver': csiDriver,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': customResourceDefinition,
  'apiregistration.k8s.io/v1/APIService': (object) => {
    const service = child(child(object, 'spec'), 'service');
    if (service !== undefined) preset(service, 'port', 443);
  },
  'authentication.k8s.io/v1/TokenRequest': (object) => preset(struct(object, 'spec'), 'expirationSeconds', 3600),
};
