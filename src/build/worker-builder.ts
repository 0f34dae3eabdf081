import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { err, type Result } from '../base/result.ts';
import type { BuildError, BuildRequest, BuildResult } from './build.ts';
import { type Builder, inlineBuilder } from './builder.ts';
import type { WorkerRequest } from './worker.ts';

export interface WorkerBuilderOptions {
  /** The worker's file (`build-worker.mjs` beside the bundle). */
  readonly file: URL;
  readonly clock: Clock;
  /** A build that takes longer is ended, and its thread with it. */
  readonly timeoutMs?: number;
  /** Heap of the thread; a build that needs more is ended. */
  readonly heapMb?: number;
}

/** Far above what a repository of thousands of objects takes (some seconds). */
const TIMEOUT_MS = 60_000;
const HEAP_MB = 512;

interface Job {
  readonly message: WorkerRequest;
  finish(result: Result<BuildResult, BuildError>): void;
}

/** The builder of a bundle: its worker's file lies beside it. From the sources there is none, and builds run in the caller's thread. */
export function openBuilder(clock: Clock): Builder {
  const file = new URL('./build-worker.mjs', import.meta.url);
  return existsSync(file) ? workerBuilder({ file, clock }) : inlineBuilder();
}

/**
 * Builds in one thread of its own, one after the other, so that hostile content can neither hold up the engine nor fill its heap.
 * The thread starts with the first build and is replaced after one that had to be ended.
 */
export function workerBuilder(options: WorkerBuilderOptions): Builder {
  return new WorkerBuilder(options);
}

class WorkerBuilder implements Builder {
  readonly #options: WorkerBuilderOptions;
  readonly #waiting: Job[] = [];
  #worker: Worker | undefined;
  #current: Job | undefined;
  #cancelTimeout: () => void = () => undefined;
  #lastId = 0;

  constructor(options: WorkerBuilderOptions) {
    this.#options = options;
  }

  build(directory: string, request: BuildRequest, signal: AbortSignal): Promise<Result<BuildResult, BuildError>> {
    signal.throwIfAborted();
    return new Promise((resolve) => {
      this.#waiting.push({ message: { id: ++this.#lastId, directory, request }, finish: resolve });
      this.#next();
    });
  }

  async close(): Promise<void> {
    const stopped = limit('the engine is stopping');
    for (const job of this.#waiting.splice(0)) job.finish(stopped);
    this.#end(stopped);
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #next(): void {
    if (this.#current !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    this.#current = job;
    const { clock, timeoutMs = TIMEOUT_MS } = this.#options;
    this.#cancelTimeout = clock.after(timeoutMs, () => {
      this.#replace(limit(`the build took longer than ${timeoutMs / 1000}s`));
    });
    this.#start().postMessage(job.message);
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const { file, heapMb = HEAP_MB } = this.#options;
    const worker = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: heapMb } });
    this.#worker = worker;
    worker.on('message', ({ id, result }: { id: number; result: Result<BuildResult, BuildError> }) => {
      if (this.#current?.message.id === id) this.#end(result);
    });
    worker.on('error', (cause) => {
      if (this.#worker !== worker) return;
      const { message } = cause as Error;
      const memory = (cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#replace(limit(memory ? `the build needed more than ${heapMb} MiB` : message));
    });
    // After the listeners: adding one holds the process again.
    worker.unref();
    return worker;
  }

  /** Ends the thread: its build is over with `result`, the next one gets a new thread. */
  #replace(result: Result<never, BuildError>): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#end(result);
  }

  #end(result: Result<BuildResult, BuildError>): void {
    this.#cancelTimeout();
    const job = this.#current;
    this.#current = undefined;
    job?.finish(result);
    this.#next();
  }
}

function limit(message: string): Result<never, BuildError> {
  return err({ code: 'limit', message: `kustomize build failed: ${message}` });
}
