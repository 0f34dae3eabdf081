import type { KubeObject } from '../../api/object.ts';
import { equal, field, type Json, type JsonObject, type MutableJsonObject, put, stringAt } from '../../base/json.ts';
import { items, withField } from './draft.ts';

type Spec = JsonObject | undefined;

const isOf = (spec: Spec, ...types: readonly string[]): boolean => types.includes(stringAt(spec, 'type') ?? '');
const hasIp = (spec: Spec): boolean => isOf(spec, 'ClusterIP', 'NodePort', 'LoadBalancer');
const hasNodePorts = (spec: Spec): boolean => isOf(spec, 'NodePort', 'LoadBalancer');
const isChecked = (spec: Spec): boolean =>
  isOf(spec, 'LoadBalancer') && field(spec, 'externalTrafficPolicy') === 'Local';
const isReachable = (spec: Spec): boolean => hasNodePorts(spec) || (isOf(spec, 'ClusterIP') && externalIps(spec) > 0);
function externalIps(spec: Spec): number {
  const list = field(spec, 'externalIPs');
  return Array.isArray(list) ? list.length : 0;
}

/** Fields that belong to a type, in the order in which the real server drops them with it. */
const DEPENDENT: readonly (readonly [fits: (spec: Spec) => boolean, keys: readonly string[]])[] = [
  [hasIp, ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']],
  [isChecked, ['healthCheckNodePort']],
  [(spec) => isOf(spec, 'LoadBalancer'), ['allocateLoadBalancerNodePorts']],
  [(spec) => isOf(spec, 'LoadBalancer'), ['loadBalancerClass']],
  [isReachable, ['externalTrafficPolicy']],
  [hasIp, ['internalTrafficPolicy']],
];

/**
 * An update that changes the type of a Service and nothing of what belonged to the old type drops that; one that leaves out
 * what was allocated keeps it. Source: kubernetes@1.34 pkg/registry/core/service/strategy.go dropTypeDependentFields, patchAllocatedValues.
 */
export function prepareServiceUpdate(service: KubeObject, old: KubeObject): KubeObject {
  const spec: MutableJsonObject = { ...service.spec } as MutableJsonObject;
  const was = old.spec;
  if (isChecked(spec) && isChecked(was) && Number(field(spec, 'healthCheckNodePort') ?? 0) === 0)
    copy(spec, was, 'healthCheckNodePort');
  for (const [fits, keys] of DEPENDENT) {
    const same = keys.every((key) => equal(field(spec, key) ?? null, field(was, key) ?? null));
    if (fits(was) && !fits(spec) && same) for (const key of keys) delete spec[key];
  }
  const ports = items(spec, 'ports');
  if (hasNodePorts(was) && !hasNodePorts(spec) && equal(numbers(ports), numbers(items(was, 'ports'))))
    put(
      spec,
      'ports',
      ports.map(({ nodePort: _gone, ...port }) => port as Json),
    );
  return withField(service, 'spec', spec);
}

function numbers(ports: readonly JsonObject[]): Json {
  return ports.map((port) => field(port, 'nodePort') ?? 0);
}

function copy(spec: MutableJsonObject, from: Spec, key: string): void {
  const value = field(from, key);
  if (value !== undefined) put(spec, key, value);
}
