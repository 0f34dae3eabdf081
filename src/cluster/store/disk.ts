import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { parseJson, stringifyJson } from '../../base/json.ts';
import { encodeRecord, LogFile, readRecords } from './log-file.ts';
import type { Journal, StoredObject } from './store.ts';
import { Store } from './store.ts';

/** A log is rolled into a snapshot when it is larger than this and than twice the last snapshot. */
const ROLL_BYTES = 32 * 1024 * 1024;
/** Revisions skipped when some may have been lost: more than a group commit can have shown to readers without the disk holding it. */
const LOSS_SKIP = 10_000;
/** There while the store is open, with the machine's boot in it: tells a killed process from a machine that went down. */
const OPEN = 'open';
const SLICE = 200;

const SNAPSHOT = /^snapshot-(\d+)$/;
const LOG = /^log-(\d+)$/;

/**
 * Opens the store under `directory` (created with mode 0700): the newest snapshot, then the logs after it.
 * @throws when the directory cannot be written, or a file is damaged before its end.
 */
export function openStore(directory: string): Store {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const names = readdirSync(directory);
  const snapshot = newest(names, SNAPSHOT);
  const store = new Store(snapshot);
  let snapshotBytes = 0;
  if (snapshot !== undefined) snapshotBytes = readSnapshot(join(directory, `snapshot-${snapshot}`), store);
  // A snapshot's own log begins where it was taken: what older logs hold is in it, or was replaced by it.
  const logs = revisions(names, LOG).filter((revision) => revision >= (snapshot ?? 0));
  let last: LogFile | undefined;
  const before = lastEnd(directory);
  let lost = before === 'machine';
  for (const [index, revision] of logs.entries()) {
    const path = join(directory, `log-${revision}`);
    const opened = LogFile.open(path, (payload) => store.replay(payload, parseObject), before === 'machine');
    // A killed process had shown nothing of the record it was writing; a store that was closed has no such record.
    if (opened.rest !== 'nothing' && before === 'closed') lost = true;
    if (index === logs.length - 1) last = opened.log;
    else void opened.log.close();
  }
  if (lost) store.advance(store.revision + LOSS_SKIP);
  last ??= LogFile.open(join(directory, `log-${store.revision}`), () => undefined).log;
  writeFileSync(join(directory, OPEN), bootId(), { mode: 0o600 });
  syncDirectory(directory);
  const journal = new DiskJournal(directory, store, last, snapshotBytes);
  store.attach(journal);
  return store;
}

/** How the store ended the last time: closed, its process killed, or perhaps the whole machine gone down (with unwritten pages). */
function lastEnd(directory: string): 'closed' | 'process' | 'machine' {
  const path = join(directory, OPEN);
  if (!existsSync(path)) return 'closed';
  const boot = readFileSync(path, 'utf8');
  return boot !== '' && boot === bootId() ? 'process' : 'machine';
}

/** Changes with every start of the machine; empty where the system does not tell. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

class DiskJournal implements Journal {
  readonly #directory: string;
  readonly #store: Store;
  #log: LogFile;
  #snapshotBytes: number;
  #rolling: Promise<void> | undefined;
  /** Of the log before this one. */
  #settled: Promise<void> = Promise.resolve();

  constructor(directory: string, store: Store, log: LogFile, snapshotBytes: number) {
    this.#directory = directory;
    this.#store = store;
    this.#log = log;
    this.#snapshotBytes = snapshotBytes;
  }

  append(payload: string): void {
    this.#log.append(payload);
    // What was just appended is in the store only when the caller is done.
    if (this.#rolling === undefined && this.#log.sizeBytes > Math.max(ROLL_BYTES, 2 * this.#snapshotBytes))
      this.#begin(() => setImmediate().then(() => this.#roll())).catch(() => undefined);
  }

  roll(): Promise<void> {
    return this.#rolling ?? this.#begin(() => this.#roll());
  }

  #begin(work: () => Promise<void>): Promise<void> {
    this.#rolling = work().finally(() => {
      this.#rolling = undefined;
    });
    return this.#rolling;
  }

  /** Nothing is acknowledged before what came before it, also where that is in another file. */
  async sync(): Promise<void> {
    const log = this.#log;
    await this.#settled;
    await log.sync();
  }

  async close(): Promise<void> {
    await this.#rolling?.catch(() => undefined);
    await this.#log.close();
    rmSync(join(this.#directory, OPEN), { force: true });
  }

  /** Begins a new log, writes the state at that moment as a snapshot, then drops what came before it. */
  async #roll(): Promise<void> {
    const revision = this.#store.revision;
    // Taken here: the new log holds what comes after, and nothing may be in both.
    const entries = this.#store.entries();
    const old = this.#log;
    this.#log = LogFile.open(join(this.#directory, `log-${revision}`), () => undefined).log;
    this.#settled = old.sync();
    await this.#settled;
    this.#snapshotBytes = await writeSnapshot(join(this.#directory, `snapshot-${revision}`), entries, revision);
    await old.close();
    removeBefore(this.#directory, revision);
  }
}

/** Writes a store's objects, as they were at `revision`, to `path`, whole or not at all; resolves to its size in bytes. */
async function writeSnapshot(path: string, entries: Iterable<StoredObject>, revision: number): Promise<number> {
  const file = openSync(`${path}.part`, 'w', 0o600);
  let size = 0;
  try {
    for await (const record of snapshotRecords(entries, revision)) {
      let done = 0;
      while (done < record.length) done += writeSync(file, record, done);
      size += record.length;
    }
    fsyncSync(file);
    closeSync(file);
  } catch (cause) {
    closeSync(file);
    rmSync(`${path}.part`, { force: true });
    throw cause;
  }
  renameSync(`${path}.part`, path);
  syncDirectory(dirname(path));
  return size;
}

/** A snapshot in pieces: the revision, every object, and an end by which a whole one is known. Lets others work in between. */
export async function* snapshotRecords(entries: Iterable<StoredObject>, revision: number): AsyncGenerator<Uint8Array> {
  yield encodeRecord(JSON.stringify([revision]));
  let count = 0;
  for (const { resource, key, object } of entries) {
    yield encodeRecord(`${JSON.stringify([resource, key])}\n${stringifyJson(object as unknown as Json)}`);
    if (++count % SLICE === 0) await setImmediate();
  }
  yield encodeRecord('[]');
}

/** Reads a snapshot into `store`; resolves to its size. @throws when it is damaged. */
export function readSnapshot(path: string, store: Store): number {
  const file = openSync(path, 'r');
  try {
    let complete = false;
    const { end, rest } = readRecords(file, (payload) => {
      const newline = payload.indexOf('\n');
      if (newline < 0) {
        const [revision] = JSON.parse(payload) as [number?];
        if (revision === undefined) complete = true;
        else store.advance(revision);
        return;
      }
      const [resource, key] = JSON.parse(payload.slice(0, newline)) as [string, string];
      const text = payload.slice(newline + 1);
      store.restore(resource, key, parseObject(text), text.length);
    });
    if (rest !== 'nothing' || !complete) throw new Error(`${path} is no snapshot, or damaged at byte ${end}`);
    return end;
  } finally {
    closeSync(file);
  }
}

/** Replaces what `directory` holds by the snapshot file `from`. The cluster must not run. @throws when the file is no snapshot, or damaged. */
export async function importSnapshot(directory: string, from: string): Promise<void> {
  const store = new Store();
  readSnapshot(from, store);
  await replaceState(directory, store);
}

/**
 * Replaces what `directory` holds by `store`, whole or not at all: objects keep their versions. The cluster must not run.
 * Revisions never go back: clients that watched the replaced state must notice, hence the counter passes both.
 */
export async function replaceState(directory: string, store: Store): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const revision = Math.max(await lastRevision(directory), store.revision) + 1;
  store.advance(revision);
  await writeSnapshot(join(directory, `snapshot-${revision}`), store.entries(), revision);
  removeBefore(directory, revision);
}

/** The last revision that was given out; of files that cannot be read, one that is above it for sure. */
async function lastRevision(directory: string): Promise<number> {
  try {
    const store = openStore(directory);
    await store.close();
    return store.revision;
  } catch {
    const names = readdirSync(directory);
    const known = [...revisions(names, LOG), ...revisions(names, SNAPSHOT)];
    // A log is at most a few times ROLL_BYTES long, and no record is shorter than 64 bytes.
    return Math.max(0, ...known) + ROLL_BYTES;
  }
}

function removeBefore(directory: string, revision: number): void {
  for (const name of readdirSync(directory)) {
    const past = revisionOf(name, LOG) ?? revisionOf(name, SNAPSHOT);
    if (past !== undefined && past < revision) rmSync(join(directory, name), { force: true });
  }
  syncDirectory(directory);
}

function parseObject(text: string): KubeObject {
  return parseJson(text) as unknown as KubeObject;
}

function newest(names: readonly string[], pattern: RegExp): number | undefined {
  return revisions(names, pattern).at(-1);
}

function revisions(names: readonly string[], pattern: RegExp): readonly number[] {
  return names
    .map((name) => revisionOf(name, pattern))
    .filter((revision) => revision !== undefined)
    .sort((a, b) => a - b);
}

function revisionOf(name: string, pattern: RegExp): number | undefined {
  const match = pattern.exec(name);
  return match === null ? undefined : Number(match[1]);
}

function syncDirectory(directory: string): void {
  const file = openSync(directory, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Writes the state under `directory` to the file `to`. The cluster must not run. */
export async function exportSnapshot(directory: string, to: string): Promise<void> {
  const store = openStore(directory);
  await writeSnapshot(to, store.entries(), store.revision);
  await store.close();
}
