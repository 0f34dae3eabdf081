import { BOOL_TAG, FLOAT_TAG, INT_TAG, MERGE_TAG, NULL_TAG, STR_TAG, TIMESTAMP_TAG } from './node.ts';

/**
 * Which of Go's two YAML libraries decides: `v2` (go.yaml.in/yaml/v2 under sigs.k8s.io/yaml: kubectl, and all that kustomize
 * reads into structs) knows `yes` and `on`; `v3` (kyaml's trees) does not.
 */
export type Dialect = 'v2' | 'v3';

const COMMON: readonly (readonly [string, readonly string[]])[] = [
  [BOOL_TAG, ['true', 'True', 'TRUE', 'false', 'False', 'FALSE']],
  [NULL_TAG, ['', '~', 'null', 'Null', 'NULL']],
  [FLOAT_TAG, ['.nan', '.NaN', '.NAN', '.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF', '-.inf', '-.Inf', '-.INF']],
  [MERGE_TAG, ['<<']],
];
const TRUE_WORDS = ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'];
const FALSE_WORDS = ['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'];

const V3_WORDS = new Map(COMMON.flatMap(([tag, words]) => words.map((word) => [word, tag] as const)));
const V2_WORDS = new Map([...V3_WORDS, ...[...TRUE_WORDS, ...FALSE_WORDS].map((word) => [word, BOOL_TAG] as const)]);
const TRUE = new Set([...TRUE_WORDS, 'true', 'True', 'TRUE']);

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const DATE = '(?<year>\\d{4})-(?<month>\\d{1,2})-(?<day>\\d{1,2})';
const ZONED =
  '[Tt](?<hour>\\d{1,2}):(?<minute>\\d{1,2}):(?<second>\\d{1,2})(?:[.,](?<fraction>\\d+))?(?:Z|(?<sign>[-+])(?<zoneHour>\\d{2}):(?<zoneMinute>\\d{2}))';
const LOCAL = ' (?<hour2>\\d{1,2}):(?<minute2>\\d{1,2}):(?<second2>\\d{1,2})(?:[.,](?<fraction2>\\d+))?';
const TIMESTAMP = new RegExp(`^${DATE}(?:${ZONED}|${LOCAL})?$`);

/** The tag that plain text `text` gets, as Go's `resolve` decides. */
export function resolveTag(text: string, dialect: Dialect): string {
  if (text.length === 0) return NULL_TAG;
  const first = text.charCodeAt(0);
  if (first >= 0x30 && first <= 0x39) return numberTag(text, dialect);
  switch (first) {
    case 0x2b: // +
    case 0x2d: // -
      return V3_WORDS.get(text) ?? numberTag(text, dialect);
    case 0x2e: // .
      return V3_WORDS.get(text) ?? (parseGoFloat(text) === undefined ? STR_TAG : FLOAT_TAG);
    case 0x3c: // <: Go's table has no hint for it, so that `<<` is the merge key only where the composer says so
      return STR_TAG;
    case 0x46: // F
    case 0x4e: // N
    case 0x4f: // O
    case 0x54: // T
    case 0x59: // Y
    case 0x66: // f
    case 0x6e: // n
    case 0x6f: // o
    case 0x74: // t
    case 0x79: // y
    case 0x7e: // ~
      return text.length > 5 ? STR_TAG : ((dialect === 'v2' ? V2_WORDS : V3_WORDS).get(text) ?? STR_TAG);
    default:
      return STR_TAG;
  }
}

function numberTag(text: string, dialect: Dialect): string {
  if (parseTimestamp(text) !== undefined) return TIMESTAMP_TAG;
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  if (parseGoInteger(plain, dialect) !== undefined) return INT_TAG;
  if (FLOAT.test(plain) && Number.isFinite(Number(plain))) return FLOAT_TAG;
  return STR_TAG;
}

/** True where `text` (a plain scalar with tag !!bool) means true. */
export function parseBoolean(text: string): boolean {
  return TRUE.has(text);
}

/** Value of a plain scalar that resolved to !!int; undefined when it is none. */
export function parseInteger(text: string, dialect: Dialect): number | bigint | undefined {
  return parseGoInteger(text.includes('_') ? text.replaceAll('_', '') : text, dialect);
}

/** Value of a plain scalar that resolved to !!float. Infinities and NaN come out as such. */
export function parseFloatValue(text: string): number {
  const plain = text.replaceAll('_', '');
  switch (plain.toLowerCase()) {
    case '.nan':
      return Number.NaN;
    case '.inf':
    case '+.inf':
      return Number.POSITIVE_INFINITY;
    case '-.inf':
      return Number.NEGATIVE_INFINITY;
    default:
      return Number(plain);
  }
}

const MAX_UINT64 = (1n << 64n) - 1n;
const MIN_INT64 = -(1n << 63n);

/** Go's `ParseInt(text, 0, 64)`, then `ParseUint`, then the two libraries' own `0b` and `0o`. */
function parseGoInteger(text: string, dialect: Dialect): number | bigint | undefined {
  const match = /^([-+]?)(?:0([xX])([0-9a-fA-F]+)|0([bB])([01]+)|0([oO]?)([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (match === null) {
    // `+` is no sign for ParseUint, and ParseInt takes one only once.
    return dialect === 'v3' ? parseDoubledSign(text) : undefined;
  }
  const [, sign, , hex, , binary, , octal, decimal] = match;
  const digits =
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : octal !== undefined
          ? `0o${octal}`
          : decimal;
  return ranged(BigIntOrNumber(digits as string, sign === '-'), sign as string);
}

/** `0b-1` and `0o-7`: v3 gives what follows the prefix to ParseInt, which takes a sign. */
function parseDoubledSign(text: string): number | bigint | undefined {
  const match = /^0([bo])([-+])([0-7]+)$/.exec(text);
  if (match === null || (match[1] === 'b' && !/^[01]+$/.test(match[3] as string))) return undefined;
  return ranged(BigIntOrNumber(`0${match[1]}${match[3]}`, match[2] === '-'), match[2] as string);
}

function BigIntOrNumber(digits: string, negative: boolean): number | bigint {
  if (digits.length <= 12) {
    const value = Number(digits);
    return negative && value !== 0 ? -value : value;
  }
  const value = BigInt(digits);
  return negative ? -value : value;
}

function ranged(value: number | bigint, sign: string): number | bigint | undefined {
  if (typeof value === 'number') return value;
  if (value < MIN_INT64 || value > MAX_UINT64) return undefined;
  if (sign !== '' && value > 0n && value >= 1n << 63n) return undefined;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Go's `ParseFloat` for text that begins with a point. */
function parseGoFloat(text: string): number | undefined {
  if (!/^\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9]+)?$/.test(text) || text.includes('_')) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A moment as it was written, in the zone that it was written in. */
export interface Timestamp {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanoseconds: number;
  /** Of the zone, east of UTC. */
  readonly offsetMinutes: number;
}

/** The date that Go's library reads in `text` (yaml/v3 resolve.go, parseTimestamp). */
export function parseTimestamp(text: string): Timestamp | undefined {
  if (text.length < 8 || text.charCodeAt(4) !== 0x2d) return undefined;
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const part = (name: string): number => Number(match.groups?.[name] ?? match.groups?.[`${name}2`] ?? 0);
  const sign = match.groups?.['sign'] === '-' ? -1 : 1;
  const zoneHour = part('zoneHour');
  const zoneMinute = part('zoneMinute');
  const time = {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
    nanoseconds: Number((match.groups?.['fraction'] ?? match.groups?.['fraction2'] ?? '').slice(0, 9).padEnd(9, '0')),
    offsetMinutes: sign * (zoneHour * 60 + zoneMinute),
  };
  if (time.month < 1 || time.month > 12 || time.day < 1 || time.day > daysIn(time.year, time.month)) return undefined;
  const fits = time.hour < 24 && time.minute < 60 && time.second < 60 && zoneHour < 25 && zoneMinute < 60;
  return fits ? time : undefined;
}

/** The date as Go's encoding/json writes it (RFC 3339 with as many digits as it needs); undefined for a zone that it refuses. */
export function printTimestamp(time: Timestamp): string | undefined {
  const { year, month, day, hour, minute, second, nanoseconds, offsetMinutes } = time;
  const two = (value: number): string => String(value).padStart(2, '0');
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  const away = Math.abs(offsetMinutes);
  if (away >= 24 * 60) return undefined;
  const zone = away === 0 ? 'Z' : `${offsetMinutes < 0 ? '-' : '+'}${two(Math.trunc(away / 60))}:${two(away % 60)}`;
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${fraction}${zone}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
