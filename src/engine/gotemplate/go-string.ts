/*
 * A Go string is bytes; ours is a JavaScript string. Valid UTF-8 is held as the text that it encodes. A byte 0x80-0xFF
 * that is no part of valid UTF-8 is held as the lone low surrogate U+DC80-U+DCFF (Python's "surrogateescape"), which no
 * valid UTF-8 can hold. So ordinary text costs nothing, concatenation is `+`, and only what counts or cuts bytes needs the
 * functions of this file. Joining two halves of a character leaves both as escapes: canonical(text) makes them one again,
 * equalStrings and compareStrings see bytes either way.
 */
const NOT_ASCII = /[^\0-\x7f]/;
const ESCAPE = /[\udc80-\udcff]/u;
const SURROGATE = /[\ud800-\udfff]/;

/** How the rune of an invalid byte reads. */
export const RUNE_ERROR = 0xfffd;

export function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

/** Reports whether `text` holds bytes that are not valid UTF-8. */
export function hasEscapes(text: string): boolean {
  return ESCAPE.test(text);
}

/** `len` of Go: the number of bytes. */
export function byteLength(text: string): number {
  if (isAscii(text)) return text.length;
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes++;
    else if (unit < 0x800) bytes += 2;
    else if (isHigh(unit) && isLow(text.charCodeAt(index + 1))) {
      bytes += 4;
      index++;
    } else bytes += isEscape(unit) ? 1 : 3;
  }
  return bytes;
}

/** The number of runes; an invalid byte counts as one. */
export function runeCount(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of hasEscapes(text) ? canonical(text) : text) count++;
  return count;
}

/** The runes of `text` as a Go `range` gives them: U+FFFD for an invalid byte. */
export function runes(text: string): number[] {
  const out: number[] = [];
  for (const character of canonical(text)) {
    const code = character.codePointAt(0) as number;
    out.push(code >= 0xd800 && code <= 0xdfff ? RUNE_ERROR : code);
  }
  return out;
}

/** The first `count` runes of `text`. */
export function firstRunes(text: string, count: number): string {
  return isAscii(text) ? text.slice(0, count) : Array.from(canonical(text)).slice(0, count).join('');
}

/** The bytes of `text`. */
export function toBytes(text: string): Uint8Array {
  const out = new Uint8Array(byteLength(text));
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) out[at++] = unit;
    else if (isEscape(unit)) out[at++] = unit & 0xff;
    else {
      const code = text.codePointAt(index) as number;
      if (code > 0xffff) index++;
      at = encode(isHigh(code) || isLow(code) ? RUNE_ERROR : code, out, at);
    }
  }
  return out;
}

/** The string of `bytes`: Go's `string(bytes)`. */
export function fromBytes(bytes: Uint8Array): string {
  let out = '';
  let at = 0;
  while (at < bytes.length) {
    const units: number[] = [];
    // Parts small enough for the arguments of one call.
    for (const end = Math.min(bytes.length, at + 4096); at < end; ) {
      const first = bytes[at] as number;
      if (first < 0x80) {
        units.push(first);
        at++;
        continue;
      }
      const size = sequenceLength(bytes, at);
      if (size === 1) units.push(0xdc00 + first);
      else {
        const code = decode(bytes, at, size);
        if (code > 0xffff) units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
        else units.push(code);
      }
      at += size;
    }
    out += String.fromCharCode(...units);
  }
  return out;
}

/** `text[from:to]` of Go: positions count bytes, and may part a character. */
export function sliceBytes(text: string, from: number, to: number = Number.POSITIVE_INFINITY): string {
  if (isAscii(text)) return text.slice(from, to);
  return fromBytes(toBytes(text).subarray(from, Math.min(to, Number.MAX_SAFE_INTEGER)));
}

/** The one form of `text` in which equal bytes are equal text. */
export function canonical(text: string): string {
  return hasEscapes(text) ? fromBytes(toBytes(text)) : text;
}

export function equalStrings(a: string, b: string): boolean {
  return a === b || ((hasEscapes(a) || hasEscapes(b)) && canonical(a) === canonical(b));
}

/** Compares as Go does, byte by byte: negative, zero or positive. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return a < b ? -1 : 1;
  const left = toBytes(a);
  const right = toBytes(b);
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const difference = (left[index] as number) - (right[index] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** The keys of `map` in the order in which Go shows them. */
export function sortedKeys(map: ReadonlyMap<string, unknown>): string[] {
  const keys = [...map.keys()];
  return keys.some((key) => SURROGATE.test(key)) ? keys.sort(compareStrings) : keys.sort();
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function isEscape(unit: number): boolean {
  return unit >= 0xdc80 && unit <= 0xdcff;
}

function encode(code: number, out: Uint8Array, start: number): number {
  let at = start;
  if (code < 0x800) out[at++] = 0xc0 | (code >> 6);
  else {
    if (code < 0x10000) out[at++] = 0xe0 | (code >> 12);
    else {
      out[at++] = 0xf0 | (code >> 18);
      out[at++] = 0x80 | ((code >> 12) & 0x3f);
    }
    out[at++] = 0x80 | ((code >> 6) & 0x3f);
  }
  out[at++] = 0x80 | (code & 0x3f);
  return at;
}

/** Length of the valid sequence at `at` (RFC 3629: shortest form, no surrogates), or 1 for an invalid byte. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  const size = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
  if (size === 1 || at + size > bytes.length) return 1;
  const second = bytes[at + 1] as number;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 1;
  for (let index = at + 2; index < at + size; index++) {
    if (((bytes[index] as number) & 0xc0) !== 0x80) return 1;
  }
  return size;
}

function decode(bytes: Uint8Array, at: number, size: number): number {
  let code = (bytes[at] as number) & (0x7f >> size);
  for (let index = at + 1; index < at + size; index++) code = (code << 6) | ((bytes[index] as number) & 0x3f);
  return code;
}
