import { Complex, NilPointer, Typed, type Value } from './value.ts';

/** What `if` makes of `value`: false for the zero value of its type and for what is empty. */
export function isTrue(value: Value): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value !== '';
    case 'number':
      return value !== 0;
    case 'bigint':
      return value !== 0n;
    case 'undefined':
      return false;
    default:
  }
  if (value === null || value instanceof NilPointer) return false;
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length > 0;
  // NaN is not zero.
  if (value instanceof Typed)
    return value.value !== 0n && value.value !== 0 && value.value !== '' && value.value !== false;
  if (value instanceof Complex) return value.real !== 0 || value.imaginary !== 0;
  return true;
}
