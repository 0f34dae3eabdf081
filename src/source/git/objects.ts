import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { BareRepository } from './bare.ts';
import type { GitObject, RememberedObjects } from './object-memory.ts';
import { killGroup } from './run.ts';
import type { GitSession } from './session.ts';

/** Hashes are asked for as such; all else is a name whose object may be another one every time. */
const HASH = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Reads objects of one repository by `git cat-file --batch`, which runs until {@link ObjectReader.close}. */
export class ObjectReader {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #maxBytes: number;
  readonly #remembered: RememberedObjects;
  readonly #waiting: { done(object: GitObject | undefined): void; fail(cause: Error): void }[] = [];
  readonly #abort: () => void;
  readonly #signal: AbortSignal;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed = 1;
  #failure: Error | undefined;

  constructor(
    repository: BareRepository,
    session: GitSession,
    signal: AbortSignal,
    maxBytes: number,
    remembered: RememberedObjects,
  ) {
    this.#maxBytes = maxBytes;
    this.#remembered = remembered;
    this.#signal = signal;
    this.#child = spawn('git', [`--git-dir=${repository.directory}`, 'cat-file', '--batch'], {
      cwd: session.cwd,
      env: session.env,
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes >= this.#needed) this.#consume();
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (cause) => this.#stop(cause));
    this.#child.on('close', () => this.#stop(new Error('git cat-file ended')));
    this.#abort = () => this.#stop(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  /** The object of a hash or of one of our own references; undefined when it is not there. `name` must hold no line break. */
  async read(name: string): Promise<GitObject | undefined> {
    if (!HASH.test(name)) return this.#ask(name);
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const object = await this.#ask(name);
    if (object !== undefined) this.#remembered.add(object);
    return object;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#remembered.close();
    this.#stop(new Error('closed'));
  }

  #ask(name: string): Promise<GitObject | undefined> {
    return new Promise((done, fail) => {
      if (this.#failure !== undefined) return fail(this.#failure);
      this.#waiting.push({ done, fail });
      this.#child.stdin.write(`${name}\n`);
    });
  }

  #consume(): void {
    let buffer = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    for (;;) {
      const end = buffer.indexOf(0x0a);
      if (end < 0) {
        this.#keep(buffer, buffer.length + 1);
        return;
      }
      const [hash = '', type = '', digits = ''] = buffer.toString('latin1', 0, end).split(' ');
      const size = Number(digits);
      if (digits === '') {
        // `<name> missing`
        buffer = buffer.subarray(end + 1);
        this.#waiting.shift()?.done(undefined);
        continue;
      }
      if (!Number.isSafeInteger(size) || size > this.#maxBytes) {
        this.#stop(new ObjectTooLarge(`object ${hash} has ${digits} bytes, more than ${this.#maxBytes}`));
        return;
      }
      const total = end + 1 + size + 1;
      if (buffer.length < total) {
        this.#keep(buffer, total);
        return;
      }
      const content = buffer.subarray(end + 1, end + 1 + size);
      buffer = buffer.subarray(total);
      this.#waiting.shift()?.done({ hash, type: type as GitObject['type'], content });
    }
  }

  #keep(buffer: Buffer, needed: number): void {
    this.#chunks = buffer.length === 0 ? [] : [buffer];
    this.#bytes = buffer.length;
    this.#needed = needed;
  }

  #stop(cause: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = cause;
    if (this.#child.exitCode === null && this.#child.signalCode === null) killGroup(this.#child.pid);
    for (const waiting of this.#waiting.splice(0)) waiting.fail(cause);
  }
}

/** Thrown by {@link ObjectReader.read} for an object beyond the limit. */
export class ObjectTooLarge extends Error {}
