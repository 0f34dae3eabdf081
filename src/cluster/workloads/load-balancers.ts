import { type Context, itself, splitKey, type WorkloadController } from './context.ts';
import type { Service } from './endpoints.ts';
import type { Again } from './queue.ts';
import { SERVICES } from './resources.ts';
import { shaped } from './shapes.ts';
import { writeStatus } from './writes.ts';

const COMPONENT = 'service-controller';

/** Gives Services of type LoadBalancer the loopback address: what a cloud's controller does. */
export function loadBalancerController({ registry, events }: Context): WorkloadController {
  return {
    name: COMPONENT,
    watches: [{ resource: SERVICES, keys: itself }],
    async sync(key): Promise<Again> {
      const { namespace, name } = splitKey(key);
      const stored = registry.get(SERVICES, namespace, name);
      if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
      const service = shaped<Service>(stored);
      const has = (service.status?.loadBalancer?.ingress ?? []).length > 0;
      const wants = service.spec.type === 'LoadBalancer';
      if (has === wants) return undefined;
      const loadBalancer = wants ? { ingress: [{ ip: '127.0.0.1', ipMode: 'VIP' }] } : {};
      await writeStatus(registry, SERVICES, service, { ...service.status, loadBalancer }, 'cloud-controller-manager');
      if (wants) {
        const message = 'Ensured load balancer';
        events.record(service, COMPONENT, { type: 'Normal', reason: 'EnsuredLoadBalancer', message });
      }
      return undefined;
    },
  };
}
