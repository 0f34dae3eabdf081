import { GoError } from '../gotemplate/value.ts';

/** `coefficient` times ten to the `exponent`. Source: shopspring/decimal@1.4.0. */
export interface Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** Decimals that a quotient keeps. */
const DIVISION_PRECISION = 16;

/** The shortest decimal that reads as `value`. */
export function decimalOf(value: number): Decimal {
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    throw new GoError(`Cannot create a Decimal from ${text}`);
  }
  const [mantissa = '0', power = '0'] = value.toExponential().split('e');
  const digits = mantissa.replace('.', '');
  return { coefficient: BigInt(digits), exponent: Number(power) - (digits.replace('-', '').length - 1) };
}

/** The float64 nearest to `value`. */
export function toFloat({ coefficient, exponent }: Decimal): number {
  return Number(`${coefficient}e${exponent}`);
}

export function add(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  return { coefficient: scaled(a, exponent) + scaled(b, exponent), exponent };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, { coefficient: -b.coefficient, exponent: b.exponent });
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent };
}

/** Rounds half away from zero at 16 decimals. */
export function divide(a: Decimal, b: Decimal): Decimal {
  if (b.coefficient === 0n) throw new GoError('decimal division by 0');
  const shift = a.exponent - b.exponent + DIVISION_PRECISION;
  const above = shift > 0 ? a.coefficient * 10n ** BigInt(shift) : a.coefficient;
  const below = shift < 0 ? b.coefficient * 10n ** BigInt(-shift) : b.coefficient;
  const quotient = above / below;
  const rest = above % below;
  const twice = magnitude(rest) * 2n;
  const away = above < 0n === below < 0n ? 1n : -1n;
  return {
    coefficient: twice < magnitude(below) ? quotient : quotient + away,
    exponent: -DIVISION_PRECISION,
  };
}

function scaled({ coefficient, exponent }: Decimal, to: number): bigint {
  return coefficient * 10n ** BigInt(exponent - to);
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
