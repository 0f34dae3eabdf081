import { noFlags } from './format-basic.ts';
import { Printer } from './format-value.ts';
import { Struct, Typed, type Value } from './value.ts';

/*
 * Go's Sprint, Sprintln and Sprintf. (go@1.26 fmt/print.go)
 */

/** Largest width, precision and argument number that is read. */
const LARGEST = 1_000_000;

/** What templates print of `value`: the struct behind a pointer, unless the pointer has a text of its own. */
export function printable(value: Value): Value {
  if (!(value instanceof Struct) || value.type.kind !== 'ptr' || value.type.text !== undefined) return value;
  return new Struct(value.type.elem ?? value.type, value.fields, value.data);
}

/** `fmt.Sprint(value)`, which is also what `%v` prints. */
export function sprint(value: Value): string {
  if (typeof value === 'string') return value;
  const printer = new Printer();
  printer.argument(value, 'v');
  return printer.out;
}

/** `fmt.Sprint(values...)`: a space goes between two that are not strings. */
export function sprintAll(values: readonly Value[]): string {
  const printer = new Printer();
  let afterString = false;
  values.forEach((value, index) => {
    const isString = typeof value === 'string' || (value instanceof Typed && value.type.kind === 'string');
    if (index > 0 && !isString && !afterString) printer.write(' ');
    printer.argument(value, 'v');
    afterString = isString;
  });
  return printer.out;
}

/** `fmt.Sprintln(values...)`. */
export function sprintln(values: readonly Value[]): string {
  const printer = new Printer();
  values.forEach((value, index) => {
    if (index > 0) printer.write(' ');
    printer.argument(value, 'v');
  });
  return `${printer.out}\n`;
}

/** `fmt.Sprintf(format, values...)`. */
export function sprintf(format: string, values: readonly Value[]): string {
  return new Directives(format, values).print();
}

/** Reads a format from left to right. */
class Directives {
  readonly #format: string;
  readonly #values: readonly Value[];
  readonly #printer = new Printer();
  #at = 0;
  /** The argument that the next verb takes. */
  #argument = 0;
  #isReordered = false;
  #isGoodIndex = true;

  constructor(format: string, values: readonly Value[]) {
    this.#format = format;
    this.#values = values;
  }

  print(): string {
    const format = this.#format;
    while (this.#at < format.length) {
      const percent = format.indexOf('%', this.#at);
      this.#printer.write(format.slice(this.#at, percent < 0 ? format.length : percent));
      if (percent < 0) break;
      this.#at = percent + 1;
      if (!this.#directive()) break;
    }
    this.#extra();
    return this.#printer.out;
  }

  /** One directive behind its `%`; false at the end of the format. */
  #directive(): boolean {
    const { flags } = this.#printer;
    Object.assign(flags, noFlags());
    this.#isGoodIndex = true;
    this.#readFlags();
    const first = this.#format[this.#at] ?? '';
    if (first >= 'a' && first <= 'z' && this.#argument < this.#values.length) {
      this.#at++;
      this.#verb(first);
      return true;
    }
    let afterIndex = this.#index();
    afterIndex = this.#width(afterIndex);
    if (this.#format[this.#at] === '.' && this.#at + 1 < this.#format.length) afterIndex = this.#precision(afterIndex);
    if (!afterIndex) this.#index();
    const code = this.#format.codePointAt(this.#at);
    if (code === undefined) {
      this.#printer.write('%!(NOVERB)');
      return false;
    }
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    const verb = code >= 0xd800 && code <= 0xdfff ? '\ufffd' : character;
    if (verb === '%') this.#printer.write('%');
    else if (!this.#isGoodIndex) this.#printer.write(`%!${verb}(BADINDEX)`);
    else if (this.#argument >= this.#values.length) this.#printer.write(`%!${verb}(MISSING)`);
    else this.#verb(verb);
    return true;
  }

  #verb(verb: string): void {
    const { flags } = this.#printer;
    if (verb === 'v' || verb === 'w') {
      flags.sharpV = flags.sharp;
      flags.sharp = false;
      flags.plusV = flags.plus;
      flags.plus = false;
    }
    this.#printer.argument(this.#values[this.#argument++], verb);
  }

  #readFlags(): void {
    const { flags } = this.#printer;
    for (; ; this.#at++) {
      switch (this.#format[this.#at]) {
        case '#':
          flags.sharp = true;
          break;
        case '0':
          flags.zero = true;
          break;
        case '+':
          flags.plus = true;
          break;
        case '-':
          flags.minus = true;
          break;
        case ' ':
          flags.space = true;
          break;
        default:
          return;
      }
    }
  }

  #width(afterIndex: boolean): boolean {
    const { flags } = this.#printer;
    if (this.#format[this.#at] !== '*') {
      flags.width = this.#number();
      if (afterIndex && flags.width !== undefined) this.#isGoodIndex = false;
      return afterIndex;
    }
    this.#at++;
    flags.width = this.#integerArgument();
    if (flags.width === undefined) this.#printer.write('%!(BADWIDTH)');
    else if (flags.width < 0) {
      flags.width = -flags.width;
      flags.minus = true;
      flags.zero = false;
    }
    return false;
  }

  #precision(wasAfterIndex: boolean): boolean {
    const { flags } = this.#printer;
    this.#at++;
    if (wasAfterIndex) this.#isGoodIndex = false;
    const afterIndex = this.#index();
    if (this.#format[this.#at] !== '*') {
      flags.precision = this.#number() ?? 0;
      return afterIndex;
    }
    this.#at++;
    const value = this.#integerArgument();
    flags.precision = value !== undefined && value >= 0 ? value : undefined;
    if (flags.precision === undefined) this.#printer.write('%!(BADPREC)');
    return false;
  }

  /** Digits at this point; a number that is too large takes the rest of the format with it. */
  #number(end: number = this.#format.length): number | undefined {
    let value: number | undefined;
    while (this.#at < end) {
      const digit = this.#format.charCodeAt(this.#at) - 48;
      if (digit < 0 || digit > 9) break;
      if ((value ?? 0) > LARGEST) {
        this.#at = end;
        return undefined;
      }
      value = (value ?? 0) * 10 + digit;
      this.#at++;
    }
    return value;
  }

  #integerArgument(): number | undefined {
    if (this.#argument >= this.#values.length) return undefined;
    const value = this.#values[this.#argument++];
    const whole = value instanceof Typed ? value.value : value;
    if (typeof whole !== 'bigint' || whole > LARGEST || whole < -LARGEST) return undefined;
    return Number(whole);
  }

  /** `[3]`: the argument to take next; reports whether there was one. */
  #index(): boolean {
    const format = this.#format;
    if (format[this.#at] !== '[') return false;
    this.#isReordered = true;
    const start = this.#at;
    const close = format.indexOf(']', start + 1);
    if (close < 0 || format.length - start < 3) {
      this.#isGoodIndex = false;
      this.#at = start + 1;
      return false;
    }
    this.#at = start + 1;
    const number = this.#number(close);
    const isNumber = number !== undefined && this.#at === close;
    this.#at = close + 1;
    if (isNumber && number >= 1 && number <= this.#values.length) {
      this.#argument = number - 1;
      return true;
    }
    this.#isGoodIndex = false;
    return isNumber;
  }

  /** Arguments that no verb took. */
  #extra(): void {
    if (this.#isReordered || this.#argument >= this.#values.length) return;
    Object.assign(this.#printer.flags, noFlags());
    this.#printer.write('%!(EXTRA ');
    this.#values.slice(this.#argument).forEach((value, index) => {
      if (index > 0) this.#printer.write(', ');
      if (value === undefined || value === null) return this.#printer.write('<nil>');
      this.#printer.argument(value, 'T');
      this.#printer.write('=');
      this.#printer.argument(value, 'v');
    });
    this.#printer.write(')');
  }
}
