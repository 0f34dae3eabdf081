import { formatFloat } from './float.ts';
import { firstRunes, RUNE_ERROR, runeCount, toBytes } from './go-string.ts';
import { canBackquote, isPrint, isValidRune, quote, quoteRune } from './quote.ts';

/*
 * Numbers and strings under the flags of a verb. (go@1.26 fmt/format.go)
 */

/** Flags of one verb. `%+v` and `%#v` have flags of their own, for they mean something else than `+` and `#`. */
export interface Flags {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  plusV: boolean;
  sharpV: boolean;
  width: number | undefined;
  precision: number | undefined;
}

export function noFlags(): Flags {
  return {
    minus: false,
    plus: false,
    sharp: false,
    space: false,
    zero: false,
    plusV: false,
    sharpV: false,
    width: undefined,
    precision: undefined,
  };
}

function padding(count: number, flags: Flags, zero = flags.zero): string {
  if (count <= 0) return '';
  return (zero && !flags.minus ? '0' : ' ').repeat(count);
}

/** Pads `text` to the width of the flags, in runes. */
export function pad(text: string, flags: Flags, zero: boolean = flags.zero): string {
  if (!flags.width) return text;
  const fill = padding(flags.width - runeCount(text), flags, zero);
  return flags.minus ? text + fill : fill + text;
}

const RADIX: { readonly [verb: string]: number } = { b: 2, o: 8, O: 8, x: 16, X: 16 };

/** An integer under the verbs `d b o O x X`. */
export function integerText(value: bigint, verb: string, flags: Flags): string {
  const isNegative = value < 0n;
  const radix = RADIX[verb] ?? 10;
  let precision = 0;
  if (flags.precision !== undefined) {
    precision = flags.precision;
    if (precision === 0 && value === 0n) return padding(flags.width ?? 0, flags, false);
  } else if (flags.zero && !flags.minus && flags.width !== undefined) {
    precision = flags.width - (isNegative || flags.plus || flags.space ? 1 : 0);
  }
  let text = (isNegative ? -value : value).toString(radix).padStart(precision, '0');
  if (verb === 'X') text = text.toUpperCase();
  if (flags.sharp) {
    if (radix === 2) text = `0b${text}`;
    else if (radix === 8) text = text.startsWith('0') ? text : `0${text}`;
    else if (radix === 16) text = `0${verb === 'X' ? 'X' : 'x'}${text}`;
  }
  if (verb === 'O') text = `0o${text}`;
  return pad((isNegative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '') + text, flags, false);
}

function runeOf(value: bigint): number {
  const rune = value >= 0n && value <= 0x10ffffn ? Number(value) : RUNE_ERROR;
  return isValidRune(rune) ? rune : RUNE_ERROR;
}

/** An integer as a character (`%c`), a quoted one (`%q`) or its number (`%U`). */
export function characterText(value: bigint, verb: 'c' | 'q' | 'U', flags: Flags): string {
  if (verb === 'c') return pad(String.fromCodePoint(runeOf(value)), flags);
  if (verb === 'q') return pad(quoteRune(runeOf(value), flags.plus), flags);
  const unsigned = BigInt.asUintN(64, value);
  const digits = unsigned
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(flags.precision ?? 0, 4), '0');
  const shown = flags.sharp && unsigned <= 0x10ffffn && isPrint(Number(unsigned));
  return pad(`U+${digits}${shown ? ` '${String.fromCodePoint(Number(unsigned))}'` : ''}`, flags, false);
}

const DEFAULT_PRECISION: { readonly [verb: string]: number } = { f: 6, F: 6, e: 6, E: 6 };

/** A float under the verbs `v b g G x X f F e E`. */
export function floatText(value: number, bits: 32 | 64, verb: string, flags: Flags): string {
  const format = verb === 'v' ? 'g' : verb === 'F' ? 'f' : verb;
  const precision = flags.precision ?? DEFAULT_PRECISION[verb] ?? -1;
  const unsigned = formatFloat(value, format, precision, bits);
  let sign = /^[-+]/.test(unsigned) ? (unsigned[0] as string) : '+';
  let digits = unsigned.replace(/^[-+]/, '');
  if (flags.space && sign === '+' && !flags.plus) sign = ' ';
  if (digits === 'Inf' || digits === 'NaN') {
    const isBare = digits === 'NaN' && !flags.space && !flags.plus;
    return pad(isBare ? digits : sign + digits, flags, false);
  }
  if (flags.sharp && format !== 'b') digits = withPoint(digits, format, precision);
  if (!flags.plus && sign === '+') return pad(digits, flags);
  const width = flags.width ?? 0;
  if (flags.zero && !flags.minus && width > digits.length + 1) {
    return sign + '0'.repeat(width - digits.length - 1) + digits;
  }
  return pad(sign + digits, flags);
}

/** The `#` flag: always a point, and the trailing zeros of `%g`. */
function withPoint(text: string, verb: string, precision: number): string {
  let wanted = 0;
  if (verb === 'g' || verb === 'G' || verb === 'x') wanted = precision === -1 ? 6 : precision;
  const mark = /[pP]/.exec(text)?.index ?? (verb === 'x' || verb === 'X' ? -1 : text.search(/[eE]/));
  let number = mark < 0 ? text : text.slice(0, mark);
  const tail = mark < 0 ? '' : text.slice(mark);
  let sawDigit = false;
  for (const character of number) {
    if (character === '.') continue;
    if (character !== '0') sawDigit = true;
    if (sawDigit) wanted--;
  }
  if (!number.includes('.')) {
    if (number === '0') wanted--;
    number += '.';
  }
  return number + '0'.repeat(Math.max(wanted, 0)) + tail;
}

/** The first `precision` runes of `text`. */
function truncated(text: string, flags: Flags): string {
  if (flags.precision === undefined || text.length <= flags.precision) return text;
  return firstRunes(text, flags.precision);
}

/** A string under the verbs `s q x X`. */
export function stringText(text: string, verb: 's' | 'q' | 'x' | 'X', flags: Flags): string {
  if (verb === 's') return pad(truncated(text, flags), flags);
  if (verb === 'q') {
    const shown = truncated(text, flags);
    return pad(flags.sharp && canBackquote(shown) ? `\`${shown}\`` : quote(shown, flags.plus), flags);
  }
  return bytesText(toBytes(text), verb, flags);
}

/** Bytes under `%x` and `%X`. */
export function bytesText(bytes: Uint8Array, verb: 'x' | 'X', flags: Flags): string {
  const shown = flags.precision === undefined ? bytes : bytes.subarray(0, flags.precision);
  if (shown.length === 0) return padding(flags.width ?? 0, flags);
  const prefix = flags.sharp ? '0x' : '';
  const pairs = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0'));
  const text = prefix + pairs.join(flags.space ? ` ${prefix}` : '');
  return pad(verb === 'X' ? text.toUpperCase() : text, flags);
}
