import { compilePattern } from '../schema/patterns.ts';
import { addQuantities, compareQuantities, integerOf, negateQuantity } from '../schema/quantity.ts';
import { spend } from './effort.ts';
import { formatString } from './format.ts';
import { networkHas, parseAddress, parseNetwork } from './network.ts';
import { arithmetic, compare, equals, isList, isMap, keysOf } from './operators.ts';
import { type Charge, extreme, fail, isText, type Method, textCost, unwrap } from './overloads.ts';
import { compareSemver, semverPart } from './semver.ts';
import { civil, parseTimestamp } from './time.ts';
import { parseUrl, urlPart } from './url.ts';
import {
  Address,
  CelMap,
  type CelValue,
  Duration,
  FormatValue,
  Network,
  Optional,
  QuantityValue,
  SemverValue,
  Timestamp,
  Uint,
  UrlValue,
} from './values.ts';

/** Characters of `self` between code point positions; indices are checked. */
function sliceText(text: string, from: bigint, to: bigint): string {
  const chars = Array.from(text);
  if (from < 0n || to > BigInt(chars.length) || from > to)
    return fail(`index out of range: ${from < 0n || from > BigInt(chars.length) ? from : to}`);
  return chars.slice(Number(from), Number(to)).join('');
}

/** Steps for each character that a pattern is tried on: the engine has no backtracking, but it is slow. */
const PATTERN_STEPS = 10;

function matcherOf(
  pattern: string,
  text: string,
): ReturnType<NonNullable<ReturnType<typeof compilePattern>>['matcher']> {
  const compiled = compilePattern(pattern) ?? fail(`error parsing regexp: invalid pattern: \`${pattern}\``);
  spend(text.length * PATTERN_STEPS);
  return compiled.matcher(text);
}

function textMethod(of: (self: string, args: readonly CelValue[], charge: Charge) => CelValue | undefined): Method {
  return (self, args, charge) => {
    if (!isText(self)) return undefined;
    charge(textCost(self));
    return of(self, args, charge);
  };
}

function listMethod(of: (self: readonly CelValue[], args: readonly CelValue[]) => CelValue | undefined): Method {
  return (self, args, charge) => {
    if (!isList(self)) return undefined;
    charge(self.length);
    return of(self, args);
  };
}

function dateMethod(part: (value: ReturnType<typeof civil>) => number, ofDuration?: bigint): Method {
  return (self, [zone]) => {
    if (self instanceof Duration && ofDuration !== undefined) return self.nanos / ofDuration;
    if (!(self instanceof Timestamp)) return undefined;
    return BigInt(part(civil(self.nanos, zone === undefined ? 0 : offsetOf(zone, self.nanos))));
  };
}

/** Of a zone of the tz database. */
function zoneOffset(zone: string, nanos: bigint): number {
  const seconds = nanos / 1_000_000_000n;
  let parts: readonly { readonly type: string; readonly value: string }[];
  try {
    const options = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    const format = new Intl.DateTimeFormat('en-US', {
      ...options,
      second: '2-digit',
      timeZone: zone,
      hourCycle: 'h23',
    });
    parts = format.formatToParts(Number(seconds) * 1000);
  } catch {
    return fail(`unknown time zone ${zone}`);
  }
  const of = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const local = parseTimestamp(
    `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}:${of('second')}Z`,
  );
  return local === undefined ? 0 : Number((local / 1_000_000_000n - seconds) / 60n);
}

/** In minutes, at that moment. */
function offsetOf(zone: CelValue, nanos: bigint): number {
  if (zone === 'UTC' || zone === 'Etc/UTC' || zone === '' || zone === 'GMT') return 0;
  const match = isText(zone) ? /^([+-]?)(\d\d):(\d\d)$/.exec(zone) : null;
  if (match === null) return isText(zone) ? zoneOffset(zone, nanos) : fail('no such overload');
  return (Number(match[2]) * 60 + Number(match[3])) * (match[1] === '-' ? -1 : 1);
}

const HOUR = 3_600_000_000_000n;

function quantityMethod(of: (self: QuantityValue, other: QuantityValue | undefined) => CelValue | undefined): Method {
  return (self, [other]) => {
    if (!(self instanceof QuantityValue)) return undefined;
    if (typeof other === 'bigint') return of(self, new QuantityValue({ value: other, scale: 0, format: 'DecimalSI' }));
    return of(self, other instanceof QuantityValue ? other : undefined);
  };
}

/** `isGreaterThan`, `isLessThan` and `compareTo` of quantities and versions. */
function comparison(of: (order: number) => CelValue): Method {
  return (self, [other]) => {
    if (self instanceof QuantityValue && other instanceof QuantityValue)
      return of(compareQuantities(self.quantity, other.quantity));
    if (self instanceof SemverValue && other instanceof SemverValue) return of(compareSemver(self.text, other.text));
    return undefined;
  };
}

function addressMethod(of: (self: Address) => CelValue): Method {
  return (self) => (self instanceof Address ? of(self) : undefined);
}

const inNetwork = (self: Address, ...networks: readonly string[]): boolean =>
  networks.some((text) => {
    const network = parseNetwork(text);
    return network !== undefined && networkHas(network, self);
  });

function urlMethod(name: 'scheme' | 'host' | 'hostname' | 'port' | 'path'): Method {
  return (self) => (self instanceof UrlValue ? urlPart(self.text, name) : undefined);
}

/** Member functions by name. */
export const METHODS: { readonly [name: string]: Method } = {
  size: (self) => {
    if (isText(self)) return BigInt(Array.from(self).length);
    if (self instanceof Uint8Array || isList(self)) return BigInt(self.length);
    return isMap(self) ? BigInt(keysOf(self).length) : undefined;
  },
  contains: textMethod((self, [other]) => (isText(other) ? self.includes(other) : undefined)),
  startsWith: textMethod((self, [other]) => (isText(other) ? self.startsWith(other) : undefined)),
  endsWith: textMethod((self, [other]) => (isText(other) ? self.endsWith(other) : undefined)),
  matches: textMethod((self, [other], charge) => {
    if (!isText(other)) return undefined;
    charge((1 + self.length) * 0.1 * (other.length * 0.25));
    return matcherOf(other, self).find();
  }),
  find: textMethod((self, [other]) => {
    if (!isText(other)) return undefined;
    const matcher = matcherOf(other, self);
    return matcher.find() ? (matcher.group() ?? '') : '';
  }),
  findAll: textMethod((self, [other, limit]) => {
    if (!isText(other)) return undefined;
    const matcher = matcherOf(other, self);
    const most = typeof limit === 'bigint' && limit >= 0n ? Number(limit) : Number.POSITIVE_INFINITY;
    const out: string[] = [];
    while (out.length < most && matcher.find()) out.push(matcher.group() ?? '');
    return out;
  }),
  charAt: textMethod((self, [at]) =>
    typeof at === 'bigint' ? (at === BigInt(Array.from(self).length) ? '' : sliceText(self, at, at + 1n)) : undefined,
  ),
  indexOf: (self, args) => indexOf(self, args, false),
  lastIndexOf: (self, args) => indexOf(self, args, true),
  lowerAscii: textMethod((self) => self.replaceAll(/[A-Z]/g, (char) => char.toLowerCase())),
  upperAscii: textMethod((self) => self.replaceAll(/[a-z]/g, (char) => char.toUpperCase())),
  replace: textMethod((self, [from, to, limit]) => {
    if (!isText(from) || !isText(to)) return undefined;
    if (to.length > from.length) spend(to.length * (self.split(from).length - 1));
    if (typeof limit !== 'bigint' || limit < 0n) return self.replaceAll(from, () => to);
    let out = self;
    let at = 0;
    for (let count = 0n; count < limit; count++) {
      const found = out.indexOf(from, at);
      if (found < 0) break;
      out = out.slice(0, found) + to + out.slice(found + from.length);
      at = found + to.length;
    }
    return out;
  }),
  split: textMethod((self, [separator, limit]) => {
    if (!isText(separator)) return undefined;
    const parts = separator === '' ? Array.from(self) : self.split(separator);
    if (typeof limit !== 'bigint' || limit < 0n || parts.length <= Number(limit)) return parts;
    if (limit === 0n) return [];
    const most = Number(limit);
    return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
  }),
  substring: textMethod((self, [from, to]) => {
    if (typeof from !== 'bigint') return undefined;
    if (typeof to === 'bigint' && to >= 0n && from > to)
      return fail(`invalid substring range. start: ${from}, end: ${to}`);
    return sliceText(self, from, typeof to === 'bigint' ? to : BigInt(Array.from(self).length));
  }),
  trim: textMethod((self) => self.trim()),
  reverse: (self) =>
    isText(self) ? Array.from(self).toReversed().join('') : isList(self) ? self.toReversed() : undefined,
  format: textMethod((self, [args]) => (args !== undefined && isList(args) ? formatString(self, args) : undefined)),
  join: listMethod((self, [separator]) => {
    if (!self.every(isText)) return fail('no such overload');
    const between = isText(separator) ? separator : '';
    for (const text of self) spend(text.length + between.length);
    return self.join(between);
  }),
  isSorted: listMethod((self) =>
    self.every(
      (item, index) => index === 0 || (compare(self[index - 1] as CelValue, item) ?? fail('no such overload')) <= 0,
    ),
  ),
  sum: listMethod((self) =>
    self.reduce((a, b) => arithmetic('+', a, b) ?? fail('no such overload'), zeroLike(self[0])),
  ),
  min: listMethod((self) => extreme(self, -1)),
  max: listMethod((self) => extreme(self, 1)),
  distinct: listMethod((self) =>
    self.filter((item, index) => self.findIndex((other) => equals(other, item)) === index),
  ),
  sort: listMethod((self) =>
    self.toSorted((a, b) => {
      spend(1);
      return compare(a, b) ?? fail('no such overload');
    }),
  ),
  flatten: listMethod((self, [depth]) => flatten(self, typeof depth === 'bigint' ? Number(depth) : 1)),
  slice: listMethod((self, [from, to]) => {
    if (typeof from !== 'bigint' || typeof to !== 'bigint') return undefined;
    if (from < 0n || to > BigInt(self.length) || from > to)
      return fail(`cannot slice(${from}, ${to}), list is length ${self.length}`);
    return self.slice(Number(from), Number(to));
  }),
  first: listMethod((self) => new Optional(self[0])),
  last: listMethod((self) => new Optional(self.at(-1))),
  hasValue: (self) => (self instanceof Optional ? self.value !== undefined : undefined),
  value: (self) => (self instanceof Optional ? (self.value ?? fail('optional.none() dereference')) : undefined),
  orValue: (self, [other]) => (self instanceof Optional ? (self.value ?? other) : undefined),
  or: (self, [other]) =>
    self instanceof Optional && other instanceof Optional ? (self.value === undefined ? other : self) : undefined,
  unwrapOpt: listMethod((self) => unwrap(self)),
  getFullYear: dateMethod(({ year }) => year),
  getMonth: dateMethod(({ month }) => month - 1),
  getDate: dateMethod(({ day }) => day),
  getDayOfMonth: dateMethod(({ day }) => day - 1),
  getDayOfWeek: dateMethod(({ weekday }) => weekday),
  getDayOfYear: dateMethod(({ yearDay }) => yearDay),
  getHours: dateMethod(({ hour }) => hour, HOUR),
  getMinutes: dateMethod(({ minute }) => minute, HOUR / 60n),
  getSeconds: dateMethod(({ second }) => second, HOUR / 3600n),
  getMilliseconds: dateMethod(({ millisecond }) => millisecond, HOUR / 3_600_000n),
  sign: quantityMethod(({ quantity }) => (quantity.value > 0n ? 1n : quantity.value < 0n ? -1n : 0n)),
  isInteger: quantityMethod(({ quantity }) => {
    const whole = integerOf(quantity, true);
    return whole !== undefined && BigInt.asIntN(64, whole) === whole;
  }),
  asInteger: quantityMethod(({ quantity }) => {
    const whole = integerOf(quantity, true);
    return whole === undefined || BigInt.asIntN(64, whole) !== whole ? fail('cannot convert value to integer') : whole;
  }),
  asApproximateFloat: quantityMethod(({ quantity }) => Number(quantity.value) * 10 ** quantity.scale),
  add: quantityMethod((self, other) =>
    other === undefined ? undefined : new QuantityValue(addQuantities(self.quantity, other.quantity)),
  ),
  sub: quantityMethod((self, other) =>
    other === undefined ? undefined : new QuantityValue(addQuantities(self.quantity, negateQuantity(other.quantity))),
  ),
  isGreaterThan: comparison((order) => order > 0),
  isLessThan: comparison((order) => order < 0),
  compareTo: comparison((order) => BigInt(Math.sign(order))),
  major: (self) => (self instanceof SemverValue ? semverPart(self.text, 0) : undefined),
  minor: (self) => (self instanceof SemverValue ? semverPart(self.text, 1) : undefined),
  patch: (self) => (self instanceof SemverValue ? semverPart(self.text, 2) : undefined),
  getScheme: urlMethod('scheme'),
  getHost: urlMethod('host'),
  getHostname: urlMethod('hostname'),
  getPort: urlMethod('port'),
  getEscapedPath: urlMethod('path'),
  getQuery: (self) => {
    if (!(self instanceof UrlValue)) return undefined;
    return new CelMap(parseUrl(self.text)?.query ?? new Map());
  },
  family: addressMethod(({ bits: size }) => (size === 32 ? 4n : 6n)),
  isUnspecified: addressMethod(({ value }) => value === 0n),
  isLoopback: addressMethod((self) => inNetwork(self, '127.0.0.0/8', '::1/128')),
  isLinkLocalMulticast: addressMethod((self) => inNetwork(self, '224.0.0.0/24', 'ff02::/16')),
  isLinkLocalUnicast: addressMethod((self) => inNetwork(self, '169.254.0.0/16', 'fe80::/10')),
  isGlobalUnicast: addressMethod(
    (self) =>
      self.value !== 0n &&
      !inNetwork(
        self,
        '127.0.0.0/8',
        '::1/128',
        '224.0.0.0/4',
        'ff00::/8',
        '169.254.0.0/16',
        'fe80::/10',
        '255.255.255.255/32',
      ),
  ),
  containsIP: (self, [other]) => {
    const address = isText(other) ? parseAddress(other) : other;
    if (!(self instanceof Network)) return undefined;
    if (address === undefined) return fail('no such overload');
    return address instanceof Address ? networkHas(self, address) : undefined;
  },
  containsCIDR: (self, [other]) => {
    const network = isText(other) ? parseNetwork(other) : other;
    if (network === undefined) return fail('no such overload');
    if (!(self instanceof Network) || !(network instanceof Network)) return undefined;
    return network.prefix >= self.prefix && networkHas(self, network.address);
  },
  ip: (self) => (self instanceof Network ? self.address : undefined),
  masked: (self) => {
    if (!(self instanceof Network)) return undefined;
    const { value, bits: size } = self.address;
    const shift = BigInt(size - self.prefix);
    return new Network(new Address((value >> shift) << shift, size), self.prefix);
  },
  prefixLength: (self) => (self instanceof Network ? BigInt(self.prefix) : undefined),
  validate: (self, [text]) => {
    if (!(self instanceof FormatValue) || !isText(text)) return undefined;
    const problems = self.check(text);
    return new Optional(problems.length === 0 ? undefined : [...problems]);
  },
};

function indexOf(self: CelValue, [other, from]: readonly CelValue[], last: boolean): CelValue | undefined {
  if (isList(self) && other !== undefined) {
    const position = last
      ? self.findLastIndex((item) => equals(item, other))
      : self.findIndex((item) => equals(item, other));
    return BigInt(position);
  }
  if (!isText(self) || !isText(other)) return undefined;
  const chars = Array.from(self);
  const start = typeof from === 'bigint' ? Number(from) : last ? chars.length : 0;
  if (start < 0) return fail(`index out of range: ${start}`);
  if (typeof from === 'bigint' && other === '') return from;
  if (start > chars.length || (typeof from === 'bigint' && start === chars.length)) return -1n;
  const units = chars.slice(0, start).join('').length;
  const found = last ? self.lastIndexOf(other, units) : self.indexOf(other, units);
  return BigInt(found < 0 ? -1 : Array.from(self.slice(0, found)).length);
}

function zeroLike(value: CelValue | undefined): CelValue {
  if (typeof value === 'number') return 0;
  if (value instanceof Uint) return new Uint(0n);
  return value instanceof Duration ? new Duration(0n) : 0n;
}

function flatten(list: readonly CelValue[], depth: number, out: CelValue[] = []): CelValue[] {
  spend(list.length);
  for (const item of list) {
    if (isList(item) && depth > 0) flatten(item, depth - 1, out);
    else out.push(item);
  }
  return out;
}
