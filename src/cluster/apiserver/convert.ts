import { upgraded } from '../../api/legacy.ts';
import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, put } from '../../base/json.ts';
import { json, kube, withField } from './draft.ts';
import type { ResourceType } from './resource-type.ts';

/** Changes the version in which an object is written. Kinds whose versions differ in more than their name have a function of their own. */
export function convert(object: KubeObject, type: ResourceType, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object;
  if (type.storage === '/events') return convertEvent(object, apiVersion);
  if (type.storage === 'autoscaling/horizontalpodautoscalers')
    return apiVersion === 'autoscaling/v1' ? autoscalerToV1(object) : autoscalerToV2(object);
  // Our own kinds' old versions differ in more than the name; a definition of theirs that is not ours loses the same fields anyway.
  const current = type.definition === undefined ? undefined : upgraded(object);
  if (current?.apiVersion === apiVersion) return current;
  return withField(object, 'apiVersion', apiVersion);
}

/** core/v1 name, events.k8s.io/v1 name. Source: kubernetes@1.34 pkg/apis/events/v1/conversion.go. */
const EVENT_FIELDS: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
];
/** Written by core/v1 even when empty, and not by events.k8s.io/v1. */
const CORE_ONLY = ['reportingComponent', 'reportingInstance'];

function convertEvent(event: KubeObject, apiVersion: string): KubeObject {
  const toCore = apiVersion === 'v1';
  const names = new Map(EVENT_FIELDS.map(([core, modern]) => (toCore ? [modern, core] : [core, modern])));
  const out: MutableJsonObject = {};
  const source = json(event);
  for (const key of Object.keys(source)) {
    const value = source[key] as Json;
    if (!toCore && CORE_ONLY.includes(key) && value === '') continue;
    put(out, names.get(key) ?? key, value);
  }
  put(out, 'apiVersion', apiVersion);
  if (toCore) for (const key of CORE_ONLY) if (out[key] === undefined) put(out, key, '');
  const emptySource = toCore ? 'source' : 'deprecatedSource';
  if (out[emptySource] === undefined) put(out, emptySource, {});
  return kube(out);
}

/** The one metric that version 1 knows. */
function cpuPercent(metrics: Json | undefined): Json | undefined {
  const list = isArray(metrics) ? metrics : [];
  const cpu = list.find((metric) => at(metric, 'resource', 'name') === 'cpu');
  return at(cpu, 'resource', 'target', 'averageUtilization');
}

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';

/** Source: kubernetes@1.34 pkg/apis/autoscaling/v1/conversion.go. */
function autoscalerToV1(object: KubeObject): KubeObject {
  const spec = object.spec ?? {};
  const { metrics, behavior, ...rest } = spec;
  const percent = cpuPercent(metrics);
  const others = (isArray(metrics) ? metrics : []).filter((metric) => at(metric, 'resource', 'name') !== 'cpu');
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others);
  if (behavior !== undefined) annotations['autoscaling.alpha.kubernetes.io/behavior'] = JSON.stringify(behavior);
  const status = json(object)['status'];
  const shown: MutableJsonObject = {};
  if (isObject(status))
    for (const key of Object.keys(status))
      if (key !== 'currentMetrics' && key !== 'conditions') put(shown, key, status[key] as Json);
  return kube({
    ...json(object),
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(json(object)['metadata'] as JsonObject),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: { ...rest, ...(percent === undefined ? {} : { targetCPUUtilizationPercentage: percent }) },
    status: { currentReplicas: 0, desiredReplicas: 0, ...shown },
  });
}

function autoscalerToV2(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: percent, ...rest } = object.spec ?? {};
  const cpu: readonly Json[] =
    percent === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } }];
  const given = field(rest, 'metrics');
  return kube({
    ...json(object),
    apiVersion: 'autoscaling/v2',
    spec: {
      ...rest,
      ...(cpu.length === 0 && given === undefined ? {} : { metrics: [...cpu, ...(isArray(given) ? given : [])] }),
    },
  });
}
