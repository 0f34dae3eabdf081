import { quote, quoteRune } from '../gotemplate/quote.ts';
import { GoError } from '../gotemplate/value.ts';

/** End of the text, as Go's lexer shows it. */
const END = '';

/** A TOML text while it is read: where the reader stands, and how it fails. Source: BurntSushi/toml@1.6.0 lex.go. */
export class TomlText {
  readonly text: string;
  at = 0;
  line = 1;
  /** Key that is being read, for messages. */
  lastKey: () => string = () => '';

  constructor(text: string) {
    this.text = text;
  }

  /** Takes one character; '' at the end. */
  next(): string {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) return END;
    const character = String.fromCodePoint(code);
    this.at += character.length;
    if (character === '\n') this.line++;
    if (isControl(character) && !(character === '\r' && this.text.charAt(this.at) === '\n')) {
      this.fail(`TOML files cannot contain control characters: '0x${code.toString(16).padStart(2, '0')}'`);
    }
    return character;
  }

  peek(): string {
    const code = this.text.codePointAt(this.at);
    return code === undefined ? END : String.fromCodePoint(code);
  }

  accept(character: string): boolean {
    if (this.peek() !== character || character === END) return false;
    this.next();
    return true;
  }

  /** Takes what `pattern`, which is sticky, matches here. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text)?.[0] ?? '';
    for (const character of match) if (character === '\n') this.line++;
    this.at += match.length;
    return match;
  }

  skipBlanks(): void {
    this.take(/[ \t]*/y);
  }

  /** Blanks, line breaks and comments. */
  skipLines(): void {
    for (;;) {
      this.take(/(?:[ \t\n]|\r\n)*/y);
      if (!this.accept('#')) return;
      this.comment();
    }
  }

  /** The rest of a line, up to its break. */
  comment(): void {
    while (this.peek() !== '\n' && this.peek() !== END && !this.text.startsWith('\r\n', this.at)) this.next();
  }

  fail(message: string, line: number = this.line): never {
    const key = this.lastKey();
    throw new TomlProblem(`toml: line ${line}${key === '' ? '' : ` (last key ${quote(key)})`}: ${message}`);
  }
}

/** Why a text is no TOML. */
export class TomlProblem extends GoError {}

/** A character as `%q` shows it; the end is the rune 0, as Go's lexer has it. */
export function shown(character: string): string {
  return quoteRune(character === END ? 0 : (character.codePointAt(0) as number));
}

function isControl(character: string): boolean {
  return character !== '' && character !== '\t' && character !== '\n' && (character < ' ' || character === '\x7f');
}

const SHORT: { readonly [letter: string]: string } = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\x1b',
  '"': '"',
  '\\': '\\',
};
const HEX_DIGITS: { readonly [letter: string]: readonly [count: number, word: string] } = {
  x: [2, 'two'],
  u: [4, 'four'],
  U: [8, 'eight'],
};

/** What follows a quote, up to the closing one. */
export function readString(source: TomlText, mark: '"' | "'", isMultiline: boolean): string {
  const close = isMultiline ? mark.repeat(3) : mark;
  if (isMultiline) source.take(/\r?\n/y);
  let out = '';
  for (;;) {
    if (source.text.startsWith(close, source.at)) {
      if (!isMultiline) {
        source.at++;
        return out;
      }
      // Up to two quotes may stand right before the closing three.
      const run = source.take(mark === '"' ? /"+/y : /'+/y).length;
      if (run > 5) source.fail(`unexpected ${mark === '"' ? `'${mark.repeat(6)}'` : `"${mark.repeat(6)}"`}`);
      return out + mark.repeat(run - 3);
    }
    const line = source.line;
    const character = source.next();
    if (character === END) {
      const wanted = mark === '"' ? `'${close}'` : `"${close}"`;
      source.fail(`unexpected EOF; expected ${wanted}`);
    }
    if (!isMultiline && (character === '\n' || character === '\r'))
      source.fail('strings cannot contain newlines', line);
    if (character === '\\' && mark === '"') out += readEscape(source, isMultiline);
    else if (character !== '\r' || source.peek() !== '\n') out += character;
    else out += '\r';
  }
}

function readEscape(source: TomlText, isMultiline: boolean): string {
  if (isMultiline && source.take(/[ \t]*\r?\n[ \t\r\n]*/y) !== '') return '';
  const character = source.next();
  const short = SHORT[character];
  if (short !== undefined) return short;
  const digits = HEX_DIGITS[character];
  if (digits === undefined) {
    if (character === ' ' || character === '\t') source.fail(`invalid escape: '\\${character}'`);
    source.fail(`invalid escape in string '\\${character}'`);
  }
  const [count, word] = digits;
  let hex = '';
  while (hex.length < count) {
    const digit = source.next();
    if (!/^[0-9a-fA-F]$/.test(digit)) {
      source.fail(
        `expected ${word} hexadecimal digits after '\\${character}', but got ${quote(`\\${character}${hex}${digit}`)} instead`,
      );
    }
    hex += digit;
  }
  const code = Number.parseInt(hex, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    source.fail(`Escaped character '\\u${hex}' is not valid UTF-8.`);
  }
  return String.fromCodePoint(code);
}
