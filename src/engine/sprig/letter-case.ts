/*
 * Letters by Unicode's simple case mapping: one character for one character, whatever stands around it, as Go's unicode package
 * has it. JavaScript maps by the full mapping (`ß` to `SS`) and by context (the final sigma).
 */

/** Where the full mapping to upper case gives several characters, but the simple one has a single one: first, last, distance. */
const ODD_UPPER: readonly (readonly [number, number, number])[] = [
  [0x1f80, 0x1f87, 8],
  [0x1f90, 0x1f97, 8],
  [0x1fa0, 0x1fa7, 8],
  [0x1fb3, 0x1fb3, 9],
  [0x1fc3, 0x1fc3, 9],
  [0x1ff3, 0x1ff3, 9],
];
/** Digraphs: upper, title and lower case follow one another. */
const DIGRAPHS: readonly number[] = [0x1c4, 0x1c7, 0x1ca, 0x1f1];
const NOT_ASCII = /[^\0-\x7f]/;

export function upperText(text: string): string {
  return NOT_ASCII.test(text) ? mapped(text, upper) : text.toUpperCase();
}

export function lowerText(text: string): string {
  return NOT_ASCII.test(text) ? mapped(text, lower) : text.toLowerCase();
}

function mapped(text: string, map: (character: string) => string): string {
  let out = '';
  for (const character of text) out += map(character);
  return out;
}

/** `unicode.ToUpper` of one character. */
export function upper(character: string): string {
  const full = character.toUpperCase();
  const code = character.codePointAt(0) as number;
  if (code >= 0x1f80 && code <= 0x1fff) {
    const odd = ODD_UPPER.find(([first, last]) => code >= first && code <= last);
    if (odd !== undefined) return String.fromCodePoint(code + odd[2]);
  }
  return isOne(full) ? full : character;
}

/** `unicode.ToLower` of one character. */
export function lower(character: string): string {
  if (character === '\u0130') return 'i';
  const full = character.toLowerCase();
  return isOne(full) ? full : character;
}

/** `unicode.ToTitle` of one character. */
export function title(character: string): string {
  const code = character.codePointAt(0) as number;
  const digraph = DIGRAPHS.find((first) => code >= first && code <= first + 2);
  if (digraph !== undefined) return String.fromCodePoint(digraph + 1);
  // Georgian letters have an upper case, but stay as they are in titles.
  return (code >= 0x10d0 && code <= 0x10fa) || (code >= 0x10fd && code <= 0x10ff) ? character : upper(character);
}

function isOne(text: string): boolean {
  return text.length === 1 || (text.length === 2 && (text.codePointAt(0) as number) > 0xffff);
}

const UPPER = /^\p{Lu}$/u;
const TITLE = /^\p{Lt}$/u;
const LOWER = /^\p{Ll}$/u;
const LETTER = /^\p{L}$/u;
const NUMBER = /^\p{N}$/u;
const DIGIT = /^\p{Nd}$/u;
const PUNCTUATION = /^\p{P}$/u;
/** What `unicode.IsSpace` calls space. */
const SPACE = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

export const isUpper = (character: string): boolean => UPPER.test(character);
export const isTitle = (character: string): boolean => TITLE.test(character);
export const isLower = (character: string): boolean => LOWER.test(character);
export const isLetter = (character: string): boolean => LETTER.test(character);
export const isNumber = (character: string): boolean => NUMBER.test(character);
export const isDigit = (character: string): boolean => DIGIT.test(character);
export const isPunctuation = (character: string): boolean => PUNCTUATION.test(character);
export const isSpace = (character: string): boolean => SPACE.test(character);

/** `strings.TrimSpace`. */
export function trimSpace(text: string): string {
  return trimWhere(text, isSpace);
}

/** `text` without the characters at both ends that satisfy `drop`. */
export function trimWhere(text: string, drop: (character: string) => boolean): string {
  let from = 0;
  let to = text.length;
  while (from < to) {
    const character = String.fromCodePoint(text.codePointAt(from) as number);
    if (!drop(character)) break;
    from += character.length;
  }
  while (to > from) {
    const pair = to - 2 >= from ? text.codePointAt(to - 2) : undefined;
    const character = pair !== undefined && pair > 0xffff ? String.fromCodePoint(pair) : text.charAt(to - 1);
    if (!drop(character)) break;
    to -= character.length;
  }
  return text.slice(from, to);
}

/** `strings.Title`: a letter that begins a word is in title case. */
export function titleText(text: string): string {
  let out = '';
  let previous = ' ';
  for (const character of text) {
    out += isSeparator(previous) ? title(character) : character;
    previous = character;
  }
  return out;
}

function isSeparator(character: string): boolean {
  if (character <= '\x7f') return !/[0-9A-Za-z_]/.test(character);
  return !isLetter(character) && !isDigit(character) && isSpace(character);
}
