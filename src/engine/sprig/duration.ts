import { func } from '../gotemplate/func.ts';
import { INT64, namedType } from '../gotemplate/go-type.ts';
import { int64 } from '../gotemplate/make-value.ts';
import { type GoType, Typed, type Value } from '../gotemplate/value.ts';

/** Go's `time.Duration`: nanoseconds, in the range of an int64. Source: go@1.26 time/time.go, time/format.go. */

export const SECOND: bigint = 1_000_000_000n;
const MINUTE = 60n * SECOND;
export const HOUR: bigint = 60n * MINUTE;
const MAX = (1n << 63n) - 1n;
const MIN = -(1n << 63n);
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1000n],
  ['µs', 1000n],
  ['μs', 1000n],
  ['ms', 1_000_000n],
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
]);

/** `time.ParseDuration`: nanoseconds, or its message. */
export function parseDuration(text: string): bigint | { readonly message: string } {
  const fail = (why: string): { readonly message: string } => ({ message: `time: ${why} ${timeQuote(text)}` });
  const isNegative = text.startsWith('-');
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return 0n;
  if (rest === '') return fail('invalid duration');
  let total = 0n;
  while (rest !== '') {
    const match = /^([0-9]*)(?:\.([0-9]*))?([^.0-9]*)/.exec(rest) as RegExpExecArray;
    const [whole, before = '', after = '', unit = ''] = match;
    if (before === '' && after === '') return fail('invalid duration');
    // More digits than any int64 has are an overflow in Go, too.
    if (before.replace(/^0+/, '').length > 19 || BigInt(before || '0') > 1n << 63n) return fail('invalid duration');
    if (unit === '') return fail('missing unit in duration');
    const size = UNITS.get(unit);
    if (size === undefined) return fail(`unknown unit ${timeQuote(unit)} in duration`);
    total += BigInt(before || '0') * size + fractionOf(after, size);
    if (total > 1n << 63n) return fail('invalid duration');
    rest = rest.slice(whole.length);
  }
  if (isNegative) return -total;
  return total > MAX ? fail('invalid duration') : total;
}

function fractionOf(digits: string, unit: bigint): bigint {
  // Go stops at what an int64 holds, and multiplies as floats.
  const kept = digits.slice(0, 18);
  if (kept === '') return 0n;
  return BigInt(Math.trunc(Number(kept) * (Number(unit) / 10 ** kept.length)));
}

/** `Duration.String`: `1h2m3.5s`. */
export function printDuration(duration: bigint): string {
  const sign = duration < 0n ? '-' : '';
  const size = duration < 0n ? -duration : duration;
  if (size === 0n) return '0s';
  if (size < 1000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`;
  if (size < SECOND) return `${sign}${decimal(size, 6)}ms`;
  const seconds = `${decimal(size % MINUTE, 9)}s`;
  const minutes = size / MINUTE;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, places: number): string {
  const scale = 10n ** BigInt(places);
  const fraction = (value % scale).toString().padStart(places, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / scale}` : `${value / scale}.${fraction}`;
}

/** `Duration.Round`: to the nearest multiple of `unit`, halves away from zero. */
export function roundDuration(duration: bigint, unit: bigint): bigint {
  if (unit <= 0n) return duration;
  const size = duration < 0n ? -duration : duration;
  const rest = size % unit;
  const rounded = rest * 2n < unit ? size - rest : size - rest + unit;
  return clampDuration(duration < 0n ? -rounded : rounded);
}

/** The nearest duration that an int64 holds. */
export function clampDuration(duration: bigint): bigint {
  if (duration > MAX) return MAX;
  return duration < MIN ? MIN : duration;
}

/** How package time quotes: bytes that are not printable ASCII in hex. */
export function timeQuote(text: string): string {
  let out = '';
  for (const character of text) {
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (character < ' ' || character > '\x7f') out += hexBytes(character);
    else out += character;
  }
  return `"${out}"`;
}

function hexBytes(character: string): string {
  const escaped = /^[\udc80-\udcff]$/u.test(character)
    ? `%${(character.charCodeAt(0) & 0xff).toString(16)}`
    : encodeURIComponent(character);
  return escaped.toLowerCase().replaceAll('%', '\\x');
}

function amount(receiver: Value): bigint {
  return receiver instanceof Typed && typeof receiver.value === 'bigint' ? receiver.value : 0n;
}

export const DURATION: GoType<bigint> = namedType('time.Duration', INT64, {
  text: (value) => printDuration(amount(value)),
  methods: new Map([
    [
      'Abs',
      (receiver) =>
        func([], () => durationValue(clampDuration(amount(receiver) < 0n ? -amount(receiver) : amount(receiver)))),
    ],
    ['Hours', (receiver) => func([], () => parts(amount(receiver), HOUR))],
    ['Minutes', (receiver) => func([], () => parts(amount(receiver), MINUTE))],
    ['Round', (receiver) => func([DURATION], (unit) => durationValue(roundDuration(amount(receiver), unit)))],
    [
      'Truncate',
      (receiver) =>
        func([DURATION], (unit) =>
          durationValue(unit <= 0n ? amount(receiver) : amount(receiver) - (amount(receiver) % unit)),
        ),
    ],
    ['Seconds', (receiver) => func([], () => parts(amount(receiver), SECOND))],
    ['Milliseconds', (receiver) => func([], () => int64(amount(receiver) / 1_000_000n))],
    ['Microseconds', (receiver) => func([], () => int64(amount(receiver) / 1000n))],
    ['Nanoseconds', (receiver) => func([], () => int64(amount(receiver)))],
    ['String', (receiver) => func([], () => printDuration(amount(receiver)))],
  ]),
});

/** Go adds the whole units and the rest as floats. */
function parts(duration: bigint, unit: bigint): number {
  return Number(duration / unit) + Number(duration % unit) / Number(unit);
}

/** A `time.Duration` for a template. */
export function durationValue(duration: bigint): Value {
  return new Typed(DURATION, BigInt.asIntN(64, duration));
}
