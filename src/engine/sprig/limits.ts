import { GoError } from '../gotemplate/value.ts';

/** Bytes of one result: Helm cannot store a release above 1 MiB, so far more is a mistake or an attack (`repeat 1000000000`). */
export const MAX_TEXT_BYTES: number = 16 * 1024 * 1024;
/** Elements of one list that a function makes up (`until 1000000000`). */
export const MAX_LIST_LENGTH = 1_000_000;
/** Levels of maps and lists in one value; a map that holds itself has no end. */
export const MAX_NESTING = 1000;
/** Values that one call visits. What is shared counts as often as it is met: 40 maps that hold the next one twice are a billion. */
export const MAX_NODES = 1_000_000;
/** Key pairs of one rendering: an RSA key takes up to seconds. */
export const MAX_KEYS = 10;
/** Slow password hashes (bcrypt, scrypt) of one rendering: about a tenth of a second each. */
export const MAX_PASSWORD_HASHES = 64;

/** Fails when `bytes` are too many for a result of `name`. */
export function checkTextBytes(name: string, bytes: number): void {
  if (bytes > MAX_TEXT_BYTES) {
    throw new GoError(
      `${name}: result of ${bytes} bytes is more than the ${MAX_TEXT_BYTES} that one function may give`,
    );
  }
}

/** Fails when a list of `length` is too long for a result of `name`. */
export function checkListLength(name: string, length: number): void {
  if (length > MAX_LIST_LENGTH) {
    throw new GoError(
      `${name}: list of ${length} elements is more than the ${MAX_LIST_LENGTH} that one function may give`,
    );
  }
}

/** Fails below {@link MAX_NESTING} levels. */
export function checkNesting(name: string, depth: number): void {
  if (depth > MAX_NESTING) throw new GoError(`${name}: value is nested more than ${MAX_NESTING} levels deep`);
}

/** Counts what is expensive; calling it once more than `limit` times fails. */
export function meter(what: string, limit: number): (name: string) => void {
  let used = 0;
  return (name) => {
    used++;
    if (used > limit) throw new GoError(`${name}: more than ${limit} ${what} in one rendering`);
  };
}

/** Counts the values that one call of a function visits, and how deep it is in them. */
export class NodeMeter {
  private readonly name: string;
  private nodes = 0;

  constructor(name: string) {
    this.name = name;
  }

  visit(depth: number): void {
    checkNesting(this.name, depth);
    this.nodes++;
    if (this.nodes > MAX_NODES) throw new GoError(`${this.name}: value has more than ${MAX_NODES} parts`);
  }
}
