import { isArray, isObject, type Json } from './json.ts';

export interface GoJsonOptions {
  /** Leave `<`, `>` and `&` as they are. */
  readonly plainHtml?: boolean;
  /** Spaces for each level; without it everything is on one line. */
  readonly indent?: number;
}

/** JSON text as Go's encoding/json writes it: keys in the order of their bytes, and no character that could end a script element. */
export function goJson(value: Json, options: GoJsonOptions = {}): string {
  const text = write(value, options.indent ?? 0, '');
  const escaped = withoutSurrogates(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  if (options.plainHtml === true) return escaped;
  return escaped.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
}

/** A lone surrogate stands for bytes that are no UTF-8, which Go writes so. */
function withoutSurrogates(text: string): string {
  if (!text.includes('\\ud')) return text;
  return text.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (escape) => (escape === '\\\\' ? escape : '\\ufffd'));
}

function write(value: Json, indent: number, margin: string): string {
  if (typeof value === 'bigint') return value.toString();
  // JavaScript and Go change to an exponent at the same sizes.
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (!isArray(value) && !isObject(value)) return JSON.stringify(value);
  const inner = margin + ' '.repeat(indent);
  const parts = isArray(value)
    ? value.map((item) => write(item, indent, inner))
    : Object.keys(value)
        .sort(byCodePoint)
        .map((key) => `${JSON.stringify(key)}:${indent > 0 ? ' ' : ''}${write(value[key] as Json, indent, inner)}`);
  const [open, close] = isArray(value) ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0 || indent === 0) return open + parts.join(',') + close;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`;
}

/** The order of the UTF-8 bytes; JavaScript's own differs for characters above U+FFFF. */
function byCodePoint(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
