import type { KubeObject } from '../../api/object.ts';
import { field, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import { addQuantity, printQuantity, type Quantity } from '../apiserver/quantity.ts';
import type { GroupResource } from '../registry.ts';
import { CONTROLLER_MANAGER, type Context, keyOf, splitKey } from './context.ts';
import { type Activity, type Again, WorkQueue } from './queue.ts';
import { inScopes, isLimitOf, usageOf } from './quota-usage.ts';
import { RESOURCE_QUOTAS } from './resources.ts';
import { type Stored, shaped } from './shapes.ts';
import { writeStatus } from './writes.ts';

type Quota = Stored<{ readonly hard?: JsonObject }, JsonObject>;

const NOTHING: Quantity = { nano: 0n, format: 'decimal' };

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
    const amounts = new Map<string, Quantity>(Object.keys(hard).map((limit) => [limit, NOTHING]));
    for (const resource of countedBy(Object.keys(hard))) {
      for (const object of registry.list(resource, namespace)) {
        if (!inScopes(stored, resource, object)) continue;
        for (const [limit, amount] of usageOf(resource, object)) {
          const known = amounts.get(limit);
          if (known !== undefined) amounts.set(limit, addQuantity(known, amount));
        }
      }
    }
    for (const [limit, amount] of amounts) put(used, limit, printQuantity(amount));
    await writeStatus(registry, RESOURCE_QUOTAS, quota, { ...quota.status, hard, used }, CONTROLLER_MANAGER);
    return undefined;
  }

  /** The kinds whose objects the limits are about. */
  function countedBy(limits: readonly string[]): readonly GroupResource[] {
    return registry
      .resources()
      .filter((resource) => resource.namespaced && limits.some((limit) => isLimitOf(resource, limit)));
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

/** What a change takes or gives back; changes of anything else leave the sums as they are. */
function hasChanged(resource: GroupResource, object: KubeObject, previous: KubeObject | undefined): boolean {
  if (resource.group !== '' || previous === undefined) return false;
  if (!['pods', 'services', 'persistentvolumeclaims'].includes(resource.plural)) return false;
  if (
    resource.plural === 'pods' &&
    field(object.spec, 'activeDeadlineSeconds') !== field(previous.spec, 'activeDeadlineSeconds')
  )
    return true;
  const [now, was] = [usageOf(resource, object), usageOf(resource, previous)];
  return now.size !== was.size || [...now].some(([name, { nano }]) => was.get(name)?.nano !== nano);
}
