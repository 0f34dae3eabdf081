import { func } from '../gotemplate/func.ts';
import { INT, namedType, pointerTo, STRING, structType } from '../gotemplate/go-type.ts';
import { int, int64 } from '../gotemplate/make-value.ts';
import { type Func, GoError, type GoType, type Method, Struct, Typed, type Value } from '../gotemplate/value.ts';
import { clampDuration, DURATION, durationValue } from './duration.ts';
import { formatTime, GoTime, MONTHS, timeOf, WEEKDAYS, ZERO } from './go-time.ts';
import { type TimeZone, UTC } from './time-zone.ts';

/** What `{{ $time }}` prints. */
const STRING_LAYOUT = '2006-01-02 15:04:05.999999999 -0700 MST';
/** An `int` that a value, not an argument, is of. */
const INT_VALUE = INT as GoType as GoType<bigint>;
const MONTH: GoType<bigint> = namedType('time.Month', INT_VALUE, { text: (value) => named(MONTHS, value, -1) });
const WEEKDAY: GoType<bigint> = namedType('time.Weekday', INT_VALUE, { text: (value) => named(WEEKDAYS, value, 0) });
const LOCATION = pointerTo(
  structType('time.Location', {
    text: (value) => zoneOf(value).name,
    methods: new Map<string, Method>([['String', (receiver) => func([], () => zoneOf(receiver).name)]]),
  }),
);

/** `time.Time`. */
export const TIME: GoType<Struct> = structType('time.Time', {
  text: (value) => formatTime(timeIn(value), STRING_LAYOUT),
  methods: new Map(
    Array.from(timeMethods(), ([name, method]) => [name, (value: Value) => method(timeIn(value))] as const),
  ),
});

/** A `time.Time` for a template. */
export function timeValue(time: GoTime): Value {
  return new Struct(TIME, new Map(), time);
}

/** The time in a value of type {@link TIME}. */
export function timeIn(value: Value): GoTime {
  return value instanceof Struct && value.data instanceof GoTime ? value.data : ZERO;
}

function zoneOf(value: Value): TimeZone {
  return value instanceof Struct && value.data !== undefined ? (value.data as TimeZone) : UTC;
}

function named(names: readonly string[], value: Value, shift: number): string {
  const number = value instanceof Typed && typeof value.value === 'bigint' ? Number(value.value) : 0;
  return names[number + shift] ?? '';
}

function timeMethods(): Map<string, (time: GoTime) => Func> {
  const field = (pick: (time: GoTime) => Value) => (time: GoTime) => func([], () => pick(time));
  const compare = (test: (a: bigint, b: bigint) => Value) => (time: GoTime) =>
    func([TIME], (other) => test(time.nanos, timeIn(other).nanos));
  return new Map<string, (time: GoTime) => Func>([
    ['Add', (time) => func([DURATION], (by) => timeValue(new GoTime(time.nanos + by, time.zone)))],
    [
      'AddDate',
      (time) => func([INT, INT, INT], (years, months, days) => timeValue(addDate(time, years, months, days))),
    ],
    ['After', compare((a, b) => a > b)],
    ['Before', compare((a, b) => a < b)],
    ['Compare', compare((a, b) => (a < b ? -1n : a > b ? 1n : 0n))],
    ['Equal', compare((a, b) => a === b)],
    ['Day', field((time) => int(time.civil().day))],
    ['Format', (time) => func([STRING], (layout) => formatTime(time, layout))],
    ['Hour', field((time) => int(time.civil().hour))],
    ['In', (time) => func([LOCATION], (zone) => timeValue(new GoTime(time.nanos, zoneOf(zone))))],
    ['IsZero', field((time) => time.nanos === ZERO.nanos)],
    ['Location', field((time) => new Struct(LOCATION, new Map(), time.zone))],
    ['Minute', field((time) => int(time.civil().minute))],
    ['Month', field((time) => new Typed(MONTH, BigInt(time.civil().month)))],
    ['Nanosecond', field((time) => time.civil().nanos)],
    ['Round', (time) => func([DURATION], (unit) => timeValue(rounded(time, unit, true)))],
    ['Second', field((time) => int(time.civil().second))],
    ['String', field((time) => formatTime(time, STRING_LAYOUT))],
    ['Sub', (time) => func([TIME], (other) => durationValue(clampDuration(time.nanos - timeIn(other).nanos)))],
    ['Truncate', (time) => func([DURATION], (unit) => timeValue(rounded(time, unit, false)))],
    ['UTC', field((time) => timeValue(new GoTime(time.nanos, UTC)))],
    ['Unix', field((time) => int64(time.unix()))],
    ['UnixMicro', field((time) => int64(floor(time.nanos, 1000n)))],
    ['UnixMilli', field((time) => int64(floor(time.nanos, 1_000_000n)))],
    ['UnixNano', field((time) => int64(time.nanos))],
    ['Weekday', field((time) => new Typed(WEEKDAY, BigInt(time.civil().weekday)))],
    ['Year', field((time) => int(time.civil().year))],
    ['YearDay', field((time) => int(time.civil().yearDay + 1))],
  ]);
}

function addDate(time: GoTime, years: number, months: number, days: number): GoTime {
  const { year, month, day, hour, minute, second, nanos } = time.civil();
  const wall = { year: year + years, month: month + months, day: day + days, hour, minute, second };
  if (Math.abs(wall.year) + Math.abs(months) / 12 + Math.abs(days) / 365 > MAX_YEAR) {
    throw new GoError(`AddDate: the year is beyond ${MAX_YEAR}`);
  }
  return timeOf({ ...wall, nanos: Number(nanos) }, time.zone);
}

/** Far beyond what a calendar in JavaScript can count exactly in days. */
const MAX_YEAR = 1e12;

/** Rounding counts from Go's zero time. */
function rounded(time: GoTime, unit: bigint, up: boolean): GoTime {
  if (unit <= 0n) return time;
  const since = time.nanos - ZERO.nanos;
  const down = since - (((since % unit) + unit) % unit);
  const whole = up ? ((since - down) * 2n < unit ? down : down + unit) : down;
  return new GoTime(whole + ZERO.nanos, time.zone);
}

function floor(value: bigint, unit: bigint): bigint {
  return (value - (((value % unit) + unit) % unit)) / unit;
}
