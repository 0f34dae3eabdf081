import { groupOf, type ObjectRef, printRef } from '../../api/object.ts';
import type { Outcome } from '../../api/outcome.ts';
import { printChanges } from '../../apply/change.ts';
import { entryRef, type InventoryEntry, mergeEntries } from '../../apply/inventory.ts';
import { compareRefs } from '../../apply/order.ts';
import { isOwnedBy, type Owner } from '../../apply/owner.ts';
import { policiesOf } from '../../apply/policy.ts';
import { type PrunePorts, prune } from '../../apply/prune.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { LiveObjects } from '../../health/live-objects.ts';
import { ANNOTATIONS, isAllowed, isEnabled } from './annotations.ts';
import type { Pass } from './pass.ts';
import { GROUP } from './plan.ts';

/** Deleting one of these takes more along than itself: what is in it, of its kind, or on its disk. */
const GUARDED = new Set(['/Namespace', '/PersistentVolumeClaim', 'apiextensions.k8s.io/CustomResourceDefinition']);
/** Objects told of one by one; a longer plan is told in full to subscribers. */
const MAX_TOLD = 50;

/**
 * Deletes what the inventory has and the build has no more, after telling so. What the guard or a failure keeps stays in the
 * inventory. The error is what the pass comes to.
 */
export async function pruneStale(
  pass: Pass,
  stale: readonly InventoryEntry[],
  kept: readonly InventoryEntry[],
  ports: PrunePorts,
): Promise<Result<void, Outcome>> {
  const { object } = pass;
  const { guarded, entries } = guardedOf(pass, stale);
  const inventory = mergeEntries(kept, guarded);
  const { namespace = '', name } = object.metadata;
  const owner = { group: GROUP, namespace, name };
  // Until they are gone, the inventory has them.
  pass.setInventory(mergeEntries(inventory, entries));
  const planned = refsOf(entries).filter((ref) => isPrunable(ref, owner, ports.live));
  if (planned.length > 0) await tellPlan(pass, planned);
  const pruned = await prune(entries, owner, ports);
  if (!pruned.ok) {
    pass.setInventory(mergeEntries(inventory, pruned.error.survivors));
    pass.record('PruneFailed');
    return err(pass.failed('PruneFailed', pruned.error.message, pruned.error.isTransient));
  }
  pass.setInventory(inventory);
  if (pruned.value.length > 0) pass.event('info', printChanges(pruned.value));
  return ok(undefined);
}

/** Parts what the guard of the Kustomization holds back, and tells of it, from what may go. */
export function guardedOf(
  pass: Pass,
  stale: readonly InventoryEntry[],
): { readonly guarded: readonly InventoryEntry[]; readonly entries: readonly InventoryEntry[] } {
  const isOn = isEnabled(pass.object, ANNOTATIONS.pruneGuard);
  const guarded = isOn ? stale.filter((entry) => isGuarded(pass, entry)) : [];
  if (guarded.length > 0) {
    const list = refsOf(guarded).map(printRef).join('\n');
    pass.event('info', `held back by ${ANNOTATIONS.pruneGuard} until ${ANNOTATIONS.pruneAllow} names them:\n${list}`);
  }
  return { guarded, entries: stale.filter((entry) => !guarded.includes(entry)) };
}

/** Each object's own events show that it is to go, and why; who subscribed to the Kustomization gets the whole list. */
async function tellPlan(pass: Pass, refs: readonly ObjectRef[]): Promise<void> {
  const { namespace = '', name } = pass.object.metadata;
  const list = refs.map(printRef).join('\n');
  pass.event('info', `${refs.length} to be deleted:\n${list}`, {}, { unrecorded: true });
  for (const ref of refs.slice(0, MAX_TOLD)) {
    const message = `to be deleted: revision ${pass.revision} of Kustomization ${namespace}/${name} does not have it`;
    pass.event('info', message, {}, { reason: 'PrunePlanned', about: ref });
  }
  await pass.flush();
}

/** As far as watches tell: an object that is gone, another's, or kept by its policy is not deleted. */
function isPrunable(ref: ObjectRef, owner: Owner, live: LiveObjects): boolean {
  const found = live.get(ref);
  if (typeof found === 'string') return found === 'unwatched';
  const { keep, ignored } = policiesOf(found, owner.group);
  return isOwnedBy(found, owner) && !keep && !ignored;
}

function isGuarded({ object }: Pass, entry: InventoryEntry): boolean {
  const ref = entryRef(entry);
  return (
    ref !== undefined && GUARDED.has(`${groupOf(ref.apiVersion)}/${ref.kind}`) && !isAllowed(object, printRef(ref))
  );
}

function refsOf(entries: readonly InventoryEntry[]): readonly ObjectRef[] {
  return entries
    .map(entryRef)
    .filter((ref) => ref !== undefined)
    .sort((a, b) => compareRefs(b, a));
}
