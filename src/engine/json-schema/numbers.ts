/** A decimal number as `digits * 10^-scale`, exactly. */
function decimal(value: number | bigint): { readonly digits: bigint; readonly scale: number } {
  if (typeof value === 'bigint') return { digits: value, scale: 0 };
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(`${whole}${fraction}`);
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

/** Reports whether `value` is a whole number of times `unit`, with no rounding. */
export function isMultiple(value: number | bigint, unit: number | bigint): boolean {
  const a = decimal(value);
  const b = decimal(unit);
  const scale = Math.max(a.scale, b.scale);
  const divisor = b.digits * 10n ** BigInt(scale - b.scale);
  return divisor !== 0n && (a.digits * 10n ** BigInt(scale - a.scale)) % divisor === 0n;
}

/** Reports whether `value` is a whole number, `1.0` included. */
export function isWhole(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}
