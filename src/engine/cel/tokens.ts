import { utf8Encode } from '../schema/base64.ts';

/** Longest expression read; Kubernetes limits rules by cost, not by length, but their request to 3 MiB. */
export const MAX_EXPRESSION = 100_000;

export type Token = { readonly offset: number; readonly end: number } & (
  | { readonly kind: 'ident' | 'op'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: readonly number[] }
  | { readonly kind: 'int' | 'uint'; readonly value: bigint }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'end' }
);

/** A fault of the expression's text. */
export class Problem extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const OPERATORS = [
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '%',
  '!',
  '?',
  ':',
  '.',
  ',',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
];
const NUMBER = /0[xX][0-9a-fA-F]+[uU]?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|\d+[uU]?/y;
const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const STRING_START = /(?:[rR][bB]?|[bB][rR]?)?(?:"""|'''|"|')/y;
const BLANK = /(?:[\s\f]+|\/\/[^\n]*)+/y;

/** Splits an expression into tokens. @throws {Problem} */
export function tokens(text: string): Token[] {
  const out: Token[] = [];
  let position = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    return pattern.exec(text)?.[0];
  };
  for (;;) {
    position += match(BLANK)?.length ?? 0;
    if (position >= text.length) break;
    const offset = position;
    const start = match(STRING_START);
    if (start !== undefined) {
      const { value, bytes, end } = readString(text, position, start);
      out.push(
        bytes === undefined ? { kind: 'string', value, offset, end } : { kind: 'bytes', value: bytes, offset, end },
      );
      position = end;
      continue;
    }
    const number = match(NUMBER);
    if (number !== undefined) {
      const end = position + number.length;
      if (/[uU]$/.test(number)) out.push({ kind: 'uint', value: BigInt(number.slice(0, -1)), offset, end });
      else if (/^0[xX]/.test(number) || /^\d+$/.test(number))
        out.push({ kind: 'int', value: BigInt(number), offset, end });
      else out.push({ kind: 'double', value: Number(number), offset, end });
      position = end;
      continue;
    }
    const ident = match(IDENT);
    if (ident !== undefined) {
      position += ident.length;
      out.push({ kind: 'ident', text: ident, offset, end: position });
      continue;
    }
    if (text[position] === '`') {
      const close = text.indexOf('`', position + 1);
      if (close < 0) throw new Problem("Syntax error: token recognition error at: '`'", offset);
      out.push({ kind: 'ident', text: text.slice(position + 1, close), offset, end: close + 1 });
      position = close + 1;
      continue;
    }
    const operator = OPERATORS.find((candidate) => text.startsWith(candidate, position));
    if (operator === undefined)
      throw new Problem(`Syntax error: token recognition error at: '${text[position]}'`, offset);
    position += operator.length;
    out.push({ kind: 'op', text: operator, offset, end: position });
  }
  out.push({ kind: 'end', offset: text.length, end: text.length });
  return out;
}

function readString(
  text: string,
  start: number,
  opening: string,
): { value: string; bytes?: readonly number[]; end: number } {
  const prefix = opening.replace(/["']+$/, '').toLowerCase();
  const quote = opening.slice(prefix.length);
  const raw = prefix.includes('r');
  const isBytes = prefix.includes('b');
  let position = start + opening.length;
  const codes: number[] = [];
  for (;;) {
    if (position >= text.length || (quote.length === 1 && text[position] === '\n')) {
      throw new Problem(`Syntax error: token recognition error at: '${text.slice(start, start + 20)}'`, start);
    }
    if (text.startsWith(quote, position)) break;
    if (text[position] === '\\' && !raw) {
      const escape = readEscape(text, position + 1, start);
      if (isBytes && escape.unicode) codes.push(...utf8Encode(String.fromCodePoint(escape.code)));
      else codes.push(escape.code);
      position = escape.end;
    } else {
      const code = text.codePointAt(position) as number;
      if (isBytes) codes.push(...utf8Encode(String.fromCodePoint(code)));
      else codes.push(code);
      position += code > 0xffff ? 2 : 1;
    }
  }
  const end = position + quote.length;
  if (isBytes) return { value: '', bytes: codes, end };
  return { value: codes.map((code) => String.fromCodePoint(code)).join(''), end };
}

const SIMPLE: { readonly [letter: string]: number } = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '`': 96,
  '?': 63,
};

function readEscape(text: string, position: number, start: number): { code: number; end: number; unicode: boolean } {
  const letter = text[position] ?? '';
  if (Object.hasOwn(SIMPLE, letter)) return { code: SIMPLE[letter] as number, end: position + 1, unicode: false };
  const width = letter === 'x' || letter === 'X' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
  const digits = width > 0 ? text.slice(position + 1, position + 1 + width) : text.slice(position, position + 3);
  const valid = width > 0 ? digits.length === width && /^[0-9a-fA-F]+$/.test(digits) : /^[0-3][0-7]{2}$/.test(digits);
  const code = valid ? Number.parseInt(digits, width > 0 ? 16 : 8) : -1;
  if (code < 0 || code > 0x10_ffff) throw new Problem('Syntax error: invalid escape sequence', start);
  return { code, end: position + (width > 0 ? 1 + width : 3), unicode: width > 2 };
}
