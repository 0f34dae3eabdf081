import { spend } from './effort.ts';
import { CelFailure, goFloat, isList, isMap, keysOf, lookup, textOf, typeOf } from './operators.ts';
import { type CelValue, sizeOf, TypeValue, Uint } from './values.ts';

/** Digits behind the point at which a clause is refused. */
const MAX_PRECISION = 1000;

/** `string.format(list)` of cel-go's strings extension: %s %d %f %e %b %x %X %o %%. */
export function formatString(text: string, args: readonly CelValue[]): string {
  let next = 0;
  return text.replaceAll(
    /%(?:(\.\d+)?([sdfebxXo])|(%)|(.?))/gs,
    (_match, precision: string | undefined, verb: string | undefined, percent: string | undefined, other: string) => {
      if (percent !== undefined) return '%';
      if (verb === undefined)
        throw new CelFailure(`could not parse formatting clause: unrecognized formatting clause "${other}"`);
      const value = args[next++];
      if (value === undefined) throw new CelFailure(`index ${next - 1} out of range`);
      const digits = precision === undefined ? 6 : Number(precision.slice(1));
      if (digits > MAX_PRECISION) throw new CelFailure('precision is too large');
      return clause(verb, value, digits);
    },
  );
}

/** What each clause takes, as cel-go words it. (cel-go@0.26 ext/formatting.go) */
export const CLAUSES: { readonly [verb: string]: string } = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  X: 'only integers, byte buffers, and strings can be formatted as hex',
  o: 'octal clause can only be used on integers',
};

/** Doubles that JSON has no number for may come as text. */
const SPECIAL: ReadonlyMap<CelValue, string> = new Map([
  ['Infinity', '∞'],
  ['-Infinity', '-∞'],
  ['NaN', 'NaN'],
]);

function clause(verb: string, value: CelValue, digits: number): string {
  const refuse = (): never => {
    throw new CelFailure(`error during formatting: ${CLAUSES[verb]}, was given ${typeOf(value)}`);
  };
  const special = verb === 'f' || verb === 'e' ? SPECIAL.get(value) : undefined;
  if (special !== undefined) return special;
  const whole = value instanceof Uint ? value.value : value;
  switch (verb) {
    case 's':
      return display(value);
    case 'd':
      return typeof whole === 'bigint' ? whole.toString() : typeof whole === 'number' ? goFloat(whole) : refuse();
    case 'f':
      return typeof whole === 'number' || typeof whole === 'bigint'
        ? grouped(Number(whole), Math.min(digits, 100))
        : refuse();
    case 'e':
      return typeof whole === 'number' || typeof whole === 'bigint'
        ? scientific(Number(whole).toExponential(6))
        : refuse();
    case 'b':
      return typeof whole === 'boolean'
        ? whole
          ? '1'
          : '0'
        : typeof whole === 'bigint'
          ? whole.toString(2)
          : refuse();
    case 'o':
      return typeof whole === 'bigint' ? whole.toString(8) : refuse();
    default: {
      const hex =
        typeof whole === 'bigint'
          ? whole.toString(16)
          : value instanceof Uint8Array
            ? [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('')
            : typeof value === 'string'
              ? hexOf(value)
              : refuse();
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
  }
}

/** As Go's localised printer writes numbers: `12,345.50`. (golang.org/x/text/message, which cel-go uses for %f) */
function grouped(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const [whole = '', fraction] = value.toFixed(digits).split('.');
  const separated = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return fraction === undefined ? separated : `${separated}.${fraction}`;
}

/** As Go's localised printer writes exponents: `3.14×10⁰⁰`. (golang.org/x/text/number) */
function scientific(text: string): string {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const digits = exponent.replace(/^[+-]/, '').padStart(2, '0');
  const raised = Array.from(digits, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
  return `${mantissa}×10${exponent.startsWith('-') ? '⁻' : ''}${raised}`;
}

function hexOf(text: string): string {
  return encodeURIComponent(text).replaceAll(/%([0-9A-F]{2})|(.)/g, (_all, code: string | undefined, char: string) =>
    code === undefined ? char.charCodeAt(0).toString(16) : code.toLowerCase(),
  );
}

function display(value: CelValue): string {
  spend(1 + sizeOf(value));
  if (value === null) return 'null';
  if (value instanceof TypeValue) return value.name;
  if (isList(value)) return `[${value.map(nested).join(', ')}]`;
  if (isMap(value)) {
    const entries = keysOf(value).map((key) => `${nested(key)}:${nested(lookup(value, key) ?? null)}`);
    return `{${entries.toSorted().join(', ')}}`;
  }
  if (value instanceof Uint8Array) return String.fromCharCode(...value);
  return textOf(value) ?? typeOf(value);
}

function nested(value: CelValue): string {
  if (typeof value !== 'string') return display(value);
  spend(1 + value.length);
  return JSON.stringify(value);
}
