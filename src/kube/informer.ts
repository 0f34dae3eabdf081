import type { KubeObject } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient, KubeError, ListOptions } from './client.ts';
import { isExpired, isNoMatch } from './errors.ts';
import { type ObjectIndex, ObjectStore } from './object-store.ts';
import { isOlder } from './resource-version.ts';
import { sleep } from './send.ts';

/** One change of the cached set. `previous` is absent for ADDED. */
export interface CacheChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  readonly previous?: KubeObject;
}

/** A kind's objects, kept current by a watch. Objects are shared and read-only. */
export interface Informer {
  /** Resolves once the cache holds what the cluster holds; a kind that does not exist yet counts as having no objects. Never rejects. */
  readonly synced: Promise<void>;
  isSynced(): boolean;
  get(namespace: string | undefined, name: string): KubeObject | undefined;
  /** All objects, or those of one namespace, in no particular order. */
  list(namespace?: string): readonly KubeObject[];
  /** An index kept current from now on; `keys` names the entries under which an object is found. */
  index(keys: (object: KubeObject) => readonly string[]): ObjectIndex;
  /** Calls `listen` for each object now cached (as ADDED) and for every change after; returns the unsubscribe function. */
  subscribe(listen: (change: CacheChange) => void): () => void;
}

export interface InformerOptions {
  readonly client: KubeClient;
  readonly kind: { readonly apiVersion: string; readonly kind: string };
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** In [0, 1): jitter of reconnects. */
  readonly random?: () => number;
  /** What of an object is cached; the default keeps it whole. */
  readonly keep?: (object: KubeObject) => KubeObject;
}

/** Pauses between attempts. Source: client-go@0.34 tools/cache reflector (800 ms -> 30 s). */
const FIRST_PAUSE_MS = 800;
const LONGEST_PAUSE_MS = 30_000;
/** A CRD may be installed at any time; its objects should not wait long for us to notice. */
const FIRST_KIND_PAUSE_MS = 250;
const LONGEST_KIND_PAUSE_MS = 5_000;
/** A watch is asked to end after 5 to 10 minutes (client-go: minWatchTimeout). */
const WATCH_TIMEOUT_S = 300;
/** Grace after the time at which the server should have ended the watch: then the connection is taken for dead. */
const WATCH_GRACE_MS = 30_000;
/** Servers send bookmarks about every minute; once one has come, this long without any event means a dropped connection. */
const SILENCE_MS = 180_000;

/** Lists and watches a kind until `signal` is aborted, over lost connections, expired versions and CRDs that come and go. */
export function watchKind(options: InformerOptions): Informer {
  return new Reflector(options).start();
}

/** A stream that ends earlier is followed by a pause. */
const SHORT_STREAM_MS = 1000;
/** Taken for a version that expired: the kind is listed anew. */
const OUT_OF_ORDER: KubeError = { code: 410, reason: 'Expired', message: 'watch: events came out of order' };

class Reflector implements Informer {
  readonly synced: Promise<void>;
  readonly #options: InformerOptions;
  readonly #random: () => number;
  readonly #store = new ObjectStore();
  readonly #listeners = new Set<(change: CacheChange) => void>();
  #markSynced: () => void = () => undefined;
  #isSynced = false;

  constructor(options: InformerOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.synced = new Promise((resolve) => {
      this.#markSynced = () => {
        this.#isSynced = true;
        resolve();
      };
    });
  }

  start(): this {
    const { signal, log, kind } = this.#options;
    const pause = new Pause(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    const run = (): void => {
      this.#run().catch(async (cause: unknown) => {
        if (signal.aborted) return;
        log.error('watch ended by a fault, and begins anew', { kind: kind.kind, error: String(cause) });
        await this.#wait(pause);
        run();
      });
    };
    run();
    return this;
  }

  isSynced(): boolean {
    return this.#isSynced;
  }

  get(namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#store.get(namespace, name);
  }

  list(namespace?: string): readonly KubeObject[] {
    return this.#store.list(namespace);
  }

  index(keys: (object: KubeObject) => readonly string[]): ObjectIndex {
    return this.#store.index(keys);
  }

  subscribe(listen: (change: CacheChange) => void): () => void {
    for (const object of this.#store.list()) this.#tell(listen, { type: 'ADDED', object });
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    const pause = new Pause(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    const kindPause = new Pause(FIRST_KIND_PAUSE_MS, LONGEST_KIND_PAUSE_MS);
    while (!signal.aborted) {
      const listed = await this.#options.client.list(this.#options.kind, { ...this.#selection(), signal });
      if (signal.aborted) return;
      if (listed.ok) {
        kindPause.reset();
        this.#replace(listed.value.items);
        const followed = await this.#follow(listed.value.resourceVersion, pause);
        // A server that refuses each version it has just given must not become a busy loop.
        if (!followed) await this.#wait(pause);
        continue;
      }
      if (isNoMatch(listed.error)) {
        this.#replace([]);
        await this.#wait(kindPause);
        continue;
      }
      this.#report('list', listed.error);
      await this.#wait(pause);
    }
  }

  /** Watches from `resourceVersion` on, over ended streams, until the kind must be listed anew. Tells whether a stream lasted. */
  async #follow(resourceVersion: string, pause: Pause): Promise<boolean> {
    const { signal, clock } = this.#options;
    let from = resourceVersion;
    let lasted = false;
    while (!signal.aborted) {
      const startedMs = clock.now();
      const ended = await this.#watchOnce(from);
      from = ended.resourceVersion;
      if (signal.aborted) break;
      // A stream that ends at once, again and again, must not become a busy loop, whatever it says before.
      const short = clock.now() - startedMs < SHORT_STREAM_MS;
      if (!short) {
        lasted = true;
        pause.reset();
      }
      if (ended.error === undefined) {
        if (short) await this.#wait(pause);
        continue;
      }
      if (isExpired(ended.error) || ended.error.code === 404) break;
      // The server's other refusals (401, 403, 500) and lost connections: the version may well still be watchable.
      this.#report('watch', ended.error);
      await this.#wait(pause);
      if (ended.error.code !== 0 && ended.error.code !== 429 && ended.error.code < 500) break;
    }
    return lasted;
  }

  async #watchOnce(from: string): Promise<{ resourceVersion: string; error?: KubeError }> {
    const { client, kind, clock, signal } = this.#options;
    const timeoutSeconds = Math.round(WATCH_TIMEOUT_S * (1 + this.#random()));
    const watchdog = new AbortController();
    const stopAt = clock.after(timeoutSeconds * 1000 + WATCH_GRACE_MS, () => watchdog.abort());
    let stopSilence: () => void = () => undefined;
    let resourceVersion = from;
    let bookmarked = false;
    try {
      const both = AbortSignal.any([signal, watchdog.signal]);
      const stream = client.watch(kind, { ...this.#selection(), resourceVersion, timeoutSeconds, signal: both });
      for await (const event of stream) {
        if (event.type === 'ERROR') return { resourceVersion, error: event.error };
        if (event.type === 'BOOKMARK') {
          bookmarked = true;
          if (event.resourceVersion !== '' && !isOlder(event.resourceVersion, resourceVersion))
            resourceVersion = event.resourceVersion;
        } else {
          const version = event.object.metadata.resourceVersion ?? resourceVersion;
          if (isOlder(version, resourceVersion)) {
            // Told already: nothing new. Otherwise nobody knows what else is missing or in the wrong order.
            if (this.#knows(event.object)) continue;
            return { resourceVersion, error: OUT_OF_ORDER };
          }
          this.#change(event.type, event.object);
          resourceVersion = version;
        }
        stopSilence();
        if (bookmarked) stopSilence = clock.after(SILENCE_MS, () => watchdog.abort());
      }
      return { resourceVersion };
    } finally {
      stopAt();
      stopSilence();
    }
  }

  /** Whether the cache holds this very state of an object. */
  #knows({ metadata: { namespace, name, uid, resourceVersion } }: KubeObject): boolean {
    const cached = this.#store.get(namespace, name)?.metadata;
    return cached?.uid === uid && cached?.resourceVersion === resourceVersion;
  }

  #selection(): ListOptions {
    const { namespace, labelSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    };
  }

  #replace(items: readonly KubeObject[]): void {
    const gone = new Map(this.#store.list().map((object) => [keyOf(object), object]));
    for (const object of items) {
      gone.delete(keyOf(object));
      this.#change('MODIFIED', object);
    }
    for (const object of gone.values()) this.#change('DELETED', object);
    if (!this.#isSynced) this.#markSynced();
  }

  /** Takes one object over, and tells what really changed: the type is worked out from the cache, not from the event. */
  #change(type: 'ADDED' | 'MODIFIED' | 'DELETED', whole: KubeObject): void {
    const object = this.#options.keep?.(whole) ?? whole;
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const previous = this.#store.get(namespace, name);
    if (type === 'DELETED') {
      if (previous === undefined) return;
      this.#store.delete(previous);
      this.#emit({ type, object, previous });
      return;
    }
    if (previous !== undefined && previous.metadata.uid !== uid) {
      // Deleted and made again while we were not looking.
      this.#store.delete(previous);
      this.#emit({ type: 'DELETED', object: previous, previous });
    } else if (previous !== undefined) {
      if (previous.metadata.resourceVersion === resourceVersion) return;
      this.#store.set(object);
      this.#emit({ type: 'MODIFIED', object, previous });
      return;
    }
    this.#store.set(object);
    this.#emit({ type: 'ADDED', object });
  }

  #emit(change: CacheChange): void {
    for (const listen of this.#listeners) this.#tell(listen, change);
  }

  #tell(listen: (change: CacheChange) => void, change: CacheChange): void {
    try {
      listen(change);
    } catch (cause) {
      const { log, kind } = this.#options;
      log.error('an event handler failed', {
        kind: kind.kind,
        error: cause instanceof Error ? cause.message : 'fault',
      });
    }
  }

  #report(step: string, error: KubeError): void {
    const { log, kind } = this.#options;
    log.error(`failed to ${step}`, { kind: kind.kind, apiVersion: kind.apiVersion, error: error.message });
  }

  async #wait(pause: Pause): Promise<void> {
    const { clock, signal } = this.#options;
    await sleep(clock, pause.next(this.#random), signal).catch(() => undefined);
  }
}

/** Exponential pauses with up to half as much again at random. */
class Pause {
  readonly #first: number;
  readonly #longest: number;
  #next: number;

  constructor(first: number, longest: number) {
    this.#first = first;
    this.#longest = longest;
    this.#next = first;
  }

  next(random: () => number): number {
    const pause = this.#next;
    this.#next = Math.min(this.#next * 2, this.#longest);
    return pause * (1 + 0.5 * random());
  }

  reset(): void {
    this.#next = this.#first;
  }
}

/** `namespace/name`, or `/name` for a cluster-scoped object. */
export function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
