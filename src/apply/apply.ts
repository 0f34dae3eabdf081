import { type KubeObject, type ObjectRef, printRef, refOf } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import { inParallel } from '../base/in-parallel.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { LiveObjects } from '../health/live-objects.ts';
import { waitForHealth } from '../health/wait.ts';
import type { KubeClient, KubeError } from '../kube/client.ts';
import { isConflict, isNotFound, isTransient } from '../kube/errors.ts';
import { isOlder } from '../kube/resource-version.ts';
import { type AppliedMemory, type AppliedState, isInSync, ownedHash } from './applied-memory.ts';
import { dryRunMessage, isImmutable } from './apply-error.ts';
import type { Change } from './change.ts';
import { hasDrifted, holdsAll } from './diff.ts';
import { type FieldChange, fieldChanges } from './field-changes.ts';
import { cleanupPatch, replacedManagers } from './field-managers.ts';
import { adoptIgnored, type IgnoreRule, withoutIgnored } from './ignore-rules.ts';
import { identityOf, inventoryId } from './inventory.ts';
import { isBuiltIn, withoutUndeclared } from './normalise.ts';
import { stages } from './order.ts';
import { policiesOf } from './policy.ts';
import { problemOfNew } from './replacement.ts';
import { withScope } from './scope.ts';

/** One object to apply; `hash` identifies its content. */
export interface Desired {
  readonly object: KubeObject;
  readonly hash: string;
}

export interface ApplyOptions {
  readonly client: KubeClient;
  readonly live: LiveObjects;
  readonly clock: Clock;
  readonly memory: AppliedMemory;
  /** Field manager (`kustomize-controller`). */
  readonly manager: string;
  /** API group whose labels and annotations carry the policies. */
  readonly policyGroup: string;
  /** Recreate objects whose change the server refuses because a field is immutable. */
  readonly force: boolean;
  readonly ignore: readonly IgnoreRule[];
  /** Managers whose fields are taken over, beside kubectl's. */
  readonly overrideManagers: readonly string[];
  /** `group/Kind` of kinds applied, and waited for, before the rest. */
  readonly stageKinds: ReadonlySet<string>;
  /** Compare every object with the server's dry-run, also those that nothing has happened to. */
  readonly verify: boolean;
  /** Told of the objects that are about to be created, before any of them is. A throw ends the work. */
  readonly beforeCreate?: (refs: readonly ObjectRef[]) => Promise<void>;
  /** Requests at a time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

export interface Applied extends Change {
  /** Of the live object, where it was seen. */
  readonly uid?: string | undefined;
  readonly generation?: number | undefined;
  /** Of an object that was put back after somebody changed it: what differed. Absent where nobody had. */
  readonly drift?: readonly FieldChange[] | undefined;
}

/** Why an object was not applied. */
interface Failure {
  /** As Flux words it. */
  readonly message: string;
  /** Whether the same may succeed when it is tried again. */
  readonly isTransient: boolean;
}

export interface ApplyError extends Failure {
  /** What was done before. */
  readonly changes: readonly Applied[];
  /** Objects that may have been created: the server's answer did not come, or was none. */
  readonly unsure: readonly ObjectRef[];
}

/** A stage that others need must be ready by then. Source: fluxcd/pkg@e2cfd1a ssa DefaultApplyOptions. */
const STAGE_TIMEOUT_MS = 60_000;
const STAGE_POLL_MS = 2_000;
/** A forced recreation waits this long for the old object to be gone. */
const GONE_TIMEOUT_MS = 60_000;
const GONE_POLL_MS = 500;
/** Other writers that one object is looked up again for. */
const MAX_CONFLICTS = 5;
/** Fields dropped from one object because the server does not know them. */
const MAX_UNDECLARED = 64;

/**
 * Makes the cluster hold the objects: stage by stage, each first dry-run as a whole, then written where the dry-run differs.
 * An object that is known to be unchanged costs no request. The answer has one entry per object, in apply order.
 */
export async function applyAll(
  desired: readonly Desired[],
  options: ApplyOptions,
): Promise<Result<readonly Applied[], ApplyError>> {
  const hashes = new Map(desired.map(({ object, hash }) => [object, hash]));
  const changes: Applied[] = [];
  const parts = stages(
    desired.map(({ object }) => object),
    options.stageKinds,
  );
  for (const [index, stage] of parts.entries()) {
    const done = await applyStage(
      stage.map((object) => ({ object, hash: hashes.get(object) ?? '' })),
      options,
    );
    changes.push(...done.changes);
    if (done.error !== undefined) return err({ ...done.error, changes, unsure: done.unsure ?? [] });
    if (index === parts.length - 1) break;
    const waited = await waitForStage(done.changes, options);
    if (waited !== undefined) return err({ message: waited, isTransient: false, changes, unsure: [] });
  }
  return ok(changes);
}

interface StageResult {
  readonly changes: readonly Applied[];
  readonly error?: Failure;
  readonly unsure?: readonly ObjectRef[];
}

async function applyStage(stage: readonly Desired[], options: ApplyOptions): Promise<StageResult> {
  // Once more: a stage before this one may have brought the kind.
  const desired = await withScope(stage, options.client);
  const checks: (Checked | undefined)[] = desired.map((item) => settled(item, options));
  const [first, ...others] = [...desired.entries()].filter(([index]) => checks[index] === undefined);
  // Of several refusals the first object's is told, whichever came first.
  const refusals: Failure[] = [];
  const settle = async ([index, item]: readonly [number, Desired], how: typeof check): Promise<void> => {
    options.signal.throwIfAborted();
    const checked = await how(item, options);
    if (checked.ok) checks[index] = checked.value;
    else refusals[index] = checked.error;
  };
  // The first write needs no rehearsal once all others had theirs: nothing is left half done when the server refuses it.
  const direct = first !== undefined && predictable(first[1], options) !== undefined;
  const rehearsed = first === undefined || direct ? others : [first, ...others];
  await inParallel(rehearsed, options.concurrency, async (entry) => {
    if (refusals.length === 0) await settle(entry, check);
  });
  if (first !== undefined && direct) await settle(first, refusals.length === 0 ? applyDirectly : check);
  const refused = refusals.find((refusal) => refusal !== undefined);
  if (refused !== undefined) return { changes: [], error: refused };

  const created = checks.flatMap((checked) => (checked?.action === 'created' ? [checked.ref] : []));
  if (created.length > 0) await options.beforeCreate?.(created);
  const changes: Applied[] = [];
  const unsure: ObjectRef[] = [];
  let failure: Failure | undefined;
  // In order of kinds, the objects of one kind side by side.
  for (const group of byKind(checks as readonly Checked[])) {
    const results: (Applied | undefined)[] = group.map(() => undefined);
    await inParallel(group.entries(), options.concurrency, async ([index, checked]) => {
      if (failure !== undefined) return;
      options.signal.throwIfAborted();
      const written = await write(checked, options);
      if (written.ok) results[index] = written.value;
      else {
        failure ??= written.error;
        if (checked.action === 'created' && written.error.isUnsure) unsure.push(checked.ref);
      }
    });
    changes.push(...results.filter((result) => result !== undefined));
    if (failure !== undefined) return { changes, error: failure, unsure };
  }
  return { changes };
}

/** What the dry-run of one object came to. */
interface Checked {
  readonly ref: ObjectRef;
  readonly action: Change['action'];
  /** To be sent; absent when there is nothing to write. */
  readonly object?: KubeObject;
  readonly hash: string;
  readonly live?: KubeObject | undefined;
  /** Of a creation: what is to be deleted before, because it cannot take the change. */
  readonly replaces?: KubeObject;
  readonly drift?: Applied['drift'];
}

/** An object that needs no request: left alone by policy, or known to be as it was left. */
function settled({ object, hash }: Desired, options: ApplyOptions): Checked | undefined {
  const ref = refOf(object);
  if (policiesOf(object, options.policyGroup).ignored) return { ref, action: 'skipped', hash };
  const live = options.live.get(ref);
  const known = options.memory.get(inventoryId(identityOf(object)));
  if (options.verify || known?.desired !== hash || typeof live === 'string') return undefined;
  const replaced = replacedManagers(options.manager, options.overrideManagers);
  if (!isInSync(live, known, { manager: options.manager, replaced, policyGroup: options.policyGroup })) {
    return undefined;
  }
  return { ref, action: policiesOf(live, options.policyGroup).ignored ? 'skipped' : 'unchanged', hash, live };
}

/** The live object and what is remembered of it, where a watch tells enough to do without a dry-run. */
function predictable(
  { object }: Desired,
  { live: watched, memory, policyGroup, ignore, verify }: ApplyOptions,
): { readonly live: KubeObject; readonly known: AppliedState } | undefined {
  const live = watched.get(refOf(object));
  const known = memory.get(inventoryId(identityOf(object)));
  if (verify || known === undefined || typeof live === 'string' || ignore.length > 0) return undefined;
  // A watch that does not show our own last write yet would have that taken for somebody else's.
  if (isOlder(live.metadata.resourceVersion ?? '', known.resourceVersion)) return undefined;
  if (policiesOf(object, policyGroup).ifNotPresent || policiesOf(live, policyGroup).ignored) return undefined;
  // Where nothing would change nothing is written, not even the ownership of a field.
  if (holdsAll(live, object)) return undefined;
  return live.metadata.deletionTimestamp === undefined ? { live, known } : undefined;
}

/** Applies an object without a dry-run; one that the server refuses is left to {@link check}, which tells how that is to be taken. */
async function applyDirectly(desired: Desired, options: ApplyOptions): Promise<Result<Checked, Failure>> {
  const { client, manager, memory, policyGroup, signal } = options;
  const { object, hash } = desired;
  const seen = predictable(desired, options);
  if (seen === undefined) return check(desired, options);
  const { live, known } = seen;
  const ref = refOf(object);
  let patched = false;
  if (!policiesOf(object, policyGroup).merge && !policiesOf(live, policyGroup).merge) {
    const patch = cleanupPatch(live, replacedManagers(manager, options.overrideManagers), manager);
    if (patch.length > 0) {
      const cleaned = await client.patch(ref, patch, { type: 'json', fieldManager: manager, signal });
      if (!cleaned.ok) return check(desired, options);
      patched = true;
    }
  }
  const applied = await send(object, options);
  if (!applied.ok) return check(desired, options);
  const { resourceVersion = '' } = applied.value.metadata;
  memory.set(inventoryId(identityOf(object)), {
    ref,
    desired: hash,
    resourceVersion,
    owned: ownedHash(applied.value, manager),
  });
  const changed = patched || hasDrifted(live, applied.value);
  const drift = changed && known.desired === hash ? fieldChanges(live, applied.value, manager) : undefined;
  return ok({ ref, action: changed ? 'configured' : 'unchanged', hash, live: applied.value, drift });
}

async function check(desired: Desired, options: ApplyOptions, attempt = 0): Promise<Result<Checked, Failure>> {
  const { object: wanted, hash } = desired;
  const { client, signal } = options;
  const ref = refOf(wanted);
  const id = inventoryId(identityOf(wanted));
  const skipped = (live?: KubeObject): Result<Checked, Failure> => ok({ ref, action: 'skipped', hash, live });
  const policies = policiesOf(wanted, options.policyGroup);
  const watched = options.live.get(ref);
  let live = typeof watched === 'string' ? undefined : watched;
  // The same was wanted before: a difference is somebody else's.
  const same = options.memory.get(id)?.desired === hash;
  if (policies.ifNotPresent) {
    const found = live === undefined ? await client.get(ref, signal) : ok(live);
    if (found.ok) return skipped(found.value);
    if (!isNotFound(found.error)) return failed(`${printRef(ref)} query failed: ${found.error.message}`, found.error);
  }

  let object = wanted;
  let dryRun = await send(object, options, true);
  for (let dropped = 0; !dryRun.ok && dropped < MAX_UNDECLARED && isBuiltIn(object); dropped++) {
    const without = withoutUndeclared(object, dryRun.error.message);
    if (without === undefined) break;
    object = without;
    dryRun = await send(object, options, true);
  }
  if (!dryRun.ok) {
    const found = await client.get(ref, signal);
    if (found.ok) {
      const inCluster = policiesOf(found.value, options.policyGroup);
      if (inCluster.ignored) return skipped(found.value);
      if (isImmutable(dryRun.error) && (options.force || policies.force || inCluster.force)) {
        const problem = await problemOfNew(object, dryRun.error, options);
        if (problem !== undefined) return failed(dryRunMessage(ref, problem), problem);
        return ok({ ref, action: 'created', object, hash, replaces: found.value, ...(same && { drift: [] }) });
      }
    }
    return failed(dryRunMessage(ref, dryRun.error), dryRun.error);
  }
  // A dry-run of a creation has no version yet.
  const version = dryRun.value.metadata.resourceVersion ?? '';
  if (version === '') return ok({ ref, action: 'created', object, hash, ...(same && { drift: [] }) });
  if (live?.metadata.resourceVersion !== version) {
    const found = await client.get(ref, signal);
    if (!found.ok && !isNotFound(found.error))
      return failed(`${printRef(ref)} query failed: ${found.error.message}`, found.error);
    live = found.ok ? found.value : undefined;
  }
  if (live === undefined) return ok({ ref, action: 'created', object, hash, ...(same && { drift: [] }) });
  const inCluster = policiesOf(live, options.policyGroup);
  if (inCluster.ignored || policies.ifNotPresent) return skipped(live);

  let patched = false;
  if (!policies.merge && !inCluster.merge) {
    const patch = cleanupPatch(live, replacedManagers(options.manager, options.overrideManagers), options.manager);
    if (patch.length > 0) {
      const cleaned = await client.patch(ref, patch, { type: 'json', fieldManager: options.manager, signal });
      if (!cleaned.ok) {
        // Written by somebody else since it was read: what is to be handed over has to be looked up again.
        if (isOutdated(cleaned.error) && attempt < MAX_CONFLICTS) return check(desired, options, attempt + 1);
        return failed(
          `${printRef(ref)} metadata.managedFields cleanup failed: ${cleaned.error.message}`,
          cleaned.error,
        );
      }
      patched = true;
    }
  }
  const before = withoutIgnored(live, object, options.ignore);
  const after = withoutIgnored(dryRun.value, object, options.ignore);
  if (!patched && !hasDrifted(before, after)) {
    options.memory.set(id, {
      ref,
      desired: hash,
      resourceVersion: version,
      owned: ownedHash(live, options.manager),
    });
    return ok({ ref, action: 'unchanged', hash, live });
  }
  const drift = same ? fieldChanges(before, after, options.manager) : undefined;
  const sent = adoptIgnored(object, { live, dryRun: dryRun.value }, options);
  return ok({ ref, action: 'configured', object: sent, hash, drift });
}

interface WriteError extends Failure {
  /** Whether the write may have happened all the same. */
  readonly isUnsure: boolean;
}

async function write(checked: Checked, options: ApplyOptions): Promise<Result<Applied, WriteError>> {
  const { ref, action, object, hash, live, drift } = checked;
  if (object === undefined) {
    return ok({ ref, action, uid: live?.metadata.uid, generation: live?.metadata.generation, drift });
  }
  const removed = checked.replaces === undefined ? undefined : await remove(checked.replaces, options);
  if (removed !== undefined) return err({ message: removed, isTransient: false, isUnsure: true });
  const applied = await send(object, options);
  if (!applied.ok) {
    const { code, message } = applied.error;
    const isUnsure = code === 0 || code >= 500;
    return err({
      message: `${printRef(ref)} apply failed: ${message}`,
      isTransient: isTransient(applied.error),
      isUnsure,
    });
  }
  const { uid, generation, resourceVersion } = applied.value.metadata;
  const id = inventoryId(identityOf(object));
  if (resourceVersion !== undefined) {
    options.memory.set(id, { ref, desired: hash, resourceVersion, owned: ownedHash(applied.value, options.manager) });
  }
  return ok({ ref, action, uid, generation, drift });
}

function failed(message: string, error: KubeError): Result<never, Failure> {
  return err({ message, isTransient: isTransient(error) });
}

/** Whether a JSON patch may have failed because its object is another one by now; a path that it removes may be gone too. */
function isOutdated(error: KubeError): boolean {
  return isConflict(error) || isNotFound(error) || error.reason === 'Invalid';
}

/** Applies an object; once more where other writers were faster than the server itself tries again. */
async function send(
  object: KubeObject,
  { client, manager, signal }: ApplyOptions,
  dryRun = false,
): Promise<Result<KubeObject, KubeError>> {
  for (let attempt = 0; ; attempt++) {
    const applied = await client.apply(object, { fieldManager: manager, force: true, dryRun, signal });
    if (applied.ok || !isConflict(applied.error) || attempt >= MAX_CONFLICTS) return applied;
  }
}

/** Deletes a live object and waits until it is gone; a text is the error. */
async function remove(live: KubeObject, options: ApplyOptions): Promise<string | undefined> {
  const { client, clock, signal } = options;
  const ref = refOf(live);
  const { uid } = live.metadata;
  const removed = await client.delete(ref, { propagation: 'Background', ...(uid === undefined ? {} : { uid }) });
  if (!removed.ok && !isNotFound(removed.error)) {
    return `${printRef(ref)} immutable field detected, failed to delete object: ${removed.error.message}`;
  }
  const failed = `${printRef(ref)} immutable field detected, failed to wait for object to be deleted`;
  const deadline = clock.now() + GONE_TIMEOUT_MS;
  for (;;) {
    const found = await client.get(ref, signal);
    if (!found.ok && isNotFound(found.error)) return undefined;
    if (!found.ok) return `${failed}: ${found.error.message}`;
    if (found.value.metadata.uid !== uid) return undefined;
    if (clock.now() >= deadline) return `${failed}: context deadline exceeded`;
    await new Promise<void>((resolve) => {
      clock.after(GONE_POLL_MS, resolve);
    });
  }
}

async function waitForStage(changes: readonly Applied[], options: ApplyOptions): Promise<string | undefined> {
  const waited = await waitForHealth(
    changes
      .filter(({ action }) => action !== 'skipped')
      .map(({ ref, uid, generation }) => ({ ref, applied: { uid, generation } })),
    { ...options, rules: [], timeoutMs: STAGE_TIMEOUT_MS, pollMs: STAGE_POLL_MS, failFast: false },
  );
  return waited.ok ? undefined : waited.error.message;
}

function byKind(checks: readonly Checked[]): readonly (readonly Checked[])[] {
  const groups: Checked[][] = [];
  let last = '';
  for (const checked of checks) {
    const kind = `${checked.ref.apiVersion}/${checked.ref.kind}`;
    if (kind !== last) groups.push([]);
    last = kind;
    groups.at(-1)?.push(checked);
  }
  return groups;
}
