/**
 * A Kubernetes value. Integers beyond 2^53 are `bigint`, so that they round-trip exactly; every other number is `number`.
 * Keys are foreign data: write them with {@link put}, read them with {@link field}, never with `object[key] = value`.
 */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
/** The same object while a function builds it. */
export type MutableJsonObject = { [key: string]: Json };

/** Nesting at which a document is refused, as the Kubernetes API server does (`exceeded max depth`). */
export const MAX_DEPTH = 10_000;

/** Own property `key` of `object`, or undefined: never something inherited such as `constructor`. */
export function field(object: Json | undefined, key: string): Json | undefined {
  return isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Value at `path` of own properties; undefined when a step is missing or not an object. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let current = value;
  for (const key of path) current = field(current, key);
  return current;
}

/** Sets `key` as an own property, also when it is `__proto__`. */
export function put(object: MutableJsonObject, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The string at `path`, or undefined when it is missing or of another type. */
export function stringAt(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** Deep equality of JSON values; key order does not matter; `1` and `1n` are equal. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    // biome-ignore lint/suspicious/noDoubleEquals: compares a number with a bigint by value
    return (
      (typeof a === 'bigint' || typeof a === 'number') && (typeof b === 'bigint' || typeof b === 'number') && a == b
    );
  }
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

/** A deep copy that the caller may change. */
export function clone<T extends Json>(value: T): T {
  return copy(value) as T;
}

function copy(value: Json): Json {
  if (isArray(value)) return value.map(copy);
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) put(out, key, copy(value[key] as Json));
  return out;
}

const LONG_INTEGER = /[[:,\s]-?\d{16,}|^-?\d{16,}/;

/**
 * Parses JSON text without losing a digit of large integers.
 * @throws SyntaxError for text that is not JSON; RangeError (`exceeded max depth`) above {@link MAX_DEPTH}.
 */
export function parseJson(text: string): Json {
  if (text.length > MAX_DEPTH) checkDepth(text);
  if (!LONG_INTEGER.test(text)) return JSON.parse(text) as Json;
  return parseExactly(text);
}

/** JSON text of `value`; bigints are written as plain digits. `indent` is a number of spaces. */
export function stringifyJson(value: Json, indent?: number): string {
  if (!holdsBigint(value)) return JSON.stringify(value, undefined, indent);
  return write(value, indent ?? 0, '');
}

function holdsBigint(value: Json): boolean {
  if (typeof value === 'bigint') return true;
  if (isArray(value)) return value.some(holdsBigint);
  if (!isObject(value)) return false;
  for (const key of Object.keys(value)) if (holdsBigint(value[key] as Json)) return true;
  return false;
}

function write(value: Json, indent: number, margin: string): string {
  if (typeof value === 'bigint') return value.toString();
  if (!isArray(value) && !isObject(value)) return JSON.stringify(value);
  const inner = margin + ' '.repeat(indent);
  const parts = isArray(value)
    ? value.map((item) => write(item, indent, inner))
    : Object.keys(value)
        .filter((key) => value[key] !== undefined)
        .map((key) => `${JSON.stringify(key)}:${indent > 0 ? ' ' : ''}${write(value[key] as Json, indent, inner)}`);
  const [open, close] = isArray(value) ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return open + close;
  return indent > 0
    ? `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`
    : open + parts.join(',') + close;
}

function checkDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_DEPTH) throw new RangeError('exceeded max depth');
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

const TOKEN = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(true|false|null))/gy;

/** A second parser for documents that hold long integers. The text has passed no check yet: JSON.parse judges the syntax. */
function parseExactly(text: string): Json {
  JSON.parse(text);
  const stack: { container: Json[] | MutableJsonObject; key?: string }[] = [];
  let root: Json = null;
  let key: string | undefined;
  const add = (value: Json): void => {
    const top = stack.at(-1);
    if (top === undefined) root = value;
    else if (Array.isArray(top.container)) top.container.push(value);
    else if (key === undefined) key = value as string;
    else {
      put(top.container, key, value);
      key = undefined;
    }
  };
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [, mark, string, number, word] = match;
    if (mark === '{' || mark === '[') {
      const container: Json[] | MutableJsonObject = mark === '{' ? {} : [];
      add(container);
      stack.push({ container });
      key = undefined;
    } else if (mark === '}' || mark === ']') {
      stack.pop();
      key = undefined;
    } else if (string !== undefined) add(JSON.parse(string) as string);
    else if (number !== undefined) add(exactNumber(number));
    else if (word !== undefined) add(word === 'null' ? null : word === 'true');
  }
  return root;
}

/** The number that `text` (JSON syntax) writes: a bigint when a double cannot hold the integer. */
export function exactNumber(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(text) ? value : BigInt(text);
}
