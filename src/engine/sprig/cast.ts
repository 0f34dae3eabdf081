import { parseFloat64 } from '../gotemplate/number.ts';
import { Complex, isList, isMap, isNil, Struct, Typed, type Value } from '../gotemplate/value.ts';
import { parseInteger, truncateToInt64 } from './go-number.ts';

/** Named integer types that spf13/cast knows beside the predeclared ones. */
const CALENDAR_TYPES: ReadonlySet<string> = new Set(['time.Month', 'time.Weekday']);
const INTEGER = /^u?int(?:8|16|32|64)?$/;
const FLOAT = /^float(?:32|64)$/;

/** Any value as an int64; what is none is 0. Source: spf13/cast@1.7.0 ToInt64. */
export function toInt64(value: Value): bigint {
  switch (typeof value) {
    case 'bigint':
      return BigInt.asIntN(64, value);
    case 'number':
      return truncateToInt64(value);
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return parseInteger(trimZeroDecimal(value)) ?? 0n;
    default:
      break;
  }
  if (!(value instanceof Typed)) return 0n;
  const { name } = value.type;
  if (typeof value.value === 'bigint' && (INTEGER.test(name) || CALENDAR_TYPES.has(name))) {
    return BigInt.asIntN(64, value.value);
  }
  if (typeof value.value === 'number' && FLOAT.test(name)) return truncateToInt64(value.value);
  if (name === 'json.Number' && typeof value.value === 'string') return toInt64(value.value);
  return 0n;
}

/** Any value as a float64; what is none is 0. Source: spf13/cast@1.7.0 ToFloat64. */
export function toFloat64(value: Value): number {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'number':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return readFloat(value);
    default:
      break;
  }
  if (!(value instanceof Typed)) return 0;
  const { name } = value.type;
  if (typeof value.value === 'bigint' && (INTEGER.test(name) || CALENDAR_TYPES.has(name))) return Number(value.value);
  if (typeof value.value === 'number' && FLOAT.test(name)) return value.value;
  if (name === 'json.Number' && typeof value.value === 'string') return readFloat(value.value);
  return 0;
}

function readFloat(text: string): number {
  const special = /^([-+]?)(?:(inf(?:inity)?)|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2] !== undefined) return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return special[1] === '' ? Number.NaN : 0;
  }
  const value = parseFloat64(text);
  return typeof value === 'number' ? value : 0;
}

/** `1.000` is a whole number to spf13/cast: zeros behind the point go, with the point. */
function trimZeroDecimal(text: string): string {
  return text.replace(/\.0+$/, '');
}

/** Whether `value` is the zero value of its type or has nothing in it; a struct never is. Source: sprig@3.3.0 defaults.go. */
export function isEmpty(value: Value): boolean {
  switch (typeof value) {
    case 'undefined':
      return true;
    case 'boolean':
      return !value;
    case 'string':
      return value === '';
    case 'number':
      return value === 0;
    case 'bigint':
      return value === 0n;
    default:
      break;
  }
  if (isNil(value)) return true;
  if (isList(value) || value instanceof Uint8Array) return value.length === 0;
  if (isMap(value)) return value.size === 0;
  if (value instanceof Struct) return false;
  if (value instanceof Typed) return isEmpty(value.value);
  return value instanceof Complex && value.real === 0 && value.imaginary === 0;
}

/** A Go string with every invalid byte replaced, as a detour over runes makes it. */
export function toValidUtf8(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd');
}
