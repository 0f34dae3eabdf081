import type { Change, GroupResource } from '../registry.ts';
import { conditionOf } from '../workloads/conditions.ts';
import { CONTROLLER_MANAGER, type Context } from '../workloads/context.ts';
import { type Activity, type Again, WorkQueue } from '../workloads/queue.ts';
import { NAMESPACES, PODS, resourceName } from '../workloads/resources.ts';
import { type Namespace, plain, type StoredCondition, shaped } from '../workloads/shapes.ts';
import { timeText } from '../workloads/times.ts';
import { writeStatus, writtenOrGone } from '../workloads/writes.ts';

const FINALIZER = 'kubernetes';
/** As many workers as kube-controller-manager's --concurrent-namespace-syncs. */
const WORKERS = 10;

/** What is still in a namespace, by resource and by finalizer. */
interface Remains {
  readonly perResource: ReadonlyMap<string, number>;
  readonly perFinalizer: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/**
 * Empties namespaces that are being deleted and then lets them go.
 * Source: kubernetes@1.34 pkg/controller/namespace/deletion. Returns the function that stops it.
 */
export function startNamespaces({ registry, clock, log }: Context, activity: Activity): () => void {
  const queue = new WorkQueue({
    clock,
    activity,
    workers: WORKERS,
    work: sync,
    failed: (name, error) => log.debug('namespace comes again', { namespace: name, error: String(error) }),
  });
  const isEnding = (name: string | undefined): boolean =>
    name !== undefined && registry.get(NAMESPACES, undefined, name)?.metadata.deletionTimestamp !== undefined;

  function see(resource: GroupResource, { type, object }: Change): void {
    if (resource.group === '' && resource.plural === 'namespaces') {
      if (type !== 'DELETED' && object.metadata.deletionTimestamp !== undefined) queue.add(object.metadata.name);
      return;
    }
    const { namespace } = object.metadata;
    if (namespace !== undefined && namespace !== '' && isEnding(namespace)) queue.add(namespace);
  }

  async function sync(name: string): Promise<Again> {
    const stored = registry.get(NAMESPACES, undefined, name);
    if (stored?.metadata.deletionTimestamp === undefined) return undefined;
    const namespace = shaped<Namespace>(stored);
    if (namespace.spec.finalizers?.includes(FINALIZER) !== true) return undefined;
    const remains = await empty(name);
    const conditions = conditionsFor(namespace, remains, timeText(clock.now()));
    const status = { ...namespace.status, phase: 'Terminating', conditions };
    const current = await writeStatus(registry, NAMESPACES, namespace, status, CONTROLLER_MANAGER);
    if (remains.failures.length > 0) throw new Error(remains.failures.join(', '));
    // What is left sends a change when it goes.
    if (remains.perResource.size > 0) return undefined;
    const finalizers = (current.spec.finalizers ?? []).filter((one) => one !== FINALIZER);
    const freed = { ...current, spec: { ...current.spec, finalizers } };
    writtenOrGone(await registry.update(NAMESPACES, plain(freed), CONTROLLER_MANAGER, 'finalize'));
    return undefined;
  }

  /** Asks for the deletion of everything in the namespace, pods before all else, and tells what is left. */
  async function empty(name: string): Promise<Remains> {
    const failures: string[] = [];
    const resources = namespacedResources();
    const clear = async (resource: GroupResource): Promise<void> => {
      for (const object of registry.list(resource, name)) {
        if (object.metadata.deletionTimestamp !== undefined) continue;
        const { uid } = object.metadata;
        const result = await registry.delete(resource, name, object.metadata.name, {
          propagation: 'Background',
          ...(uid === undefined ? {} : { uid }),
        });
        if (!result.ok && result.error.code !== 404 && result.error.code !== 409) failures.push(result.error.message);
      }
    };
    await clear(PODS);
    const podsLeft = registry.list(PODS, name).length > 0;
    if (!podsLeft) for (const resource of resources) await clear(resource);
    const perResource = new Map<string, number>();
    const perFinalizer = new Map<string, number>();
    const counted = new Set<string>();
    for (const resource of podsLeft ? [PODS] : resources) {
      for (const object of registry.list(resource, name)) {
        // One object may be served by two groups (events).
        const uid = object.metadata.uid ?? object.metadata.name;
        if (counted.has(uid)) continue;
        counted.add(uid);
        const key = resourceName(resource);
        perResource.set(key, (perResource.get(key) ?? 0) + 1);
        for (const finalizer of object.metadata.finalizers ?? []) {
          perFinalizer.set(finalizer, (perFinalizer.get(finalizer) ?? 0) + 1);
        }
      }
    }
    return { perResource, perFinalizer, failures };
  }

  function namespacedResources(): readonly GroupResource[] {
    const known = new Map<string, GroupResource>();
    for (const resource of registry.resources()) {
      if (resource.namespaced) known.set(resourceName(resource), { group: resource.group, plural: resource.plural });
    }
    return [...known.values()];
  }

  const unwatch = registry.watchAll(see);
  for (const object of registry.list(NAMESPACES)) see(NAMESPACES, { type: 'ADDED', object });
  return () => {
    unwatch();
    queue.stop();
  };
}

function conditionsFor(namespace: Namespace, remains: Remains, now: string): readonly StoredCondition[] {
  const condition = (
    type: string,
    bad: boolean,
    [goodReason, goodMessage]: readonly [string, string],
    [badReason, badMessage]: readonly [string, string],
  ): StoredCondition => {
    const status = bad ? 'True' : 'False';
    const known = conditionOf(namespace.status?.conditions, type);
    return {
      type,
      status,
      lastTransitionTime: known?.status === status ? (known.lastTransitionTime ?? now) : now,
      reason: bad ? badReason : goodReason,
      message: bad ? badMessage : goodMessage,
    };
  };
  const sorted = (counts: ReadonlyMap<string, number>): [string, number][] =>
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  const resources = sorted(remains.perResource).map(
    ([name, count]) => `${dotted(name)} has ${count} resource instances`,
  );
  const finalizers = sorted(remains.perFinalizer).map(([name, count]) => `${name} in ${count} resource instances`);
  return [
    condition(
      'NamespaceDeletionDiscoveryFailure',
      false,
      ['ResourcesDiscovered', 'All resources successfully discovered'],
      ['DiscoveryFailed', ''],
    ),
    condition(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
      ['GroupVersionParsingFailed', ''],
    ),
    condition(
      'NamespaceDeletionContentFailure',
      remains.failures.length > 0,
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
      [
        'ContentDeletionFailed',
        `Failed to delete all resource types, ${remains.failures.length} remaining: ${remains.failures.join(', ')}`,
      ],
    ),
    condition(
      'NamespaceContentRemaining',
      resources.length > 0,
      ['ContentRemoved', 'All content successfully removed'],
      ['SomeResourcesRemain', `Some resources are remaining: ${resources.join(', ')}`],
    ),
    condition(
      'NamespaceFinalizersRemaining',
      finalizers.length > 0,
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
      ['SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`],
    ),
  ];
}

/** The real message writes `plural.group` with the dot also where the group is empty. */
function dotted(name: string): string {
  return name.includes('.') ? name : `${name}.`;
}
