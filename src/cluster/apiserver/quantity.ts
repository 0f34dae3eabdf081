/** Quantities (`500m`, `1Gi`) as exact numbers and in canonical form. Source: kubernetes@1.34 apimachinery/pkg/api/resource/quantity.go. */
export interface Quantity {
  /** The value in billionths (nano). */
  readonly nano: bigint;
  readonly format: 'decimal' | 'binary' | 'exponent';
}

const SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|[A-Za-z]*)$/;
const NANO = 9;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

export const QUANTITY_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_ERROR = "unable to parse quantity's suffix";
const NUMERIC_ERROR = 'unable to parse numeric part of quantity';

export function parseQuantity(text: string): Quantity | string {
  if (text === '') return QUANTITY_ERROR;
  const match = SYNTAX.exec(text);
  if (match === null || (match[2] === '' && (match[3] ?? '') === '')) return QUANTITY_ERROR;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  let exponent: number;
  let format: Quantity['format'] = 'decimal';
  let shift = 0;
  if (Object.hasOwn(DECIMAL, suffix)) exponent = DECIMAL[suffix] as number;
  else if (Object.hasOwn(BINARY, suffix)) {
    exponent = 0;
    shift = BINARY[suffix] as number;
    format = 'binary';
  } else if (/^[eE][+-]?\d+$/.test(suffix)) {
    exponent = Number(suffix.slice(1));
    format = 'exponent';
    if (Math.abs(exponent) > 100) return NUMERIC_ERROR;
  } else return SUFFIX_ERROR;
  let digits = BigInt(`${whole}${fraction}` || '0') << BigInt(shift);
  const power = NANO + exponent - fraction.length;
  if (power >= 0) digits *= 10n ** BigInt(power);
  else {
    const divisor = 10n ** BigInt(-power);
    // Anything finer than a billionth is rounded away from zero.
    digits = (digits + divisor - 1n) / divisor;
  }
  return { nano: sign === '-' ? -digits : digits, format };
}

/** The canonical text: no fraction, the largest suffix that keeps the number whole. */
export function printQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const negative = nano < 0n;
  const absolute = negative ? -nano : nano;
  const sign = negative ? '-' : '';
  const one = 10n ** BigInt(NANO);
  if (format === 'binary' && absolute >= 1024n * one && absolute % one === 0n) {
    let value = absolute / one;
    let step = 0;
    const names = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
    while (step < names.length - 1 && value % 1024n === 0n) {
      value /= 1024n;
      step++;
    }
    return `${sign}${value}${names[step]}`;
  }
  let value = absolute;
  let exponent = -NANO;
  while (exponent < 18 && value % 1000n === 0n) {
    value /= 1000n;
    exponent += 3;
  }
  if (format === 'exponent') return `${sign}${value}${exponent === 0 ? '' : `e${exponent}`}`;
  const suffix = Object.keys(DECIMAL).find((name) => DECIMAL[name] === exponent) ?? '';
  return `${sign}${value}${suffix}`;
}

/** The canonical form of a quantity; the text itself when it is none. */
export function canonicalQuantity(text: string): string {
  const parsed = parseQuantity(text);
  return typeof parsed === 'string' ? text : printQuantity(parsed);
}

/** A sum in the form of its first part, unless that is nothing. Source: kubernetes@1.34 apimachinery/pkg/api/resource Quantity.Add. */
export function addQuantity(a: Quantity | undefined, b: Quantity): Quantity {
  if (a === undefined || a.nano === 0n) return b;
  return { nano: a.nano + b.nano, format: a.format };
}

/** Billionths, for comparisons; 0 for what is no quantity. */
export function nanoOf(value: unknown): bigint {
  if (typeof value !== 'string' && typeof value !== 'number') return 0n;
  const parsed = parseQuantity(String(value));
  return typeof parsed === 'string' ? 0n : parsed.nano;
}
