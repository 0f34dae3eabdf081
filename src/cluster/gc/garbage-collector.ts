import { groupOf, type KubeObject, type OwnerReference } from '../../api/object.ts';
import type { Change, GroupResource } from '../registry.ts';
import { CONTROLLER_MANAGER, type Context } from '../workloads/context.ts';
import { type Activity, type Again, WorkQueue } from '../workloads/queue.ts';
import { resourceName } from '../workloads/resources.ts';
import { WriteFailed, writtenOrGone } from '../workloads/writes.ts';
import { type Dependent, Dependents } from './dependents.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';
/** As many workers as kube-controller-manager's --concurrent-gc-syncs. */
const WORKERS = 20;

type OwnerState = 'solid' | 'dangling' | 'waiting' | 'unknown';

/**
 * Deletes what no living owner holds, and carries out foreground and orphaning deletions.
 * Source: kubernetes@1.34 pkg/controller/garbagecollector. Returns the function that stops it.
 */
export function startGarbageCollector({ registry, clock, log, events }: Context, activity: Activity): () => void {
  const dependents = new Dependents();
  /** Owners that are being deleted and wait for their dependents, by uid. */
  const waiting = new Map<string, { readonly resource: GroupResource; readonly object: KubeObject }>();
  const queue = new WorkQueue({
    clock,
    activity,
    workers: WORKERS,
    work: sync,
    failed: (uid, error) => log.debug('garbage collection comes again', { uid, error: String(error) }),
  });

  function see(resource: GroupResource, { type, object }: Change): void {
    const { uid } = object.metadata;
    if (uid === undefined) return;
    if (type === 'DELETED') {
      const owners = dependents.get(uid)?.owners ?? [];
      dependents.remove(uid);
      waiting.delete(uid);
      for (const dependent of dependents.of(uid)) queue.add(dependent.uid);
      // An owner that waits for this object may go now.
      for (const owner of owners) if (waiting.has(owner.uid)) queue.add(owner.uid);
      return;
    }
    const before = dependents.get(uid)?.owners ?? [];
    dependents.put(resource, object);
    for (const owner of before) if (waiting.has(owner.uid)) queue.add(owner.uid);
    if (object.metadata.deletionTimestamp !== undefined) {
      const { finalizers } = object.metadata;
      if (finalizers?.includes(FOREGROUND) === true || finalizers?.includes(ORPHAN) === true) {
        waiting.set(uid, { resource, object });
        queue.add(uid);
        // Dependents with other owners lose this one as soon as it only waits.
        for (const dependent of dependents.of(uid)) queue.add(dependent.uid);
      } else waiting.delete(uid);
      return;
    }
    if ((object.metadata.ownerReferences ?? []).length > 0) queue.add(uid);
  }

  async function sync(uid: string): Promise<Again> {
    const ending = waiting.get(uid);
    if (ending !== undefined) {
      const current = registry.get(ending.resource, ending.object.metadata.namespace, ending.object.metadata.name);
      if (current?.metadata.uid === uid) {
        if (current.metadata.finalizers?.includes(ORPHAN) === true) return orphan(ending.resource, current);
        if (current.metadata.finalizers?.includes(FOREGROUND) === true) return foreground(ending.resource, current);
      }
      waiting.delete(uid);
      return undefined;
    }
    const dependent = dependents.get(uid);
    if (dependent !== undefined) await collect(dependent);
    return undefined;
  }

  /** Takes the owner out of its dependents, then lets it go. */
  async function orphan(resource: GroupResource, owner: KubeObject): Promise<Again> {
    const { uid } = owner.metadata;
    for (const dependent of dependents.of(uid ?? '')) await dropOwners(dependent, ({ uid: own }) => own === uid);
    await dropFinalizer(resource, owner, ORPHAN);
    return undefined;
  }

  async function foreground(resource: GroupResource, owner: KubeObject): Promise<Again> {
    const all = dependents.of(owner.metadata.uid ?? '');
    const blocking = all.filter(({ owners }) =>
      owners.some((one) => one.uid === owner.metadata.uid && one.blockOwnerDeletion === true),
    );
    if (blocking.length === 0) {
      await dropFinalizer(resource, owner, FOREGROUND);
      return undefined;
    }
    for (const { uid } of blocking) if (!waiting.has(uid)) queue.add(uid);
    return undefined;
  }

  async function dropFinalizer(resource: GroupResource, object: KubeObject, finalizer: string): Promise<void> {
    const finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer);
    const next = { ...object, metadata: { ...object.metadata, finalizers } };
    writtenOrGone(await registry.update(resource, next, CONTROLLER_MANAGER));
  }

  async function dropOwners(dependent: Dependent, drop: (owner: OwnerReference) => boolean): Promise<void> {
    const object = registry.get(dependent.resource, dependent.namespace, dependent.name);
    if (object === undefined || object.metadata.uid !== dependent.uid) return;
    const owners = object.metadata.ownerReferences ?? [];
    const ownerReferences = owners.filter((owner) => !drop(owner));
    if (ownerReferences.length === owners.length) return;
    const next = { ...object, metadata: { ...object.metadata, ownerReferences } };
    writtenOrGone(await registry.update(dependent.resource, next, CONTROLLER_MANAGER));
  }

  /** Deletes an object without a living owner; of several owners it loses those that are gone. */
  async function collect(dependent: Dependent): Promise<void> {
    const object = registry.get(dependent.resource, dependent.namespace, dependent.name);
    if (object === undefined || object.metadata.uid !== dependent.uid) {
      dependents.remove(dependent.uid);
      return;
    }
    if (object.metadata.deletionTimestamp !== undefined) return;
    const states = (object.metadata.ownerReferences ?? []).map((owner) => ({ owner, state: stateOf(object, owner) }));
    if (states.length === 0 || states.some(({ state }) => state === 'unknown')) return;
    const gone = states.filter(({ state }) => state !== 'solid');
    if (gone.length === 0) return;
    if (gone.length < states.length) {
      const uids = new Set(gone.map(({ owner }) => owner.uid));
      return dropOwners(dependent, ({ uid }) => uids.has(uid));
    }
    const own = dependents.of(dependent.uid);
    const isWaitedFor = states.some(({ state }) => state === 'waiting');
    // A circle of owners that wait for each other would never end: the inner ones stop blocking.
    if (isWaitedFor && own.some(({ uid }) => waiting.has(uid))) await unblock(dependent);
    const { finalizers } = object.metadata;
    const propagation =
      isWaitedFor && own.length > 0
        ? 'Foreground'
        : finalizers?.includes(ORPHAN) === true
          ? 'Orphan'
          : finalizers?.includes(FOREGROUND) === true
            ? 'Foreground'
            : 'Background';
    const result = await registry.delete(dependent.resource, dependent.namespace, dependent.name, {
      propagation,
      uid: dependent.uid,
    });
    if (!result.ok && result.error.code !== 404 && result.error.code !== 409) throw new WriteFailed(result.error);
  }

  async function unblock(dependent: Dependent): Promise<void> {
    const object = registry.get(dependent.resource, dependent.namespace, dependent.name);
    if (object === undefined || object.metadata.uid !== dependent.uid) return;
    const ownerReferences = (object.metadata.ownerReferences ?? []).map((owner) => ({
      ...owner,
      blockOwnerDeletion: false,
    }));
    const next = { ...object, metadata: { ...object.metadata, ownerReferences } };
    writtenOrGone(await registry.update(dependent.resource, next, CONTROLLER_MANAGER));
  }

  function stateOf(object: KubeObject, reference: OwnerReference): OwnerState {
    const group = groupOf(reference.apiVersion);
    const kind = registry.resources().find((one) => one.group === group && one.kind === reference.kind);
    // Nothing is deleted for an owner whose kind nobody serves: it may be served again.
    if (kind === undefined) return 'unknown';
    const { namespace } = object.metadata;
    const isClusterScoped = namespace === undefined || namespace === '';
    if (kind.namespaced && isClusterScoped) {
      warn(object, reference, `ownerRef [${describe(reference)}] refers to a namespaced kind`);
      return 'unknown';
    }
    const owner = registry.get(kind, kind.namespaced ? namespace : undefined, reference.name);
    if (owner === undefined || owner.metadata.uid !== reference.uid) {
      if (kind.namespaced && livesElsewhere(kind, reference, namespace)) {
        const text = `ownerRef [${describe(reference)}, namespace: ${namespace ?? ''}] does not exist in namespace ${JSON.stringify(namespace ?? '')}`;
        warn(object, reference, text);
      }
      return 'dangling';
    }
    const waits =
      owner.metadata.deletionTimestamp !== undefined && owner.metadata.finalizers?.includes(FOREGROUND) === true;
    return waits ? 'waiting' : 'solid';
  }

  function livesElsewhere(kind: GroupResource, { name, uid }: OwnerReference, namespace: string | undefined): boolean {
    return registry
      .list(kind)
      .some(({ metadata }) => metadata.name === name && metadata.uid === uid && metadata.namespace !== namespace);
  }

  function warn(object: KubeObject, _: OwnerReference, message: string): void {
    events.record(object, 'garbage-collector-controller', {
      type: 'Warning',
      reason: 'OwnerRefInvalidNamespace',
      message,
    });
  }

  const unwatch = registry.watchAll(see);
  const seen = new Set<string>();
  for (const resource of registry.resources()) {
    if (seen.has(resourceName(resource))) continue;
    seen.add(resourceName(resource));
    for (const object of registry.list(resource)) see(resource, { type: 'ADDED', object });
  }
  return () => {
    unwatch();
    queue.stop();
  };
}

function describe({ apiVersion, kind, name, uid }: OwnerReference): string {
  return `${apiVersion}/${kind}, namespace: , name: ${name}, uid: ${uid}`;
}
