import { sprint } from '../gotemplate/format.ts';
import { type FuncMap, func, variadic } from '../gotemplate/func.ts';
import { ANY, FLOAT64, INT, INTS, STRING } from '../gotemplate/go-type.ts';
import { int, int64, typedList } from '../gotemplate/make-value.ts';
import { GoError, type Value } from '../gotemplate/value.ts';
import { toFloat64, toInt64 } from './cast.ts';
import { add, type Decimal, decimalOf, divide, multiply, subtract, toFloat } from './decimal.ts';
import { nearestInteger, parseDigits } from './go-number.ts';
import { checkListLength } from './limits.ts';

/** Conversion and arithmetic. Source: sprig@3.3.0 numeric.go, functions.go. */
export function numberFunctions(): FuncMap {
  return new Map([
    ['atoi', func([STRING], nearestInteger)],
    ['int', func([ANY], (value) => toInt64(value))],
    ['int64', func([ANY], (value) => int64(toInt64(value)))],
    ['float64', func([ANY], (value) => toFloat64(value))],
    ['toDecimal', func([ANY], (value) => int64(parseDigits(sprint(value), 8) ?? 0n))],
    ['add', variadic([], ANY, (...values) => int64(values.reduce((sum: bigint, value) => sum + toInt64(value), 0n)))],
    ['add1', func([ANY], (value) => int64(toInt64(value) + 1n))],
    ['sub', func([ANY, ANY], (a, b) => int64(toInt64(a) - toInt64(b)))],
    ['mul', variadic([ANY], ANY, product)],
    ['div', func([ANY, ANY], (a, b) => int64(toInt64(a) / divisor(b)))],
    ['mod', func([ANY, ANY], (a, b) => int64(toInt64(a) % divisor(b)))],
    ['max', variadic([ANY], ANY, greatest)],
    ['biggest', variadic([ANY], ANY, greatest)],
    ['min', variadic([ANY], ANY, (first, ...rest) => int64(pick(first, rest, (a, b) => b < a)))],
    ['addf', variadic([], ANY, (...values) => fold(0, values, add))],
    ['add1f', func([ANY], (value) => fold(value, [1n], add))],
    ['subf', variadic([ANY], ANY, (first, ...rest) => fold(first, rest, subtract))],
    ['mulf', variadic([ANY], ANY, (first, ...rest) => fold(first, rest, multiply))],
    ['divf', variadic([ANY], ANY, (first, ...rest) => fold(first, rest, divide))],
    ['maxf', variadic([ANY], ANY, (first, ...rest) => Math.max(...[first, ...rest].map(toFloat64)))],
    ['minf', variadic([ANY], ANY, (first, ...rest) => Math.min(...[first, ...rest].map(toFloat64)))],
    ['ceil', func([ANY], (value) => Math.ceil(toFloat64(value)))],
    ['floor', func([ANY], (value) => Math.floor(toFloat64(value)))],
    ['round', variadic([ANY, INT], FLOAT64, (value, places, on = 0.5) => round(toFloat64(value), places, on))],
    ['until', func([INT], (count) => ints(steps('until', 0, count, count < 0 ? -1 : 1)))],
    ['untilStep', func([INT, INT, INT], (start, stop, step) => ints(steps('untilStep', start, stop, step)))],
    ['seq', variadic([], INT, (...bounds) => sequence(bounds).join(' '))],
  ]);
}

function product(first: Value, ...rest: Value[]): Value {
  return int64(rest.reduce((sum: bigint, value) => BigInt.asIntN(64, sum * toInt64(value)), toInt64(first)));
}

function divisor(value: Value): bigint {
  const number = toInt64(value);
  if (number === 0n) throw new GoError('runtime error: integer divide by zero');
  return number;
}

function greatest(first: Value, ...rest: Value[]): Value {
  return int64(pick(first, rest, (a, b) => b > a));
}

function pick(first: Value, rest: readonly Value[], better: (a: bigint, b: bigint) => boolean): bigint {
  return rest.map(toInt64).reduce((best, next) => (better(best, next) ? next : best), toInt64(first));
}

function fold(first: Value, rest: readonly Value[], step: (a: Decimal, b: Decimal) => Decimal): number {
  return toFloat(
    rest.reduce<Decimal>((sum, value) => step(sum, decimalOf(toFloat64(value))), decimalOf(toFloat64(first))),
  );
}

function round(value: number, places: number, on: number): number {
  const power = powerOfTen(places);
  const digit = power * value;
  const fraction = Number.isFinite(digit) ? digit - Math.trunc(digit) : Number.NaN;
  return (fraction >= on ? Math.ceil(digit) : Math.floor(digit)) / power;
}

/** `math.Pow(10, exponent)` with Go's rounding: by repeated squaring of 0.625 times 16. */
function powerOfTen(exponent: number): number {
  let result = 1;
  let binary = 0;
  let factor = 0.625;
  let shift = 4;
  for (let left = Math.abs(exponent); left !== 0; left = Math.floor(left / 2)) {
    if (Math.abs(shift) > 4096) {
      binary += shift;
      break;
    }
    if (left % 2 === 1) {
      result *= factor;
      binary += shift;
    }
    factor *= factor;
    shift *= 2;
    if (factor < 0.5) {
      factor += factor;
      shift--;
    }
  }
  const [mantissa, power] = exponent < 0 ? [1 / result, -binary] : [result, binary];
  const half = Math.trunc(power / 2);
  return mantissa * 2 ** half * 2 ** (power - half);
}

function ints(items: readonly number[]): Value {
  return typedList(INTS, items.map(int));
}

function steps(name: string, start: number, stop: number, step: number): number[] {
  const out: number[] = [];
  if (stop < start ? step >= 0 : step <= 0) return out;
  checkListLength(name, Math.ceil(Math.abs((stop - start) / step)));
  for (let next = start; stop < start ? next > stop : next < stop; next += step) out.push(next);
  return out;
}

function sequence(bounds: readonly number[]): number[] {
  const [first = 0, second = 0, third = 0] = bounds;
  switch (bounds.length) {
    case 1:
      return span(1, first);
    case 2:
      return span(first, second);
    case 3: {
      if (third < first && second > 0) return [];
      return steps('seq', first, third + (third < first ? -1 : 1), second);
    }
    default:
      return [];
  }
}

/** From `start` to `end`, both included, up or down. */
function span(start: number, end: number): number[] {
  const step = end < start ? -1 : 1;
  return steps('seq', start, end + step, step);
}
