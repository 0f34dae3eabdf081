import { byteLength, firstRunes } from './go-string.ts';
import { isPrint, quote } from './quote.ts';

/*
 * Template text to tokens. (go@1.26 text/template/parse/lex.go)
 */
const KEYWORDS = [
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
] as const;
type Keyword = (typeof KEYWORDS)[number];
const KEYWORD_SET: ReadonlySet<string> = new Set(KEYWORDS);

export type TokenKind =
  | Keyword
  | 'error'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'complex'
  | '='
  | ':='
  | 'eof'
  | 'field'
  | 'identifier'
  | 'left'
  | '('
  | 'number'
  | '|'
  | 'rawString'
  | 'right'
  | ')'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | 'dot';

export interface Token {
  readonly kind: TokenKind;
  readonly position: number;
  /** The text; of an error, what is wrong. */
  readonly value: string;
  readonly line: number;
}

const LEFT = '{{';
const RIGHT = '}}';
const SPACE = /[ \t\r\n]/;
const SPACES = /[ \t\r\n]*/y;
const WORD_CHARACTER = /[_\p{L}\p{Nd}]/u;
const WORD = /[_\p{L}\p{Nd}]*/uy;
const SPACE_RUN = /[ \t\r\n]+/y;
const NUMBER =
  /[-+]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][-+]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]*)?)i?/y;
const QUOTED = /"(?:[^\\"\n]|\\[^\n])*"/suy;
const CHARACTER = /'(?:[^\\'\n]|\\[^\n])*'/suy;

/** How `%v` prints a token in a message. */
export function tokenText(token: Token): string {
  if (token.kind === 'eof') return 'EOF';
  if (token.kind === 'error') return token.value;
  if (token.kind === 'dot' || KEYWORD_SET.has(token.kind)) return `<${token.value}>`;
  return byteLength(token.value) > 10 ? `${quote(firstRunes(token.value, 10))}...` : quote(token.value);
}

export class Lexer {
  readonly #text: string;
  /** `break` and `continue` are keywords only while no function has that name. */
  readonly #isKeyword: (word: string) => boolean;
  #position = 0;
  #line = 1;
  /** Where the line ends: one look for each line, not for each token. */
  #newline: number;
  #insideAction = false;
  #parens = 0;
  #failed = false;

  constructor(text: string, isKeyword: (word: string) => boolean) {
    this.#text = text;
    this.#newline = newlineAfter(text, 0);
    this.#isKeyword = isKeyword;
  }

  next(): Token {
    if (this.#failed) return { kind: 'eof', position: 0, value: 'EOF', line: this.#line };
    return this.#insideAction ? this.#inAction() : this.#inText();
  }

  #take(kind: TokenKind, end: number): Token {
    const token = {
      kind,
      position: this.#position,
      value: this.#text.slice(this.#position, end),
      line: this.#line,
    };
    this.#skip(end);
    return token;
  }

  /** Moves on to `end`, counting lines. */
  #skip(end: number): void {
    while (this.#newline < end) {
      this.#line++;
      this.#newline = newlineAfter(this.#text, this.#newline + 1);
    }
    this.#position = end;
  }

  #fail(value: string): Token {
    this.#failed = true;
    return { kind: 'error', position: this.#position, value, line: this.#line };
  }

  /** Text up to an action; comments are passed over. */
  #inText(): Token {
    for (;;) {
      const text = this.#text;
      const open = text.indexOf(LEFT, this.#position);
      if (open < 0) {
        if (this.#position < text.length) return this.#take('text', text.length);
        return { kind: 'eof', position: this.#position, value: 'EOF', line: this.#line };
      }
      const inner = open + LEFT.length;
      const isTrimmed = text[inner] === '-' && SPACE.test(text[inner + 1] ?? '');
      if (open > this.#position) {
        const end = isTrimmed ? this.#trimmedEnd(open) : open;
        const token = end > this.#position ? this.#take('text', end) : undefined;
        this.#skip(open);
        if (token !== undefined) return token;
      }
      const body = isTrimmed ? inner + 2 : inner;
      if (!text.startsWith('/*', body)) {
        const token = this.#take('left', inner);
        this.#skip(body);
        this.#insideAction = true;
        this.#parens = 0;
        return token;
      }
      const failure = this.#comment(body);
      if (failure !== undefined) return failure;
    }
  }

  #trimmedEnd(open: number): number {
    let end = open;
    while (end > this.#position && SPACE.test(this.#text[end - 1] as string)) end--;
    return end;
  }

  #comment(body: number): Token | undefined {
    this.#skip(body);
    const close = this.#text.indexOf('*/', body + 2);
    if (close < 0) return this.#fail('unclosed comment');
    const end = close + 2;
    const right = this.#rightDelimiter(end);
    if (right === undefined) return this.#fail('comment ends before closing delimiter');
    this.#skip(right.isTrimmed ? this.#spacesEnd(right.end) : right.end);
    return undefined;
  }

  #spacesEnd(start: number): number {
    SPACES.lastIndex = start;
    return start + (SPACES.exec(this.#text)?.[0].length ?? 0);
  }

  /** The closing delimiter at `at`, with a trim marker or without. */
  #rightDelimiter(at: number): { readonly end: number; readonly isTrimmed: boolean } | undefined {
    const text = this.#text;
    if (SPACE.test(text[at] ?? '') && text[at + 1] === '-' && text.startsWith(RIGHT, at + 2)) {
      return { end: at + 2 + RIGHT.length, isTrimmed: true };
    }
    return text.startsWith(RIGHT, at) ? { end: at + RIGHT.length, isTrimmed: false } : undefined;
  }

  #closeAction(right: { readonly end: number; readonly isTrimmed: boolean }): Token {
    if (right.isTrimmed) this.#skip(right.end - RIGHT.length);
    const token = this.#take('right', right.end);
    if (right.isTrimmed) this.#skip(this.#spacesEnd(right.end));
    this.#insideAction = false;
    return token;
  }

  #inAction(): Token {
    const text = this.#text;
    const at = this.#position;
    const right = this.#rightDelimiter(at);
    if (right !== undefined) return this.#parens === 0 ? this.#closeAction(right) : this.#fail('unclosed left paren');
    const code = text.codePointAt(at);
    if (code === undefined) return this.#fail('unclosed action');
    const character = String.fromCodePoint(code);
    switch (character) {
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        return this.#space();
      case '=':
      case '|':
        return this.#take(character, at + 1);
      case ':':
        return text[at + 1] === '=' ? this.#take(':=', at + 2) : this.#fail('expected :=');
      case '"':
        return this.#delimited(QUOTED, 'string', 'unterminated quoted string');
      case "'":
        return this.#delimited(CHARACTER, 'charConstant', 'unterminated character constant');
      case '`': {
        const close = text.indexOf('`', at + 1);
        return close < 0 ? this.#fail('unterminated raw quoted string') : this.#take('rawString', close + 1);
      }
      case '$':
        return this.#fieldOrVariable('variable');
      case '.':
        return at + 1 < text.length && !/[0-9]/.test(text[at + 1] as string)
          ? this.#fieldOrVariable('field')
          : this.#number();
      case '(':
        this.#parens++;
        return this.#take('(', at + 1);
      case ')':
        return --this.#parens < 0 ? this.#fail('unexpected right paren') : this.#take(')', at + 1);
      default:
    }
    if (/[-+0-9]/.test(character)) return this.#number();
    if (WORD_CHARACTER.test(character)) return this.#word();
    if (code < 0x7f && code > 0x20) return this.#take('char', at + 1);
    return this.#fail(`unrecognized character in action: ${unicodeText(character)}`);
  }

  #space(): Token {
    SPACE_RUN.lastIndex = this.#position;
    const end = this.#position + (SPACE_RUN.exec(this.#text)?.[0].length ?? 0);
    const right = this.#rightDelimiter(end - 1);
    // The last space belongs to the trim marker behind it.
    if (right === undefined) return this.#take('space', end);
    return end - 1 === this.#position ? this.#closeAction(right) : this.#take('space', end - 1);
  }

  #delimited(pattern: RegExp, kind: TokenKind, failure: string): Token {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#text);
    return match === null ? this.#fail(failure) : this.#take(kind, this.#position + match[0].length);
  }

  #wordEnd(start: number): number {
    WORD.lastIndex = start;
    return start + (WORD.exec(this.#text)?.[0].length ?? 0);
  }

  #word(): Token {
    const end = this.#wordEnd(this.#position);
    if (!this.#isTerminator(end)) return this.#badCharacter(end);
    const word = this.#text.slice(this.#position, end);
    if (KEYWORD_SET.has(word) && this.#isKeyword(word)) return this.#take(word as Keyword, end);
    return this.#take(word === 'true' || word === 'false' ? 'bool' : 'identifier', end);
  }

  #fieldOrVariable(kind: 'field' | 'variable'): Token {
    const start = this.#position + 1;
    if (this.#isTerminator(start)) return this.#take(kind === 'field' ? 'dot' : kind, start);
    const end = this.#wordEnd(start);
    return this.#isTerminator(end) ? this.#take(kind, end) : this.#badCharacter(end);
  }

  #badCharacter(at: number): Token {
    return this.#fail(`bad character ${unicodeText(String.fromCodePoint(this.#text.codePointAt(at) as number))}`);
  }

  #isTerminator(at: number): boolean {
    const character = this.#text[at];
    if (character === undefined || SPACE.test(character) || '.,|:)('.includes(character)) return true;
    return this.#text.startsWith(RIGHT, at);
  }

  #number(): Token {
    const first = this.#scanNumber(this.#position);
    if (!first.ok) return this.#badNumber(first.end);
    const sign = this.#text[first.end];
    if (sign !== '+' && sign !== '-') return this.#take('number', first.end);
    const second = this.#scanNumber(first.end);
    if (!second.ok || this.#text[second.end - 1] !== 'i') return this.#badNumber(second.end);
    return this.#take('complex', second.end);
  }

  /** Where the number at `start` ends; no letter may follow it. */
  #scanNumber(start: number): { readonly ok: boolean; readonly end: number } {
    NUMBER.lastIndex = start;
    const end = start + (NUMBER.exec(this.#text)?.[0].length ?? 0);
    const code = this.#text.codePointAt(end);
    if (code === undefined || !WORD_CHARACTER.test(String.fromCodePoint(code))) return { ok: true, end };
    return { ok: false, end: end + (code > 0xffff ? 2 : 1) };
  }

  #badNumber(end: number): Token {
    return this.#fail(`bad number syntax: ${quote(this.#text.slice(this.#position, end))}`);
  }
}

function newlineAfter(text: string, position: number): number {
  const found = text.indexOf('\n', position);
  return found < 0 ? Number.POSITIVE_INFINITY : found;
}

/** Go's `%#U`: `U+0040 '@'`. */
function unicodeText(character: string): string {
  const code = character.codePointAt(0) as number;
  const rune = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
  const name = `U+${rune.toString(16).toUpperCase().padStart(4, '0')}`;
  return isPrint(rune) ? `${name} '${String.fromCodePoint(rune)}'` : name;
}
