/** What the scanner found next. */
export type Token = 'end' | 'text' | 'open' | 'close' | 'illegal';

/** Whether a character belongs to the token; `place` is its position in the token, from 1. */
export type Accept = (character: string, place: number) => boolean;

export interface ScanMode {
  readonly text?: boolean;
  /** Recognise `${`. */
  readonly open?: boolean;
  /** Recognise `}`. */
  readonly close?: boolean;
  /** Characters that quote: `$$` is `$`; with a backslash, `\/` is `/` and `\\` is `\`. */
  readonly escapes?: '$' | '$\\';
}

/** Reads tokens by rules that the parser gives for each. Source: fluxcd/pkg@e2cfd1a envsubst/parse/scan.go. */
export class Scanner {
  readonly #source: string;
  #at = 0;
  /** Text of the last token, escapes resolved. */
  text = '';

  constructor(source: string) {
    this.#source = source;
  }

  /** Where the next token begins. */
  get place(): number {
    return this.#at;
  }

  /** The next character, '' at the end. */
  peek(ahead = 0): string {
    const code = this.#source.codePointAt(this.#at + ahead);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  scan(accept: Accept, mode: ScanMode): Token {
    this.text = '';
    const first = this.peek();
    if (first === '') return 'end';
    if (mode.open === true && this.#opens()) {
      this.#at += 2;
      return 'open';
    }
    if (mode.close === true && first === '}') {
      this.#at += 1;
      this.text = first;
      return 'close';
    }
    if (mode.text !== true) return 'illegal';
    const parts: string[] = [];
    let place = 0;
    for (;;) {
      const character = this.peek();
      if (character === '') break;
      if (place > 0 && mode.open === true && this.#opens()) break;
      const escaped = this.#escaped(character, mode);
      if (escaped !== undefined) {
        this.#at += 2;
        parts.push(escaped);
        place += 1;
        continue;
      }
      if (!accept(character, place + 1)) break;
      this.#at += character.length;
      parts.push(character);
      place += character.length;
    }
    if (place === 0) return 'illegal';
    this.text = parts.join('');
    return 'text';
  }

  #opens(): boolean {
    return this.#source.startsWith('${', this.#at);
  }

  #escaped(character: string, { escapes }: ScanMode): string | undefined {
    if (escapes === undefined) return undefined;
    const next = this.#source[this.#at + 1];
    if (character === '$' && next === '$') return '$';
    if (escapes === '$\\' && character === '\\' && (next === '/' || next === '\\')) return next;
    return undefined;
  }
}
