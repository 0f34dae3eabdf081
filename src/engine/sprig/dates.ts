import { type FuncMap, func } from '../gotemplate/func.ts';
import { ANY, STRING } from '../gotemplate/go-type.ts';
import { GoError, Typed, type Value } from '../gotemplate/value.ts';
import { HOUR, parseDuration, printDuration, roundDuration, SECOND } from './duration.ts';
import { nearestInteger } from './go-number.ts';
import { formatTime, GoTime, ZERO } from './go-time.ts';
import type { TemplateHost } from './host.ts';
import { parseTime } from './parse-time.ts';
import { TIME, timeIn, timeValue } from './time-value.ts';
import { findZone, type TimeZone, UTC } from './time-zone.ts';

/** Dates. Source: sprig@3.3.0 date.go. */
export function dateFunctions(host: Pick<TemplateHost, 'now' | 'localZone'>): FuncMap {
  const local = findZone(host.localZone, 'Local') ?? { ...UTC, name: 'Local' };
  const zoneNamed = (name: string): TimeZone => (name === 'Local' ? local : (findZone(name) ?? UTC));
  const now = (): GoTime => new GoTime(host.now(), local);
  const show = (layout: string, date: Value, zone: string): string =>
    formatTime(new GoTime((timeFrom(date, DATE_TYPES, local) ?? now()).nanos, zoneNamed(zone)), layout);
  const inZone = func([STRING, ANY, STRING], (layout, date, zone) => show(layout, date, zone));
  const modify = func([STRING, TIME], (by, date) => modified(by, timeIn(date)) ?? date);
  const mustModify = func([STRING, TIME], (by, date) => {
    const duration = parseDuration(by);
    if (typeof duration !== 'bigint') throw new GoError(duration.message);
    return modified(by, timeIn(date)) ?? date;
  });
  return new Map([
    ['now', func([], () => timeValue(now()))],
    ['date', func([STRING, ANY], (layout, date) => show(layout, date, 'Local'))],
    ['dateInZone', inZone],
    ['date_in_zone', inZone],
    ['dateModify', modify],
    ['date_modify', modify],
    ['mustDateModify', mustModify],
    ['must_date_modify', mustModify],
    ['htmlDate', func([ANY], (date) => show('2006-01-02', date, 'Local'))],
    ['htmlDateInZone', func([ANY, STRING], (date, zone) => show('2006-01-02', date, zone))],
    ['toDate', func([STRING, STRING], (layout, text) => timeValue(parsed(layout, text, local, () => ZERO)))],
    ['mustToDate', func([STRING, STRING], (layout, text) => timeValue(parsed(layout, text, local, refuse)))],
    ['unixEpoch', func([TIME], (date) => timeIn(date).unix().toString())],
    ['ago', func([ANY], (date) => ago(host.now(), timeFrom(date, AGE_TYPES, local)))],
    ['duration', func([ANY], (seconds) => printDuration(BigInt.asIntN(64, secondsOf(seconds) * SECOND)))],
    ['durationRound', func([ANY], (duration) => roundedText(durationOf(duration, host)))],
  ]);
}

const DATE_TYPES: ReadonlySet<string> = new Set(['int64', 'int32']);
const AGE_TYPES: ReadonlySet<string> = new Set(['int64']);

/** A time, or an int of one of `types` that counts seconds since 1970. */
function timeFrom(date: Value, types: ReadonlySet<string>, zone: TimeZone): GoTime | undefined {
  if (typeof date === 'bigint') return new GoTime(date * SECOND, zone);
  if (date instanceof Typed) {
    return types.has(date.type.name) && typeof date.value === 'bigint'
      ? new GoTime(date.value * SECOND, zone)
      : undefined;
  }
  return isTime(date) ? timeIn(date) : undefined;
}

function isTime(value: Value): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type.name === TIME.name;
}

function modified(by: string, date: GoTime): Value | undefined {
  const duration = parseDuration(by);
  return typeof duration === 'bigint' ? timeValue(new GoTime(date.nanos + duration, date.zone)) : undefined;
}

function parsed(layout: string, text: string, zone: TimeZone, failed: (message: string) => GoTime): GoTime {
  const time = parseTime(layout, text, zone);
  return time instanceof GoTime ? time : failed(time.message);
}

function refuse(message: string): never {
  throw new GoError(message);
}

function ago(now: bigint, time: GoTime | undefined): string {
  return printDuration(roundDuration(now - (time?.nanos ?? now), SECOND));
}

function secondsOf(value: Value): bigint {
  if (typeof value === 'string') return nearestInteger(value);
  return int64Of(value) ?? 0n;
}

/** The value of an int64, and of no other type. */
function int64Of(value: Value): bigint | undefined {
  return value instanceof Typed && value.type.name === 'int64' && typeof value.value === 'bigint'
    ? value.value
    : undefined;
}

function durationOf(value: Value, host: Pick<TemplateHost, 'now'>): bigint {
  if (typeof value === 'string') {
    const duration = parseDuration(value);
    return typeof duration === 'bigint' ? duration : 0n;
  }
  return isTime(value) ? host.now() - timeIn(value).nanos : (int64Of(value) ?? 0n);
}

const LARGE_UNITS: readonly (readonly [bigint, string])[] = [
  [HOUR * 24n * 365n, 'y'],
  [HOUR * 24n * 30n, 'mo'],
  [HOUR * 24n, 'd'],
  [HOUR, 'h'],
  [60n * SECOND, 'm'],
  [SECOND, 's'],
];

/** The whole part in the largest unit; the sign is lost, as in Sprig. */
function roundedText(duration: bigint): string {
  const size = duration < 0n ? -duration : duration;
  const unit = LARGE_UNITS.find(([length]) => size > length);
  return unit === undefined ? '0s' : `${size / unit[0]}${unit[1]}`;
}
