import type { KubeObject, OwnerReference } from '../../api/object.ts';
import type { GroupResource, Registry } from '../registry.ts';
import { CONTROLLER_MANAGER } from './context.ts';
import { matches } from './selector.ts';
import { type LabelSelector, type Stored, shaped } from './shapes.ts';
import { writtenOrGone } from './writes.ts';

/** The reference that makes `owner` the controller of an object. */
export function controllerReference(owner: Stored<unknown, unknown> | KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function controllerOf(object: Stored<unknown, unknown> | KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

export function isControlledBy(
  object: Stored<unknown, unknown> | KubeObject,
  owner: Stored<unknown, unknown> | KubeObject,
): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/**
 * The objects of `resource` that `owner` controls: matching orphans are adopted, owned ones that match no longer are
 * released. Those that `counts` refuses are left alone. Source: kubernetes@1.34 pkg/controller/controller_ref_manager.go.
 */
export async function claim<T extends Stored<unknown, unknown>>(
  registry: Registry,
  resource: GroupResource,
  owner: Stored<unknown, unknown>,
  selector: LabelSelector,
  counts: (candidate: T) => boolean = () => true,
): Promise<T[]> {
  const claimed: T[] = [];
  for (const object of registry.list(resource, owner.metadata.namespace)) {
    const candidate = shaped<T>(object);
    if (!counts(candidate)) continue;
    const controller = controllerOf(object);
    const fits = matches(selector, object.metadata.labels);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (fits) claimed.push(candidate);
      else if (owner.metadata.deletionTimestamp === undefined && object.metadata.deletionTimestamp === undefined) {
        const ownerReferences = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
        const released = { ...object, metadata: { ...object.metadata, ownerReferences } };
        writtenOrGone(await registry.update(resource, released, CONTROLLER_MANAGER));
      }
      continue;
    }
    if (!fits || owner.metadata.deletionTimestamp !== undefined || object.metadata.deletionTimestamp !== undefined) {
      continue;
    }
    const ownerReferences = [...(object.metadata.ownerReferences ?? []), controllerReference(owner)];
    const adopted = { ...object, metadata: { ...object.metadata, ownerReferences } };
    const stored = writtenOrGone(await registry.update(resource, adopted, CONTROLLER_MANAGER));
    if (stored !== undefined) claimed.push(shaped<T>(stored));
  }
  return claimed;
}
