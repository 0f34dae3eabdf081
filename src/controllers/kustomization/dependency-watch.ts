import type { KubeObject, ObjectRef } from '../../api/object.ts';
import { printRef, refOf } from '../../api/object.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { InformerPool } from '../../kube/informer-pool.ts';
import type { Trigger } from '../../runtime/controller.ts';

/** Watches kinds that Kustomizations wait for beside their own, from the first one that does. */
export class DependencyWatch {
  readonly trigger: Trigger = {
    subscribe: (enqueue) => {
      this.#enqueue.add(enqueue);
      return () => this.#enqueue.delete(enqueue);
    },
  };
  readonly #informers: InformerPool;
  /** Names (`namespace/name`) those that wait for an object. */
  readonly #waiting: (object: KubeObject) => readonly string[];
  readonly #kinds = new Set<string>();
  readonly #enqueue = new Set<(key: string, by: string) => void>();

  constructor(informers: InformerPool, waiting: (object: KubeObject) => readonly string[]) {
    this.#informers = informers;
    this.#waiting = waiting;
  }

  /** Watches a kind that the cluster has. Secrets are not: all that there are would be held for the sake of one. */
  async watch({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>, client: KubeClient): Promise<void> {
    const key = `${apiVersion}/${kind}`;
    if (this.#kinds.has(key) || (apiVersion === 'v1' && kind === 'Secret')) return;
    if (!(await client.resource({ apiVersion, kind })).ok || this.#kinds.has(key)) return;
    this.#kinds.add(key);
    this.#informers.watch({ apiVersion, kind }).subscribe(({ type, object }) => {
      if (type === 'DELETED') return;
      for (const waiting of this.#waiting(object)) {
        for (const enqueue of this.#enqueue) enqueue(waiting, printRef(refOf(object)));
      }
    });
  }

  /** The object as its watch has it; undefined where the kind is not watched, or the object is not there. */
  get({ apiVersion, kind, namespace, name }: ObjectRef): KubeObject | undefined {
    if (!this.#kinds.has(`${apiVersion}/${kind}`)) return undefined;
    return this.#informers.watch({ apiVersion, kind }).get(namespace, name);
  }
}
