import type { KubeObject } from '../api/object.ts';

export interface ObjectIndex {
  /** Objects found under `key`. */
  get(key: string): readonly KubeObject[];
}

/** Objects of one kind by namespace and name, with indexes kept current. */
export class ObjectStore {
  readonly #byNamespace = new Map<string, Map<string, KubeObject>>();
  readonly #indexes: KeyIndex[] = [];

  get(namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#byNamespace.get(namespace ?? '')?.get(name);
  }

  list(namespace?: string): readonly KubeObject[] {
    if (namespace !== undefined) return [...(this.#byNamespace.get(namespace)?.values() ?? [])];
    return [...this.#byNamespace.values()].flatMap((objects) => [...objects.values()]);
  }

  set(object: KubeObject): void {
    const { namespace = '', name } = object.metadata;
    let objects = this.#byNamespace.get(namespace);
    if (objects === undefined) {
      objects = new Map();
      this.#byNamespace.set(namespace, objects);
    }
    const previous = objects.get(name);
    objects.set(name, object);
    for (const index of this.#indexes) {
      if (previous !== undefined) index.delete(previous);
      index.add(object);
    }
  }

  /** Removes the very object that {@link set} was given. */
  delete(object: KubeObject): void {
    const { namespace = '', name } = object.metadata;
    const objects = this.#byNamespace.get(namespace);
    objects?.delete(name);
    if (objects?.size === 0) this.#byNamespace.delete(namespace);
    for (const index of this.#indexes) index.delete(object);
  }

  index(keys: (object: KubeObject) => readonly string[]): ObjectIndex {
    const index = new KeyIndex(keys);
    for (const object of this.list()) index.add(object);
    this.#indexes.push(index);
    return index;
  }
}

class KeyIndex implements ObjectIndex {
  readonly #keys: (object: KubeObject) => readonly string[];
  readonly #entries = new Map<string, Set<KubeObject>>();

  constructor(keys: (object: KubeObject) => readonly string[]) {
    // An object that is not what its kind says is found by no key: it must not cost the others their index.
    this.#keys = (object) => {
      try {
        return keys(object);
      } catch {
        return [];
      }
    };
  }

  get(key: string): readonly KubeObject[] {
    return [...(this.#entries.get(key) ?? [])];
  }

  add(object: KubeObject): void {
    for (const key of this.#keys(object)) {
      let found = this.#entries.get(key);
      if (found === undefined) {
        found = new Set();
        this.#entries.set(key, found);
      }
      found.add(object);
    }
  }

  delete(object: KubeObject): void {
    for (const key of this.#keys(object)) {
      const found = this.#entries.get(key);
      found?.delete(object);
      if (found?.size === 0) this.#entries.delete(key);
    }
  }
}
