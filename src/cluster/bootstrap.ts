import type { KubeObject } from '../api/object.ts';
import type { Kernel } from './apiserver/kernel.ts';
import { bootstrapRbac } from './data/builtins.ts';
import type { GroupResource, Registry } from './registry.ts';

const MANAGER = 'kube-apiserver';
export const DEFINITIONS: GroupResource = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };

function object(apiVersion: string, kind: string, name: string, rest: object = {}, namespace?: string): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    ...rest,
  } as KubeObject;
}

/** Makes what every cluster holds, where it is missing. */
export async function bootstrap({ table }: Kernel, registry: Registry): Promise<void> {
  const ensure = async (resource: GroupResource, wanted: KubeObject): Promise<void> => {
    const { namespace, name } = wanted.metadata;
    if (registry.get(resource, namespace, name) !== undefined) return;
    const made = await registry.create(resource, wanted, MANAGER);
    if (!made.ok) throw new Error(`bootstrap: ${wanted.kind} ${name}: ${made.error.message}`);
  };
  for (const name of ['kube-system', 'kube-public', 'kube-node-lease', 'default'])
    await ensure({ group: '', plural: 'namespaces' }, object('v1', 'Namespace', name));
  const jobs: Promise<void>[] = [];
  for (const role of bootstrapRbac()) {
    const type = table.byKind(role.apiVersion, role.kind);
    if (type !== undefined) jobs.push(ensure(type, role));
  }
  for (const [name, value] of [
    ['system-cluster-critical', 2_000_000_000],
    ['system-node-critical', 2_000_001_000],
  ] as const)
    jobs.push(
      ensure(
        { group: 'scheduling.k8s.io', plural: 'priorityclasses' },
        object('scheduling.k8s.io/v1', 'PriorityClass', name, {
          value,
          preemptionPolicy: 'PreemptLowerPriority',
          description:
            name === 'system-cluster-critical'
              ? 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.'
              : 'Used for system critical pods that must not be moved from their current node.',
        }),
      ),
    );
  await Promise.all(jobs);
  await ensure(
    { group: '', plural: 'services' },
    object(
      'v1',
      'Service',
      'kubernetes',
      {
        spec: {
          type: 'ClusterIP',
          clusterIP: '10.96.0.1',
          clusterIPs: ['10.96.0.1'],
          ipFamilies: ['IPv4'],
          ipFamilyPolicy: 'SingleStack',
          sessionAffinity: 'None',
          internalTrafficPolicy: 'Cluster',
          ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }],
        },
      },
      'default',
    ),
  );
  defineStored(registry, table);
}

/** Serves the CRDs that are in the store, now and as they come and go. */
function defineStored(registry: Registry, table: Kernel['table']): void {
  for (const definition of registry.list(DEFINITIONS)) table.define(definition);
  registry.watch(DEFINITIONS, ({ type, object: definition }) => {
    if (type === 'DELETED') table.undefine(definition.metadata.name);
    else table.define(definition);
  });
}
