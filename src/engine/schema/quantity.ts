/** A Kubernetes quantity: `value` x 10^`scale` exactly, and the notation it was written in. (apimachinery@0.34 api/resource) */
export interface Quantity {
  readonly value: bigint;
  readonly scale: number;
  readonly format: 'BinarySI' | 'DecimalSI' | 'DecimalExponent';
}

const SYNTAX = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i|[numkMGTPE]?)|([eE])([+-]?\d+))$/;
/** What Go says of text that is no quantity. */
export const QUANTITY_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
/** Digits at which a quantity is refused: Go's reader gives up far earlier on its exponent. */
const MAX_DIGITS = 100;

const DECIMAL: { readonly [suffix: string]: number } = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** Reads `1.5Gi`, `100m`, `2e3`; undefined when it is none, or beyond what any resource can be. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = text.length > MAX_DIGITS ? null : SYNTAX.exec(text);
  if (match === null) return undefined;
  const [, sign = '', number = '', suffix = '', exponentMark, exponent = '0'] = match;
  const [whole = '', fraction = ''] = number.split('.');
  let value = BigInt(`${whole}${fraction}` || '0') * (sign === '-' ? -1n : 1n);
  let scale = -fraction.length;
  let format: Quantity['format'] = 'DecimalSI';
  const binary = BINARY.indexOf(suffix);
  if (exponentMark !== undefined) {
    format = 'DecimalExponent';
    if (exponent.length > 4) return undefined;
    scale += Number(exponent);
  } else if (binary >= 0) {
    format = 'BinarySI';
    value *= 1024n ** BigInt(binary + 1);
  } else scale += DECIMAL[suffix] ?? 0;
  // Nothing below nano is kept; it is rounded up, away from zero.
  while (scale < -9) {
    const rest = value % 10n;
    value /= 10n;
    if (rest !== 0n) value += rest > 0n ? 1n : -1n;
    scale++;
  }
  return { value, scale, format };
}

/** Less than, equal to or greater than zero as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const low = Math.min(a.scale, b.scale);
  const x = a.value * 10n ** BigInt(a.scale - low);
  const y = b.value * 10n ** BigInt(b.scale - low);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const scale = Math.min(a.scale, b.scale);
  const value = a.value * 10n ** BigInt(a.scale - scale) + b.value * 10n ** BigInt(b.scale - scale);
  return { value, scale, format: a.value === 0n ? b.format : a.format };
}

export function negateQuantity(quantity: Quantity): Quantity {
  return { ...quantity, value: -quantity.value };
}

/** The whole number it is, rounded up; undefined when it has a fraction and `exact`. */
export function integerOf(quantity: Quantity, exact: boolean): bigint | undefined {
  if (quantity.scale >= 0) return quantity.value * 10n ** BigInt(quantity.scale);
  const unit = 10n ** BigInt(-quantity.scale);
  const rest = quantity.value % unit;
  if (rest === 0n) return quantity.value / unit;
  return exact ? undefined : quantity.value / unit + (quantity.value > 0n ? 1n : 0n);
}

/** The canonical text: `1500m`, `1Gi`, `2k`; never a fraction. */
export function printQuantity({ value, scale, format }: Quantity): string {
  if (value === 0n) return '0';
  if (format === 'BinarySI') {
    const whole = integerOf({ value, scale, format }, true);
    if (whole !== undefined && (whole >= 1024n || whole <= -1024n)) {
      let rest = whole;
      let power = 0;
      while (power < BINARY.length && rest % 1024n === 0n) {
        rest /= 1024n;
        power++;
      }
      return `${rest}${power === 0 ? '' : BINARY[power - 1]}`;
    }
    return printDecimal(value, scale, false);
  }
  return printDecimal(value, scale, format === 'DecimalExponent');
}

function printDecimal(value: bigint, scale: number, exponent: boolean): string {
  let mantissa = value;
  let power = scale;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    power++;
  }
  // The exponent is a multiple of three, and at most that of E.
  while (power % 3 !== 0 || power > 18) {
    mantissa *= 10n;
    power--;
  }
  if (power === 0) return mantissa.toString();
  if (exponent) return `${mantissa}e${power}`;
  const suffix = Object.keys(DECIMAL).find((key) => DECIMAL[key] === power);
  return `${mantissa}${suffix ?? `e${power}`}`;
}

/** `text` in canonical form; undefined when it is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const quantity = parseQuantity(text);
  return quantity === undefined ? undefined : printQuantity(quantity);
}
