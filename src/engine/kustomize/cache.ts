import { copyNode, type YamlNode } from '../yaml/node.ts';
import type { Kustomization } from './kustomization-type.ts';
import { nodesOf } from './layers.ts';
import type { BuildRecord } from './rebuild.ts';

/** Directories whose last build is kept. */
const MAX_BUILDS = 100;
/** A tree takes about 25 times its text: with this many characters of text a full cache holds about 100 MiB. */
const MAX_CHARS = 4 * 1024 * 1024;
const CHARS_PER_NODE = 6;

interface Kept<T> {
  readonly text: string;
  readonly value: T;
}

/**
 * Keeps what builds read, so that the next build parses only what changed. Its keys are texts themselves, so it never gives what
 * another file held, and trees and tenants may share one; what was used least recently goes first.
 */
export class KustomizeCache {
  readonly #maxChars: number;
  readonly #kept = new Map<string, Kept<readonly YamlNode[] | Kustomization>>();
  #chars = 0;
  readonly #builds = new Map<string, BuildRecord>();
  #buildChars = 0;

  /** `maxChars` bounds the text of what is kept, in UTF-16 units. */
  constructor(maxChars: number = MAX_CHARS) {
    this.#maxChars = maxChars;
  }

  /** Length of the texts that are kept, in UTF-16 units. */
  get chars(): number {
    return this.#chars;
  }

  /** The objects of `text`, which the caller may edit. A throw of `read` is not kept. */
  nodes(text: string, read: (text: string) => YamlNode[]): YamlNode[] {
    const key = `r${text}`;
    const known = this.#take(key);
    if (known !== undefined) return (known as readonly YamlNode[]).map(copyNode);
    const nodes = read(text);
    // Filters edit what they are given: the first user gets the original, and the cache a copy made before that.
    if (text.length <= this.#maxChars) this.#put(key, text, nodes.map(copyNode));
    return nodes;
  }

  /** The kustomization that `text` holds. A throw of `read` is not kept. */
  kustomization(text: string, read: (text: string) => Kustomization): Kustomization {
    const key = `k${text}`;
    const known = this.#take(key);
    if (known !== undefined) return known as Kustomization;
    const value = read(text);
    if (text.length <= this.#maxChars) this.#put(key, text, value);
    return value;
  }

  /** What the last build of `key` left. */
  build(key: string): BuildRecord | undefined {
    const found = this.#builds.get(key);
    if (found === undefined) return undefined;
    this.#builds.delete(key);
    this.#builds.set(key, found);
    return found;
  }

  /** Keeps what a build of `key` left, within the same bound as texts; undefined forgets it. */
  keepBuild(key: string, record: BuildRecord | undefined): void {
    const old = this.#builds.get(key);
    if (old !== undefined) this.#buildChars -= charsOf(old);
    this.#builds.delete(key);
    if (record === undefined || record.seen.bytes > this.#maxChars) return;
    const kept = charsOf(record) > this.#maxChars ? { ...record, layers: new Map() } : record;
    this.#builds.set(key, kept);
    this.#buildChars += charsOf(kept);
    for (const [oldest, one] of this.#builds) {
      if (this.#buildChars <= this.#maxChars && this.#builds.size <= MAX_BUILDS) break;
      this.#builds.delete(oldest);
      this.#buildChars -= charsOf(one);
    }
  }

  #take(key: string): readonly YamlNode[] | Kustomization | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    // Last in the map is what was used last.
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found.value;
  }

  #put(key: string, text: string, value: readonly YamlNode[] | Kustomization): void {
    this.#kept.set(key, { text, value });
    this.#chars += text.length;
    for (const [oldest, { text: old }] of this.#kept) {
      if (this.#chars <= this.#maxChars) break;
      this.#kept.delete(oldest);
      this.#chars -= old.length;
    }
  }
}

/** What a record takes, as the length of a text that would take as much. */
function charsOf({ seen, layers }: BuildRecord): number {
  return seen.bytes + nodesOf(layers) * CHARS_PER_NODE;
}
