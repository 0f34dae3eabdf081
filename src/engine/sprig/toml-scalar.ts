import { int64 } from '../gotemplate/make-value.ts';
import { quote } from '../gotemplate/quote.ts';
import type { Value } from '../gotemplate/value.ts';
import { parseInteger } from './go-number.ts';
import { GoTime } from './go-time.ts';
import { parseTime } from './parse-time.ts';
import { timeValue } from './time-value.ts';
import { fixedZone, type TimeZone, UTC } from './time-zone.ts';
import { shown, type TomlText } from './toml-text.ts';

/** Zones that say that a TOML time has none. Source: BurntSushi/toml@1.6.0 internal/tz.go. */
const LOCAL_DATETIME: TimeZone = fixedZone('datetime-local', 0);
const LOCAL_DATE: TimeZone = fixedZone('date-local', 0);
const LOCAL_TIME: TimeZone = fixedZone('time-local', 0);

const TIMES: readonly (readonly [layout: string, zone: TimeZone, shape: RegExp])[] = [
  ['2006-01-02T15:04:05.999999999Z07:00', UTC, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/],
  ['2006-01-02T15:04:05.999999999', LOCAL_DATETIME, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/],
  ['2006-01-02', LOCAL_DATE, /^\d{4}-\d\d-\d\d$/],
  ['15:04:05.999999999', LOCAL_TIME, /^\d\d:\d\d:\d\d/],
  ['2006-01-02T15:04Z07:00', UTC, /^\d{4}-\d\d-\d\dT\d\d:\d\d/],
  ['2006-01-02T15:04', LOCAL_DATETIME, /^\d{4}-\d\d-\d\dT\d\d:\d\d$/],
  ['15:04', LOCAL_TIME, /^\d\d:\d\d$/],
];

/** A number, a time or a word. Source: BurntSushi/toml@1.6.0 lex.go, parse.go. */
export function readScalar(source: TomlText): Value {
  const first = source.peek();
  if (/^[0-9]$/.test(first)) return readDigits(source);
  if (first === '-' || first === '+') return readSigned(source);
  if (first === '.') {
    source.next();
    return source.fail("floats must start with a digit, not '.'");
  }
  if (source.take(/inf/y) !== '') return Number.POSITIVE_INFINITY;
  if (source.take(/nan/y) !== '') return Number.NaN;
  const word = source.take(/\p{L}+/uy);
  if (word === 'true' || word === 'false') return word === 'true';
  if (word !== '') return source.fail(`expected value but found ${quote(word)} instead`);
  const line = source.line;
  const character = source.next();
  if (character === '') return source.fail('unexpected EOF; expected value');
  return source.fail(`expected value but found ${shown(character)} instead`, line);
}

function readSigned(source: TomlText): Value {
  const sign = source.next();
  const special = source.take(/(?:inf|nan)/y);
  if (special !== '')
    return special === 'nan' ? Number.NaN : sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (source.peek() === '.') {
    source.next();
    return source.fail("floats must start with a digit, not '.'");
  }
  const based = source.take(/0(?=[box])/y);
  if (based !== '') return source.fail(`cannot use sign with non-decimal numbers: '${sign}0${source.peek()}'`);
  if (!/^[0-9]$/.test(source.peek())) return source.fail(`expected a digit but got ${shown(source.next())}`);
  return readNumber(source, sign);
}

function readDigits(source: TomlText): Value {
  const based = source.take(/0(?:x[0-9a-fA-F][0-9a-fA-F_]*|o[0-7][0-7_]*|b[01][01_]*)/y);
  if (based !== '') return integer(source, based);
  const prefix = source.take(/0[box]/y);
  if (prefix !== '') {
    const kind = { b: 'a binary', o: 'an octal', x: 'a hexadecimal' }[prefix.charAt(1)];
    return source.fail(`not ${kind} number: '${prefix}${source.peek() || '\0'}'`);
  }
  const time = source.take(/[0-9]+[-:][-0-9:Tt .Zz+]*/y);
  return time === '' ? readNumber(source, '') : timeOf(source, time.trimEnd());
}

function readNumber(source: TomlText, sign: string): Value {
  const digits = source.take(/[0-9][0-9_]*/y);
  const rest = source.take(/[.eE][-0-9_.+eE]*/y);
  return rest === '' ? integer(source, sign + digits) : float(source, sign + digits + rest);
}

function integer(source: TomlText, text: string): Value {
  if (!goodUnderscores(text))
    return source.fail(`Invalid integer ${quote(text)}: underscores must be surrounded by digits`);
  if (/^[-+]?0[0-9_]/.test(text)) return source.fail(`Invalid integer ${quote(text)}: cannot have leading zeroes`);
  const value = parseInteger(text);
  return value === undefined ? source.fail(`${text} is out of range for int64`) : int64(value);
}

function float(source: TomlText, text: string): Value {
  const bad = (why: string): never => source.fail(`Invalid float ${quote(text)}: ${why}`);
  const parts = text.split(/[.eE]/).filter((part) => part !== '');
  if (!parts.every(goodUnderscores)) return bad('underscores must be surrounded by digits');
  if (/^[-+]?0[0-9_]/.test(text)) return bad('cannot have leading zeroes');
  if (/\.(?![0-9])/.test(text)) return bad("'.' must be followed by one or more digits");
  const plain = text.replaceAll('_', '');
  if (!/^[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/.test(plain)) {
    return source.fail(`Invalid float value: ${quote(text)}`);
  }
  const value = Number(plain);
  return Number.isFinite(value) ? value : source.fail(`${text} is out of range for float64`);
}

/** Each underscore stands between digits, which a sign is none of. */
function goodUnderscores(text: string): boolean {
  return !/^_|_$|__|[-+]_/.test(text) && !/^[-+]$/.test(text) && !/^0[box]_/.test(text);
}

function timeOf(source: TomlText, written: string): Value {
  const text = written.replaceAll('z', 'Z').replaceAll('t', 'T').replaceAll(' ', 'T');
  for (const [layout, zone, shape] of TIMES) {
    if (!shape.test(text)) continue;
    const time = parseTime(layout, text, zone);
    if (!(time instanceof GoTime)) continue;
    const local = zone.name === UTC.name && time.zone !== UTC ? fixedZone('', time.offset().seconds) : time.zone;
    return timeValue(new GoTime(time.nanos, local));
  }
  return source.fail(`invalid datetime: ${quote(text)}`);
}
