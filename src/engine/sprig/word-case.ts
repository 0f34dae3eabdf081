import { toValidUtf8 } from './cast.ts';
import {
  isLetter,
  isLower,
  isNumber,
  isPunctuation,
  isSpace,
  isTitle,
  isUpper,
  lower,
  title,
  upper,
} from './letter-case.ts';

/** `some_words` as `SomeWords`. Source: huandu/xstrings@1.5.0 convert.go, ToPascalCase. */
export function pascalCase(text: string): string {
  const characters = Array.from(toValidUtf8(text));
  let out = '';
  let at = 0;
  while (at < characters.length && isConnector(characters[at] as string)) out += characters[at++];
  // A text of connectors alone gets its last one twice.
  if (at === characters.length) return out + (characters.at(-1) ?? '');
  let current = upper(characters[at] as string);
  let inUpper = isUpper(characters[at] as string);
  for (at++; at < characters.length; at++) {
    const previous = current;
    current = characters[at] as string;
    if (isConnector(current) && isConnector(previous)) {
      out += previous;
      continue;
    }
    if (isConnector(previous)) {
      inUpper = isUpper(current);
      current = upper(current);
      continue;
    }
    if (inUpper) {
      if (isUpper(current)) current = lower(current);
      else inUpper = false;
    }
    out += previous;
  }
  return out + current;
}

type WordKind = 'none' | 'number' | 'upper' | 'letters' | 'connector' | 'punctuation' | 'other';
interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

/** `FirstName` as `first_name`, with `connector` between the words. Source: huandu/xstrings@1.5.0 convert.go. */
export function separatedCase(text: string, connector: '_' | '-'): string {
  return new Separator(wordsOf(Array.from(toValidUtf8(text))), connector).all();
}

class Separator {
  private readonly words: readonly Word[];
  private readonly connector: string;
  private at = 0;
  private out = '';

  constructor(words: readonly Word[], connector: string) {
    this.words = words;
    this.connector = connector;
  }

  all(): string {
    while (this.at + 1 < this.words.length) {
      const word = this.word();
      if (word.kind !== 'connector') this.write(word);
      this.at++;
      if (word.kind === 'number') this.run();
      else if (word.kind === 'connector') this.write(word);
      else if (word.kind !== 'punctuation') this.join();
    }
    this.write(this.word());
    return this.out;
  }

  private word(): Word {
    return this.words[this.at] ?? { kind: 'none', text: '' };
  }

  private write({ kind, text }: Word): void {
    this.out += lowered(kind, text, this.connector);
  }

  /** A connector, unless the next word is one or brings its own. */
  private connect(): void {
    const { kind } = this.word();
    if (kind !== 'connector' && kind !== 'punctuation') this.out += this.connector;
  }

  /** Letters and digits behind a number belong to it. */
  private run(): void {
    for (let word = this.word(); word.kind === 'letters' || word.kind === 'number'; word = this.word()) {
      this.write(word);
      this.at++;
    }
    if (this.word().kind !== 'none') this.connect();
  }

  /** What stands between a word and the next: `Bld4Floor` is `bld4_floor`, but `HTTP2xx` is `http_2xx`. */
  private join(): void {
    const word = this.word();
    if (word.kind !== 'number') this.connect();
    else if (this.at + 1 < this.words.length) {
      this.at++;
      if (this.word().kind === 'letters') {
        this.out += this.connector;
        this.write(word);
        this.run();
      } else {
        this.write(word);
        this.connect();
      }
    }
  }
}

function lowered(kind: WordKind, text: string, connector: string): string {
  if (kind !== 'upper' && kind !== 'connector') return text;
  let out = '';
  for (const character of text) out += isConnector(character) ? connector : lower(character);
  return out;
}

function wordsOf(characters: readonly string[]): Word[] {
  const words: Word[] = [];
  for (let at = 0; at < characters.length; ) {
    const kind = kindOf(characters[at] as string);
    let end = at + 1;
    const run = (belongs: (character: string) => boolean): void => {
      while (end < characters.length && belongs(characters[end] as string)) end++;
    };
    if (kind === 'upper') {
      if (isUpper(characters[end] ?? '')) {
        run(isUpper);
        // `HTTPStatus` is `HTTP` and `Status`.
        if (end < characters.length && isAlphabet(characters[end] as string)) end--;
      } else run((character) => isAlphabet(character) && !isUpper(character));
    } else run(CONTINUES[kind]);
    words.push({ kind, text: characters.slice(at, end).join('') });
    at = end;
  }
  return words;
}

function kindOf(character: string): Exclude<WordKind, 'none'> {
  if (isConnector(character)) return 'connector';
  if (isPunctuation(character)) return 'punctuation';
  if (isUpper(character)) return 'upper';
  if (isAlphabet(character)) return 'letters';
  return isNumber(character) ? 'number' : 'other';
}

const CONTINUES = {
  connector: isConnector,
  punctuation: isPunctuation,
  letters: (character: string): boolean => isAlphabet(character) && !isUpper(character),
  number: isNumber,
  other: (character: string): boolean =>
    !isConnector(character) && !isAlphabet(character) && !isNumber(character) && !isPunctuation(character),
} as const;

function isConnector(character: string): boolean {
  return character === '-' || character === '_' || isSpace(character);
}

/** Source: huandu/xstrings@1.5.0 count.go: letters, save those of the scripts without a boundary between words. */
function isAlphabet(character: string): boolean {
  if (!isLetter(character)) return false;
  const code = character.codePointAt(0) as number;
  return !CJK.some(([first, last]) => code >= first && code <= last);
}

const CJK: readonly (readonly [number, number])[] = [
  [0x4e00, 0x9fcc],
  [0x3400, 0x4d85],
  [0x20000, 0x2b81d],
];

/** Upper case to lower case and back; a lower-case letter that begins a word gets title case. Source: Masterminds/goutils@1.1.1. */
export function swapCase(text: string): string {
  let out = '';
  let afterSpace = true;
  for (const character of toValidUtf8(text)) {
    if (isUpper(character) || isTitle(character)) {
      out += lower(character);
      afterSpace = false;
    } else if (isLower(character)) {
      out += afterSpace ? title(character) : upper(character);
      afterSpace = false;
    } else {
      out += character;
      afterSpace = isSpace(character);
    }
  }
  return out;
}

/** The first letter of every word in lower case. Source: Masterminds/goutils@1.1.1, Uncapitalize. */
export function uncapitalize(text: string): string {
  let out = '';
  let atStart = true;
  for (const character of toValidUtf8(text)) {
    if (isSpace(character)) {
      atStart = true;
      out += character;
    } else {
      out += atStart ? lower(character) : character;
      atStart = false;
    }
  }
  return out;
}
