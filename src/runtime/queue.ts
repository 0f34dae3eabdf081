import type { Clock } from '../base/clock.ts';

export interface QueueOptions {
  readonly clock: Clock;
  /** Keys worked on at the same time. */
  readonly concurrency: number;
  /** First and longest pause of {@link WorkQueue.addRateLimited}. */
  readonly minRetryMs: number;
  readonly maxRetryMs: number;
  /** Does the work of one key; must not throw. */
  readonly work: (key: string) => Promise<void>;
  readonly observe?: QueueObserver;
}

/** What metrics want to know. */
export interface QueueObserver {
  depth(depth: number): void;
  added(): void;
  /** A key left the queue after waiting `waitedMs`. */
  started(waitedMs: number): void;
  finished(workedMs: number): void;
  retried(): void;
  active(workers: number): void;
}

/** Long enough for a pass that changes something, short enough to hold nobody up behind one that waits. */
const HEAD_START_MS = 250;

/**
 * A work queue keyed by name: a key waits at most once, is never worked on twice at the same time, and is worked on again
 * when it was added meanwhile. First come, first served. Source of the rules: client-go@0.34 util/workqueue.
 * What is urgent goes before, and for the time of a head start nothing else begins beside it: hundreds that only report would take
 * processor and server from the one that somebody waits for.
 */
export class WorkQueue {
  readonly #options: QueueOptions;
  /** Insertion order is the order of work; the value is when the key came. */
  readonly #waiting = new Map<string, number>();
  /** Waiting keys that go first. */
  readonly #urgent = new Set<string>();
  readonly #running = new Set<string>();
  /** Urgent keys that run in the head start that is under way; `cancel` stops its clock. */
  #headStart: { readonly leaders: Set<string>; readonly cancel: () => void } | undefined;
  /** Whether a head start has just ended: one of those that were held up is next, however much is urgent. */
  #isOwed = false;
  /** Running keys that were added meanwhile, and whether they are urgent. */
  readonly #again = new Map<string, boolean>();
  readonly #delayed = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Queues `key` now, in place of a delayed add. */
  add(key: string): void {
    if (this.#stopped) return;
    this.#cancelDelayed(key);
    if (this.#running.has(key)) {
      if (!this.#again.has(key)) this.#again.set(key, false);
      return;
    }
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, this.#options.clock.now());
    this.#options.observe?.added();
    this.#options.observe?.depth(this.#waiting.size);
    this.#next();
  }

  /** Queues `key` now, before those that wait already. */
  addFirst(key: string): void {
    if (this.#stopped) return;
    if (this.#running.has(key)) {
      this.#cancelDelayed(key);
      this.#again.set(key, true);
      return;
    }
    this.#urgent.add(key);
    if (this.#waiting.has(key)) this.#next();
    else this.add(key);
  }

  /** Queues `key` after `delayMs`, unless it is due earlier already. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const { clock } = this.#options;
    const at = clock.now() + delayMs;
    const known = this.#delayed.get(key);
    if (known !== undefined && known.at <= at) return;
    known?.cancel();
    const cancel = clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, cancel });
  }

  /** Queues `key` after a pause that doubles with each call since {@link forget}, up to `atMostMs`. Returns the pause. */
  addRateLimited(key: string, atMostMs: number = Number.POSITIVE_INFINITY): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const { minRetryMs, maxRetryMs } = this.#options;
    const pause = Math.min(minRetryMs * 2 ** Math.min(failures, 40), maxRetryMs, atMostMs);
    this.#options.observe?.retried();
    this.addAfter(key, pause);
    return pause;
  }

  /** Ends the counting of failures of `key`. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Drops every plan for `key`; work that runs goes on. */
  drop(key: string): void {
    this.forget(key);
    this.#cancelDelayed(key);
    this.#again.delete(key);
    this.#urgent.delete(key);
    if (this.#waiting.delete(key)) this.#options.observe?.depth(this.#waiting.size);
  }

  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** Takes nothing more up; resolves when the running work is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#headStart?.cancel();
    this.#headStart = undefined;
    this.#waiting.clear();
    this.#urgent.clear();
    this.#again.clear();
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #cancelDelayed(key: string): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }

  #next(): void {
    const { clock, concurrency, observe } = this.#options;
    while (!this.#stopped && this.#running.size < concurrency) {
      const key = this.#pick();
      if (key === undefined) return;
      const since = this.#waiting.get(key) ?? clock.now();
      const isUrgent = this.#urgent.delete(key);
      this.#waiting.delete(key);
      this.#running.add(key);
      if (isUrgent) this.#lead(key);
      else this.#isOwed = false;
      observe?.depth(this.#waiting.size);
      observe?.started(clock.now() - since);
      observe?.active(this.#running.size);
      void this.#run(key);
    }
  }

  #pick(): string | undefined {
    const urgent = this.#urgent.values().next().value;
    if (this.#headStart !== undefined || (urgent !== undefined && !this.#isOwed)) return urgent;
    for (const key of this.#waiting.keys()) if (!this.#urgent.has(key)) return key;
    return urgent;
  }

  #lead(key: string): void {
    this.#headStart ??= {
      leaders: new Set(),
      cancel: this.#options.clock.after(HEAD_START_MS, () => {
        this.#headStart = undefined;
        this.#isOwed = true;
        this.#next();
      }),
    };
    this.#headStart.leaders.add(key);
  }

  #follow(key: string): void {
    if (this.#headStart?.leaders.delete(key) !== true || this.#headStart.leaders.size > 0) return;
    this.#headStart.cancel();
    this.#headStart = undefined;
  }

  async #run(key: string): Promise<void> {
    const { clock, work, observe } = this.#options;
    const startedMs = clock.now();
    try {
      await work(key);
    } finally {
      this.#running.delete(key);
      this.#follow(key);
      observe?.finished(clock.now() - startedMs);
      observe?.active(this.#running.size);
      const again = this.#again.get(key);
      this.#again.delete(key);
      if (again === true) this.addFirst(key);
      else if (again === false) this.add(key);
      this.#next();
      if (this.#running.size === 0) {
        for (const resolve of this.#idle) resolve();
        this.#idle = [];
      }
    }
  }
}
