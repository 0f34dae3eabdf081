import type { MutableJsonObject } from '../../../base/json.ts';
import { field, isObject } from '../../../base/json.ts';
import { child, fallback, items } from '../draft.ts';

const AFFINITY_SECONDS = 10_800;

/** Source: kubernetes@1.34 pkg/apis/core/v1/defaults.go SetDefaults_Service. */
export function defaultService(_object: MutableJsonObject, spec: MutableJsonObject): void {
  fallback(spec, 'sessionAffinity', 'None');
  if (field(spec, 'sessionAffinity') === 'ClientIP')
    fallback(child(child(spec, 'sessionAffinityConfig'), 'clientIP'), 'timeoutSeconds', AFFINITY_SECONDS);
  fallback(spec, 'type', 'ClusterIP');
  const type = field(spec, 'type');
  for (const port of items(spec, 'ports')) {
    fallback(port, 'protocol', 'TCP');
    const target = field(port, 'targetPort');
    if (target === undefined || target === 0 || target === '') port['targetPort'] = field(port, 'port') ?? 0;
  }
  if (type === 'NodePort' || type === 'LoadBalancer') fallback(spec, 'externalTrafficPolicy', 'Cluster');
  if (type !== 'ExternalName') fallback(spec, 'internalTrafficPolicy', 'Cluster');
  if (type === 'LoadBalancer') fallback(spec, 'allocateLoadBalancerNodePorts', true);
  const config = field(spec, 'sessionAffinityConfig');
  if (isObject(config) && field(spec, 'sessionAffinity') === 'None') delete spec['sessionAffinityConfig'];
}
