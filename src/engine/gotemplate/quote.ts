import { canonical, hasEscapes, RUNE_ERROR, runes } from './go-string.ts';

/*
 * Go's strconv quoting. (go@1.26 strconv/quote.go)
 */
const PLAIN = /^[ !#-[\]-~]*$/;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [7, '\\a'],
  [8, '\\b'],
  [12, '\\f'],
  [10, '\\n'],
  [13, '\\r'],
  [9, '\\t'],
  [11, '\\v'],
]);

/** What `strconv.IsPrint` and `unicode.IsPrint` call printable. */
export function isPrint(rune: number): boolean {
  if (rune < 0x7f) return rune >= 0x20;
  return rune <= 0x10ffff && PRINTABLE.test(String.fromCodePoint(rune));
}

/** Go's `strconv.Quote`; with `ascii` its `QuoteToASCII`. */
export function quote(text: string, ascii = false): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let out = '"';
  for (const character of canonical(text)) {
    const code = character.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${(code & 0xff).toString(16)}`;
    else out += escapeRune(code, '"', ascii);
  }
  return `${out}"`;
}

/** Go's `strconv.QuoteRune`; with `ascii` its `QuoteRuneToASCII`. */
export function quoteRune(rune: number, ascii = false): string {
  return `'${escapeRune(isValidRune(rune) ? rune : RUNE_ERROR, "'", ascii)}'`;
}

export function isValidRune(rune: number): boolean {
  return rune >= 0 && rune <= 0x10ffff && (rune < 0xd800 || rune > 0xdfff);
}

function escapeRune(rune: number, mark: string, ascii: boolean): string {
  const character = String.fromCodePoint(rune);
  if (character === mark || character === '\\') return `\\${character}`;
  if (ascii ? rune < 0x80 && isPrint(rune) : isPrint(rune)) return character;
  const short = SHORT_ESCAPES.get(rune);
  if (short !== undefined) return short;
  if (rune < 0x20 || rune === 0x7f) return `\\x${rune.toString(16).padStart(2, '0')}`;
  if (!isValidRune(rune)) return '\\ufffd';
  return rune < 0x10000 ? `\\u${rune.toString(16).padStart(4, '0')}` : `\\U${rune.toString(16).padStart(8, '0')}`;
}

/** Go's `strconv.CanBackquote`. */
export function canBackquote(text: string): boolean {
  if (hasEscapes(text)) return false;
  return runes(text).every((rune) => rune !== 0xfeff && (rune >= 0x20 || rune === 9) && rune !== 0x60 && rune !== 0x7f);
}

/** Text of a Go string literal in double quotes or backquotes; undefined when it is malformed. */
export function unquote(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) return body.replaceAll('\r', '');
  if (!body.includes('\\')) return body.includes('"') || body.includes('\n') ? undefined : body;
  let out = '';
  let rest = body;
  while (rest !== '') {
    const next = unquoteCharacter(rest, '"');
    if (next === undefined) return undefined;
    out += next.isByte && next.value >= 0x80 ? String.fromCharCode(0xdc00 + next.value) : next.text;
    rest = next.rest;
  }
  return canonical(out);
}

interface Character {
  readonly value: number;
  readonly text: string;
  /** Written as `\x` or octal: in a string it is that byte, not that rune. */
  readonly isByte: boolean;
  readonly rest: string;
}

const LETTER_ESCAPES: { readonly [letter: string]: number } = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
};
const HEX_DIGITS: { readonly [letter: string]: number } = { x: 2, u: 4, U: 8 };

/** Go's `strconv.UnquoteChar`: the first character of `text`; undefined when it is malformed. */
export function unquoteCharacter(text: string, mark: string): Character | undefined {
  const first = text.codePointAt(0);
  if (first === undefined || text[0] === mark) return undefined;
  if (text[0] !== '\\') {
    const character = String.fromCodePoint(first);
    const isLone = first >= 0xd800 && first <= 0xdfff;
    return { value: isLone ? RUNE_ERROR : first, text: character, isByte: false, rest: text.slice(character.length) };
  }
  const letter = text[1] ?? '';
  const found = (value: number, isByte: boolean, length: number): Character => ({
    value,
    text: String.fromCodePoint(value),
    isByte,
    rest: text.slice(length),
  });
  if (letter === mark) return found(mark.charCodeAt(0), false, 2);
  const simple = Object.hasOwn(LETTER_ESCAPES, letter) ? LETTER_ESCAPES[letter] : undefined;
  if (simple !== undefined) return found(simple, false, 2);
  const count = Object.hasOwn(HEX_DIGITS, letter) ? HEX_DIGITS[letter] : undefined;
  if (count !== undefined) {
    const digits = text.slice(2, 2 + count);
    if (digits.length < count || !/^[0-9a-fA-F]+$/.test(digits)) return undefined;
    const value = Number.parseInt(digits, 16);
    return letter === 'x' || isValidRune(value) ? found(value, letter === 'x', 2 + count) : undefined;
  }
  const octal = /^[0-7]{3}/.exec(text.slice(1, 4))?.[0];
  if (octal === undefined) return undefined;
  const value = Number.parseInt(octal, 8);
  return value > 255 ? undefined : found(value, true, 4);
}
