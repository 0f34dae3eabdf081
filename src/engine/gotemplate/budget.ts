import { GoError } from './value.ts';

/** Bounds on what a rendering may cost: a template is foreign code, and may loop or grow without end. */
export interface Limits {
  /**
   * Templates that are executed inside one another. Go stops at 100000, and Helm at 1000 of one name by include. A stack of
   * 1 MB ends at some hundreds, one of 4 MB (a worker's) at more than 1000: that is the same error then.
   */
  readonly depth: number;
  /** Nodes, iterations and calls, and for texts and lists that go through functions a share of their length. */
  readonly steps: number;
  /** UTF-16 units written, of all templates of the rendering together. */
  readonly output: number;
  /** UTF-16 units of one string that a function makes. */
  readonly text: number;
}

/** Twenty million steps take some seconds; three thousand objects take about half a million. */
export const DEFAULT_LIMITS: Limits = {
  depth: 2000,
  steps: 20_000_000,
  output: 64 * 1024 * 1024,
  text: 64 * 1024 * 1024,
};

/** What one rendering has left; executors that belong together share one. */
export class Budget {
  readonly limits: Limits;
  #steps = 0;
  #output = 0;
  #depth = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** A template begins: {@link leave} ends it. @throws GoError when too many are open. */
  enter(): void {
    if (this.#depth >= this.limits.depth) {
      throw new GoError(`exceeded maximum template depth (${this.limits.depth})`);
    }
    this.#depth++;
  }

  leave(): void {
    this.#depth--;
  }

  /** @throws GoError when the steps are used up. */
  step(count: number): void {
    this.#steps += count;
    if (this.#steps > this.limits.steps) throw new GoError(`rendering takes more than ${this.limits.steps} steps`);
  }

  /** @throws GoError when the output is too long. */
  write(length: number): void {
    this.#output += length;
    if (this.#output > this.limits.output) {
      throw new GoError(`output is longer than ${this.limits.output} characters`);
    }
  }

  /** Counts a value that goes into a function or comes out of it, and gives it back. */
  passed<T>(value: T): T {
    if (typeof value === 'string') {
      if (value.length >= 64) this.#text(value.length);
    } else if (Array.isArray(value) && value.length >= 16) this.step(value.length >>> 4);
    return value;
  }

  #text(length: number): void {
    if (length > this.limits.text) throw new GoError(`text is longer than ${this.limits.text} characters`);
    this.step(length >>> 6);
  }
}
