import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { equal, field, isArray, isObject, put } from '../../base/json.ts';
import { json, kube, withField, withMeta } from './draft.ts';
import { withGeneratedSelector, withTemplateLabels } from './job-selector.ts';
import { preparePod, preparePodStatus } from './prepare-pod.ts';
import { prepareServiceUpdate } from './prepare-service.ts';
import { qualityOf } from './quality-of-service.ts';
import type { ResourceType } from './resource-type.ts';
import type { Cause } from './status.ts';

/** How a kind differs from the common way of being stored. Source: each kind's strategy.go in kubernetes@1.34 pkg/registry. */
export interface Strategy {
  /** `metadata.generation` counts changes of the spec. */
  readonly generation?: boolean;
  /** What an update's preparation drops stays owned: its owners are looked for before. */
  readonly ownsDropped?: boolean;
  /** A status in a create request is kept instead of dropped. */
  readonly keepsStatus?: boolean;
  /** An update must name the resourceVersion it is based on. */
  readonly conditionalUpdate?: boolean;
  /** A PUT to a name that does not exist creates it. */
  readonly createOnUpdate?: boolean;
  /** A deletion answers with the deleted object instead of a Status. */
  readonly returnsDeleted?: boolean;
  /** Dependents are kept when the client does not say. */
  readonly orphansByDefault?: boolean;
  /** Top-level fields whose change does not count for the generation, beside metadata and status. */
  prepareForCreate?(object: KubeObject): KubeObject;
  prepareForUpdate?(object: KubeObject, old: KubeObject, subresource: string | undefined): KubeObject;
  validate?(object: KubeObject, type: ResourceType): readonly Cause[];
  validateUpdate?(
    object: KubeObject,
    old: KubeObject,
    type: ResourceType,
    subresource: string | undefined,
  ): readonly Cause[];
}

const SPEC_GENERATION = { generation: true };

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  '/pods': {
    generation: true,
    returnsDeleted: true,
    prepareForCreate: preparePod,
    prepareForUpdate: (pod, old, subresource) => (subresource === 'status' ? preparePodStatus(pod, old) : pod),
  },
  '/services': {
    createOnUpdate: true,
    ownsDropped: true,
    returnsDeleted: true,
    prepareForUpdate: (object, old, subresource) =>
      subresource === undefined || subresource === '' ? prepareServiceUpdate(object, old) : object,
  },
  '/serviceaccounts': { returnsDeleted: true },
  '/resourcequotas': { returnsDeleted: true, createOnUpdate: false },
  '/persistentvolumes': {
    returnsDeleted: true,
    prepareForCreate: (volume) => startVolume(protect('kubernetes.io/pv-protection')(volume)),
  },
  '/persistentvolumeclaims': {
    returnsDeleted: true,
    prepareForCreate: (claim) => withBothSources(protect('kubernetes.io/pvc-protection')(claim)),
    prepareForUpdate: (claim, _old, subresource) => (subresource === 'status' ? claim : withBothSources(claim)),
  },
  'storage.k8s.io/volumeattributesclasses': { prepareForCreate: protect('kubernetes.io/vac-protection') },
  '/podtemplates': { generation: true, returnsDeleted: true },
  '/limitranges': { createOnUpdate: true },
  '/endpoints': { createOnUpdate: true },
  '/events': { createOnUpdate: true },
  '/nodes': { keepsStatus: true, prepareForCreate: taintNew },
  '/namespaces': {
    prepareForCreate: (object) => withKubernetesFinalizer(withNameLabel(object)),
    prepareForUpdate: (object, old) =>
      withNameLabel(withField(object, 'spec', { ...object.spec, finalizers: old.spec?.['finalizers'] ?? [] })),
  },
  '/replicationcontrollers': { generation: true, orphansByDefault: true },
  'apps/deployments': SPEC_GENERATION,
  'apps/replicasets': SPEC_GENERATION,
  'apps/statefulsets': SPEC_GENERATION,
  'apps/daemonsets': {
    generation: true,
    prepareForCreate: templateGeneration,
    prepareForUpdate: nextTemplateGeneration,
  },
  'batch/jobs': {
    generation: true,
    orphansByDefault: true,
    prepareForCreate: withGeneratedSelector,
    prepareForUpdate: (job, _old, subresource) => (subresource === 'status' ? job : withTemplateLabels(job)),
  },
  'batch/cronjobs': SPEC_GENERATION,
  'networking.k8s.io/ingresses': SPEC_GENERATION,
  'networking.k8s.io/ingressclasses': SPEC_GENERATION,
  'networking.k8s.io/networkpolicies': SPEC_GENERATION,
  'networking.k8s.io/servicecidrs': {},
  'policy/poddisruptionbudgets': { generation: true, conditionalUpdate: true },
  'discovery.k8s.io/endpointslices': SPEC_GENERATION,
  'apiextensions.k8s.io/customresourcedefinitions': { generation: true, conditionalUpdate: true },
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': SPEC_GENERATION,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': SPEC_GENERATION,
  'admissionregistration.k8s.io/validatingadmissionpolicies': SPEC_GENERATION,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': SPEC_GENERATION,
  'admissionregistration.k8s.io/mutatingadmissionpolicies': SPEC_GENERATION,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': SPEC_GENERATION,
  'autoscaling/horizontalpodautoscalers': {
    prepareForCreate: withoutTolerance,
    prepareForUpdate: (scaler, _old, subresource) => (subresource === 'status' ? scaler : withoutTolerance(scaler)),
  },
  'flowcontrol.apiserver.k8s.io/flowschemas': SPEC_GENERATION,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': SPEC_GENERATION,
  'scheduling.k8s.io/priorityclasses': SPEC_GENERATION,
  'resource.k8s.io/deviceclasses': SPEC_GENERATION,
  'resource.k8s.io/resourceslices': SPEC_GENERATION,
  'coordination.k8s.io/leases': { createOnUpdate: true, conditionalUpdate: true },
  'rbac.authorization.k8s.io/roles': { createOnUpdate: true },
  'rbac.authorization.k8s.io/rolebindings': { createOnUpdate: true },
  'rbac.authorization.k8s.io/clusterroles': { createOnUpdate: true },
  'rbac.authorization.k8s.io/clusterrolebindings': { createOnUpdate: true },
  // What was asked for, and by whom, stays as it was.
  'certificates.k8s.io/certificatesigningrequests': {
    prepareForUpdate: (request, old) => withField(request, 'spec', field(json(old), 'spec')),
  },
};

/** What an autoscaler tolerates is behind a gate (HPAConfigurableTolerance) that is off in 1.34. */
function withoutTolerance(scaler: KubeObject): KubeObject {
  const behavior = field(scaler.spec, 'behavior');
  if (!isObject(behavior)) return scaler;
  const out: MutableJsonObject = {};
  for (const [way, rules] of Object.entries(behavior)) {
    const kept: MutableJsonObject = isObject(rules) ? { ...rules } : {};
    delete kept['tolerance'];
    put(out, way, isObject(rules) ? kept : rules);
  }
  return withField(scaler, 'spec', { ...scaler.spec, behavior: out });
}

const CUSTOM: Strategy = { generation: true, conditionalUpdate: true };

function gated(lastTransitionTime: string | null): MutableJsonObject {
  return {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
}

/** A pod's first status; its class follows what admission made of its resources. */
export function startPod(pod: KubeObject): KubeObject {
  const gates = field(pod.spec, 'schedulingGates');
  return withField(pod, 'status', {
    phase: 'Pending',
    ...(isArray(gates) && gates.length > 0 ? { conditions: [gated(pod.metadata.creationTimestamp ?? null)] } : {}),
    qosClass: qualityOf(pod),
  });
}

function protect(finalizer: string): (object: KubeObject) => KubeObject {
  return (object) =>
    withMeta(object, (meta) => {
      const finalizers = meta.finalizers ?? [];
      if (!finalizers.includes(finalizer)) meta.finalizers = [...finalizers, finalizer];
    });
}

function startVolume(volume: KubeObject): KubeObject {
  return withField(volume, 'status', {
    phase: 'Pending',
    lastPhaseTransitionTime: volume.metadata.creationTimestamp ?? null,
  });
}

/** A claim's two names of its source say the same. Source: kubernetes@1.34 pkg/api/persistentvolumeclaim NormalizeDataSources. */
function withBothSources(claim: KubeObject): KubeObject {
  const source = field(claim.spec, 'dataSource');
  const reference = field(claim.spec, 'dataSourceRef');
  const form = (from: JsonObject): Json => ({
    apiGroup: field(from, 'apiGroup') ?? null,
    kind: field(from, 'kind') ?? '',
    name: field(from, 'name') ?? '',
  });
  if (isObject(source) && reference === undefined)
    return withField(claim, 'spec', { ...claim.spec, dataSourceRef: form(source) });
  if (isObject(reference) && source === undefined && (field(reference, 'namespace') ?? '') === '')
    return withField(claim, 'spec', { ...claim.spec, dataSource: form(reference) });
  return claim;
}

function taintNew(node: KubeObject): KubeObject {
  const taints = node.spec?.['taints'];
  const list = isArray(taints) ? taints : [];
  // Simulated nodes come ready; of others the controller takes the taint when they say that they are.
  const ready = node.metadata.annotations?.['sim.weir.dev/simulated'] === 'true';
  if (ready || list.some((taint) => field(taint, 'key') === 'node.kubernetes.io/not-ready')) return node;
  return withField(node, 'spec', {
    ...node.spec,
    taints: [...list, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
  });
}

function withNameLabel(namespace: KubeObject): KubeObject {
  return withMeta(namespace, (meta) => {
    meta.labels = { ...meta.labels, 'kubernetes.io/metadata.name': meta.name ?? '' };
  });
}

function withKubernetesFinalizer(namespace: KubeObject): KubeObject {
  const finalizers = namespace.spec?.['finalizers'];
  const list = isArray(finalizers) ? finalizers : [];
  return withField(namespace, 'spec', {
    ...namespace.spec,
    finalizers: list.includes('kubernetes') ? list : [...list, 'kubernetes'],
  });
}

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function templateGeneration(set: KubeObject): KubeObject {
  return withMeta(set, (meta) => {
    meta.annotations = { ...meta.annotations, [TEMPLATE_GENERATION]: '1' };
  });
}

function nextTemplateGeneration(set: KubeObject, old: KubeObject, subresource: string | undefined): KubeObject {
  if (subresource === 'status') return set;
  const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 1);
  const changed = !equal(set.spec?.['template'], old.spec?.['template']);
  return withMeta(set, (meta) => {
    meta.annotations = { ...meta.annotations, [TEMPLATE_GENERATION]: String(changed ? before + 1 : before) };
  });
}

export function strategyOf(type: ResourceType): Strategy {
  if (type.definition !== undefined) return CUSTOM;
  return STRATEGIES[type.storage] ?? {};
}

/** A new object as it begins: no status that its client made up, generation 1. */
export function prepareForCreate(type: ResourceType, object: KubeObject): KubeObject {
  const strategy = strategyOf(type);
  let out = object;
  if (type.subresources.has('status') && strategy.keepsStatus !== true) out = withField(out, 'status', undefined);
  if (strategy.generation === true)
    out = withMeta(out, (meta) => {
      meta.generation = 1;
    });
  return strategy.prepareForCreate?.(out) ?? out;
}

/** The object that an update through the main resource, or through `/status`, leads to. */
export function prepareForUpdate(
  type: ResourceType,
  object: KubeObject,
  old: KubeObject,
  subresource: string | undefined,
): KubeObject {
  const strategy = strategyOf(type);
  let out = object;
  if (subresource === 'finalize' || subresource === 'binding') return object;
  if (subresource === 'status' || subresource === 'approval') out = onlyStatus(type, object, old);
  else if (type.subresources.has('status')) out = withField(out, 'status', field(json(old), 'status'));
  out = strategy.prepareForUpdate?.(out, old, subresource) ?? out;
  const generation = old.metadata.generation;
  const next =
    strategy.generation === true && subresource !== 'status' && specChanged(type, out, old)
      ? Number(generation ?? 0) + 1
      : generation;
  return withMeta(out, (meta) => {
    meta.generation = next;
  });
}

/** Built-in kinds keep everything else, but metadata; custom resources keep the metadata too. */
function onlyStatus(type: ResourceType, object: KubeObject, old: KubeObject): KubeObject {
  const out: MutableJsonObject = {};
  const [was, now] = [json(old), json(object)];
  for (const key of Object.keys(was)) if (key !== 'status') put(out, key, was[key] as Json);
  const status = field(now, 'status');
  if (status !== undefined) put(out, 'status', status);
  if (type.definition === undefined) {
    put(out, 'metadata', { ...object.metadata, ...STATUS_KEEPS.get(type.storage)?.(old) } as unknown as Json);
  } else {
    const { managedFields } = object.metadata;
    put(out, 'metadata', {
      ...old.metadata,
      ...(managedFields === undefined ? {} : { managedFields }),
    } as unknown as Json);
  }
  return kube(out);
}

const labels = (old: KubeObject): object => ({ labels: old.metadata.labels });
/** Metadata that a status update of these kinds cannot change. */
const STATUS_KEEPS: ReadonlyMap<string, (old: KubeObject) => object> = new Map([
  ['apps/deployments', labels],
  ['/pods', (old: KubeObject): object => ({ ownerReferences: old.metadata.ownerReferences })],
]);

function specChanged(type: ResourceType, object: KubeObject, old: KubeObject): boolean {
  const [now, was] = [json(object), json(old)];
  const ignored = new Set(['metadata', 'apiVersion', 'kind']);
  if (type.subresources.has('status')) ignored.add('status');
  const keys = new Set([...Object.keys(now), ...Object.keys(was)].filter((key) => !ignored.has(key)));
  for (const key of keys) if (!equal(field(now, key), field(was, key))) return true;
  return false;
}
