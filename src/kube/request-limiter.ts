import type { Clock } from '../base/clock.ts';

/** Requests per second a client may send, with bursts: client-go's token bucket. */
export interface RateLimit {
  readonly qps: number;
  readonly burst: number;
}

/** A token bucket whose waiters are served in order. */
export class RequestLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst;
    this.#at = clock.now();
  }

  /** Takes a token and tells how many milliseconds to wait before it is there. */
  reserve(): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + ((now - this.#at) / 1000) * this.#limit.qps);
    this.#at = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#limit.qps) * 1000;
  }
}
