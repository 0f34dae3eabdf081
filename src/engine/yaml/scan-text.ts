import { ALPHA, BLANK, BREAK, classOf, END, FLOW_INDICATOR, HEX, URI } from './characters.ts';
import { DOUBLE_QUOTED, FOLDED, LITERAL, SINGLE_QUOTED } from './node.ts';
import type { Dialect } from './resolve.ts';
import { SCALAR, TAG, TAG_DIRECTIVE, type Token, VERSION_DIRECTIVE, YamlFailure } from './token.ts';

/** Characters that YAML forbids. */
const CONTROL = new RegExp(
  // oxlint-disable-next-line no-control-regex -- these are what YAML refuses
  '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u0084\\u0086-\\u009f\\ufffe\\uffff]',
);

/**
 * What a scanner reads within a token: scalars, tags, anchors, directives, by libyaml's rules and with the errors of Go's port of it
 * (go.yaml.in/yaml scannerc.go).
 */
export class TextScanner {
  protected readonly text: string;
  protected readonly v3: boolean;
  protected position = 0;
  protected line = 0;
  protected lineStart = 0;
  protected flowLevel = 0;
  protected indent = -1;
  protected simpleKeyAllowed = true;
  protected readonly tokens: Token[] = [];

  constructor(text: string, dialect: Dialect) {
    const control = text.search(CONTROL);
    if (control >= 0) {
      const line = text.slice(0, control).split('\n').length;
      throw new YamlFailure('control characters are not allowed', line, true);
    }
    // A mark at the very start says the encoding; elsewhere Go's library takes it for text (yamlprivateh.go, is_bom).
    this.text = `${text.charCodeAt(0) === 0xfeff ? text.slice(1) : text}\0`;
    this.v3 = dialect === 'v3';
  }

  /** A scanner error: Go prints the line of its context (v3) or of the problem (v2), from 1, and no line for the first. */
  protected failAt(contextLine: number, message: string): never {
    const [first, second] = this.v3 ? [contextLine, this.line] : [this.line, contextLine];
    if (first !== 0) throw new YamlFailure(message, first + 1);
    throw new YamlFailure(message, second === 0 ? 0 : this.v3 ? second + 1 : second);
  }

  protected push(type: number, line: number, value = '', style = 0, suffix = ''): void {
    this.tokens.push({ type, line, value, style, suffix });
  }

  protected code(offset = 0): number {
    return this.text.charCodeAt(this.position + offset);
  }

  protected column(): number {
    return this.position - this.lineStart;
  }

  protected atDocumentIndicator(): boolean {
    const first = this.code();
    if (first !== 0x2d && first !== 0x2e) return false;
    return this.code(1) === first && this.code(2) === first && (classOf(this.code(3)) & (BLANK | BREAK | END)) !== 0;
  }

  /** Steps over a line break and returns what it stands for. */
  protected readBreak(): string {
    const code = this.code();
    this.position++;
    if (code === 0x0d && this.code() === 0x0a) this.position++;
    this.line++;
    this.lineStart = this.position;
    return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : '\n';
  }

  protected skipBlanks(): void {
    while ((classOf(this.code()) & BLANK) !== 0) this.position++;
  }

  protected scanDirective(): void {
    const line = this.line;
    this.position++;
    const name = this.readWhile(ALPHA);
    if (name === '') this.failAt(line, 'could not find expected directive name');
    if ((classOf(this.code()) & (BLANK | BREAK | END)) === 0) {
      this.failAt(line, 'found unexpected non-alphabetical character');
    }
    if (name === 'YAML') {
      this.skipBlanks();
      const major = this.scanVersionNumber(line);
      if (this.code() !== 0x2e) this.failAt(line, "did not find expected digit or '.' character");
      this.position++;
      this.push(VERSION_DIRECTIVE, line, `${major}.${this.scanVersionNumber(line)}`);
    } else if (name === 'TAG') {
      this.skipBlanks();
      const handle = this.scanTagHandle(true, line);
      if ((classOf(this.code()) & BLANK) === 0) this.failAt(line, 'did not find expected whitespace');
      this.skipBlanks();
      const prefix = this.scanTagUri(line, false);
      if ((classOf(this.code()) & (BLANK | BREAK | END)) === 0) {
        this.failAt(line, 'did not find expected whitespace or line break');
      }
      this.push(TAG_DIRECTIVE, line, handle, 0, prefix);
    } else this.failAt(line, 'found unknown directive name');
    this.skipBlanks();
    if (this.code() === 0x23) while ((classOf(this.code()) & (BREAK | END)) === 0) this.position++;
    if ((classOf(this.code()) & (BREAK | END)) === 0) this.failAt(line, 'did not find expected comment or line break');
    if ((classOf(this.code()) & BREAK) !== 0) this.readBreak();
  }

  protected scanVersionNumber(line: number): number {
    const digits = /^[0-9]*/.exec(this.text.slice(this.position, this.position + 3))?.[0] ?? '';
    if (digits.length > 2) this.failAt(line, 'found extremely long version number');
    if (digits === '') this.failAt(line, 'did not find expected version number');
    this.position += digits.length;
    return Number(digits);
  }

  protected readWhile(bits: number): string {
    const start = this.position;
    while ((classOf(this.code()) & bits) !== 0) this.position++;
    return this.text.slice(start, this.position);
  }

  protected scanAnchor(type: number): void {
    const line = this.line;
    this.position++;
    const name = this.readWhile(ALPHA);
    const next = this.code();
    if (
      name === '' ||
      ((classOf(next) & (BLANK | BREAK | END)) === 0 && !'?:,]}%@`'.includes(String.fromCharCode(next)))
    ) {
      this.failAt(line, 'did not find expected alphabetic or numeric character');
    }
    this.push(type, line, name);
  }

  protected scanTag(): void {
    const line = this.line;
    let handle = '';
    let suffix: string;
    if (this.code(1) === 0x3c) {
      this.position += 2;
      suffix = this.scanTagUri(line, false);
      if (this.code() !== 0x3e) this.failAt(line, "did not find the expected '>'");
      this.position++;
    } else {
      handle = this.scanTagHandle(false, line);
      if (handle.length > 1 && handle.endsWith('!')) suffix = this.scanTagUri(line, false);
      else {
        suffix = handle.slice(1) + this.scanTagUri(line, true);
        handle = '!';
        if (suffix === '') [handle, suffix] = ['', '!'];
      }
    }
    if ((classOf(this.code()) & (BLANK | BREAK | END)) === 0) {
      this.failAt(line, 'did not find expected whitespace or line break');
    }
    this.push(TAG, line, handle, 0, suffix);
  }

  protected scanTagHandle(directive: boolean, line: number): string {
    if (this.code() !== 0x21) this.failAt(line, "did not find expected '!'");
    const start = this.position;
    this.position++;
    while ((classOf(this.code()) & ALPHA) !== 0) this.position++;
    if (this.code() === 0x21) this.position++;
    else if (directive && this.position - start > 1) this.failAt(line, "did not find expected '!'");
    return this.text.slice(start, this.position);
  }

  protected scanTagUri(line: number, hasTag: boolean): string {
    const uri = this.readWhile(ALPHA | URI);
    if (uri === '' && !hasTag) this.failAt(line, 'did not find expected tag URI');
    if (!uri.includes('%')) return uri;
    try {
      return decodeURIComponent(uri);
    } catch {
      return this.failAt(line, 'did not find URI escaped octet');
    }
  }

  protected scanBlockScalar(literal: boolean): void {
    const line = this.line;
    this.position++;
    let chomping = 0;
    let increment = 0;
    for (let step = 0; step < 2; step++) {
      const code = this.code();
      if ((code === 0x2b || code === 0x2d) && chomping === 0) chomping = code === 0x2b ? 1 : -1;
      else if (code >= 0x30 && code <= 0x39 && increment === 0) {
        if (code === 0x30) this.failAt(line, 'found an indentation indicator equal to 0');
        increment = code - 0x30;
      } else break;
      this.position++;
    }
    this.skipBlanks();
    if (this.code() === 0x23) while ((classOf(this.code()) & (BREAK | END)) === 0) this.position++;
    if ((classOf(this.code()) & (BREAK | END)) === 0) this.failAt(line, 'did not find expected comment or line break');
    if ((classOf(this.code()) & BREAK) !== 0) this.readBreak();

    let indent = increment > 0 ? (this.indent >= 0 ? this.indent + increment : increment) : 0;
    const parts: string[] = [];
    let leadingBreak = '';
    let leadingBlank = false;
    const first = this.scanBlockBreaks(indent, line);
    indent = first.indent;
    let breaks = first.breaks;
    while (this.column() === indent && this.code() !== 0) {
      const blank = (classOf(this.code()) & BLANK) !== 0;
      if (!literal && !leadingBlank && !blank && leadingBreak === '\n') {
        if (breaks === '') parts.push(' ');
      } else parts.push(leadingBreak);
      parts.push(breaks);
      leadingBlank = blank;
      const start = this.position;
      while ((classOf(this.code()) & (BREAK | END)) === 0) this.position++;
      parts.push(this.text.slice(start, this.position));
      leadingBreak = this.code() === 0 ? '' : this.readBreak();
      breaks = this.scanBlockBreaks(indent, line).breaks;
    }
    if (chomping !== -1) parts.push(leadingBreak);
    if (chomping === 1) parts.push(breaks);
    this.push(SCALAR, line, parts.join(''), literal ? LITERAL : FOLDED);
  }

  /** Eats the indentation and the empty lines before a line of a block scalar; finds the indentation when `indent` is 0. */
  protected scanBlockBreaks(indent: number, line: number): { indent: number; breaks: string } {
    let deepest = 0;
    let breaks = '';
    for (;;) {
      while ((indent === 0 || this.column() < indent) && this.code() === 0x20) this.position++;
      if (this.column() > deepest) deepest = this.column();
      if ((indent === 0 || this.column() < indent) && this.code() === 0x09) {
        this.failAt(line, 'found a tab character where an indentation space is expected');
      }
      if ((classOf(this.code()) & BREAK) === 0) break;
      breaks += this.readBreak();
    }
    return { indent: indent === 0 ? Math.max(deepest, this.indent + 1, 1) : indent, breaks };
  }

  protected scanQuoted(single: boolean): void {
    const line = this.line;
    const quote = single ? 0x27 : 0x22;
    this.position++;
    let value = '';
    for (;;) {
      if (this.column() === 0 && this.atDocumentIndicator()) this.failAt(line, 'found unexpected document indicator');
      if (this.code() === 0) this.failAt(line, 'found unexpected end of stream');
      let leadingBlanks = false;
      let start = this.position;
      for (;;) {
        const code = this.code();
        if (code === quote) {
          if (!single || this.code(1) !== 0x27) break;
          value += this.text.slice(start, this.position + 1);
          this.position += 2;
          start = this.position;
        } else if (code === 0x5c && !single) {
          value += this.text.slice(start, this.position);
          if ((classOf(this.code(1)) & BREAK) !== 0) {
            this.position++;
            this.readBreak();
            start = this.position;
            leadingBlanks = true;
            break;
          }
          value += this.scanEscape(line);
          start = this.position;
        } else if ((classOf(code) & (BLANK | BREAK | END)) !== 0) break;
        else this.position++;
      }
      value += this.text.slice(start, this.position);
      if (this.code() === quote) break;
      start = this.position;
      let blanks = '';
      let leadingBreak = '';
      let trailing = '';
      for (;;) {
        const kind = classOf(this.code());
        if ((kind & BLANK) !== 0) this.position++;
        else if ((kind & BREAK) !== 0) {
          if (leadingBlanks) trailing += this.readBreak();
          else {
            leadingBreak = this.readBreak();
            leadingBlanks = true;
          }
        } else break;
      }
      if (!leadingBlanks) blanks = this.text.slice(start, this.position);
      if (!leadingBlanks) value += blanks;
      else if (leadingBreak === '\n') value += trailing === '' ? ' ' : trailing;
      else value += leadingBreak + trailing;
    }
    this.position++;
    this.push(SCALAR, line, value, single ? SINGLE_QUOTED : DOUBLE_QUOTED);
  }

  protected scanEscape(line: number): string {
    const letter = this.text[this.position + 1] as string;
    const length = letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
    if (length === 0) {
      const found = ESCAPES.get(letter);
      if (found === undefined) this.failAt(line, 'found unknown escape character');
      this.position += 2;
      return found;
    }
    this.position += 2;
    let code = 0;
    for (let index = 0; index < length; index++) {
      if ((classOf(this.code(index)) & HEX) === 0) this.failAt(line, 'did not find expected hexdecimal number');
      code = code * 16 + Number.parseInt(this.text[this.position + index] as string, 16);
    }
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
      this.failAt(line, 'found invalid Unicode character escape code');
    }
    this.position += length;
    return String.fromCodePoint(code);
  }

  protected scanPlain(): void {
    const line = this.line;
    const indent = this.indent + 1;
    let value = '';
    let pending = '';
    let leadingBlanks = false;
    for (;;) {
      if (this.position === this.lineStart && this.atDocumentIndicator()) break;
      if (this.code() === 0x23) break;
      const start = this.position;
      const stop = this.flowLevel > 0 ? BLANK | BREAK | END | FLOW_INDICATOR : BLANK | BREAK | END;
      for (;;) {
        const code = this.code();
        if ((classOf(code) & stop) !== 0) break;
        if (code === 0x3a && (classOf(this.code(1)) & (BLANK | BREAK | END)) !== 0) break;
        this.position++;
      }
      if (this.position > start) {
        value += pending + this.text.slice(start, this.position);
        pending = '';
        leadingBlanks = false;
      }
      if ((classOf(this.code()) & (BLANK | BREAK)) === 0) break;
      const gap = this.position;
      let leadingBreak = '';
      let trailing = '';
      for (;;) {
        const code = this.code();
        const kind = classOf(code);
        if ((kind & BLANK) !== 0) {
          if (leadingBlanks && code === 0x09 && this.column() < indent) {
            this.failAt(line, 'found a tab character that violates indentation');
          }
          this.position++;
        } else if ((kind & BREAK) !== 0) {
          if (leadingBlanks) trailing += this.readBreak();
          else {
            leadingBreak = this.readBreak();
            leadingBlanks = true;
          }
        } else break;
      }
      if (!leadingBlanks) pending = this.text.slice(gap, this.position);
      else pending = leadingBreak !== '\n' ? leadingBreak + trailing : trailing === '' ? ' ' : trailing;
      if (this.flowLevel === 0 && this.column() < indent) break;
    }
    this.push(SCALAR, line, value);
    if (leadingBlanks) this.simpleKeyAllowed = true;
  }
}

const ESCAPES = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['\t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1b'],
  [' ', ' '],
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['N', '\u0085'],
  ['_', '\u00a0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
]);
