import type { Clock } from '../base/clock.ts';
import { ok, type Result } from '../base/result.ts';

/** Something that may be used until a time (milliseconds since the epoch). */
export interface Expiring<T> {
  readonly value: T;
  readonly expiresAtMs: number;
}

/** Flux's `--token-cache-max-size` (0: nothing is kept) and `--token-cache-max-duration`. */
export interface TokenCacheOptions {
  readonly clock: Clock;
  readonly maxEntries: number;
  readonly maxAgeMs: number;
}

/** A token is renewed after this part of its life, as the kubelet does. Source: fluxcd/pkg@cache/v0.14.0 cache/token.go. */
const USED_PART = 0.8;

/** Keeps tokens in memory until shortly before they end. Who asks while one is being made waits for that one. */
export class TokenCache<T> {
  readonly #options: TokenCacheOptions;
  readonly #kept = new Map<string, Expiring<T>>();
  readonly #making = new Map<string, Promise<Result<T, string>>>();

  constructor(options: TokenCacheOptions) {
    this.#options = options;
  }

  /** `key` says all that the token depends on: who asks, for what, where. */
  async get(key: string, make: () => Promise<Result<Expiring<T>, string>>): Promise<Result<T, string>> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#options.clock.now() < kept.expiresAtMs) return ok(kept.value);
    const known = this.#making.get(key);
    if (known !== undefined) return known;
    const made = this.#make(key, make).finally(() => this.#making.delete(key));
    this.#making.set(key, made);
    return made;
  }

  async #make(key: string, make: () => Promise<Result<Expiring<T>, string>>): Promise<Result<T, string>> {
    this.#kept.delete(key);
    const { clock, maxEntries, maxAgeMs } = this.#options;
    const made = await make();
    if (!made.ok) return made;
    const now = clock.now();
    const lifeMs = Math.min(maxAgeMs, (made.value.expiresAtMs - now) * USED_PART);
    if (maxEntries > 0 && lifeMs > 0) this.#kept.set(key, { value: made.value.value, expiresAtMs: now + lifeMs });
    // The one kept longest goes first.
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxEntries) break;
      this.#kept.delete(oldest);
    }
    return ok(made.value.value);
  }
}
