import { setMaxListeners } from 'node:events';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient } from './client.ts';
import { type Informer, watchKind } from './informer.ts';

export interface InformerPoolOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends every watch. */
  readonly signal: AbortSignal;
  readonly random?: () => number;
}

/** What an informer is about; equal selections share one watch. */
export interface Selection {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
}

/** One shared informer per selection. */
export class InformerPool {
  readonly #options: InformerPoolOptions;
  readonly #informers = new Map<string, Informer>();

  constructor(options: InformerPoolOptions) {
    this.#options = options;
    // Every informer listens to it.
    setMaxListeners(0, options.signal);
  }

  /** The informer of a selection, started at the first call. */
  watch(selection: Selection): Informer {
    const { apiVersion, kind, namespace, labelSelector } = selection;
    const key = JSON.stringify([apiVersion, kind, namespace ?? '', labelSelector ?? '']);
    let informer = this.#informers.get(key);
    if (informer === undefined) {
      informer = watchKind({
        ...this.#options,
        kind: { apiVersion, kind },
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === undefined || labelSelector === '' ? {} : { labelSelector }),
      });
      this.#informers.set(key, informer);
    }
    return informer;
  }

  /** Whether every informer started so far holds what the cluster holds. */
  isSynced(): boolean {
    for (const informer of this.#informers.values()) if (!informer.isSynced()) return false;
    return true;
  }

  async synced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced));
  }
}
