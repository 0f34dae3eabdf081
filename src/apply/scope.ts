import type { KubeObject } from '../api/object.ts';
import type { KubeClient } from '../kube/client.ts';

/**
 * Objects of kinds without namespaces, without one: kustomize puts a namespace on every kind that it does not know. The server
 * ignores it, but an inventory that held it would name another object than Flux's. Kinds that are not served yet stay as they are.
 */
export async function withScope<T extends { readonly object: KubeObject }>(
  desired: readonly T[],
  client: KubeClient,
): Promise<readonly T[]> {
  const clusterScoped = new Set<string>();
  const asked = new Set<string>();
  for (const { object } of desired) {
    const { apiVersion, kind, metadata } = object;
    const key = keyOf(object);
    if (metadata.namespace === undefined || asked.has(key)) continue;
    asked.add(key);
    const found = await client.resource({ apiVersion, kind });
    if (found.ok && !found.value.namespaced) clusterScoped.add(key);
  }
  if (clusterScoped.size === 0) return desired;
  return desired.map((item) => {
    const { namespace, ...metadata } = item.object.metadata;
    if (namespace === undefined || !clusterScoped.has(keyOf(item.object))) return item;
    return { ...item, object: { ...item.object, metadata } };
  });
}

function keyOf({ apiVersion, kind }: KubeObject): string {
  return `${apiVersion}|${kind}`;
}
