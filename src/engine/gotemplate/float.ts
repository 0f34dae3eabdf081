/*
 * Go's strconv.FormatFloat. (go@1.26 internal/strconv/ftoa.go)
 */

/** 0.DIGITS x 10^point; no digits are zero. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** Significand and exponent of a float: value = mantissa x 2^exponent. */
interface Binary {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/**
 * Formats `value` as Go does for the verb (`e E f g G b x X`), `precision` digits (-1: as few as tell the value apart) and
 * `bits` (64 or 32). The sign of a positive value is left out, but infinity has one.
 */
export function formatFloat(value: number, verb: string, precision: number, bits: 32 | 64 = 64): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (verb === 'b') return sign + binaryText(size, bits);
  if (verb === 'x' || verb === 'X') return sign + hexadecimalText(size, verb, precision, bits);
  const shortest = precision < 0;
  const decimal = shortest ? shortestDecimal(size, bits) : exactDecimal(size);
  switch (verb) {
    case 'e':
    case 'E': {
      const rounded = shortest ? decimal : round(decimal, precision + 1);
      return sign + exponentText(rounded, shortest ? rounded.digits.length - 1 : precision, verb);
    }
    case 'f': {
      const rounded = shortest ? decimal : round(decimal, decimal.point + precision);
      return sign + plainText(rounded, shortest ? Math.max(rounded.digits.length - rounded.point, 0) : precision);
    }
    default: {
      const wanted = precision === 0 ? 1 : precision;
      const rounded = shortest ? decimal : round(decimal, wanted);
      return sign + generalText(rounded, verb, wanted);
    }
  }
}

function generalText({ digits, point }: Decimal, verb: string, precision: number): string {
  const shortest = precision < 0;
  const wanted = shortest ? 6 : precision;
  const limit = !shortest && wanted > digits.length && digits.length >= point ? digits.length : wanted;
  const exponent = point - 1;
  if (exponent < -4 || exponent >= limit) {
    const shown = shortest || precision > digits.length ? digits.length : precision;
    return exponentText({ digits, point }, shown - 1, verb === 'G' ? 'E' : 'e');
  }
  return plainText({ digits, point }, Math.max(digits.length - point, 0));
}

function exponentText({ digits, point }: Decimal, precision: number, letter: string): string {
  const fraction = precision > 0 ? `.${digits.slice(1, precision + 1).padEnd(precision, '0')}` : '';
  const exponent = digits === '' ? 0 : point - 1;
  return `${digits[0] ?? '0'}${fraction}${letter}${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plainText({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (precision <= 0) return whole;
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(Math.min(-point, precision)) + digits;
  return `${whole}.${fraction.slice(0, precision).padEnd(precision, '0')}`;
}

/** The fewest digits that read back as `value`. */
function shortestDecimal(value: number, bits: 32 | 64): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  if (bits === 64) return fromExponential(value.toExponential());
  const exact = exactDecimal(value);
  for (let count = 1; ; count++) {
    const rounded = round(exact, count);
    if (count >= 9 || Math.fround(Number(`0.${rounded.digits}e${rounded.point}`)) === value) return rounded;
  }
}

function fromExponential(text: string): Decimal {
  const [mantissa = '', exponent = '0'] = text.split('e');
  return { digits: trimZeros(mantissa.replace('.', '')), point: Number(exponent) + 1 };
}

/** All digits of `value`. */
function exactDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  const { mantissa, exponent } = binaryOf(value, 64);
  // m / 2^k = m * 5^k / 10^k
  const all = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const text = all.toString();
  return { digits: trimZeros(text), point: text.length + Math.min(exponent, 0) };
}

/** Rounds to `count` digits, a tie to even. */
function round({ digits, point }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits, point };
  if (count < 0) return { digits: '', point: 0 };
  const kept = digits.slice(0, count);
  const next = digits[count] as string;
  const isTie = next === '5' && count + 1 === digits.length;
  const up = isTie ? count > 0 && Number(digits[count - 1]) % 2 === 1 : next >= '5';
  if (!up) {
    const trimmed = trimZeros(kept);
    return trimmed === '' ? { digits: '', point: 0 } : { digits: trimmed, point };
  }
  const nines = /9*$/.exec(kept)?.[0].length ?? 0;
  if (nines === kept.length) return { digits: '1', point: point + 1 };
  const last = count - nines - 1;
  return { digits: kept.slice(0, last) + String(Number(kept[last]) + 1), point };
}

function trimZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

/** The parts as the format of `bits` stores them: subnormals keep the smallest exponent. */
function binaryOf(value: number, bits: 32 | 64): Binary {
  const view = new DataView(new ArrayBuffer(8));
  if (bits === 32) {
    view.setFloat32(0, value);
    const raw = view.getUint32(0);
    const biased = (raw >>> 23) & 0xff;
    const fraction = BigInt(raw & 0x7fffff);
    return biased === 0
      ? { mantissa: fraction, exponent: -149 }
      : { mantissa: fraction | (1n << 23n), exponent: biased - 150 };
  }
  view.setFloat64(0, value);
  const raw = view.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & ((1n << 52n) - 1n);
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

function binaryText(value: number, bits: 32 | 64): string {
  const { mantissa, exponent } = binaryOf(value, bits);
  return `${mantissa}p${exponent >= 0 ? '+' : ''}${exponent}`;
}

function hexadecimalText(value: number, verb: 'x' | 'X', precision: number, bits: 32 | 64): string {
  const fractionBits = bits === 32 ? 23 : 52;
  const parts = binaryOf(value, bits);
  let exponent = parts.mantissa === 0n ? 0 : parts.exponent + fractionBits;
  // The leading 1 goes to bit 60: one digit before the point, fifteen behind it.
  let mantissa = parts.mantissa << BigInt(60 - fractionBits);
  while (mantissa !== 0n && (mantissa & (1n << 60n)) === 0n) {
    mantissa <<= 1n;
    exponent--;
  }
  if (precision >= 0 && precision < 15) {
    const dropped = BigInt(60 - precision * 4);
    const rest = mantissa & ((1n << dropped) - 1n);
    const half = 1n << (dropped - 1n);
    mantissa >>= dropped;
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa++;
    mantissa <<= dropped;
    if ((mantissa & (1n << 61n)) !== 0n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const digits = (mantissa & ((1n << 60n) - 1n)).toString(16).padStart(15, '0');
  const shown = precision < 0 ? trimZeros(digits) : digits.slice(0, precision).padEnd(precision, '0');
  const head = `0x${mantissa >> 60n}${shown === '' ? '' : `.${shown}`}`;
  const text = `${head}p${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return verb === 'X' ? text.toUpperCase() : text;
}
