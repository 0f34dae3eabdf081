import type { KubeObject, OwnerReference } from '../../api/object.ts';
import type { GroupResource } from '../registry.ts';

/** An object that names owners: only such objects are remembered, everything else is looked up. */
export interface Dependent {
  readonly resource: GroupResource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly owners: readonly OwnerReference[];
}

/** Which objects name which owner, by uid. */
export class Dependents {
  readonly #byUid = new Map<string, Dependent>();
  readonly #byOwner = new Map<string, Set<string>>();

  /** Takes over the owners that `object` names now. */
  put(resource: GroupResource, object: KubeObject): void {
    const { uid, namespace, name, ownerReferences } = object.metadata;
    if (uid === undefined) return;
    const known = this.#byUid.get(uid);
    if (known === undefined && (ownerReferences ?? []).length === 0) return;
    // The first sighting of an object served by two groups (events) stays: both name one object.
    this.remove(uid);
    if (ownerReferences === undefined || ownerReferences.length === 0) return;
    this.#byUid.set(uid, { resource, namespace, name, uid, owners: ownerReferences });
    for (const owner of ownerReferences) {
      const dependents = this.#byOwner.get(owner.uid);
      if (dependents === undefined) this.#byOwner.set(owner.uid, new Set([uid]));
      else dependents.add(uid);
    }
  }

  remove(uid: string): void {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    this.#byUid.delete(uid);
    for (const owner of known.owners) {
      const dependents = this.#byOwner.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#byOwner.delete(owner.uid);
    }
  }

  get(uid: string): Dependent | undefined {
    return this.#byUid.get(uid);
  }

  of(ownerUid: string): readonly Dependent[] {
    const found: Dependent[] = [];
    for (const uid of this.#byOwner.get(ownerUid) ?? []) {
      const dependent = this.#byUid.get(uid);
      if (dependent !== undefined) found.push(dependent);
    }
    return found;
  }
}
