import type { KubeObject } from '../api/object.ts';
import { field, isArray, isObject, stringAt } from '../base/json.ts';
import { establish, isEstablished } from './apiserver/definitions.ts';
import type { Kernel } from './apiserver/kernel.ts';
import type { ResourceType } from './apiserver/resource-type.ts';
import { keyOf } from './apiserver/resource-type.ts';
import { bootstrapObjects, bootstrapRbac } from './data/builtins.ts';
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
export async function bootstrap(kernel: Kernel, registry: Registry): Promise<void> {
  const { table } = kernel;
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
  for (const wanted of bootstrapObjects()) {
    const type = table.byKind(wanted.apiVersion, wanted.kind);
    if (type !== undefined) ensureStored(kernel, type, wanted);
  }
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
  defineStored(kernel, registry);
}

/** Stores an object of the server's own as it is: checking what a real server wrote would cost a fifth of the start. */
function ensureStored({ store, objects, uuid }: Kernel, type: ResourceType, wanted: KubeObject): void {
  const key = keyOf(wanted.metadata.namespace, wanted.metadata.name);
  if (store.get(type.storage, key) !== undefined) return;
  const now = objects.now();
  const conditions = field(wanted.status, 'conditions');
  const object = {
    ...wanted,
    metadata: { ...wanted.metadata, uid: uuid(), creationTimestamp: now },
    ...(isArray(conditions)
      ? {
          status: {
            ...wanted.status,
            conditions: conditions.map((one) => (isObject(one) ? { ...one, lastTransitionTime: now } : one)),
          },
        }
      : {}),
  };
  store.commit({ resource: type.storage, key, expected: undefined, object });
}

const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

/** Says of a new CRD that it is established; deletes the objects of one that goes, then lets it go. */
function tendDefinition(kernel: Kernel, registry: Registry, definition: KubeObject): void {
  const { deletionTimestamp, finalizers = [], name } = definition.metadata;
  if (deletionTimestamp === undefined) {
    if (!isEstablished(definition))
      void registry.update(DEFINITIONS, establish(definition, kernel.objects.now()), MANAGER, 'status');
    return;
  }
  if (!finalizers.includes(CLEANUP)) return;
  void empty(kernel, registry, definition, name);
}

async function empty(kernel: Kernel, registry: Registry, definition: KubeObject, name: string): Promise<void> {
  const resource = {
    group: stringAt(definition.spec, 'group') ?? '',
    plural: stringAt(definition.spec, 'names', 'plural') ?? '',
  };
  for (const object of registry.list(resource))
    await registry.delete(resource, object.metadata.namespace, object.metadata.name);
  const release = async (): Promise<void> => {
    if (registry.list(resource).length > 0) return;
    unwatch();
    const current = registry.get(DEFINITIONS, undefined, name);
    if (current?.metadata.uid !== definition.metadata.uid || current?.metadata.finalizers?.includes(CLEANUP) !== true)
      return;
    const finalizers = current.metadata.finalizers.filter((one) => one !== CLEANUP);
    await registry.update(DEFINITIONS, { ...current, metadata: { ...current.metadata, finalizers } }, MANAGER);
  };
  // Objects with finalizers of their own take longer.
  const unwatch = registry.watch(resource, ({ type }) => {
    if (type === 'DELETED') void release();
  });
  await release();
}

/** Serves the CRDs that are in the store, now and as they come and go. */
function defineStored(kernel: Kernel, registry: Registry): void {
  const { table } = kernel;
  for (const definition of registry.list(DEFINITIONS)) {
    table.define(definition);
    tendDefinition(kernel, registry, definition);
  }
  registry.watch(DEFINITIONS, ({ type, object: definition }) => {
    if (type === 'DELETED') table.undefine(definition.metadata.name);
    else {
      table.define(definition);
      tendDefinition(kernel, registry, definition);
    }
  });
}
