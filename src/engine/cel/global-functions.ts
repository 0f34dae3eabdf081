import { decodeBase64, encodeBase64, utf8Encode } from '../schema/base64.ts';
import { parseQuantity } from '../schema/quantity.ts';
import { parseGoUrl } from './go-url.ts';
import { METHODS } from './methods.ts';
import { NAMED_FORMATS } from './named-formats.ts';
import { addressProblem, networkProblem, parseAddress, parseNetwork } from './network.ts';
import { checkedInt, checkedUint, equals, isList, isMap, keysOf, printAddress, textOf, typeOf } from './operators.ts';
import { type Charge, extreme, type Fn, fail, isText, unwrap } from './overloads.ts';
import { isSemver, semverProblem } from './semver.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import { parseUrl } from './url.ts';
import {
  Address,
  type CelValue,
  Duration,
  FormatValue,
  Optional,
  QuantityValue,
  SemverValue,
  Timestamp,
  TypeValue,
  Uint,
  UrlValue,
} from './values.ts';

/** A list made by `lists.range` or text made by repetition stays below this many elements. */
const MAX_MADE = 1_000_000;

function bytesText(bytes: Uint8Array): string {
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  try {
    return decodeURIComponent(percent);
  } catch {
    return fail('invalid UTF-8 in bytes, cannot convert to string');
  }
}

function toInt(value: CelValue | undefined): CelValue | undefined {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return checkedInt(value.value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) return fail('integer overflow');
    return BigInt(Math.trunc(value));
  }
  if (isText(value))
    return /^[-+]?0*\d{1,20}$/.test(value)
      ? checkedInt(BigInt(value.replace(/^\+/, '')))
      : fail("type conversion error from 'string' to 'int'");
  if (value instanceof Timestamp) return value.nanos / 1_000_000_000n;
  return value instanceof Duration ? value.nanos : undefined;
}

function toUint(value: CelValue | undefined): CelValue | undefined {
  if (value instanceof Uint) return value;
  if (typeof value === 'bigint') return checkedUint(value);
  if (typeof value === 'number')
    return Number.isFinite(value) ? checkedUint(BigInt(Math.trunc(value))) : fail('unsigned integer overflow');
  if (isText(value))
    return /^0*\d{1,20}$/.test(value)
      ? checkedUint(BigInt(value))
      : fail("type conversion error from 'string' to 'uint'");
  return undefined;
}

function toDouble(value: CelValue | undefined): CelValue | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (isText(value)) {
    const special = /^([+-]?)(?:inf|infinity|nan)$/i.exec(value);
    if (special !== null)
      return /nan$/i.test(value)
        ? Number.NaN
        : special[1] === '-'
          ? Number.NEGATIVE_INFINITY
          : Number.POSITIVE_INFINITY;
    return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)
      ? Number(value)
      : fail("type conversion error from 'string' to 'double'");
  }
  return undefined;
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true;
  if (isList(value) || value instanceof Uint8Array) return value.length === 0;
  if (isMap(value)) return keysOf(value).length === 0;
  return (value instanceof Uint && value.value === 0n) || (value instanceof Duration && value.nanos === 0n);
}

function numbersOf(args: readonly CelValue[]): readonly CelValue[] {
  const [first] = args;
  return args.length === 1 && first !== undefined && isList(first) ? first : args;
}

function math(of: (value: number) => number): Fn {
  return ([value]) => (typeof value === 'number' ? of(value) : undefined);
}

function bits(of: (a: bigint, b: bigint) => bigint): Fn {
  return ([a, b]) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return BigInt.asIntN(64, of(a, b));
    return a instanceof Uint && b instanceof Uint ? new Uint(BigInt.asUintN(64, of(a.value, b.value))) : undefined;
  };
}

/** Global and namespaced functions by name. */
export const FUNCTIONS: { readonly [name: string]: Fn } = {
  int: ([value]) => toInt(value),
  uint: ([value]) => toUint(value),
  double: ([value]) => toDouble(value),
  bool: ([value]) => {
    if (typeof value === 'boolean') return value;
    if (!isText(value)) return undefined;
    if (['true', 'True', 'TRUE', 't', '1'].includes(value)) return true;
    if (['false', 'False', 'FALSE', 'f', '0'].includes(value)) return false;
    return fail("type conversion error from 'string' to 'bool'");
  },
  string: ([value]) => {
    if (value === undefined) return undefined;
    return value instanceof Uint8Array ? bytesText(value) : textOf(value);
  },
  bytes: ([value]) => (isText(value) ? utf8Encode(value) : value instanceof Uint8Array ? value : undefined),
  dyn: ([value]) => value,
  type: ([value]) => (value === undefined ? undefined : new TypeValue(typeOf(value))),
  timestamp: ([value]) => {
    if (value instanceof Timestamp) return value;
    if (typeof value === 'bigint') return new Timestamp(value * 1_000_000_000n);
    if (!isText(value)) return undefined;
    const nanos = parseTimestamp(value);
    return nanos === undefined
      ? fail("type conversion error from 'string' to 'google.protobuf.Timestamp'")
      : new Timestamp(nanos);
  },
  duration: ([value]) => {
    if (value instanceof Duration) return value;
    if (typeof value === 'bigint') return new Duration(value);
    if (!isText(value)) return undefined;
    const nanos = parseDuration(value);
    return nanos === undefined
      ? fail("type conversion error from 'string' to 'google.protobuf.Duration'")
      : new Duration(nanos);
  },
  'optional.of': ([value]) => (value === undefined ? undefined : new Optional(value)),
  'optional.none': () => new Optional(undefined),
  'optional.ofNonZeroValue': ([value]) =>
    value === undefined ? undefined : new Optional(isZero(value) ? undefined : value),
  'optional.unwrap': ([value]) => (value !== undefined && isList(value) ? unwrap(value) : undefined),
  'math.greatest': (args) => extreme(numbersOf(args), 1),
  'math.least': (args) => extreme(numbersOf(args), -1),
  'math.ceil': math(Math.ceil),
  'math.floor': math(Math.floor),
  'math.trunc': math(Math.trunc),
  'math.sqrt': ([value]) =>
    typeof value === 'bigint' || typeof value === 'number' ? Math.sqrt(Number(value)) : undefined,
  'math.round': math((value) => Math.sign(value) * Math.round(Math.abs(value))),
  'math.isNaN': ([value]) => (typeof value === 'number' ? Number.isNaN(value) : undefined),
  'math.isInf': ([value]) => (typeof value === 'number' ? Math.abs(value) === Number.POSITIVE_INFINITY : undefined),
  'math.isFinite': ([value]) => (typeof value === 'number' ? Number.isFinite(value) : undefined),
  'math.abs': ([value]) =>
    typeof value === 'bigint'
      ? checkedInt(value < 0n ? -value : value)
      : typeof value === 'number'
        ? Math.abs(value)
        : value instanceof Uint
          ? value
          : undefined,
  'math.sign': ([value]) =>
    typeof value === 'bigint'
      ? value > 0n
        ? 1n
        : value < 0n
          ? -1n
          : 0n
      : typeof value === 'number'
        ? Math.sign(value)
        : undefined,
  'math.bitAnd': bits((a, b) => a & b),
  'math.bitOr': bits((a, b) => a | b),
  'math.bitXor': bits((a, b) => a ^ b),
  'math.bitNot': ([value]) =>
    typeof value === 'bigint' ? ~value : value instanceof Uint ? new Uint(BigInt.asUintN(64, ~value.value)) : undefined,
  'math.bitShiftLeft': ([value, by]) =>
    typeof value === 'bigint' && typeof by === 'bigint'
      ? by < 0n
        ? fail('math.bitShiftLeft() negative offset')
        : by > 63n
          ? 0n
          : BigInt.asIntN(64, value << by)
      : undefined,
  'math.bitShiftRight': ([value, by]) =>
    typeof value === 'bigint' && typeof by === 'bigint'
      ? by < 0n
        ? fail('math.bitShiftRight() negative offset')
        : by > 63n
          ? 0n
          : BigInt.asIntN(64, BigInt.asUintN(64, value) >> by)
      : undefined,
  'strings.quote': ([value]) => (isText(value) ? JSON.stringify(value) : undefined),
  'base64.encode': ([value]) => (value instanceof Uint8Array ? encodeBase64(value) : undefined),
  'base64.decode': ([value]) => (isText(value) ? (decodeBase64(value) ?? fail('illegal base64 data')) : undefined),
  'sets.contains': ([list, sublist], charge) =>
    setTest(list, sublist, charge, (a, b) => b.every((item) => a.some((other) => equals(item, other)))),
  'sets.equivalent': ([list, other], charge) =>
    setTest(
      list,
      other,
      charge,
      (a, b) => a.every((item) => b.some((o) => equals(item, o))) && b.every((item) => a.some((o) => equals(item, o))),
    ),
  'sets.intersects': ([list, other], charge) =>
    setTest(list, other, charge, (a, b) => a.some((item) => b.some((o) => equals(item, o)))),
  'lists.range': ([count], charge) => {
    if (typeof count !== 'bigint') return undefined;
    if (count > MAX_MADE) return fail('lists.range is too large');
    charge(Number(count));
    return Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index));
  },
  quantity: ([value]) => {
    if (!isText(value)) return undefined;
    const quantity = parseQuantity(value);
    return quantity === undefined
      ? fail("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
      : new QuantityValue(quantity);
  },
  sign: ([value]) => (value instanceof QuantityValue ? METHODS['sign']?.(value, [], () => undefined) : undefined),
  isQuantity: ([value]) => (isText(value) ? parseQuantity(value) !== undefined : undefined),
  url: ([value]) => {
    if (!isText(value)) return undefined;
    return parseUrl(value) === undefined
      ? fail(`URL parse error during conversion from string: ${urlProblem(value)}`)
      : new UrlValue(value);
  },
  isURL: ([value]) => (isText(value) ? parseUrl(value) !== undefined : undefined),
  ip: ([value]) => {
    if (value instanceof Address) return value;
    return isText(value) ? addressIn(value) : undefined;
  },
  isIP: ([value]) => (isText(value) ? parseAddress(value) !== undefined : undefined),
  'ip.isCanonical': ([value]) => (isText(value) ? printAddress(addressIn(value)) === value : undefined),
  cidr: ([value]) => {
    if (!isText(value)) return undefined;
    const problem = networkProblem(value);
    const prefix = 'network address parse error during conversion from string: ';
    return parseNetwork(value) ?? fail(`${prefix}${prefix}${problem ?? 'not a network'}`);
  },
  isCIDR: ([value]) => (isText(value) ? parseNetwork(value) !== undefined : undefined),
  semver: ([value, normalize]) => {
    if (!isText(value)) return undefined;
    const text = normalize === true ? normalizeSemver(value) : value;
    return isSemver(text) ? new SemverValue(text) : fail(semverProblem(text));
  },
  isSemver: ([value, normalize]) =>
    isText(value) ? isSemver(normalize === true ? normalizeSemver(value) : value) : undefined,
  'format.named': ([value]) => {
    if (!isText(value)) return undefined;
    const check = Object.hasOwn(NAMED_FORMATS, value) ? NAMED_FORMATS[value] : undefined;
    return new Optional(check === undefined ? undefined : new FormatValue(value, check));
  },
  'jsonpatch.escapeKey': ([value]) => (isText(value) ? value.replaceAll('~', '~0').replaceAll('/', '~1') : undefined),
  ...Object.fromEntries(
    Object.entries(NAMED_FORMATS).map(([name, check]) => [
      `format.${name}`,
      (): CelValue => new FormatValue(name, check),
    ]),
  ),
};

function urlProblem(text: string): string {
  const parsed = parseGoUrl(text, 'request');
  return parsed.ok ? `parse ${JSON.stringify(text)}: invalid URI for request` : parsed.error;
}

function addressIn(text: string): Address {
  const problem = addressProblem(text);
  return parseAddress(text) ?? fail(problem ?? 'not an address');
}

function setTest(
  a: CelValue | undefined,
  b: CelValue | undefined,
  charge: Charge,
  test: (a: readonly CelValue[], b: readonly CelValue[]) => boolean,
): boolean | undefined {
  if (a === undefined || b === undefined || !isList(a) || !isList(b)) return undefined;
  charge(a.length * b.length + 1);
  return test(a, b);
}

function normalizeSemver(text: string): string {
  const bare = text.replace(/^v/, '');
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)$/.exec(bare);
  if (match === null) return bare;
  const number = (part: string | undefined): string => String(Number(part ?? '0'));
  return `${number(match[1])}.${number(match[2])}.${number(match[3])}${match[4] ?? ''}`;
}
