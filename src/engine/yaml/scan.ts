import type { YamlError } from './error.ts';
import { DOUBLE_QUOTED, FOLDED, LITERAL, SINGLE_QUOTED } from './node.ts';
import type { Dialect } from './resolve.ts';

export const STREAM_END = 0;
export const VERSION_DIRECTIVE = 1;
export const TAG_DIRECTIVE = 2;
export const DOCUMENT_START = 3;
export const DOCUMENT_END = 4;
export const BLOCK_SEQUENCE_START = 5;
export const BLOCK_MAPPING_START = 6;
export const BLOCK_END = 7;
export const FLOW_SEQUENCE_START = 8;
export const FLOW_SEQUENCE_END = 9;
export const FLOW_MAPPING_START = 10;
export const FLOW_MAPPING_END = 11;
export const BLOCK_ENTRY = 12;
export const FLOW_ENTRY = 13;
export const KEY = 14;
export const VALUE = 15;
export const ALIAS = 16;
export const ANCHOR = 17;
export const TAG = 18;
export const SCALAR = 19;

export interface Token {
  readonly type: number;
  /** From 0. */
  readonly line: number;
  readonly value: string;
  /** Of a scalar: its style bit. */
  readonly style: number;
  /** Suffix of a tag, prefix of a %TAG directive. */
  readonly suffix: string;
}

/** Thrown by the scanner and the composer, and turned into a Result where the parse began. */
export class YamlFailure extends Error {
  readonly detail: YamlError;
  constructor(message: string, line: number, whole = false) {
    super(message);
    // Go's libraries print no line for a problem in the first one.
    this.detail = { message, line: Math.max(line, 1), column: 0, ...((whole || line < 1) && { whole: true }) };
  }
}

/**
 * Deepest nesting that is read. Go's library stops at 10,000; ours at the depth that every recursive filter behind it can
 * take on the default stack.
 */
export const MAX_NESTING = 1000;

interface SimpleKey {
  possible: boolean;
  required: boolean;
  /** Found by its token number; Go's library forgets one when an empty flow collection begins with it. */
  listed: boolean;
  tokenNumber: number;
  position: number;
  line: number;
  column: number;
}

function noKey(tokenNumber: number, line: number): SimpleKey {
  return { possible: false, required: false, listed: false, tokenNumber, position: 0, line, column: 0 };
}

const BLANK = 1;
const BREAK = 2;
const END = 4;
const FLOW_INDICATOR = 8;
const ALPHA = 16;
const HEX = 32;
const URI = 64;
const NOT_PLAIN_START = 128;

const CLASS = new Uint8Array(256);
function classify(text: string, bit: number): void {
  for (const char of text) CLASS[char.charCodeAt(0)] = (CLASS[char.charCodeAt(0)] as number) | bit;
}
classify(' \t', BLANK);
classify('\r\n\u0085', BREAK);
classify(',?[]{}', FLOW_INDICATOR);
classify('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-', ALPHA);
classify('0123456789ABCDEFabcdef', HEX);
classify(";/?:@&=+$,.!~*'()[]%", URI);
classify('-?:,[]{}#&*!|>\'"%@`', NOT_PLAIN_START);

/** Code for the end of the text: NaN from charCodeAt is awkward to compare, so the text ends with NUL as Go's buffer does. */
function classOf(code: number): number {
  if (code < 256) return code === 0 ? END : (CLASS[code] as number);
  return code === 0x2028 || code === 0x2029 ? BREAK : 0;
}

/** Characters that YAML forbids. */
const CONTROL = new RegExp(
  // oxlint-disable-next-line no-control-regex -- these are what YAML refuses
  '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u0084\\u0086-\\u009f\\ufffe\\uffff]',
);

/**
 * Splits YAML text into tokens by libyaml's rules (simple keys, indentation), with the errors of Go's port of it
 * (go.yaml.in/yaml scannerc.go). Comments are skipped.
 */
export class Scanner {
  private readonly text: string;
  private readonly v3: boolean;
  private position = 0;
  private line = 0;
  private lineStart = 0;
  private flowLevel = 0;
  private indent = -1;
  private readonly indents: number[] = [];
  private simpleKeyAllowed = true;
  private readonly simpleKeys: SimpleKey[] = [];
  private tokens: Token[] = [];
  private head = 0;
  private parsed = 0;
  private ended = false;

  constructor(text: string, dialect: Dialect) {
    const control = text.search(CONTROL);
    if (control >= 0) {
      const line = text.slice(0, control).split('\n').length;
      throw new YamlFailure('control characters are not allowed', line, true);
    }
    // A mark at the very start says the encoding; elsewhere Go's library takes it for text (yamlprivateh.go, is_bom).
    this.text = `${text.charCodeAt(0) === 0xfeff ? text.slice(1) : text}\0`;
    this.v3 = dialect === 'v3';
    this.simpleKeys.push(noKey(0, 0));
  }

  /** The next token, left where it is. */
  peek(): Token {
    if (this.head >= this.tokens.length || this.needsMore()) this.fetchMore();
    return this.tokens[this.head] as Token;
  }

  skip(): void {
    this.parsed++;
    this.head++;
    if (this.head > 64 && this.head * 2 > this.tokens.length) {
      this.tokens.splice(0, this.head);
      this.head = 0;
    }
  }

  private fetchMore(): void {
    do this.fetchNext();
    while (this.head >= this.tokens.length || this.needsMore());
  }

  /** True while the head token could still turn out to be a key. */
  private needsMore(): boolean {
    // v3 looks two tokens ahead for comments, which decides which of two errors is met first.
    if (this.v3 && !this.ended && this.head >= this.tokens.length - 2) return true;
    for (let index = this.simpleKeys.length - 1; index >= 0; index--) {
      const key = this.simpleKeys[index] as SimpleKey;
      if (key.possible && key.listed && key.tokenNumber === this.parsed) return this.isValid(key);
    }
    return false;
  }

  private isValid(key: SimpleKey): boolean {
    if (!key.possible) return false;
    if (key.line < this.line || key.position + 1024 < this.position) {
      if (key.required) this.failAt(key.line, "could not find expected ':'");
      key.possible = false;
      return false;
    }
    return true;
  }

  /** A scanner error: Go prints the line of its context (v3) or of the problem (v2), from 1, and no line for the first. */
  private failAt(contextLine: number, message: string): never {
    const [first, second] = this.v3 ? [contextLine, this.line] : [this.line, contextLine];
    if (first !== 0) throw new YamlFailure(message, first + 1);
    throw new YamlFailure(message, second === 0 ? 0 : this.v3 ? second + 1 : second);
  }

  private push(type: number, line: number, value = '', style = 0, suffix = ''): void {
    this.tokens.push({ type, line, value, style, suffix });
  }

  private code(offset = 0): number {
    return this.text.charCodeAt(this.position + offset);
  }

  private column(): number {
    return this.position - this.lineStart;
  }

  private atDocumentIndicator(): boolean {
    const first = this.code();
    if (first !== 0x2d && first !== 0x2e) return false;
    return this.code(1) === first && this.code(2) === first && (classOf(this.code(3)) & (BLANK | BREAK | END)) !== 0;
  }

  /** Steps over a line break and returns what it stands for. */
  private readBreak(): string {
    const code = this.code();
    this.position++;
    if (code === 0x0d && this.code() === 0x0a) this.position++;
    this.line++;
    this.lineStart = this.position;
    return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : '\n';
  }

  private skipToNextToken(): void {
    for (;;) {
      let code = this.code();
      while (code === 0x20 || (code === 0x09 && (this.flowLevel > 0 || !this.simpleKeyAllowed))) {
        this.position++;
        code = this.code();
      }
      if (code === 0x23) {
        while ((classOf(code) & (BREAK | END)) === 0) {
          this.position++;
          code = this.code();
        }
      }
      if ((classOf(code) & BREAK) === 0) return;
      this.readBreak();
      if (this.flowLevel === 0) this.simpleKeyAllowed = true;
    }
  }

  private fetchNext(): void {
    this.skipToNextToken();
    this.unroll(this.column());
    const code = this.code();
    if (code === 0) {
      this.fetchStreamEnd();
      return;
    }
    const column = this.column();
    if (column === 0) {
      if (code === 0x25) {
        this.unroll(-1);
        this.removeSimpleKey();
        this.simpleKeyAllowed = false;
        this.scanDirective();
        return;
      }
      if (this.atDocumentIndicator()) {
        this.unroll(-1);
        this.removeSimpleKey();
        this.simpleKeyAllowed = false;
        this.push(code === 0x2d ? DOCUMENT_START : DOCUMENT_END, this.line);
        this.position += 3;
        return;
      }
    }
    const next = classOf(this.code(1)) & (BLANK | BREAK | END);
    switch (code) {
      case 0x5b: // [
        return this.fetchFlowStart(FLOW_SEQUENCE_START);
      case 0x7b: // {
        return this.fetchFlowStart(FLOW_MAPPING_START);
      case 0x5d: // ]
        return this.fetchFlowEnd(FLOW_SEQUENCE_END);
      case 0x7d: // }
        return this.fetchFlowEnd(FLOW_MAPPING_END);
      case 0x2c: // ,
        this.removeSimpleKey();
        this.simpleKeyAllowed = true;
        this.push(FLOW_ENTRY, this.line);
        this.position++;
        return;
      case 0x2d: // -
        if (next !== 0) return this.fetchBlockEntry();
        break;
      case 0x3f: // ?
        if (this.flowLevel > 0 || next !== 0) return this.fetchKey();
        break;
      case 0x3a: // :
        if (this.flowLevel > 0 || next !== 0) return this.fetchValue();
        break;
      case 0x2a: // *
      case 0x26: // &
        this.saveSimpleKey();
        this.simpleKeyAllowed = false;
        return this.scanAnchor(code === 0x2a ? ALIAS : ANCHOR);
      case 0x21: // !
        this.saveSimpleKey();
        this.simpleKeyAllowed = false;
        return this.scanTag();
      case 0x7c: // |
      case 0x3e: // >
        if (this.flowLevel === 0) {
          this.removeSimpleKey();
          this.simpleKeyAllowed = true;
          return this.scanBlockScalar(code === 0x7c);
        }
        break;
      case 0x27: // '
      case 0x22: // "
        this.saveSimpleKey();
        this.simpleKeyAllowed = false;
        return this.scanQuoted(code === 0x27);
      default:
    }
    const kind = classOf(code);
    const plain =
      (kind & (NOT_PLAIN_START | BLANK | BREAK | END)) === 0 ||
      (code === 0x2d && (classOf(this.code(1)) & BLANK) === 0) ||
      (this.flowLevel === 0 && (code === 0x3f || code === 0x3a) && next === 0);
    if (!plain) this.failAt(this.line, 'found character that cannot start any token');
    this.saveSimpleKey();
    this.simpleKeyAllowed = false;
    this.scanPlain();
  }

  private saveSimpleKey(): void {
    if (!this.simpleKeyAllowed) return;
    this.removeSimpleKey();
    const key = this.simpleKeys[this.simpleKeys.length - 1] as SimpleKey;
    key.possible = true;
    key.listed = true;
    key.required = this.flowLevel === 0 && this.indent === this.column();
    key.tokenNumber = this.parsed + (this.tokens.length - this.head);
    key.position = this.position;
    key.line = this.line;
    key.column = this.column();
  }

  private removeSimpleKey(): void {
    const key = this.simpleKeys[this.simpleKeys.length - 1] as SimpleKey;
    if (!key.possible) return;
    if (key.required) this.failAt(key.line, "could not find expected ':'");
    key.possible = false;
  }

  private roll(column: number, tokenNumber: number, type: number, line: number): void {
    if (this.flowLevel > 0 || this.indent >= column) return;
    this.indents.push(this.indent);
    this.indent = column;
    if (this.indents.length > MAX_NESTING) {
      this.failAt((this.simpleKeys.at(-1) as SimpleKey).line, `exceeded max depth of ${MAX_NESTING}`);
    }
    if (tokenNumber < 0) this.push(type, line);
    else this.insert(tokenNumber, type, line);
  }

  private insert(tokenNumber: number, type: number, line: number): void {
    const offset = tokenNumber - this.parsed;
    // A key that was forgotten is read already.
    if (offset < 0) this.push(type, line);
    else this.tokens.splice(this.head + offset, 0, { type, line, value: '', style: 0, suffix: '' });
  }

  private unroll(column: number): void {
    if (this.flowLevel > 0) return;
    while (this.indent > column) {
      this.push(BLOCK_END, this.line);
      this.indent = this.indents.pop() as number;
    }
  }

  private fetchStreamEnd(): void {
    if (this.column() !== 0) {
      this.lineStart = this.position;
      this.line++;
    }
    this.unroll(-1);
    this.removeSimpleKey();
    this.simpleKeyAllowed = false;
    this.ended = true;
    this.push(STREAM_END, this.line);
  }

  private fetchFlowStart(type: number): void {
    this.saveSimpleKey();
    this.simpleKeys.push(noKey(this.parsed + (this.tokens.length - this.head), this.line));
    this.flowLevel++;
    if (this.flowLevel > MAX_NESTING) this.failAt(this.line, `exceeded max depth of ${MAX_NESTING}`);
    this.simpleKeyAllowed = true;
    this.push(type, this.line);
    this.position++;
  }

  private fetchFlowEnd(type: number): void {
    this.removeSimpleKey();
    if (this.flowLevel > 0) {
      this.flowLevel--;
      const popped = this.simpleKeys.pop() as SimpleKey;
      const outer = this.simpleKeys.at(-1) as SimpleKey;
      if (outer.tokenNumber === popped.tokenNumber) outer.listed = false;
    }
    this.simpleKeyAllowed = false;
    this.push(type, this.line);
    this.position++;
  }

  private fetchBlockEntry(): void {
    if (this.flowLevel === 0) {
      if (!this.simpleKeyAllowed) this.failAt(this.line, 'block sequence entries are not allowed in this context');
      this.roll(this.column(), -1, BLOCK_SEQUENCE_START, this.line);
    }
    this.removeSimpleKey();
    this.simpleKeyAllowed = true;
    this.push(BLOCK_ENTRY, this.line);
    this.position++;
  }

  private fetchKey(): void {
    if (this.flowLevel === 0) {
      if (!this.simpleKeyAllowed) this.failAt(this.line, 'mapping keys are not allowed in this context');
      this.roll(this.column(), -1, BLOCK_MAPPING_START, this.line);
    }
    this.removeSimpleKey();
    this.simpleKeyAllowed = this.flowLevel === 0;
    this.push(KEY, this.line);
    this.position++;
  }

  private fetchValue(): void {
    const key = this.simpleKeys[this.simpleKeys.length - 1] as SimpleKey;
    if (this.isValid(key)) {
      this.insert(key.tokenNumber, KEY, key.line);
      this.roll(key.column, key.tokenNumber, BLOCK_MAPPING_START, key.line);
      key.possible = false;
      this.simpleKeyAllowed = false;
    } else {
      if (this.flowLevel === 0) {
        if (!this.simpleKeyAllowed) this.failAt(this.line, 'mapping values are not allowed in this context');
        this.roll(this.column(), -1, BLOCK_MAPPING_START, this.line);
      }
      this.simpleKeyAllowed = this.flowLevel === 0;
    }
    this.push(VALUE, this.line);
    this.position++;
  }

  private skipBlanks(): void {
    while ((classOf(this.code()) & BLANK) !== 0) this.position++;
  }

  private scanDirective(): void {
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

  private scanVersionNumber(line: number): number {
    const digits = /^[0-9]*/.exec(this.text.slice(this.position, this.position + 3))?.[0] ?? '';
    if (digits.length > 2) this.failAt(line, 'found extremely long version number');
    if (digits === '') this.failAt(line, 'did not find expected version number');
    this.position += digits.length;
    return Number(digits);
  }

  private readWhile(bits: number): string {
    const start = this.position;
    while ((classOf(this.code()) & bits) !== 0) this.position++;
    return this.text.slice(start, this.position);
  }

  private scanAnchor(type: number): void {
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

  private scanTag(): void {
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

  private scanTagHandle(directive: boolean, line: number): string {
    if (this.code() !== 0x21) this.failAt(line, "did not find expected '!'");
    const start = this.position;
    this.position++;
    while ((classOf(this.code()) & ALPHA) !== 0) this.position++;
    if (this.code() === 0x21) this.position++;
    else if (directive && this.position - start > 1) this.failAt(line, "did not find expected '!'");
    return this.text.slice(start, this.position);
  }

  private scanTagUri(line: number, hasTag: boolean): string {
    const uri = this.readWhile(ALPHA | URI);
    if (uri === '' && !hasTag) this.failAt(line, 'did not find expected tag URI');
    if (!uri.includes('%')) return uri;
    try {
      return decodeURIComponent(uri);
    } catch {
      return this.failAt(line, 'did not find URI escaped octet');
    }
  }

  private scanBlockScalar(literal: boolean): void {
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
  private scanBlockBreaks(indent: number, line: number): { indent: number; breaks: string } {
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

  private scanQuoted(single: boolean): void {
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

  private scanEscape(line: number): string {
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

  private scanPlain(): void {
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
