/** Texts of numbers as Go's strconv reads them, and float conversion as Go's compiler does it. */

const MIN_INT64 = -(1n << 63n);
const MAX_INT64 = (1n << 63n) - 1n;

/** `int64(value)`: what does not fit is the least int64, as on amd64. */
export function truncateToInt64(value: number): bigint {
  if (!Number.isFinite(value)) return MIN_INT64;
  const whole = BigInt(Math.trunc(value));
  return whole < MIN_INT64 || whole > MAX_INT64 ? MIN_INT64 : whole;
}

const PREFIXED = /^([-+]?)0([xXoObB])(_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)$/;
const OCTAL = /^([-+]?)0((?:_?[0-7]+)+)$/;
const DECIMAL = /^([-+]?)(0|[1-9][0-9]*(?:_[0-9]+)*)$/;
const DIGITS = { x: /^[0-9a-f]+$/, o: /^[0-7]+$/, b: /^[01]+$/ } as const;
/** More digits are out of range in every base. */
const MAX_DIGITS = 256;

/** `strconv.ParseInt(text, 0, 64)`; undefined where it fails. */
export function parseInteger(text: string): bigint | undefined {
  if (text.length > MAX_DIGITS) return undefined;
  const magnitude = readInteger(text);
  if (magnitude === undefined) return undefined;
  return inRange(text.startsWith('-') ? -magnitude : magnitude);
}

function readInteger(text: string): bigint | undefined {
  const prefixed = PREFIXED.exec(text);
  if (prefixed !== null) {
    const base = (prefixed[2] as string).toLowerCase() as 'x' | 'o' | 'b';
    const digits = (prefixed[3] as string).replaceAll('_', '').toLowerCase();
    return DIGITS[base].test(digits) ? BigInt(`0${base}${digits}`) : undefined;
  }
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) return BigInt((decimal[2] as string).replaceAll('_', ''));
  const octal = OCTAL.exec(text);
  return octal === null ? undefined : BigInt(`0o${(octal[2] as string).replaceAll('_', '')}`);
}

/** `strconv.ParseInt(text, base, 64)` for a base of 8 or 10; undefined where it fails. */
export function parseDigits(text: string, base: 8 | 10): bigint | undefined {
  if (text.length > MAX_DIGITS || !(base === 8 ? /^[-+]?[0-7]+$/ : /^[-+]?[0-9]+$/).test(text)) return undefined;
  const magnitude = BigInt((base === 8 ? '0o' : '') + text.replace(/^[-+]/, ''));
  return inRange(text.startsWith('-') ? -magnitude : magnitude);
}

function inRange(value: bigint): bigint | undefined {
  return value < MIN_INT64 || value > MAX_INT64 ? undefined : value;
}

/** What `strconv.ParseInt(text, 10, 64)` gives beside its error: 0 for what is no number, the nearest int64 for what is too large. */
export function nearestInteger(text: string): bigint {
  if (!/^[-+]?[0-9]+$/.test(text)) return 0n;
  return parseDigits(text, 10) ?? (text.startsWith('-') ? MIN_INT64 : MAX_INT64);
}
