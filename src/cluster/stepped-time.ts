import type { Clock } from '../base/clock.ts';
import { ManualClock } from '../base/clock.ts';

/**
 * A cluster's time that stands still until it is moved: give `clock` to the control plane and to its controllers. `advance` goes
 * from timer to timer and lets every controller come to rest before the next one, so an hour takes as long as its work, and the
 * same requests lead to the same states each time.
 */
export class SteppedTime {
  readonly #clock: ManualClock;
  #idle: () => Promise<void> = () => Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();

  /** @param startMs milliseconds since the epoch; cut to whole seconds, so that what is written in seconds is exact. */
  constructor(startMs: number) {
    this.#clock = new ManualClock(Math.floor(startMs / 1000) * 1000);
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Says what resolves when nothing is left to do until the clock moves: `Workloads.idle`. */
  waitFor(idle: () => Promise<void>): void {
    this.#idle = idle;
  }

  /** Moves the time by `ms`, after everybody who asked before. Resolves with the new time, when the cluster rests. */
  advance(ms: number): Promise<number> {
    const moved = this.#last.then(() => this.#move(ms));
    this.#last = moved.catch(() => undefined);
    return moved;
  }

  async #move(ms: number): Promise<number> {
    const clock = this.#clock;
    const end = clock.now() + ms;
    await this.#idle();
    for (let next = clock.next(); next !== undefined && next <= end; next = clock.next()) {
      clock.advance(Math.max(0, next - clock.now()));
      await this.#idle();
    }
    clock.advance(end - clock.now());
    await this.#idle();
    return clock.now();
  }
}
