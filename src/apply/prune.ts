import { groupOf, type KubeObject, type ObjectRef, printRef } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { LiveObjects } from '../health/live-objects.ts';
import type { KubeClient, KubeError } from '../kube/client.ts';
import { isConflict, isNoMatch, isNotFound, isTransient } from '../kube/errors.ts';
import type { Change } from './change.ts';
import { entryRef, type InventoryEntry } from './inventory.ts';
import { compareRefs } from './order.ts';
import { isOwnedBy, type Owner } from './owner.ts';
import { policiesOf } from './policy.ts';

export interface PrunePorts {
  readonly client: KubeClient;
  readonly live: LiveObjects;
  readonly signal: AbortSignal;
  /** UIDs of objects that are wanted, under whatever group and version: none of them is deleted. */
  readonly wanted?: ReadonlySet<string>;
}

/** Deletions tried anew because the object changed meanwhile. */
const MAX_CONFLICTS = 5;

export interface PruneError {
  /** As Flux words it. */
  readonly message: string;
  readonly changes: readonly Change[];
  /** Whether the same may succeed when it is tried again. */
  readonly isTransient: boolean;
  /** Entries whose objects were not deleted: they stay in the inventory. */
  readonly survivors: readonly InventoryEntry[];
}

/**
 * Deletes the objects of inventory entries in reverse apply order: those that carry the owner's labels and no policy that keeps
 * them. An object that is gone counts as deleted. A failure does not stop the others.
 * Source: fluxcd/pkg@e2cfd1a ssa/manager_delete.go.
 */
export async function prune(
  entries: readonly InventoryEntry[],
  owner: Owner,
  ports: PrunePorts,
): Promise<Result<readonly Change[], PruneError>> {
  const changes: Change[] = [];
  const errors: string[] = [];
  let mayPass = true;
  const survivors: InventoryEntry[] = [];
  const ordered = inDeletionOrder(entries);
  for (const [index, { entry, ref }] of ordered.entries()) {
    ports.signal.throwIfAborted();
    const watched = ports.live.get(ref);
    const action = await pruneOne(ref, owner, ports, typeof watched === 'string' ? undefined : watched);
    if (action.ok) {
      changes.push({ ref, action: action.value });
      continue;
    }
    errors.push(`${action.error.message};`);
    mayPass &&= action.error.isTransient;
    survivors.push(entry);
    if (!action.error.isUnanswered) continue;
    // A server that does not answer would be waited for once for each of them.
    survivors.push(...ordered.slice(index + 1).map((rest) => rest.entry));
    break;
  }
  return errors.length === 0
    ? ok(changes)
    : err({ message: `delete failed, errors: ${errors.join('')}`, isTransient: mayPass, changes, survivors });
}

function inDeletionOrder(
  entries: readonly InventoryEntry[],
): readonly { readonly entry: InventoryEntry; readonly ref: ObjectRef }[] {
  return entries
    .flatMap((entry) => {
      const ref = entryRef(entry);
      return ref === undefined ? [] : [{ entry, ref }];
    })
    .sort((a, b) => compareRefs(b.ref, a.ref));
}

interface Failure {
  readonly message: string;
  readonly isTransient: boolean;
  readonly isUnanswered: boolean;
}

function failure(ref: ObjectRef, step: 'query' | 'delete', error: KubeError): Result<never, Failure> {
  const message = `${printRef(ref)} ${step} failed: ${error.message}`;
  return err({ message, isTransient: isTransient(error), isUnanswered: error.code === 0 });
}

async function pruneOne(
  ref: ObjectRef,
  owner: Owner,
  ports: PrunePorts,
  watched: KubeObject | undefined,
): Promise<Result<'deleted' | 'skipped', Failure>> {
  const { client, signal, wanted } = ports;
  for (let attempt = 0; ; attempt++) {
    const found = attempt > 0 || watched === undefined ? await client.get(ref, signal) : ok(watched);
    if (!found.ok) {
      if (isNoMatch(found.error)) return pruneOtherVersion(ref, owner, ports);
      if (isNotFound(found.error)) return ok('deleted');
      return failure(ref, 'query', found.error);
    }
    const policies = policiesOf(found.value, owner.group);
    const { uid, resourceVersion } = found.value.metadata;
    if (!isOwnedBy(found.value, owner) || policies.keep || policies.ignored) return ok('skipped');
    if (uid !== undefined && wanted?.has(uid) === true) return ok('skipped');
    const removed = await client.delete(ref, {
      propagation: 'Background',
      ...(uid === undefined ? {} : { uid }),
      // Somebody may take the object over, or have it kept, right now: what was seen must still hold.
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    });
    if (removed.ok) return ok('deleted');
    // A watch may still show an object whose version is no longer served.
    if (isNoMatch(removed.error)) return pruneOtherVersion(ref, owner, ports);
    if (isNotFound(removed.error)) return ok('deleted');
    if (!isConflict(removed.error) || attempt >= MAX_CONFLICTS) {
      return failure(ref, 'delete', removed.error);
    }
  }
}

/** A version that is served no more is not the end of its objects: they go by another one. A kind that is gone took its objects along. */
async function pruneOtherVersion(
  ref: ObjectRef,
  owner: Owner,
  ports: PrunePorts,
): Promise<Result<'deleted' | 'skipped', Failure>> {
  const served = await ports.client.resources();
  if (!served.ok) return failure(ref, 'query', served.error);
  const group = groupOf(ref.apiVersion);
  const other = served.value.find(
    ({ apiVersion, kind }) => kind === ref.kind && groupOf(apiVersion) === group && apiVersion !== ref.apiVersion,
  );
  if (other === undefined) return ok('deleted');
  return pruneOne({ ...ref, apiVersion: other.apiVersion }, owner, ports, undefined);
}

export interface TerminationOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly pollMs: number;
  readonly signal: AbortSignal;
}

/** Waits until none of the objects exists; false when some still do at the deadline. */
export async function waitForTermination(
  refs: readonly ObjectRef[],
  { client, clock, timeoutMs, pollMs, signal }: TerminationOptions,
): Promise<boolean> {
  const deadline = clock.now() + timeoutMs;
  let left = refs;
  for (;;) {
    const still: ObjectRef[] = [];
    for (const ref of left) {
      const found = await client.get(ref, signal);
      if (found.ok || !isNotFound(found.error)) still.push(ref);
    }
    if (still.length === 0) return true;
    if (clock.now() >= deadline || signal.aborted) return false;
    left = still;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(pollMs, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      const stop = (): void => {
        cancel();
        resolve();
      };
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}
