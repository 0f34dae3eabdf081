import { isArray, isObject } from '../../base/json.ts';
import { compareQuantities, printQuantity } from '../schema/quantity.ts';
import { spend } from './effort.ts';
import { compareSemver } from './semver.ts';
import { printDuration, printTimestamp } from './time.ts';
import {
  Address,
  CelHost,
  CelMap,
  type CelValue,
  Duration,
  FormatValue,
  fromJson,
  Network,
  ObjectValue,
  Optional,
  QuantityValue,
  SemverValue,
  Timestamp,
  TypeValue,
  Uint,
  UrlValue,
} from './values.ts';

/** A failed evaluation, as cel-go words it; logical operators may absorb it. */
export class CelFailure extends Error {}

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;

export function checkedInt(value: bigint): bigint {
  if (value < INT_MIN || value > INT_MAX) throw new CelFailure('integer overflow');
  return value;
}

export function checkedUint(value: bigint): Uint {
  if (value < 0n || value >= 2n ** 64n) throw new CelFailure('unsigned integer overflow');
  return new Uint(value);
}

/** Between the years 1 and 9999. (cel-go@0.26 common/types/timestamp.go) */
function checkedTime(nanos: bigint): Timestamp {
  if (nanos < -62_135_596_800n * 1_000_000_000n || nanos >= 253_402_300_800n * 1_000_000_000n)
    throw new CelFailure('timestamp overflow');
  return new Timestamp(nanos);
}

/** Name of a value's type, as `type()` and overload errors print it. */
export function typeOf(value: CelValue): string {
  if (value === null) return 'null_type';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
    default:
      break;
  }
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  if (isList(value)) return 'list';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof Optional) return 'optional_type';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof QuantityValue) return 'kubernetes.Quantity';
  if (value instanceof Address) return 'net.IP';
  if (value instanceof Network) return 'net.CIDR';
  if (value instanceof UrlValue) return 'kubernetes.URL';
  if (value instanceof SemverValue) return 'kubernetes.Semver';
  if (value instanceof FormatValue) return 'kubernetes.NamedFormat';
  if (value instanceof CelHost) return value.type;
  if (value instanceof CelMap && value.typeName !== undefined) return value.typeName;
  return 'map';
}

export function isList(value: CelValue): value is readonly CelValue[] {
  return Array.isArray(value);
}

export function isMap(value: CelValue): value is CelMap | ObjectValue {
  return value instanceof CelMap || value instanceof ObjectValue;
}

/** Keys of a map; of typed objects its field names. */
export function keysOf(map: CelMap | ObjectValue): readonly CelValue[] {
  return map instanceof ObjectValue ? map.keys() : [...map.entries.keys()];
}

/** Entry of a map, or undefined. */
export function lookup(map: CelMap | ObjectValue, key: CelValue): CelValue | undefined {
  if (map instanceof ObjectValue) return typeof key === 'string' && map.has(key) ? map.get(key) : undefined;
  const own = mapKey(key);
  return own === undefined ? undefined : map.entries.get(own);
}

export function mapKey(key: CelValue): string | boolean | bigint | undefined {
  if (typeof key === 'string' || typeof key === 'boolean' || typeof key === 'bigint') return key;
  if (key instanceof Uint) return key.value;
  return typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : undefined;
}

/** Whether two values are equal: numbers by value across types, everything else within its type. */
export function equals(a: CelValue, b: CelValue): boolean {
  spend(1);
  if (a === b) return true;
  const order = compareNumbers(a, b);
  if (order !== undefined) return order === 0;
  if (a === null || typeof a !== 'object') return false;
  if (b === null || typeof b !== 'object') {
    if (isOwnType(a)) throw new CelFailure('no such overload');
    return false;
  }
  if (isList(a))
    return isList(b) && a.length === b.length && a.every((item, index) => equals(item, b[index] as CelValue));
  if (isMap(a)) return isMap(b) && equalMaps(a, b);
  if (a instanceof Uint8Array)
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index]);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  // Kubernetes' own types compare with nothing else. (apiserver@0.34 pkg/cel: Equal answers MaybeNoSuchOverloadErr)
  if (isOwnType(a) && typeOf(a) !== typeOf(b)) throw new CelFailure('no such overload');
  if (a instanceof QuantityValue) return b instanceof QuantityValue && compareQuantities(a.quantity, b.quantity) === 0;
  if (a instanceof Address) return b instanceof Address && a.bits === b.bits && a.value === b.value;
  if (a instanceof Network) return b instanceof Network && a.prefix === b.prefix && equals(a.address, b.address);
  if (a instanceof UrlValue) return b instanceof UrlValue && a.text === b.text;
  if (a instanceof SemverValue) return b instanceof SemverValue && compareSemver(a.text, b.text) === 0;
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    return a.value === undefined || b.value === undefined ? a.value === b.value : equals(a.value, b.value);
  }
  return false;
}

function isOwnType(value: CelValue): boolean {
  return (
    value instanceof QuantityValue ||
    value instanceof Address ||
    value instanceof Network ||
    value instanceof UrlValue ||
    value instanceof SemverValue ||
    value instanceof FormatValue
  );
}

function equalMaps(a: CelMap | ObjectValue, b: CelMap | ObjectValue): boolean {
  const keys = keysOf(a);
  if (keys.length !== keysOf(b).length) return false;
  return keys.every((key) => {
    const x = lookup(a, key) ?? (a instanceof ObjectValue && b instanceof ObjectValue ? null : undefined);
    const y = lookup(b, key) ?? (a instanceof ObjectValue && b instanceof ObjectValue ? null : undefined);
    return x !== undefined && y !== undefined && equals(x, y);
  });
}

function numeric(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : undefined;
}

function compareNumbers(a: CelValue, b: CelValue): number | undefined {
  const [x, y] = [numeric(a), numeric(b)];
  if (x === undefined || y === undefined) return undefined;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Less than, equal to or greater than zero; undefined when the two have no order. */
export function compare(a: CelValue, b: CelValue): number | undefined {
  const order = compareNumbers(a, b);
  if (order !== undefined) return order;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  if (a instanceof Duration && b instanceof Duration) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  if (a instanceof QuantityValue && b instanceof QuantityValue) return compareQuantities(a.quantity, b.quantity);
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    for (let index = 0; index < Math.min(a.length, b.length); index++) {
      const difference = (a[index] as number) - (b[index] as number);
      if (difference !== 0) return difference;
    }
    return a.length - b.length;
  }
  return undefined;
}

/** Whether `a` and `b` stand as the operator (`_<_`, `_<=_`, `_>_`, `_>=_`) says; a {@link CelFailure} where they have no order. */
export function isOrdered(operator: string, a: CelValue, b: CelValue): boolean {
  const order = compare(a, b);
  if (order === undefined) throw new CelFailure('no such overload');
  switch (operator) {
    case '_<_':
      return order < 0;
    case '_<=_':
      return order <= 0;
    case '_>_':
      return order > 0;
    default:
      return order >= 0;
  }
}

/** `+ - * / %` of two values; undefined when the operator knows no such operands. */
export function arithmetic(operator: string, a: CelValue, b: CelValue): CelValue | undefined {
  if (typeof a === 'bigint' && typeof b === 'bigint') return checkedInt(integers(operator, a, b));
  if (a instanceof Uint && b instanceof Uint) return checkedUint(integers(operator, a.value, b.value));
  if (typeof a === 'number' && typeof b === 'number') return doubles(operator, a, b);
  if (operator === '+') {
    if (typeof a === 'string' && typeof b === 'string') return a + b;
    if (isList(a) && isList(b)) return [...a, ...b];
    if (a instanceof Uint8Array && b instanceof Uint8Array) {
      const out = new Uint8Array(a.length + b.length);
      out.set(a);
      out.set(b, a.length);
      return out;
    }
    if (a instanceof Timestamp && b instanceof Duration) return checkedTime(a.nanos + b.nanos);
    if (a instanceof Duration && b instanceof Timestamp) return checkedTime(a.nanos + b.nanos);
    if (a instanceof Duration && b instanceof Duration) return new Duration(checkedInt(a.nanos + b.nanos));
  }
  if (operator === '-') {
    if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(checkedInt(a.nanos - b.nanos));
    if (a instanceof Timestamp && b instanceof Duration) return checkedTime(a.nanos - b.nanos);
    if (a instanceof Duration && b instanceof Duration) return new Duration(checkedInt(a.nanos - b.nanos));
  }
  return undefined;
}

function integers(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      if (b === 0n) throw new CelFailure('division by zero');
      return a / b;
    default:
      if (b === 0n) throw new CelFailure('modulus by zero');
      return a % b;
  }
}

function doubles(operator: string, a: number, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    default:
      return undefined;
  }
}

/** Text of a value as `string()` converts it; undefined for what has none. */
export function textOf(value: CelValue): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return goFloat(value);
  if (value instanceof Uint) return value.value.toString();
  if (value instanceof Timestamp) return printTimestamp(value.nanos);
  if (value instanceof Duration) return printDuration(value.nanos);
  if (value instanceof Address) return printAddress(value);
  if (value instanceof Network) return `${printAddress(value.address)}/${value.prefix}`;
  if (value instanceof UrlValue || value instanceof SemverValue) return value.text;
  if (value instanceof QuantityValue) return printQuantity(value.quantity);
  return undefined;
}

/** Go's `strconv.FormatFloat(value, 'g', -1, 64)`: with an exponent below 1e-04 and from 1e+06. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

export function printAddress({ value, bits }: Address): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - index * 16)) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  return best.start < 0
    ? text(groups)
    : `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}

/** Back to JSON, for policies that make objects; undefined for what JSON cannot hold. */
export function toJson(value: CelValue): ReturnType<typeof convert> {
  return convert(value);
}

type Convertible =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Convertible[]
  | { readonly [key: string]: Convertible };

function convert(value: CelValue): Convertible | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string')
    return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Uint) return convert(value.value);
  if (value instanceof ObjectValue) return value.json as Convertible;
  if (isList(value)) return value.map((item) => convert(item) ?? null);
  if (value instanceof CelMap) {
    return Object.fromEntries([...value.entries].map(([key, item]) => [String(key), convert(item) ?? null]));
  }
  if (value instanceof Optional) return value.value === undefined ? undefined : convert(value.value);
  return textOf(value);
}

/** A plain value of a host as CEL sees it, without a schema. */
export function untyped(value: unknown): CelValue {
  if (
    value === null ||
    typeof value === 'boolean' ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint'
  ) {
    return fromJson(value, undefined, () => undefined);
  }
  if (isArray(value)) return value.map((item) => untyped(item));
  return isObject(value) ? new ObjectValue(value, undefined, () => undefined) : null;
}
