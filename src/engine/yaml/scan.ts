import { BLANK, BREAK, classOf, END, NOT_PLAIN_START } from './characters.ts';
import { TextScanner } from './scan-text.ts';
import {
  ALIAS,
  ANCHOR,
  BLOCK_END,
  BLOCK_ENTRY,
  BLOCK_MAPPING_START,
  BLOCK_SEQUENCE_START,
  DOCUMENT_END,
  DOCUMENT_START,
  FLOW_ENTRY,
  FLOW_MAPPING_END,
  FLOW_MAPPING_START,
  FLOW_SEQUENCE_END,
  FLOW_SEQUENCE_START,
  KEY,
  MAX_NESTING,
  STREAM_END,
  type Token,
  VALUE,
} from './token.ts';

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

/** Splits YAML text into tokens (simple keys, indentation). Comments are skipped. */
export class Scanner extends TextScanner {
  private readonly indents: number[] = [];
  private readonly simpleKeys: SimpleKey[] = [noKey(0, 0)];
  private head = 0;
  private parsed = 0;
  private ended = false;

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
}
