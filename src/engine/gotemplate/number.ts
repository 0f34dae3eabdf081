import { quote, unquoteCharacter } from './quote.ts';

/** A number in a template: what it is under each kind of type that can hold it, as Go's untyped constants. */
export interface NumberConstant {
  readonly int: bigint | undefined;
  readonly uint: bigint | undefined;
  readonly float: number | undefined;
  readonly complex: { readonly real: number; readonly imaginary: number } | undefined;
}

/** A number that cannot be read; the text is Go's. */
export class NumberError extends Error {
  override name = 'NumberError';
}

const INT64_LIMIT = 1n << 63n;
const UINT64_LIMIT = 1n << 64n;

/**
 * Reads a character constant with its quotes. (go@1.26 text/template/parse/node.go, newNumber)
 * @throws NumberError
 */
export function parseCharacter(text: string): NumberConstant {
  const character = unquoteCharacter(text.slice(1), "'");
  if (character === undefined) throw new NumberError('invalid syntax');
  if (character.rest !== "'") throw new NumberError(`malformed character constant: ${text}`);
  const value = BigInt(character.value);
  return { int: value, uint: value, float: character.value, complex: undefined };
}

/**
 * Reads `1+2i`.
 * @throws NumberError
 */
export function parseComplex(text: string): NumberConstant {
  const match = /^([-+]?[^-+i]*(?:[eEpP][-+][^-+i]*)?)([-+])([-+]?[^-+i]*(?:[eEpP][-+][^-+i]*)?)i/.exec(text);
  if (match === null) throw new NumberError('syntax error scanning complex number');
  const [, real = '', sign = '', imaginary = ''] = match;
  return simplified(scanFloat(real), scanFloat(sign + imaginary));
}

function scanFloat(text: string): number {
  const value = parseFloat64(text);
  if (typeof value === 'number') return value;
  throw new NumberError(`strconv.ParseFloat: parsing ${quote(text)}: ${value}`);
}

/**
 * Reads an integer, a float or an imaginary number.
 * @throws NumberError
 */
export function parseNumber(text: string): NumberConstant {
  if (text.endsWith('i')) {
    const imaginary = parseFloat64(text.slice(0, -1));
    if (typeof imaginary === 'number') return simplified(0, imaginary);
  }
  const whole = /^[-+]/.test(text) ? parseUnsigned(text.slice(1)) : parseUnsigned(text);
  if (whole !== undefined) {
    const isNegative = text.startsWith('-');
    const value = isNegative ? -whole : whole;
    const int = value < INT64_LIMIT && value >= -INT64_LIMIT ? value : undefined;
    // ParseUint takes no sign; zero is let through.
    const uint = value === 0n ? 0n : /^[-+]/.test(text) || value >= UINT64_LIMIT ? undefined : value;
    if (int !== undefined || uint !== undefined) {
      return { int, uint, float: Number(int ?? uint), complex: undefined };
    }
  }
  const float = parseFloat64(text);
  if (typeof float !== 'number') throw new NumberError(`illegal number syntax: ${quote(text)}`);
  if (!/[.eEpP]/.test(text)) throw new NumberError(`integer overflow: ${quote(text)}`);
  return { ...integers(float), float, complex: undefined };
}

function simplified(real: number, imaginary: number): NumberConstant {
  const complex = { real, imaginary };
  if (imaginary !== 0) return { int: undefined, uint: undefined, float: undefined, complex };
  return { ...integers(real), float: real, complex };
}

function integers(float: number): Pick<NumberConstant, 'int' | 'uint'> {
  if (!Number.isInteger(float)) return { int: undefined, uint: undefined };
  const value = BigInt(float);
  return {
    int: value < INT64_LIMIT && value >= -INT64_LIMIT ? value : undefined,
    uint: value >= 0n && value < UINT64_LIMIT ? value : undefined,
  };
}

/** Go's `ParseUint(text, 0, 64)` without the check of the range; undefined when the syntax is wrong. */
function parseUnsigned(text: string): bigint | undefined {
  if (!hasGoodUnderscores(text)) return undefined;
  const plain = text.replaceAll('_', '');
  if (/^0[bB][01]+$|^0[oO][0-7]+$|^0[xX][0-9a-fA-F]+$/.test(plain)) return BigInt(plain.toLowerCase());
  if (/^0[0-7]*$/.test(plain)) return plain === '0' ? 0n : BigInt(`0o${plain.slice(1)}`);
  return /^[1-9][0-9]*$/.test(plain) ? BigInt(plain) : undefined;
}

/** An underscore stands between two digits, or between the prefix and a digit. */
function hasGoodUnderscores(text: string): boolean {
  if (!text.includes('_')) return true;
  const body = text.replace(/^[-+]/, '');
  const prefixed = /^0[bBoOxX]/.test(body);
  const digit = /^0[xX]/.test(body) ? /[0-9a-fA-F]/ : /[0-9]/;
  const isDigit = (index: number): boolean => (prefixed && index === 1) || digit.test(body[index] ?? '');
  return body.split('').every((character, index) => character !== '_' || (isDigit(index - 1) && isDigit(index + 1)));
}

/** Go's `ParseFloat(text, 64)` of a number: the value, or what is wrong with the text. */
export function parseFloat64(text: string): number | 'invalid syntax' | 'value out of range' {
  if (!hasGoodUnderscores(text)) return 'invalid syntax';
  const plain = text.replaceAll('_', '');
  let value: number;
  if (/^[-+]?0[xX]/.test(plain)) {
    const hex = /^([-+]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([-+]?[0-9]+)$/.exec(plain);
    if (hex === null || `${hex[2]}${hex[3] ?? ''}` === '') return 'invalid syntax';
    value = hexadecimal(`${hex[2]}${hex[3] ?? ''}`, Number(hex[4]) - (hex[3] ?? '').length * 4);
    if (hex[1] === '-') value = -value;
  } else {
    if (!/^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(plain)) return 'invalid syntax';
    value = Number(plain);
  }
  return Number.isFinite(value) ? value : 'value out of range';
}

function hexadecimal(digits: string, exponent: number): number {
  let value = Number(BigInt(`0x${digits}`));
  // In steps, as 2^-1100 itself would be zero.
  for (let left = Math.max(-20_000, Math.min(20_000, exponent)); left !== 0 && value !== 0 && value !== Infinity; ) {
    const step = Math.max(-1000, Math.min(1000, left));
    value *= 2 ** step;
    left -= step;
  }
  return value;
}
