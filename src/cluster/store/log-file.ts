import { closeSync, fdatasync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

const datasync = promisify(fdatasync);
const HEADER_BYTES = 8;
/** A record above this size cannot have been written by us: requests are at most 3 MiB. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** How far a log could be read. */
export interface LogEnd {
  /** Where the last good record ends. */
  readonly end: number;
  /** What follows it: nothing, the beginning of a record whose writing was cut short, or something that no append has written. */
  readonly rest: 'nothing' | 'torn' | 'damaged';
}

/**
 * An append-only file of records, each with its length and CRC-32 before it.
 * `append` has handed the bytes to the kernel when it returns (a killed process loses nothing); `sync` resolves when they are on the disk.
 * After a failed `sync` nobody knows what the disk holds: every later append and sync fails too, until the log is opened anew.
 */
export class LogFile {
  readonly path: string;
  readonly #file: number;
  #size: number;
  #syncing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure: Error | undefined;

  private constructor(path: string, file: number, size: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  /**
   * Opens or creates `path` and reads its records. A torn end is cut off; a damaged one only when `mayLose` says that the machine went down
   * while the log was open: then a write that nobody was told of may be there in parts.
   * @throws when the log is damaged.
   */
  static open(
    path: string,
    each: (payload: string) => void,
    mayLose = false,
  ): { readonly log: LogFile; readonly rest: LogEnd['rest'] } {
    const file = openSync(path, 'a+', 0o600);
    try {
      const { end, rest } = readRecords(file, each);
      if (rest === 'damaged' && !mayLose) throw new Error(`store: ${path} is damaged at byte ${end}`);
      if (rest !== 'nothing') ftruncateSync(file, end);
      return { log: new LogFile(path, file, end), rest };
    } catch (cause) {
      closeSync(file);
      throw cause;
    }
  }

  get sizeBytes(): number {
    return this.#size;
  }

  append(payload: string): void {
    if (this.#failure !== undefined) throw this.#failure;
    const record = encodeRecord(payload);
    let written = 0;
    try {
      while (written < record.length) written += writeSync(this.#file, record, written);
    } catch (cause) {
      this.#takeBack(cause as Error);
      throw cause;
    }
    this.#size += record.length;
  }

  /** A full disk may have taken half a record: what comes after it could not be read again. */
  #takeBack(cause: Error): void {
    try {
      ftruncateSync(this.#file, this.#size);
    } catch {
      this.#failure = cause;
    }
  }

  /** One disk flush at a time; callers that come during one share the next. */
  sync(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#syncing === undefined) {
      this.#syncing = datasync(this.#file)
        .catch((cause: unknown) => {
          this.#failure = cause as Error;
          throw cause;
        })
        .finally(() => {
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

/** Reads whole records from the start. */
export function readRecords(file: number, each: (payload: string) => void): LogEnd {
  const size = fstatSync(file).size;
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  let end = 0;
  while (end < size) {
    if (end + HEADER_BYTES > size) return { end, rest: 'torn' };
    readFully(file, header, end);
    const length = header.readUInt32LE(0);
    // No record is empty; zeros are what a file system leaves of a write that did not reach the disk.
    if (length === 0 || length > MAX_RECORD_BYTES) return { end, rest: 'damaged' };
    if (end + HEADER_BYTES + length > size) return { end, rest: 'torn' };
    const payload = Buffer.allocUnsafe(length);
    readFully(file, payload, end + HEADER_BYTES);
    if (crc32(payload) !== header.readUInt32LE(4)) return { end, rest: 'damaged' };
    each(payload.toString('utf8'));
    end += HEADER_BYTES + length;
  }
  return { end, rest: 'nothing' };
}

function readFully(file: number, into: Buffer, position: number): void {
  let done = 0;
  while (done < into.length) {
    const count = readSync(file, into, done, into.length - done, position + done);
    if (count === 0) throw new Error('store: the log ended while it was read');
    done += count;
  }
}
