import type { LogOptions } from '../../pod-program.ts';

/** Lines kept per container; older ones go, as a rotated log file does. */
const MAX_LINES = 1000;

export interface LogLine {
  readonly atMs: number;
  readonly text: string;
}

/** The log of one run of a container: bounded, and followed by any number of readers. */
export class LogLines {
  #lines: LogLine[] = [];
  #dropped = 0;
  #wake: (() => void)[] = [];
  #ended = false;

  add(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) {
      this.#lines.shift();
      this.#dropped++;
    }
    this.#notify();
  }

  /** No more lines come: followers finish. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resume of wake) resume();
  }

  async *read(options: LogOptions, nowMs: number): AsyncIterable<string> {
    const { follow, tailLines, sinceMs, limitBytes, signal } = options;
    const since = sinceMs === undefined ? 0 : nowMs - sinceMs;
    const recent = this.#lines.filter(({ atMs }) => atMs >= since);
    const skip = tailLines === undefined ? 0 : Math.max(0, recent.length - tailLines);
    let left = limitBytes ?? Infinity;
    let next = this.#dropped + this.#lines.length;
    for (const line of recent.slice(skip)) {
      const text = written(line, options.timestamps);
      left -= Buffer.byteLength(text) + 1;
      if (left < 0) return;
      yield text;
    }
    const onAbort = (): void => this.#notify();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      while (follow && signal?.aborted !== true) {
        const first = Math.max(next, this.#dropped);
        const fresh = this.#lines.slice(first - this.#dropped);
        next = first + fresh.length;
        for (const line of fresh) {
          const text = written(line, options.timestamps);
          left -= Buffer.byteLength(text) + 1;
          if (left < 0) return;
          yield text;
        }
        if (fresh.length > 0) continue;
        if (this.#ended) return;
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

function written({ atMs, text }: LogLine, timestamps: boolean): string {
  return timestamps ? `${new Date(atMs).toISOString().slice(0, 23)}000000Z ${text}` : text;
}
