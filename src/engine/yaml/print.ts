import { isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { compareKeys } from './key-order.ts';
import { DOUBLE_QUOTED, LITERAL, STR_TAG } from './node.ts';
import { resolveTag } from './resolve.ts';
import { isComplexKey, scalarText } from './scalar-text.ts';
import { formatG } from './value.ts';

export interface PrintOptions {
  /** Keep the order of the objects' own keys instead of sorting them. */
  readonly keepOrder?: boolean;
}

/** `value` as sigs.k8s.io/yaml prints it, with keys in Go's natural order and a final line break. */
export function printYaml(value: Json, options: PrintOptions = {}): string {
  const printer = new Printer(options.keepOrder === true);
  return printer.document(value);
}

const MAX_UINT64 = 2 ** 64;
const MIN_INT64 = -(2 ** 63);

/** A number as Go prints it after JSON: integers in full up to 64 bits, others by `%g`. */
export function numberText(value: number | bigint): string {
  if (typeof value === 'bigint') {
    return value < 1n << 64n && value >= -(1n << 63n) ? value.toString() : formatG(Number(value));
  }
  // The shortest digits, as JSON has them: below 1e21 JavaScript writes no exponent either.
  if (Number.isInteger(value) && value < MAX_UINT64 && value >= MIN_INT64) return String(value);
  return formatG(value);
}

/** `60:30` is a number in YAML 1.1, which Go only quotes. */
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const PLAIN_WORD = /^[A-EG-MP-SU-XZa-eg-mp-su-xz/][A-Za-z0-9_./-]*$/;

/** Style of a string: one that would read as something else is quoted (v2 encode.go, stringv). */
export function stringStyle(value: string): number {
  if (value.length < 80 && PLAIN_WORD.test(value)) return 0;
  if (value.includes('\n')) return LITERAL;
  return resolveTag(value, 'v2') === STR_TAG && !(value.includes(':') && BASE_60.test(value)) ? 0 : DOUBLE_QUOTED;
}

class Printer {
  private readonly keepOrder: boolean;
  private out = '';

  constructor(keepOrder: boolean) {
    this.keepOrder = keepOrder;
  }

  document(value: Json): string {
    if (isObject(value) && hasKeys(value)) this.mapping(value, 0, true);
    else if (isArray(value) && value.length > 0) this.sequence(value, 0, true);
    else this.line(this.leaf(value, 0, 2));
    return this.out;
  }

  private line(text: string): void {
    this.out += text.endsWith('\n') && /^[|>]/.test(text) ? text : `${text}\n`;
  }

  /** Text of a scalar or an empty collection that begins after `column`. */
  private leaf(value: Json, column: number, indent: number): string {
    switch (typeof value) {
      case 'string': {
        const place = { indent, column, isKey: false, inFlow: false };
        const text = value.includes('\u0085') ? foldNextLines(value) : value;
        return scalarText(text, stringStyle(text), place, 'v2');
      }
      case 'number':
      case 'bigint':
        return numberText(value);
      case 'boolean':
        return value ? 'true' : 'false';
      default:
        return value === null ? 'null' : isArray(value) ? '[]' : '{}';
    }
  }

  /** @param inline the first key follows what is already on the line */
  private mapping(object: JsonObject, indent: number, inline: boolean): void {
    const keys = Object.keys(object).filter((key) => object[key] !== undefined);
    if (!this.keepOrder) keys.sort((a, b) => compareKeys(a, b));
    const margin = ' '.repeat(indent);
    let first = inline;
    for (const key of keys) {
      const value = object[key] as Json;
      if (first) first = false;
      else this.out += margin;
      const complex = isComplexKey(key);
      const place = { indent: indent + 2, column: indent + (complex ? 2 : 0), isKey: !complex, inFlow: false };
      const text = scalarText(key, stringStyle(key), place, 'v2');
      if (complex) {
        this.out += '? ';
        this.line(text);
        this.out += `${margin}:`;
        this.child(value, indent, 1, indent + 2);
      } else {
        this.out += `${text}:`;
        this.child(value, indent, runes(text) + 1, indent);
      }
    }
  }

  /** The value behind `key:`; `sequenceIndent` differs behind a complex key, where a sequence begins on the same line. */
  private child(value: Json, indent: number, width: number, sequenceIndent: number): void {
    const behindComplex = sequenceIndent !== indent;
    if (isObject(value) && hasKeys(value)) {
      if (behindComplex) this.out += ' ';
      else this.out += `\n${' '.repeat(indent + 2)}`;
      this.mapping(value, indent + 2, true);
    } else if (isArray(value) && value.length > 0) {
      if (behindComplex) this.out += ' ';
      else this.out += `\n${' '.repeat(sequenceIndent)}`;
      this.sequence(value, sequenceIndent, true);
    } else {
      this.out += ' ';
      this.line(this.leaf(value, indent + width + 1, indent + 2));
    }
  }

  private sequence(items: readonly Json[], indent: number, inline: boolean): void {
    const margin = ' '.repeat(indent);
    let first = inline;
    for (const item of items) {
      if (first) first = false;
      else this.out += margin;
      this.out += '- ';
      if (isObject(item) && hasKeys(item)) this.mapping(item, indent + 2, true);
      else if (isArray(item) && item.length > 0) this.sequence(item, indent + 2, true);
      else this.line(this.leaf(item, indent + 2, indent + 2));
    }
  }
}

/** sigs.k8s.io/yaml reads the JSON it made as YAML, where a next-line character breaks the line and is folded. */
function foldNextLines(value: string): string {
  return value.replace(/[ \t]*\u0085(?:[ \t]*\u0085)*[ \t]*/g, (gap) => {
    const breaks = gap.split('\u0085').length - 1;
    return breaks === 1 ? ' ' : '\n'.repeat(breaks - 1);
  });
}

function hasKeys(object: JsonObject): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return true;
  return false;
}

/** Length in characters, as the emitter counts columns. */
function runes(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0xdc00 || code > 0xdfff) count++;
  }
  return count;
}
