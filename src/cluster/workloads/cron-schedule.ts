import { err, ok, type Result } from '../../base/result.ts';

/** A cron schedule in the five fields of robfig/cron's standard parser. */
export interface Schedule {
  /** The first time after `afterMs`; undefined when none comes within five years. */
  readonly next: (afterMs: number) => number | undefined;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MINUTE_MS = 60_000;
/** robfig/cron gives up after five years. */
const HORIZON_DAYS = 5 * 366;

/** Parses a schedule for a time zone (IANA name). Times are computed with the zone's rules. */
export function parseSchedule(text: string, timeZone = 'UTC'): Result<Schedule, string> {
  let zone = timeZone;
  let rest = text.trim();
  const prefixed = /^(?:CRON_TZ|TZ)=(\S+)\s+(.*)$/.exec(rest);
  if (prefixed !== null) [, zone, rest] = prefixed as unknown as [string, string, string];
  const every = /^@every\s+(\d+)(s|m|h)$/.exec(rest);
  if (every !== null) {
    const stepMs = Number(every[1]) * ({ s: 1000, m: MINUTE_MS, h: 60 * MINUTE_MS }[every[2] as 's' | 'm' | 'h'] ?? 0);
    return stepMs > 0 ? ok({ next: (afterMs) => afterMs + stepMs }) : err(`invalid schedule ${JSON.stringify(text)}`);
  }
  const fields = (MACROS[rest] ?? rest).split(/\s+/);
  if (fields.length !== 5) return err(`expected exactly 5 fields, found ${fields.length}: [${rest}]`);
  const [minutes, hours, days, months, weekdays] = [
    parseField(fields[0] ?? '', 0, 59, []),
    parseField(fields[1] ?? '', 0, 23, []),
    parseField(fields[2] ?? '', 1, 31, []),
    parseField(fields[3] ?? '', 1, 12, MONTHS),
    parseField(fields[4] ?? '', 0, 7, DAYS),
  ];
  if (!minutes || !hours || !days || !months || !weekdays) return err(`invalid schedule ${JSON.stringify(text)}`);
  if (weekdays.has(7)) weekdays.add(0);
  const format = zoneFormat(zone);
  if (format === undefined) return err(`unknown time zone ${zone}`);
  // As in every cron: a restricted day of the month and a restricted day of the week are alternatives.
  const anyDay = /^[*?]/.test(fields[2] ?? '');
  const anyWeekday = /^[*?]/.test(fields[4] ?? '');
  const isDay = (day: number, weekday: number): boolean =>
    anyDay || anyWeekday ? days.has(day) && weekdays.has(weekday) : days.has(day) || weekdays.has(weekday);
  return ok({ next: (afterMs) => nextTime(afterMs, format, { minutes, hours, months, isDay }) });
}

function parseField(text: string, least: number, most: number, names: readonly string[]): Set<number> | undefined {
  const values = new Set<number>();
  const number = (word: string): number => {
    const named = names.indexOf(word.toLowerCase());
    return named >= 0 ? named + (least === 1 ? 1 : 0) : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  for (const part of text.split(',')) {
    const [range = '', step, more] = part.split('/');
    if (more !== undefined) return undefined;
    const [from = '', to, extra] = range.split('-');
    if (extra !== undefined) return undefined;
    const isAll = from === '*' || from === '?';
    const first = isAll ? least : number(from);
    const last =
      isAll || (to === undefined && step !== undefined) ? (most === 7 && isAll ? 6 : most) : number(to ?? from);
    const width = step === undefined ? 1 : number(step);
    if (!(first >= least && last <= most && first <= last && width >= 1)) return undefined;
    for (let value = first; value <= last; value += width) values.add(value);
  }
  return values;
}

function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
}

/** The offset of a zone from UTC at a moment, in milliseconds. */
function offsetAt(format: Intl.DateTimeFormat, ms: number): number {
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const part = (name: string): number => parts.get(name as 'year') ?? 0;
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return local - Math.floor(ms / 1000) * 1000;
}

function nextTime(
  afterMs: number,
  format: Intl.DateTimeFormat,
  fields: {
    readonly minutes: ReadonlySet<number>;
    readonly hours: ReadonlySet<number>;
    readonly months: ReadonlySet<number>;
    readonly isDay: (day: number, weekday: number) => boolean;
  },
): number | undefined {
  const local = new Date(afterMs + offsetAt(format, afterMs));
  const firstDay = Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate());
  const hours = [...fields.hours].sort((a, b) => a - b);
  const minutes = [...fields.minutes].sort((a, b) => a - b);
  for (let index = 0; index < HORIZON_DAYS; index++) {
    const day = new Date(firstDay + index * 86_400_000);
    if (!fields.months.has(day.getUTCMonth() + 1) || !fields.isDay(day.getUTCDate(), day.getUTCDay())) continue;
    for (const hour of hours) {
      for (const minute of minutes) {
        const wall = day.getTime() + hour * 60 * MINUTE_MS + minute * MINUTE_MS;
        // Surely past, whatever the zone's change of the day (at most two hours back).
        if (wall < local.getTime() - 2 * 60 * MINUTE_MS) continue;
        // The offset at the wall time taken as UTC is right but within a day of a change; one more look settles it.
        const guess = wall - offsetAt(format, wall);
        const at = wall - offsetAt(format, guess);
        const exists = at + offsetAt(format, at) === wall;
        if (exists && at > afterMs) return at;
      }
    }
  }
  return undefined;
}
