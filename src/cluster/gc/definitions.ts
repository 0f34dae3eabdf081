import type { GroupResource } from '../registry.ts';
import { setCondition } from '../workloads/conditions.ts';
import type { Context } from '../workloads/context.ts';
import { type Activity, type Again, WorkQueue } from '../workloads/queue.ts';
import { plain, type Stored, type StoredCondition, shaped } from '../workloads/shapes.ts';
import { timeText } from '../workloads/times.ts';
import { WriteFailed, writeStatus, writtenOrGone } from '../workloads/writes.ts';

const DEFINITIONS: GroupResource = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' };
const FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';
const MANAGER = 'kube-apiserver';

type Definition = Stored<
  { readonly group: string; readonly names: { readonly plural: string } },
  { readonly conditions?: readonly StoredCondition[] }
>;

/**
 * Deletes the objects of a CRD that is being deleted, and then lets the CRD go.
 * Source: kubernetes@1.34 apiextensions-apiserver/pkg/controller/finalizer. Returns the function that stops it.
 */
export function startDefinitions({ registry, clock, log }: Context, activity: Activity): () => void {
  const queue = new WorkQueue({
    clock,
    activity,
    workers: 2,
    work: sync,
    failed: (name, error) => log.debug('custom resources come again', { definition: name, error: String(error) }),
  });
  const isEnding = (name: string): boolean =>
    registry.get(DEFINITIONS, undefined, name)?.metadata.deletionTimestamp !== undefined;

  async function sync(name: string): Promise<Again> {
    const stored = registry.get(DEFINITIONS, undefined, name);
    if (stored?.metadata.deletionTimestamp === undefined) return undefined;
    if (stored.metadata.finalizers?.includes(FINALIZER) !== true) return undefined;
    const definition = shaped<Definition>(stored);
    const resource = { group: definition.spec.group, plural: definition.spec.names.plural };
    await say(definition, 'True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
    for (const { metadata } of registry.list(resource)) {
      if (metadata.deletionTimestamp !== undefined) continue;
      const uid = metadata.uid === undefined ? {} : { uid: metadata.uid };
      const result = await registry.delete(resource, metadata.namespace, metadata.name, uid);
      if (!result.ok && result.error.code !== 404 && result.error.code !== 409) throw new WriteFailed(result.error);
    }
    // What has finalizers sends a change when it goes.
    if (registry.list(resource).length > 0) return undefined;
    const left = registry.get(DEFINITIONS, undefined, name);
    if (left === undefined) return undefined;
    const done = await say(shaped<Definition>(left), 'False', 'InstanceDeletionCompleted', 'removed all instances');
    const finalizers = (done.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    const freed = { ...done, metadata: { ...done.metadata, finalizers } };
    writtenOrGone(await registry.update(DEFINITIONS, plain(freed), MANAGER));
    return undefined;
  }

  function say(definition: Definition, status: 'True' | 'False', reason: string, message: string): Promise<Definition> {
    const condition = { type: 'Terminating', status, reason, message };
    const conditions = setCondition(definition.status?.conditions, condition, timeText(clock.now()));
    return writeStatus(registry, DEFINITIONS, definition, { ...definition.status, conditions }, MANAGER);
  }

  const unwatch = registry.watchAll((resource, { type, object }) => {
    if (resource.group === DEFINITIONS.group && resource.plural === DEFINITIONS.plural) {
      if (type !== 'DELETED' && object.metadata.deletionTimestamp !== undefined) queue.add(object.metadata.name);
      return;
    }
    if (type !== 'DELETED' || resource.group === '') return;
    const name = `${resource.plural}.${resource.group}`;
    if (isEnding(name)) queue.add(name);
  });
  for (const { metadata } of registry.list(DEFINITIONS)) queue.add(metadata.name);
  return () => {
    unwatch();
    queue.stop();
  };
}
