import type { Clock } from '../../base/clock.ts';

/** Delay before the first retry of a failing key, and the longest one: client-go's default rate limiter (5 ms doubling to 1000 s). */
const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 1_000_000;

/** Counts what is queued or running in several queues, so that a test can wait until the control plane is quiet. */
export class Activity {
  #count = 0;
  #waiters: (() => void)[] = [];

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    if (this.#count > 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** Resolves when nothing is queued or running; timers that wait for the clock do not count. */
  idle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve));
  }
}

/** What a sync wants beside being done. */
export type Again = { readonly againInMs: number } | undefined;

/**
 * A queue of keys: a key waits at most once, is worked on by one worker at a time, and comes again after a delay that
 * doubles when its work throws. Delays run on the injected clock only.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #activity: Activity;
  readonly #work: (key: string) => Promise<Again>;
  readonly #failed: (key: string, error: unknown) => void;
  readonly #workers: number;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  #scheduled = 0;
  #stopped = false;

  constructor(options: {
    readonly clock: Clock;
    readonly activity: Activity;
    readonly workers: number;
    readonly work: (key: string) => Promise<Again>;
    readonly failed: (key: string, error: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#activity = options.activity;
    this.#workers = options.workers;
    this.#work = options.work;
    this.#failed = options.failed;
  }

  add(key: string): void {
    if (this.#stopped || this.#waiting.has(key)) return;
    this.#waiting.add(key);
    this.#activity.begin();
    this.#start();
  }

  /** Adds `key` after `delayMs`; of several delays of one key the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped) return;
    const at = this.#clock.now() + delayMs;
    const known = this.#timers.get(key);
    if (known !== undefined && known.at <= at) return;
    known?.cancel();
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { at, cancel });
  }

  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    for (const _ of this.#waiting) this.#activity.end();
    this.#waiting.clear();
  }

  #start(): void {
    while (this.#running.size + this.#scheduled < this.#workers && this.#scheduled < this.#waiting.size) {
      this.#scheduled++;
      // A microtask later, so that the commit that woke us has reached every other listener.
      void Promise.resolve().then(() => this.#run());
    }
  }

  async #run(): Promise<void> {
    this.#scheduled--;
    let key: string | undefined;
    for (const candidate of this.#waiting) {
      if (this.#running.has(candidate)) continue;
      key = candidate;
      break;
    }
    if (key === undefined || this.#stopped) return;
    this.#waiting.delete(key);
    this.#running.add(key);
    try {
      const again = await this.#work(key);
      this.#failures.delete(key);
      if (again !== undefined) this.addAfter(key, again.againInMs);
    } catch (error) {
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.#failed(key, error);
      this.addAfter(key, Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS));
    } finally {
      this.#running.delete(key);
      this.#activity.end();
      this.#start();
    }
  }
}
