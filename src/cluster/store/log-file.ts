import { closeSync, fdatasync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

const datasync = promisify(fdatasync);
const HEADER_BYTES = 8;
/** A record above this size cannot have been written by us: requests are at most 3 MiB. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/**
 * An append-only file of records, each with its length and CRC-32 before it.
 * `append` has handed the bytes to the kernel when it returns (a killed process loses nothing); `sync` resolves when they are on the disk.
 */
export class LogFile {
  readonly path: string;
  readonly #file: number;
  #size: number;
  #syncing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(path: string, file: number, size: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  /** Opens or creates `path`, reads its records and cuts off a torn one at the end. */
  static open(path: string, each: (payload: string) => void): { readonly log: LogFile; readonly torn: boolean } {
    const file = openSync(path, 'a+', 0o600);
    try {
      const { end, torn } = readRecords(file, each);
      if (torn) ftruncateSync(file, end);
      return { log: new LogFile(path, file, end), torn };
    } catch (cause) {
      closeSync(file);
      throw cause;
    }
  }

  get sizeBytes(): number {
    return this.#size;
  }

  append(payload: string): void {
    const record = encodeRecord(payload);
    let written = 0;
    while (written < record.length) written += writeSync(this.#file, record, written);
    this.#size += record.length;
  }

  /** One disk flush at a time; callers that come during one share the next. */
  sync(): Promise<void> {
    if (this.#syncing === undefined) {
      this.#syncing = datasync(this.#file).finally(() => {
        this.#syncing = undefined;
      });
      return this.#syncing;
    }
    this.#next ??= this.#syncing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.sync();
      });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#next?.catch(() => undefined);
    await this.#syncing?.catch(() => undefined);
    fsyncSync(this.#file);
    closeSync(this.#file);
  }
}

export function encodeRecord(payload: string): Uint8Array {
  const length = Buffer.byteLength(payload);
  const record = Buffer.allocUnsafe(HEADER_BYTES + length);
  record.write(payload, HEADER_BYTES);
  record.writeUInt32LE(length, 0);
  record.writeUInt32LE(crc32(record.subarray(HEADER_BYTES)), 4);
  return record;
}

/** Reads whole records from the start; `end` is where the last good one ends. */
export function readRecords(
  file: number,
  each: (payload: string) => void,
): { readonly end: number; readonly torn: boolean } {
  const size = fstatSync(file).size;
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  let end = 0;
  while (end + HEADER_BYTES <= size) {
    readFully(file, header, end);
    const length = header.readUInt32LE(0);
    if (length > MAX_RECORD_BYTES || end + HEADER_BYTES + length > size) break;
    const payload = Buffer.allocUnsafe(length);
    readFully(file, payload, end + HEADER_BYTES);
    if (crc32(payload) !== header.readUInt32LE(4)) break;
    each(payload.toString('utf8'));
    end += HEADER_BYTES + length;
  }
  return { end, torn: end < size };
}

function readFully(file: number, into: Buffer, position: number): void {
  let done = 0;
  while (done < into.length) {
    const count = readSync(file, into, done, into.length - done, position + done);
    if (count === 0) throw new Error('store: the log ended while it was read');
    done += count;
  }
}
