export interface GitObject {
  readonly hash: string;
  readonly type: 'commit' | 'tree' | 'blob' | 'tag';
  readonly content: Buffer;
}

/** Larger objects are read again: they are few. */
const MAX_OBJECT_BYTES = 64 * 1024;
/** What one copy keeps; the rest is read again. */
const MAX_COPY_BYTES = 8 * 1024 * 1024;
/** What all copies keep together. */
const MAX_BYTES = 32 * 1024 * 1024;
/** An entry without its content. */
const ENTRY_BYTES = 256;

type Objects = ReadonlyMap<string, GitObject>;

/**
 * Trees and files that were read of each copy of a repository the last time, by hash: they never change, so that the next commit costs
 * what is different in it.
 */
export class ObjectMemory {
  /** By the copy's folder, the oldest first. */
  readonly #copies = new Map<string, { readonly objects: Objects; readonly bytes: number }>();

  /** Begins to read a copy. */
  of(copy: string): RememberedObjects {
    return new RememberedObjects(this.#copies.get(copy)?.objects ?? new Map(), (objects, bytes) => {
      this.#copies.delete(copy);
      this.#copies.set(copy, { objects, bytes });
      let total = [...this.#copies.values()].reduce((sum, each) => sum + each.bytes, 0);
      for (const [oldest, each] of this.#copies) {
        if (total <= MAX_BYTES) break;
        this.#copies.delete(oldest);
        total -= each.bytes;
      }
    });
  }

  /** Drops what is known of the copies in a folder. */
  forget(folder: string): void {
    for (const copy of this.#copies.keys()) if (copy.startsWith(`${folder}/`)) this.#copies.delete(copy);
  }
}

/** What is known of one copy while it is read. */
export class RememberedObjects {
  readonly #known: Objects;
  readonly #keep: (objects: Objects, bytes: number) => void;
  readonly #used = new Map<string, GitObject>();
  #bytes = 0;

  constructor(known: Objects, keep: (objects: Objects, bytes: number) => void) {
    this.#known = known;
    this.#keep = keep;
  }

  get(hash: string): GitObject | undefined {
    const object = this.#known.get(hash);
    if (object !== undefined) this.#note(object);
    return object;
  }

  /** An object that was read: its content may lie in a larger buffer, of which nothing is kept. */
  add({ hash, type, content }: GitObject): void {
    if (content.length <= MAX_OBJECT_BYTES) this.#note({ hash, type, content: Buffer.from(content) });
  }

  /** Keeps what was used for the next time; where nothing was, what is there stays. */
  close(): void {
    if (this.#used.size > 0) this.#keep(this.#used, this.#bytes);
  }

  #note(object: GitObject): void {
    const bytes = object.content.length + ENTRY_BYTES;
    if (this.#used.has(object.hash) || this.#bytes + bytes > MAX_COPY_BYTES) return;
    this.#used.set(object.hash, object);
    this.#bytes += bytes;
  }
}
