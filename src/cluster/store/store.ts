import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import { stringifyJson } from '../../base/json.ts';
import type { StoreEvent } from './window.ts';
import { Window } from './window.ts';

/** Where commits go before they are acknowledged; absent for an ephemeral store. */
export interface Journal {
  /** Hands one commit to the kernel; throws when the disk refuses. */
  append(payload: string): void;
  /** Resolves when everything appended so far is on the disk. */
  sync(): Promise<void>;
  /** Puts a snapshot in the place of everything appended so far. */
  roll(): Promise<void>;
  close(): Promise<void>;
}

export interface Entry {
  readonly object: KubeObject;
  readonly revision: number;
  readonly bytes: number;
}

export interface StoredObject {
  readonly resource: string;
  readonly key: string;
  readonly object: KubeObject;
}

interface Shelf {
  readonly entries: Map<string, Entry>;
  /** Keys in byte order, as etcd lists them; rebuilt when a key came or went. */
  sorted: readonly string[] | undefined;
}

/** A write that the caller based on `expected`: the entry it read, or undefined for "must not exist". */
export interface Write {
  readonly resource: string;
  readonly key: string;
  readonly expected: Entry | undefined;
  /** The new state; undefined deletes. */
  readonly object: KubeObject | undefined;
}

export type Listener = (event: StoreEvent) => void;

/** Below this a store begins; a real one has a few hundred revisions behind it when it first answers. */
const FIRST_REVISION = 1;

/**
 * Objects by resource and key, one revision counter for all, and the recent history.
 * Reads and writes are synchronous and hence linearizable; `flushed` tells when a write may be acknowledged.
 */
export class Store {
  readonly #shelves = new Map<string, Shelf>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #all = new Set<Listener>();
  #window: Window;
  #revision: number;
  #journal: Journal | undefined;
  readonly #pending: StoreEvent[] = [];
  #telling = false;

  constructor(revision: number = FIRST_REVISION) {
    this.#revision = revision;
    this.#window = new Window(revision);
  }

  get revision(): number {
    return this.#revision;
  }

  get window(): Window {
    return this.#window;
  }

  attach(journal: Journal): void {
    this.#journal = journal;
  }

  get(resource: string, key: string): Entry | undefined {
    return this.#shelves.get(resource)?.entries.get(key);
  }

  count(resource: string): number {
    return this.#shelves.get(resource)?.entries.size ?? 0;
  }

  /** Keys of `resource` that begin with `prefix`, in byte order. */
  keys(resource: string, prefix = ''): readonly string[] {
    const shelf = this.#shelves.get(resource);
    if (shelf === undefined) return [];
    shelf.sorted ??= [...shelf.entries.keys()].sort(byBytes);
    if (prefix === '') return shelf.sorted;
    const start = lowerBound(shelf.sorted, prefix);
    let end = start;
    while (end < shelf.sorted.length && (shelf.sorted[end] as string).startsWith(prefix)) end++;
    return shelf.sorted.slice(start, end);
  }

  list(resource: string, prefix = ''): readonly KubeObject[] {
    return this.listEntries(resource, prefix).map(({ object }) => object);
  }

  /** In the order of {@link keys}. */
  listEntries(resource: string, prefix = ''): readonly Entry[] {
    const entries = this.#shelves.get(resource)?.entries;
    if (entries === undefined) return [];
    return this.keys(resource, prefix).map((key) => entries.get(key) as Entry);
  }

  /** Keys and objects as they were at `revision`; undefined when that is forgotten. */
  listAt(
    resource: string,
    prefix: string,
    revision: number,
  ): readonly { readonly key: string; readonly object: KubeObject }[] | undefined {
    const past = new Map<string, KubeObject>();
    const entries = this.#shelves.get(resource)?.entries;
    for (const key of this.keys(resource, prefix)) {
      const entry = entries?.get(key);
      if (entry !== undefined) past.set(key, entry.object);
    }
    if (revision >= this.#revision) return [...past].map(([key, object]) => ({ key, object }));
    const events = this.#window.undo(resource, revision);
    if (events === undefined) return undefined;
    for (const event of events) {
      if (!event.key.startsWith(prefix)) continue;
      if (event.previous === undefined) past.delete(event.key);
      else past.set(event.key, event.previous);
    }
    return [...past.keys()].sort(byBytes).map((key) => ({ key, object: past.get(key) as KubeObject }));
  }

  /** Every resource that holds an object. */
  resources(): readonly string[] {
    return [...this.#shelves].filter(([, { entries }]) => entries.size > 0).map(([resource]) => resource);
  }

  /**
   * Writes when nobody has written since the caller read; undefined when somebody has.
   * The object gets its `metadata.resourceVersion`; listeners hear of it before this returns (or, inside a listener, right after it).
   */
  commit({ resource, key, expected, object }: Write): Entry | undefined {
    const current = this.get(resource, key);
    if (current !== expected) return undefined;
    const revision = this.#revision + 1;
    const stamped = withRevision(object ?? (current as Entry).object, revision);
    const text = stringifyJson(stamped as unknown as JsonObject);
    const header = JSON.stringify([revision, resource, key, object === undefined ? 0 : 1]);
    this.#journal?.append(object === undefined ? header : `${header}\n${text}`);
    const entry = { object: stamped, revision, bytes: text.length };
    this.#apply(resource, key, object === undefined ? undefined : entry, entry);
    return entry;
  }

  /** Puts a record of the journal back; the history grows with it. */
  replay(payload: string, parse: (text: string) => KubeObject): void {
    const newline = payload.indexOf('\n');
    const [revision, resource, key, present] = JSON.parse(newline < 0 ? payload : payload.slice(0, newline)) as [
      number,
      string,
      string,
      0 | 1,
    ];
    if (revision <= this.#revision) return;
    const text = payload.slice(newline + 1);
    const current = this.get(resource, key);
    const object =
      present === 1 ? parse(text) : current === undefined ? undefined : withRevision(current.object, revision);
    if (object === undefined) return;
    const entry = { object, revision, bytes: text.length };
    this.#apply(resource, key, present === 1 ? entry : undefined, entry);
  }

  /** Puts an object of a snapshot back, without history. */
  restore(resource: string, key: string, object: KubeObject, bytes: number): void {
    const shelf = this.#shelf(resource);
    shelf.entries.set(key, { object, revision: Number(object.metadata.resourceVersion), bytes });
    shelf.sorted = undefined;
  }

  /** Moves the counter forward, as after a restart that may have lost its last revisions; the history before it is forgotten. */
  advance(revision: number): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    this.#window = new Window(revision);
  }

  /** Resolves when everything committed so far is on the disk. */
  flushed(): Promise<void> {
    return this.#journal === undefined ? Promise.resolve() : this.#journal.sync();
  }

  listen(resource: string, listener: Listener): () => void {
    let set = this.#listeners.get(resource);
    if (set === undefined) {
      set = new Set();
      this.#listeners.set(resource, set);
    }
    set.add(listener);
    return () => set.delete(listener);
  }

  listenAll(listener: Listener): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  /** All objects as they are now, also when the store changes before they are read. */
  entries(): Iterable<StoredObject> {
    const all = [...this.#shelves].map(([resource, { entries }]) => [resource, [...entries]] as const);
    return (function* () {
      for (const [resource, entries] of all) for (const [key, { object }] of entries) yield { resource, key, object };
    })();
  }

  /** Makes what the disk holds compact. */
  async roll(): Promise<void> {
    await this.#journal?.roll();
  }

  async close(): Promise<void> {
    await this.#journal?.close();
    this.#journal = undefined;
  }

  #shelf(resource: string): Shelf {
    let shelf = this.#shelves.get(resource);
    if (shelf === undefined) {
      shelf = { entries: new Map(), sorted: undefined };
      this.#shelves.set(resource, shelf);
    }
    return shelf;
  }

  #apply(resource: string, key: string, now: Entry | undefined, told: Entry): void {
    const shelf = this.#shelf(resource);
    const before = shelf.entries.get(key);
    if (now === undefined) shelf.entries.delete(key);
    else shelf.entries.set(key, now);
    if ((before === undefined) !== (now === undefined)) shelf.sorted = undefined;
    this.#revision = told.revision;
    const event: StoreEvent = {
      revision: told.revision,
      type: now === undefined ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED',
      resource,
      key,
      object: told.object,
      bytes: told.bytes,
      ...(before === undefined ? {} : { previous: before.object }),
    };
    this.#window.add(event, before?.bytes ?? 0);
    this.#pending.push(event);
    this.#tell();
  }

  /** A listener may write: its events wait until all have heard of the present one, so that everybody sees one order. */
  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let event = this.#pending.shift(); event !== undefined; event = this.#pending.shift()) {
        for (const listener of this.#listeners.get(event.resource) ?? []) listener(event);
        for (const listener of this.#all) listener(event);
      }
    } finally {
      this.#telling = false;
    }
  }
}

function withRevision(object: KubeObject, revision: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

/** UTF-8 byte order equals code point order; names are ASCII almost always. */
function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function lowerBound(sorted: readonly string[], prefix: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < prefix) low = middle + 1;
    else high = middle;
  }
  return low;
}
