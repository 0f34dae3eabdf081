import type { KubeObject } from '../../api/object.ts';
import { equal } from '../../base/json.ts';
import type { Change, GroupResource } from '../registry.ts';
import { CONTROLLER_MANAGER, type Context, splitKey, type WorkloadController } from './context.ts';
import type { Again } from './queue.ts';
import { isTerminatingNamespace } from './replicaset.ts';
import { CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS } from './resources.ts';
import { WriteFailed, written } from './writes.ts';

const ROOT_CA = 'kube-root-ca.crt';
/** Source: kubernetes@1.34 pkg/controller/certificates/rootcacertpublisher/publisher.go. */
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

function namespaceOf({ object }: Change): readonly string[] {
  return [`/${object.metadata.name}`];
}

/** The namespace of a changed object of this name. */
function named(name: string): (change: Change) => readonly string[] {
  return ({ object }) => (object.metadata.name === name ? [`/${object.metadata.namespace ?? ''}`] : []);
}

/** Gives each namespace its ServiceAccount `default`. Source: kubernetes@1.34 pkg/controller/serviceaccount. */
export function serviceAccountController(context: Context): WorkloadController {
  return {
    name: 'service-account-controller',
    watches: [
      { resource: NAMESPACES, keys: namespaceOf },
      { resource: SERVICE_ACCOUNTS, keys: named('default') },
    ],
    async sync(key): Promise<Again> {
      const namespace = splitKey(key).name;
      if (!isLiving(context, namespace)) return undefined;
      if (context.registry.get(SERVICE_ACCOUNTS, namespace, 'default') !== undefined) return undefined;
      const metadata = { name: 'default', namespace };
      await make(context, SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
      return undefined;
    },
  };
}

/** Publishes the API server's CA in each namespace. Source: kubernetes@1.34 pkg/controller/certificates/rootcacertpublisher. */
export function rootCaController(context: Context, caPem: string): WorkloadController {
  const { registry } = context;
  return {
    name: 'root-ca-certificate-publisher-controller',
    watches: [
      { resource: NAMESPACES, keys: namespaceOf },
      { resource: CONFIG_MAPS, keys: named(ROOT_CA) },
    ],
    async sync(key): Promise<Again> {
      const namespace = splitKey(key).name;
      if (!isLiving(context, namespace)) return undefined;
      const data = { 'ca.crt': caPem };
      const known = registry.get(CONFIG_MAPS, namespace, ROOT_CA) as (KubeObject & { data?: typeof data }) | undefined;
      const annotations = { 'kubernetes.io/description': DESCRIPTION };
      if (known === undefined) {
        const metadata = { name: ROOT_CA, namespace, annotations };
        const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
        await make(context, CONFIG_MAPS, map);
        return undefined;
      }
      const described = known.metadata.annotations?.['kubernetes.io/description'] === DESCRIPTION;
      if (described && equal(known.data, data)) return undefined;
      const metadata = { ...known.metadata, annotations: { ...known.metadata.annotations, ...annotations } };
      const next = { ...known, metadata, data };
      written(await registry.update(CONFIG_MAPS, next, CONTROLLER_MANAGER));
      return undefined;
    },
  };
}

function isLiving({ registry }: Context, namespace: string): boolean {
  const found = registry.get(NAMESPACES, undefined, namespace);
  return found !== undefined && found.metadata.deletionTimestamp === undefined;
}

async function make({ registry }: Context, resource: GroupResource, object: KubeObject): Promise<void> {
  const result = await registry.create(resource, object, CONTROLLER_MANAGER);
  if (result.ok || result.error.reason === 'AlreadyExists' || isTerminatingNamespace(result.error)) return;
  throw new WriteFailed(result.error);
}
