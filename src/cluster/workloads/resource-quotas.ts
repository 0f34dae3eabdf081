import type { KubeObject } from '../../api/object.ts';
import { at, field, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import type { GroupResource } from '../registry.ts';
import { CONTROLLER_MANAGER, type Context, keyOf, splitKey } from './context.ts';
import { type Activity, type Again, WorkQueue } from './queue.ts';
import { inScopes, printAmount, usageOf } from './quota-usage.ts';
import { PODS, RESOURCE_QUOTAS, resourceName } from './resources.ts';
import { type Stored, shaped } from './shapes.ts';
import { writeStatus } from './writes.ts';

type Quota = Stored<{ readonly hard?: JsonObject }, JsonObject>;

/** Kinds that quotas name without `count/`, as they are counted for `pods`, `requests.cpu` and the like. */
const CORE_KINDS: readonly string[] = [
  'services',
  'configmaps',
  'secrets',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
];

/**
 * Counts what ResourceQuotas limit; the API server adds what it admits in between.
 * Source: kubernetes@1.34 pkg/controller/resourcequota. Returns the function that stops it.
 */
export function startResourceQuotas({ registry, clock, log }: Context, activity: Activity): () => void {
  const queue = new WorkQueue({
    clock,
    activity,
    workers: 5,
    work: sync,
    failed: (key, error) => log.debug('quota comes again', { key, error: String(error) }),
  });

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(RESOURCE_QUOTAS, namespace, name);
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return undefined;
    const quota = shaped<Quota>(stored);
    const hard = quota.spec.hard ?? {};
    const used: MutableJsonObject = {};
    const amounts = new Map<string, bigint>(Object.keys(hard).map((limit) => [limit, 0n]));
    for (const resource of countedBy(Object.keys(hard))) {
      for (const object of registry.list(resource, namespace)) {
        if (!inScopes(stored, resource, object)) continue;
        for (const [limit, amount] of usageOf(resource, object)) {
          const known = amounts.get(limit);
          if (known !== undefined) amounts.set(limit, known + amount);
        }
      }
    }
    for (const [limit, amount] of amounts) put(used, limit, printAmount(amount, hard[limit]));
    await writeStatus(registry, RESOURCE_QUOTAS, quota, { ...quota.status, hard, used }, CONTROLLER_MANAGER);
    return undefined;
  }

  /** The kinds whose objects the limits are about. */
  function countedBy(limits: readonly string[]): readonly GroupResource[] {
    return registry.resources().filter((resource) => {
      if (!resource.namespaced) return false;
      const name = resourceName(resource);
      if (limits.includes(`count/${name}`)) return true;
      if (resource.group !== '') return false;
      const { plural } = resource;
      return plural === PODS.plural
        ? limits.some(isPodLimit)
        : CORE_KINDS.includes(plural) && limits.some((limit) => isLimitOf(plural, limit));
    });
  }

  const unwatch = registry.watchAll((resource, { type, object, previous }) => {
    const { namespace } = object.metadata;
    if (namespace === undefined || namespace === '') return;
    if (resource.group === '' && resource.plural === RESOURCE_QUOTAS.plural && type !== 'DELETED')
      queue.add(keyOf(object));
    // Only what comes, goes or ends changes the sums; a quota that is busy with itself would never rest.
    const counts = type !== 'MODIFIED' || hasChanged(resource, object, previous);
    if (!counts) return;
    for (const quota of registry.list(RESOURCE_QUOTAS, namespace)) queue.add(keyOf(quota));
  });
  for (const quota of registry.list(RESOURCE_QUOTAS)) queue.add(keyOf(quota));
  return () => {
    unwatch();
    queue.stop();
  };
}

function isPodLimit(limit: string): boolean {
  return limit === 'pods' || /^(cpu|memory|ephemeral-storage|requests\.(?!storage$)|limits\.)/.test(limit);
}

function isLimitOf(plural: string, limit: string): boolean {
  if (limit === plural) return true;
  if (plural === 'services') return limit.startsWith('services.');
  return (
    plural === 'persistentvolumeclaims' &&
    (limit === 'requests.storage' || limit.includes('.storageclass.storage.k8s.io/'))
  );
}

function hasChanged(resource: GroupResource, object: KubeObject, previous: KubeObject | undefined): boolean {
  if (resource.group !== '') return false;
  if (resource.plural === 'pods') return at(object.status, 'phase') !== at(previous?.status, 'phase');
  if (resource.plural === 'services') return field(object.spec, 'type') !== field(previous?.spec, 'type');
  return false;
}
