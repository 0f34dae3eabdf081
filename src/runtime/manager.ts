import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { KubeObject, ObjectRef } from '../api/object.ts';
import { printRef, refOf } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import type { CacheChange, Informer } from '../kube/informer.ts';
import { InformerPool } from '../kube/informer-pool.ts';
import { systemClock } from '../kube/system-clock.ts';
import type { Controller, Superseded, Watch } from './controller.ts';
import type { EventRecorder } from './events.ts';
import type { Metrics } from './metrics.ts';
import { WorkQueue } from './queue.ts';
import { leaveOne, reconcileOne } from './reconcile-one.ts';
import { REQUESTED_AT } from './status.ts';

export interface RuntimeOptions {
  readonly controllers: readonly Controller<never>[];
  readonly client: KubeClient;
  readonly log: Log;
  readonly events: EventRecorder;
  /** Begins the stop; see {@link Runtime.stopped}. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  /** Informers shared with the ports of the controllers; made here when absent. */
  readonly informers?: InformerPool;
  /** Objects of one controller reconciled at the same time; default 4. */
  readonly concurrency?: number | ((controller: Controller<never>) => number);
  /** Only objects with these labels (sharding). */
  readonly watchLabelSelector?: string;
  /** Only objects in these namespaces; all when absent. */
  readonly namespaces?: readonly string[];
  /** Part of the interval by which a success is requeued earlier or later; default 0.05. */
  readonly intervalJitter?: number;
  /** Pauses after failures; default 750 ms doubling to 15 min. */
  readonly minRetryMs?: number;
  readonly maxRetryMs?: number;
  /** Time for running reconciles to finish after `signal`; then theirs is aborted. Default 30 s. */
  readonly gracefulStopMs?: number;
  readonly metrics?: Metrics;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface Runtime {
  /** Resolves when every cache holds what the cluster holds and all its objects are queued. */
  readonly synced: Promise<void>;
  isSynced(): boolean;
  /** Resolves after `signal`, when no reconcile runs any more. */
  readonly stopped: Promise<void>;
  /** Reconciles `namespace/name` of a kind soon. */
  enqueue(kind: string, key: string): void;
}

const DEFAULT_CONCURRENCY = 4;
/** Source: fluxcd/pkg runtime/controller/rate_limiter.go. */
const MIN_RETRY_MS = 750;
const MAX_RETRY_MS = 15 * 60_000;
const GRACEFUL_STOP_MS = 30_000;
const INTERVAL_JITTER = 0.05;
/** An object that comes after another waits no longer than this for it when the engine starts. */
const FIRST_LOOK_MS = 30_000;
/** Time for the last writes of an engine that ends, and how many of them are under way. */
const LEAVE_MS = 5_000;
const LEAVING_AT_ONCE = 8;

/** Watches the controllers' kinds and reconciles their objects until `signal` is aborted. */
export function startControllers(options: RuntimeOptions): Runtime {
  const clock = options.clock ?? systemClock;
  const informers = options.informers ?? new InformerPool({ ...options, clock });
  const hardStop = new AbortController();
  // Everything that runs listens to it.
  setMaxListeners(0, hardStop.signal);
  const runners = options.controllers.map((controller) => {
    return new ControllerRunner(controller, { ...options, clock, informers, hardStop: hardStop.signal });
  });
  const firstLook = ({ apiVersion, kind, namespace = '', name }: ObjectRef): Promise<void> | undefined =>
    runners.find((runner) => runner.serves(apiVersion, kind))?.firstLook(`${namespace}/${name}`);
  for (const runner of runners) runner.start(firstLook);
  return {
    synced: Promise.all(runners.map((runner) => runner.synced())).then(() => undefined),
    isSynced: () => runners.every((runner) => runner.isSynced()),
    stopped: stopAfter(options.signal, async () => {
      const cancel = clock.after(options.gracefulStopMs ?? GRACEFUL_STOP_MS, () => {
        hardStop.abort(new Error('the engine is stopping'));
      });
      await Promise.all(runners.map((runner) => runner.stop()));
      cancel();
      await leave(runners, clock);
    }),
    enqueue(kind, key) {
      for (const runner of runners) if (runner.kind === kind) runner.enqueue(key, { cause: 'watch', by: 'engine' });
    },
  };
}

async function leave(runners: readonly ControllerRunner[], clock: Clock): Promise<void> {
  const limit = new AbortController();
  const cancel = clock.after(LEAVE_MS, () => limit.abort());
  await Promise.all(runners.map((runner) => runner.leave(limit.signal)));
  cancel();
}

function stopAfter(signal: AbortSignal, stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = (): void => {
      stop().then(resolve, reject);
    };
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin, { once: true });
  });
}

interface RunnerOptions extends RuntimeOptions {
  readonly clock: Clock;
  readonly informers: InformerPool;
  readonly hardStop: AbortSignal;
}

/** Resolves when an object has been looked at; undefined where no controller does so. */
type FirstLook = (ref: ObjectRef) => Promise<void> | undefined;

/** One controller at work: its caches, its queue, what runs. */
class ControllerRunner {
  readonly kind: string;
  readonly #controller: Controller<never>;
  readonly #options: RunnerOptions;
  readonly #label: string;
  readonly #log: Log;
  readonly #queue: WorkQueue;
  readonly #workers: number;
  readonly #own: readonly Informer[];
  readonly #others: readonly { readonly watch: Watch; readonly informer: Informer }[];
  readonly #running = new Map<string, AbortController>();
  /** Objects as of our own last write, until the cache has caught up. */
  readonly #written = new Map<string, KubeObject>();
  /** Objects that have been worked on, and who waits for that. */
  readonly #looked = new Set<string>();
  readonly #looking = new Map<string, (() => void)[]>();
  #firstLook: FirstLook | undefined;
  /** Objects that wait for another's first look. */
  readonly #held = new Set<string>();
  readonly #unsubscribe: (() => void)[] = [];

  constructor(controller: Controller<never>, options: RunnerOptions) {
    this.#controller = controller;
    this.#options = options;
    this.kind = controller.kind;
    this.#label = controller.kind.toLowerCase();
    this.#log = options.log.with({
      controller: this.#label,
      controllerGroup: controller.apiVersion.split('/')[0] ?? '',
      controllerKind: controller.kind,
    });
    const { concurrency = DEFAULT_CONCURRENCY, metrics } = options;
    const workers = typeof concurrency === 'number' ? concurrency : concurrency(controller);
    this.#workers = workers;
    metrics?.concurrency(this.#label, workers);
    this.#queue = new WorkQueue({
      clock: options.clock,
      concurrency: workers,
      minRetryMs: options.minRetryMs ?? MIN_RETRY_MS,
      maxRetryMs: options.maxRetryMs ?? MAX_RETRY_MS,
      work: (key) => this.#work(key),
      ...(metrics === undefined ? {} : { observe: metrics.queue(this.#label) }),
    });
    const { apiVersion, kind } = controller;
    const labelSelector = options.watchLabelSelector ?? '';
    this.#own = this.#namespaces().map((namespace) => {
      return options.informers.watch({
        apiVersion,
        kind,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === '' ? {} : { labelSelector }),
      });
    });
    this.#others = controller.watches.flatMap((watch) =>
      this.#namespaces().map((namespace) => ({
        watch,
        informer: options.informers.watch({
          apiVersion: watch.apiVersion,
          kind: watch.kind,
          ...(namespace === undefined ? {} : { namespace }),
          ...(watch.labelSelector === undefined ? {} : { labelSelector: watch.labelSelector }),
        }),
      })),
    );
  }

  start(firstLook: FirstLook): void {
    this.#firstLook = firstLook;
    void this.synced().then(() => {
      this.#firstLook = undefined;
    });
    for (const informer of this.#own) {
      this.#unsubscribe.push(informer.subscribe((change) => this.#changed(change)));
    }
    for (const { watch, informer } of this.#others) {
      this.#unsubscribe.push(informer.subscribe((change) => this.#related(watch, change)));
    }
    for (const trigger of this.#controller.triggers ?? []) {
      this.#unsubscribe.push(trigger.subscribe((key, by) => this.enqueue(key, { cause: 'watch', by })));
    }
  }

  async synced(): Promise<void> {
    await Promise.all([...this.#own, ...this.#others.map(({ informer }) => informer)].map(({ synced }) => synced));
  }

  isSynced(): boolean {
    return this.#own.every((own) => own.isSynced()) && this.#others.every(({ informer }) => informer.isSynced());
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    const stopping: Superseded = { cause: 'stop', by: 'engine' };
    for (const running of this.#running.values()) running.abort(stopping);
    await this.#queue.stop();
  }

  serves(apiVersion: string, kind: string): boolean {
    return this.#controller.apiVersion === apiVersion && this.#controller.kind === kind;
  }

  /** Resolves when the object has been worked on, or does not exist. */
  async firstLook(key: string): Promise<void> {
    await this.synced();
    if (this.#looked.has(key) || this.#find(key) === undefined) return;
    await new Promise<void>((resolve) => this.#looking.set(key, [...(this.#looking.get(key) ?? []), resolve]));
  }

  /** Writes what is left in the status of objects at the end. What cannot be written stays as it is: a crash leaves it so, too. */
  async leave(signal: AbortSignal): Promise<void> {
    if (this.#controller.leave === undefined) return;
    // The watches have ended with the engine's signal: what was written after that only we know.
    const objects = this.#own.flatMap((own) => own.list()).map((object) => this.#written.get(keyOf(object)) ?? object);
    const work = async (): Promise<void> => {
      for (let object = objects.pop(); object !== undefined; object = objects.pop()) {
        await leaveOne(this.#controller, this.#options.client, object, signal);
      }
    };
    const workers = Array.from({ length: LEAVING_AT_ONCE }, work);
    await Promise.all(workers).catch((cause: unknown) => this.#log.error('leaving', { error: String(cause) }));
  }

  enqueue(key: string, why: Superseded, first = false): void {
    this.#running.get(key)?.abort(why);
    if (first) this.#queue.addFirst(key);
    else this.#queue.add(key);
  }

  #namespaces(): readonly (string | undefined)[] {
    return this.#options.namespaces ?? [undefined];
  }

  #find(key: string): KubeObject | undefined {
    const slash = key.indexOf('/');
    for (const informer of this.#own) {
      const object = informer.get(key.slice(0, slash), key.slice(slash + 1));
      if (object !== undefined) return object;
    }
    return undefined;
  }

  /** Spec, request and deletion are causes to reconcile; status and other metadata are not. */
  #changed({ type, object, previous }: CacheChange): void {
    const key = keyOf(object);
    if (this.#written.get(key)?.metadata.resourceVersion === object.metadata.resourceVersion) {
      this.#written.delete(key);
      if (!this.#running.has(key)) this.#noteLooked(key);
    }
    const by = printRef(refOf(object));
    if (type === 'DELETED') {
      this.#running.get(key)?.abort({ cause: 'deleted', by } satisfies Superseded);
      this.#written.delete(key);
      this.#noteLooked(key);
      this.#looked.delete(key);
      this.#held.delete(key);
      this.#queue.drop(key);
      this.#options.metrics?.forget(refOf(object));
      return;
    }
    const before = previous?.metadata;
    const now = object.metadata;
    const other = before === undefined ? this.#comesAfter(object) : undefined;
    if (other !== undefined) {
      this.#held.add(key);
      const begin = (): void => {
        if (this.#held.delete(key)) this.enqueue(key, { cause: 'generation', by });
      };
      const cancel = this.#options.clock.after(FIRST_LOOK_MS, begin);
      this.#unsubscribe.push(cancel);
      void other.then(cancel).then(begin);
    } else if (before === undefined || before.generation !== now.generation) {
      // The generation also rises when a deletion begins.
      this.enqueue(key, { cause: now.deletionTimestamp === undefined ? 'generation' : 'deleted', by });
    } else if (before.annotations?.[REQUESTED_AT] !== now.annotations?.[REQUESTED_AT]) {
      if (now.annotations?.[REQUESTED_AT] !== undefined) this.enqueue(key, { cause: 'requested', by });
    } else if (before.deletionTimestamp === undefined && now.deletionTimestamp !== undefined) {
      this.enqueue(key, { cause: 'deleted', by });
    }
  }

  /** What an object waits for that is there when the engine starts. */
  #comesAfter(object: KubeObject): Promise<void> | undefined {
    const ref = (this.#controller as Controller<unknown>).after?.(object);
    return ref === undefined ? undefined : this.#firstLook?.(ref);
  }

  #noteLooked(key: string): void {
    this.#looked.add(key);
    for (const resolve of this.#looking.get(key) ?? []) resolve();
    this.#looking.delete(key);
  }

  #related(watch: Watch, change: CacheChange): void {
    const { object, previous } = change;
    const by = printRef(refOf(object));
    const mapped = watch.map({ object, ...(previous === undefined ? {} : { previous }) });
    // What is there when the engine starts is no news to who is about to begin.
    const isKnown = (key: string): boolean => change.type === 'ADDED' && this.#held.has(key);
    const keys = mapped.filter((key) => this.#find(key) !== undefined && !isKnown(key));
    const first = new Set<string>();
    const enqueueOthers = (): void => {
      for (const key of keys) if (!first.has(key)) this.enqueue(key, { cause: 'watch', by });
    };
    if (watch.first === undefined || keys.length <= this.#workers) return enqueueOthers();
    const found = (key: string): void => {
      first.add(key);
      this.enqueue(key, { cause: 'watch', by }, true);
    };
    void watch.first(keys, object, found).then(enqueueOthers, enqueueOthers);
  }

  /** The object to reconcile: from the cache, unless the cache has not seen our own last write yet. */
  async #current(key: string): Promise<KubeObject | undefined> {
    const cached = this.#find(key);
    const written = this.#written.get(key);
    if (cached === undefined || written === undefined) return cached;
    if (written.metadata.resourceVersion === cached.metadata.resourceVersion) return cached;
    const read = await this.#options.client.get(refOf(cached), this.#options.hardStop);
    this.#written.delete(key);
    if (read.ok) return read.value;
    if (isNotFound(read.error)) return undefined;
    throw new Error(`reading the object: ${read.error.message}`);
  }

  async #work(key: string): Promise<void> {
    const { clock, metrics } = this.#options;
    const startedMs = clock.now();
    const slash = key.indexOf('/');
    const [namespace, name] = [key.slice(0, slash), key.slice(slash + 1)];
    const log = this.#log.with({ [this.kind]: { name, namespace }, namespace, name, reconcileID: randomUUID() });
    const superseded = new AbortController();
    this.#running.set(key, superseded);
    try {
      const object = await this.#current(key);
      if (object === undefined) {
        this.#queue.forget(key);
        this.#written.delete(key);
        return;
      }
      const conclusion = await reconcileOne(this.#controller, this.#options, {
        object,
        log,
        signal: this.#options.hardStop,
        superseded: superseded.signal,
        wrote: (written) => this.#noteWritten(key, written),
      });
      const tookMs = clock.now() - startedMs;
      metrics?.duration(refOf(object), tookMs);
      if (conclusion.kind === 'backoff') {
        log.error('Reconciler error', { error: conclusion.error });
        this.#queue.addRateLimited(key, conclusion.atMostMs);
        metrics?.reconciled(this.#label, 'error', tookMs);
        return;
      }
      this.#queue.forget(key);
      if (conclusion.kind === 'requeue') {
        this.#queue.addAfter(key, conclusion.jitter ? this.#jittered(conclusion.afterMs) : conclusion.afterMs);
        metrics?.reconciled(this.#label, 'requeue_after', tookMs);
      } else metrics?.reconciled(this.#label, 'success', tookMs);
    } catch (cause) {
      if (this.#options.hardStop.aborted) return;
      const error = cause instanceof Error ? cause.message : String(cause);
      log.error('Reconciler error', {
        error,
        ...(cause instanceof Error && cause.stack ? { stacktrace: cause.stack } : {}),
      });
      metrics?.panicked(this.#label);
      metrics?.reconciled(this.#label, 'error', clock.now() - startedMs);
      this.#queue.addRateLimited(key);
    } finally {
      this.#running.delete(key);
      // Others see what came of it in the cache.
      if (!this.#written.has(key)) this.#noteLooked(key);
    }
  }

  /** Nothing to remember when the watch was faster than the answer to our write. */
  #noteWritten(key: string, object: KubeObject): void {
    if (this.#find(key)?.metadata.resourceVersion === object.metadata.resourceVersion) this.#written.delete(key);
    else this.#written.set(key, object);
  }

  #jittered(intervalMs: number): number {
    const { intervalJitter = INTERVAL_JITTER, random = Math.random } = this.#options;
    return intervalMs * (1 + intervalJitter * (2 * random() - 1));
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubeObject): string {
  return `${namespace}/${name}`;
}
