import type { KubeObject } from '../../../api/object.ts';
import type { Json, MutableJsonObject } from '../../../base/json.ts';
import { at, field, isArray, isObject, put, stringAt } from '../../../base/json.ts';
import { child, draft, fallback, items, kube } from '../draft.ts';
import type { ResourceType } from '../resource-type.ts';
import { apiVersionOf } from '../resource-type.ts';
import { defaultPodSpec, defaultRequests, defaultTemplate } from './pod.ts';
import { defaultService } from './service.ts';

/** Changes a draft in place. Sources: the defaults.go files of kubernetes@1.34 pkg/apis. */
type Defaults = (object: MutableJsonObject, spec: MutableJsonObject) => void;

const RBAC = 'rbac.authorization.k8s.io';

/** Write-only texts become data. Source: kubernetes@1.34 pkg/apis/core/v1/conversion.go Convert_v1_Secret_To_core_Secret. */
function mergeStringData(secret: MutableJsonObject): void {
  const texts = field(secret, 'stringData');
  if (!isObject(texts)) return;
  delete secret['stringData'];
  const data = child(secret, 'data');
  for (const key of Object.keys(texts)) put(data, key, Buffer.from(stringAt(texts, key) ?? '').toString('base64'));
}

const DEFAULTS: Readonly<Record<string, Defaults>> = {
  'v1/Pod': (_object, spec) => {
    defaultPodSpec(spec);
    defaultRequests(spec);
    fallback(spec, 'enableServiceLinks', true);
  },
  'v1/PodTemplate': (object) => defaultTemplate(field(object, 'template')),
  'v1/Service': (object, spec) => defaultService(object, spec),
  'v1/Secret': (object) => {
    fallback(object, 'type', 'Opaque');
    mergeStringData(object);
  },
  'v1/Namespace': (object) => {
    const status = child(object, 'status');
    fallback(status, 'phase', 'Active');
  },
  'v1/ReplicationController': (object, spec) => {
    const labels = at(spec, 'template', 'metadata', 'labels');
    if (isObject(labels) && Object.keys(labels).length > 0) {
      fallback(spec, 'selector', labels);
      fallback(child(object, 'metadata'), 'labels', labels);
    }
    fallback(spec, 'replicas', 1);
    defaultTemplate(field(spec, 'template'));
  },
  'v1/LimitRange': (_object, spec) => {
    for (const limit of items(spec, 'limits')) {
      if (field(limit, 'type') !== 'Container') continue;
      const copy = (from: string, to: string): void => {
        const source = field(limit, from);
        if (!isObject(source)) return;
        for (const key of Object.keys(source)) fallback(child(limit, to), key, source[key] as Json);
      };
      copy('max', 'default');
      copy('default', 'defaultRequest');
      copy('min', 'defaultRequest');
    }
  },
  'v1/PersistentVolumeClaim': (object, spec) => {
    fallback(spec, 'volumeMode', 'Filesystem');
    fallback(child(object, 'status'), 'phase', 'Pending');
    const source = field(spec, 'dataSource');
    if (isObject(source)) fallback(spec, 'dataSourceRef', source);
  },
  'v1/PersistentVolume': (object, spec) => {
    fallback(child(object, 'status'), 'phase', 'Pending');
    fallback(spec, 'persistentVolumeReclaimPolicy', 'Retain');
    fallback(spec, 'volumeMode', 'Filesystem');
    const host = field(spec, 'hostPath');
    if (isObject(host)) fallback(host as MutableJsonObject, 'type', '');
    const iscsi = field(spec, 'iscsi');
    if (isObject(iscsi)) fallback(iscsi as MutableJsonObject, 'iscsiInterface', 'default');
  },
  'v1/Endpoints': (object) => {
    for (const subset of items(object, 'subsets'))
      for (const port of items(subset, 'ports')) fallback(port, 'protocol', 'TCP');
  },
  'v1/Event': (object) => {
    fallback(object, 'reportingComponent', '');
    fallback(object, 'reportingInstance', '');
  },
  'apps/v1/Deployment': (_object, spec) => {
    fallback(spec, 'replicas', 1);
    const strategy = child(spec, 'strategy');
    fallback(strategy, 'type', 'RollingUpdate');
    if (field(strategy, 'type') === 'RollingUpdate') {
      const rolling = child(strategy, 'rollingUpdate');
      fallback(rolling, 'maxUnavailable', '25%');
      fallback(rolling, 'maxSurge', '25%');
    }
    fallback(spec, 'revisionHistoryLimit', 10);
    fallback(spec, 'progressDeadlineSeconds', 600);
    defaultTemplate(field(spec, 'template'));
  },
  'apps/v1/ReplicaSet': (_object, spec) => {
    fallback(spec, 'replicas', 1);
    defaultTemplate(field(spec, 'template'));
  },
  'apps/v1/StatefulSet': (_object, spec) => {
    fallback(spec, 'podManagementPolicy', 'OrderedReady');
    const strategy = child(spec, 'updateStrategy');
    fallback(strategy, 'type', 'RollingUpdate');
    if (field(strategy, 'type') === 'RollingUpdate') fallback(child(strategy, 'rollingUpdate'), 'partition', 0);
    const retention = child(spec, 'persistentVolumeClaimRetentionPolicy');
    fallback(retention, 'whenDeleted', 'Retain');
    fallback(retention, 'whenScaled', 'Retain');
    fallback(spec, 'replicas', 1);
    fallback(spec, 'revisionHistoryLimit', 10);
    defaultTemplate(field(spec, 'template'));
    for (const claim of items(spec, 'volumeClaimTemplates')) {
      put(claim, 'apiVersion', 'v1');
      put(claim, 'kind', 'PersistentVolumeClaim');
      fallback(child(claim, 'spec'), 'volumeMode', 'Filesystem');
      fallback(child(claim, 'status'), 'phase', 'Pending');
    }
  },
  'apps/v1/DaemonSet': (_object, spec) => {
    const strategy = child(spec, 'updateStrategy');
    fallback(strategy, 'type', 'RollingUpdate');
    if (field(strategy, 'type') === 'RollingUpdate') {
      const rolling = child(strategy, 'rollingUpdate');
      fallback(rolling, 'maxUnavailable', 1);
      fallback(rolling, 'maxSurge', 0);
    }
    fallback(spec, 'revisionHistoryLimit', 10);
    defaultTemplate(field(spec, 'template'));
  },
  'batch/v1/Job': (object, spec) => defaultJob(spec, object),
  'batch/v1/CronJob': (_object, spec) => {
    fallback(spec, 'concurrencyPolicy', 'Allow');
    fallback(spec, 'suspend', false);
    fallback(spec, 'successfulJobsHistoryLimit', 3);
    fallback(spec, 'failedJobsHistoryLimit', 1);
    defaultTemplate(at(spec, 'jobTemplate', 'spec', 'template'));
    defaultFailureRules(at(spec, 'jobTemplate', 'spec'));
  },
  'autoscaling/v1/HorizontalPodAutoscaler': (_object, spec) => {
    fallback(spec, 'minReplicas', 1);
  },
  'autoscaling/v2/HorizontalPodAutoscaler': (_object, spec) => defaultAutoscaler(spec),
  'networking.k8s.io/v1/NetworkPolicy': (_object, spec) => {
    for (const key of ['ingress', 'egress'])
      for (const rule of items(spec, key)) for (const port of items(rule, 'ports')) fallback(port, 'protocol', 'TCP');
    if (field(spec, 'policyTypes') === undefined) {
      const egress = field(spec, 'egress');
      put(spec, 'policyTypes', isArray(egress) && egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress']);
    }
  },
  'networking.k8s.io/v1/IngressClass': (_object, spec) => {
    const parameters = field(spec, 'parameters');
    if (isObject(parameters)) fallback(parameters as MutableJsonObject, 'scope', 'Cluster');
  },
  'discovery.k8s.io/v1/EndpointSlice': (object) => {
    for (const port of items(object, 'ports')) {
      fallback(port, 'name', '');
      fallback(port, 'protocol', 'TCP');
    }
  },
  'rbac.authorization.k8s.io/v1/RoleBinding': defaultBinding,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': defaultBinding,
  'scheduling.k8s.io/v1/PriorityClass': (object) => fallback(object, 'preemptionPolicy', 'PreemptLowerPriority'),
  'storage.k8s.io/v1/StorageClass': (object) => {
    fallback(object, 'reclaimPolicy', 'Delete');
    fallback(object, 'volumeBindingMode', 'Immediate');
  },
  'storage.k8s.io/v1/CSIDriver': (_object, spec) => {
    fallback(spec, 'attachRequired', true);
    fallback(spec, 'podInfoOnMount', false);
    fallback(spec, 'storageCapacity', false);
    fallback(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
    fallback(spec, 'volumeLifecycleModes', ['Persistent']);
    fallback(spec, 'requiresRepublish', false);
    fallback(spec, 'seLinuxMount', false);
  },
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': (object) => {
    for (const webhook of items(object, 'webhooks')) {
      defaultWebhook(webhook);
      fallback(webhook, 'reinvocationPolicy', 'Never');
    }
  },
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': (object) => {
    for (const webhook of items(object, 'webhooks')) defaultWebhook(webhook);
  },
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': (_object, spec) => {
    fallback(spec, 'failurePolicy', 'Fail');
    const constraints = field(spec, 'matchConstraints');
    if (isObject(constraints)) defaultMatch(constraints as MutableJsonObject);
  },
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': (_object, spec) => {
    const match = field(spec, 'matchResources');
    if (isObject(match)) defaultMatch(match as MutableJsonObject);
  },
  'flowcontrol.apiserver.k8s.io/v1/FlowSchema': (_object, spec) => fallback(spec, 'matchingPrecedence', 1000),
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration': (_object, spec) => {
    const limited = field(spec, 'limited');
    if (isObject(limited)) {
      fallback(limited as MutableJsonObject, 'nominalConcurrencyShares', 30);
      fallback(limited as MutableJsonObject, 'lendablePercent', 0);
      const response = field(limited, 'limitResponse');
      if (isObject(response) && field(response, 'type') === 'Queue') {
        const queuing = child(response as MutableJsonObject, 'queuing');
        fallback(queuing, 'handSize', 8);
        fallback(queuing, 'queues', 64);
        fallback(queuing, 'queueLengthLimit', 50);
      }
    }
  },
  'apiregistration.k8s.io/v1/APIService': (_object, spec) => {
    const service = field(spec, 'service');
    if (isObject(service)) fallback(service as MutableJsonObject, 'port', 443);
  },
  'resource.k8s.io/v1/ResourceClaim': (_object, spec) => defaultDevices(spec),
  'resource.k8s.io/v1/ResourceClaimTemplate': (_object, spec) => {
    const inner = field(spec, 'spec');
    if (isObject(inner)) defaultDevices(inner as MutableJsonObject);
  },
  'apiextensions.k8s.io/v1/CustomResourceDefinition': (_object, spec) => {
    const names = child(spec, 'names');
    const kind = field(names, 'kind');
    if (typeof kind === 'string') {
      fallback(names, 'singular', kind.toLowerCase());
      fallback(names, 'listKind', `${kind}List`);
    }
    fallback(child(spec, 'conversion'), 'strategy', 'None');
    const service = at(spec, 'conversion', 'webhook', 'clientConfig', 'service');
    if (isObject(service)) fallback(service as MutableJsonObject, 'port', 443);
  },
};

/** Kinds whose `spec` is made when it is missing: Go's structs are there always. */
export function applyKindDefaults(type: ResourceType, object: KubeObject): KubeObject {
  const defaults = DEFAULTS[`${apiVersionOf(type)}/${type.kind}`];
  if (defaults === undefined) return object;
  const copy = draft(object);
  const spec = field(copy, 'spec');
  defaults(copy, isObject(spec) ? (spec as MutableJsonObject) : {});
  return kube(copy);
}

function defaultJob(spec: MutableJsonObject, object: MutableJsonObject): void {
  const parallel = field(spec, 'parallelism');
  const completions = field(spec, 'completions');
  if (completions === undefined && parallel === undefined) {
    put(spec, 'completions', 1);
    put(spec, 'parallelism', 1);
  } else fallback(spec, 'parallelism', 1);
  fallback(spec, 'backoffLimit', field(spec, 'backoffLimitPerIndex') === undefined ? 6 : 2_147_483_647);
  const labels = at(spec, 'template', 'metadata', 'labels');
  if (isObject(labels) && Object.keys(labels).length > 0 && at(object, 'metadata', 'labels') === undefined)
    put(child(object, 'metadata'), 'labels', labels);
  fallback(spec, 'completionMode', 'NonIndexed');
  fallback(spec, 'manualSelector', false);
  fallback(spec, 'suspend', false);
  defaultFailureRules(spec);
  fallback(
    spec,
    'podReplacementPolicy',
    field(spec, 'podFailurePolicy') === undefined ? 'TerminatingOrFailed' : 'Failed',
  );
  defaultTemplate(field(spec, 'template'));
}

function defaultFailureRules(spec: Json | undefined): void {
  for (const rule of items(field(spec, 'podFailurePolicy'), 'rules'))
    for (const condition of items(rule, 'onPodConditions')) fallback(condition, 'status', 'True');
}

function defaultBinding(object: MutableJsonObject): void {
  const role = field(object, 'roleRef');
  if (isObject(role) && (field(role, 'apiGroup') ?? '') === '') put(role as MutableJsonObject, 'apiGroup', RBAC);
  for (const subject of items(object, 'subjects')) {
    const kind = field(subject, 'kind');
    if ((kind === 'User' || kind === 'Group') && (field(subject, 'apiGroup') ?? '') === '')
      put(subject, 'apiGroup', RBAC);
  }
}

function defaultWebhook(webhook: MutableJsonObject): void {
  fallback(webhook, 'failurePolicy', 'Fail');
  fallback(webhook, 'matchPolicy', 'Equivalent');
  fallback(webhook, 'namespaceSelector', {});
  fallback(webhook, 'objectSelector', {});
  fallback(webhook, 'timeoutSeconds', 10);
  const service = at(webhook, 'clientConfig', 'service');
  if (isObject(service)) fallback(service as MutableJsonObject, 'port', 443);
  for (const rule of items(webhook, 'rules')) fallback(rule, 'scope', '*');
}

function defaultMatch(match: MutableJsonObject): void {
  fallback(match, 'matchPolicy', 'Equivalent');
  fallback(match, 'namespaceSelector', {});
  fallback(match, 'objectSelector', {});
  for (const key of ['resourceRules', 'excludeResourceRules'])
    for (const rule of items(match, key)) fallback(rule, 'scope', '*');
}

function defaultDevices(spec: MutableJsonObject): void {
  for (const request of items(field(spec, 'devices'), 'requests')) {
    for (const one of [field(request, 'exactly'), ...items(request, 'firstAvailable')]) {
      if (!isObject(one)) continue;
      fallback(one as MutableJsonObject, 'allocationMode', 'ExactCount');
      if (field(one, 'allocationMode') === 'ExactCount') fallback(one as MutableJsonObject, 'count', 1);
    }
  }
}

function defaultAutoscaler(spec: MutableJsonObject): void {
  fallback(spec, 'minReplicas', 1);
  if (items(spec, 'metrics').length === 0)
    put(spec, 'metrics', [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ]);
  const behavior = field(spec, 'behavior');
  if (!isObject(behavior)) return;
  const up = child(behavior as MutableJsonObject, 'scaleUp');
  fallback(up, 'stabilizationWindowSeconds', 0);
  fallback(up, 'selectPolicy', 'Max');
  fallback(up, 'policies', [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ]);
  const down = child(behavior as MutableJsonObject, 'scaleDown');
  fallback(down, 'selectPolicy', 'Max');
  fallback(down, 'policies', [{ type: 'Percent', value: 100, periodSeconds: 15 }]);
}
