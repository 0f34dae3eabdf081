import { createHash } from 'node:crypto';
import { RE2JS } from 're2js';
import { err, ok, type Result } from '../../base/result.ts';
import { decryptValue, isCipherText } from './cipher.ts';
import type { Metadata } from './metadata.ts';
import {
  type Branch,
  type Comment,
  type Item,
  isBranch,
  isComment,
  isList,
  isTimestamp,
  type Leaf,
  plainDigits,
  type TreeValue,
} from './tree.ts';

/** SHA-256 of `sops`: MACs over encrypted values alone begin with it. Source: sops@3.13 sops.go. */
const ONLY_ENCRYPTED = createHash('sha256').update('sops').digest();

/** Documents as deep as this are refused before the stack is. */
const MAX_DEPTH = 500;

export interface Decrypted {
  readonly documents: readonly Branch[];
  /** SHA-512 over the values, as upper-case hex. */
  readonly mac: string;
}

/** Decrypts every value that the file's rules call encrypted. Source: sops@3.13 sops.go Decrypt. */
export function decryptTree(
  documents: readonly Branch[],
  metadata: Metadata,
  key: Uint8Array,
): Result<Decrypted, string> {
  const rules = compileRules(metadata);
  if (!rules.ok) return rules;
  try {
    const walker = new Walker(metadata, rules.value, key);
    const done = documents.map((document) => walker.branch(document, [], []));
    return ok({ documents: done, mac: walker.mac() });
  } catch (failure) {
    if (failure instanceof Refused) return err(`Error walking tree: ${failure.message}`);
    throw failure;
  }
}

/** Ends a walk from within; never leaves this file. */
class Refused extends Error {}

type Encrypted = (path: readonly string[], comments: readonly (readonly string[])[], isComment: boolean) => boolean;

function compileRules(metadata: Metadata): Result<Encrypted, string> {
  const patterns: { [name: string]: RE2JS } = {};
  for (const name of [
    'unencryptedRegex',
    'encryptedRegex',
    'unencryptedCommentRegex',
    'encryptedCommentRegex',
  ] as const) {
    if (metadata[name] === '') continue;
    try {
      patterns[name] = RE2JS.compile(metadata[name]);
    } catch {
      return err(`error parsing regexp: \`${metadata[name]}\``);
    }
  }
  const matches = (name: string, text: string): boolean => patterns[name]?.matcher(text).find() === true;
  const { unencryptedSuffix, encryptedSuffix } = metadata;
  if (encryptedSuffix !== '') return ok((path) => path.some((step) => step.endsWith(encryptedSuffix)));
  if (metadata.unencryptedRegex !== '') return ok((path) => !path.some((step) => matches('unencryptedRegex', step)));
  if (metadata.encryptedRegex !== '') return ok((path) => path.some((step) => matches('encryptedRegex', step)));
  if (metadata.unencryptedCommentRegex !== '') {
    return ok(
      (_path, comments) => !comments.some((level) => level.some((text) => matches('unencryptedCommentRegex', text))),
    );
  }
  if (metadata.encryptedCommentRegex !== '') {
    return ok((_path, comments, own) =>
      comments.some((level, depth) =>
        level.some((text, index) => {
          // The comment that asks for encryption stays readable itself.
          const isItself = own && depth === comments.length - 1 && index === level.length - 1;
          return !isItself && matches('encryptedCommentRegex', text);
        }),
      ),
    );
  }
  return ok((path) => !path.some((step) => step.endsWith(unencryptedSuffix)));
}

class Walker {
  readonly #metadata: Metadata;
  readonly #isEncrypted: Encrypted;
  readonly #key: Uint8Array;
  readonly #hash = createHash('sha512');

  constructor(metadata: Metadata, isEncrypted: Encrypted, key: Uint8Array) {
    this.#metadata = metadata;
    this.#isEncrypted = isEncrypted;
    this.#key = key;
    if (metadata.macOnlyEncrypted) this.#hash.update(ONLY_ENCRYPTED);
  }

  mac(): string {
    return this.#hash.digest('hex').toUpperCase();
  }

  branch(branch: Branch, path: readonly string[], outer: readonly (readonly string[])[]): Branch {
    if (outer.length > MAX_DEPTH) throw new Refused('the document is nested too deep');
    const active: string[] = [];
    const comments = [...outer, active];
    const items: Item[] = [];
    for (const { key, value } of branch.items) {
      if (typeof key !== 'string') {
        active.push(key.comment);
        items.push({ key: this.#comment(key, path, comments), value: null });
        continue;
      }
      items.push({ key, value: this.#value(value, [...path, key], comments) });
      active.length = 0;
    }
    return { items };
  }

  #list(
    list: readonly TreeValue[],
    path: readonly string[],
    outer: readonly (readonly string[])[],
  ): readonly TreeValue[] {
    if (outer.length > MAX_DEPTH) throw new Refused('the document is nested too deep');
    const active: string[] = [];
    const comments = [...outer, active];
    return list.map((value) => {
      if (isComment(value)) {
        active.push(value.comment);
        return this.#comment(value, path, comments);
      }
      const done = this.#value(value, path, comments);
      active.length = 0;
      return done;
    });
  }

  #value(value: TreeValue, path: readonly string[], comments: readonly (readonly string[])[]): TreeValue {
    if (value === null) return null;
    if (isList(value)) return this.#list(value, path, comments);
    if (isBranch(value)) return this.branch(value, path, comments);
    if (isComment(value)) return this.#comment(value, path, comments);
    return this.#leaf(value, path, comments);
  }

  #comment(comment: Comment, path: readonly string[], comments: readonly (readonly string[])[]): Comment {
    if (!this.#isEncrypted(path, comments, true)) return comment;
    const plain = decryptValue(comment.comment, this.#key, `${path.join(':')}:`);
    // One that cannot be decrypted never was encrypted: older versions of sops left comments as they were.
    if (!plain.ok) return comment;
    const { value } = plain;
    if (value !== null && typeof value === 'object' && 'comment' in value) return value;
    return typeof value === 'string' ? { comment: value } : comment;
  }

  #leaf(leaf: Exclude<Leaf, null>, path: readonly string[], comments: readonly (readonly string[])[]): TreeValue {
    const encrypted = this.#isEncrypted(path, comments, false);
    let value: TreeValue = leaf;
    if (encrypted) {
      if (typeof leaf !== 'string')
        throw new Refused("Could not decrypt value: Input string <redacted> does not match sops' data format");
      const plain = decryptValue(leaf, this.#key, `${path.join(':')}:`);
      if (!plain.ok) throw new Refused(`Could not decrypt value: ${plain.error}`);
      value = plain.value;
    } else if (typeof leaf === 'string' && isCipherText(leaf)) {
      // Somebody changed the rules after encrypting: what is meant to be secret would go out as it is.
      throw new Refused(`the value of '${path.join('.')}' is encrypted, but the file's rules call it plain`);
    }
    // A comment stands among values where it was encrypted as an item of a list; it is not part of the MAC.
    if (!isComment(value) && (encrypted || !this.#metadata.macOnlyEncrypted)) this.#hash.update(bytesOf(value));
    return value;
  }
}

/** Source: sops@3.13 sops.go ToBytes. */
function bytesOf(value: TreeValue): Uint8Array | string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return plainDigits(value);
  if (typeof value === 'object' && value !== null) return isTimestamp(value) ? value.time : (value as Uint8Array);
  return String(value);
}
