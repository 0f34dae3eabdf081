import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';

const LAYOUT = '2006-01-02T15:04:05Z07:00';
const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00';
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** A time as Kubernetes writes it back: UTC, in seconds, or with microseconds. Errors are worded as Go's time.Parse. */
export function checkTime(text: string, micro: boolean): Result<string, string> {
  const match = RFC3339.exec(text);
  if (match === null) return err(explain(text, micro ? MICRO_LAYOUT : LAYOUT));
  const [, , month, day, hour, minute, second, fraction = ''] = match;
  const parsed = Date.parse(text);
  if (Number.isNaN(parsed) || Number(month) > 12 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    const what =
      Number(month) > 12
        ? 'month'
        : Number(hour) > 23
          ? 'hour'
          : Number(minute) > 59
            ? 'minute'
            : Number(second) > 59
              ? 'second'
              : Number(day) > 0
                ? 'day'
                : 'day';
    return err(`parsing time ${JSON.stringify(text)}: ${what} out of range`);
  }
  const seconds = new Date(Math.floor(parsed / 1000) * 1000).toISOString().replace(/\.\d{3}Z$/, '');
  if (!micro) return ok(`${seconds}Z`);
  return ok(`${seconds}.${fraction.slice(1, 7).padEnd(6, '0')}Z`);
}

const PARTS: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}/, '2006'],
  [/^-/, '-'],
  [/^\d{2}/, '01'],
  [/^-/, '-'],
  [/^\d{2}/, '02'],
  [/^T/, 'T'],
  [/^\d{2}/, '15'],
  [/^:/, ':'],
  [/^\d{2}/, '04'],
  [/^:/, ':'],
  [/^\d{2}(\.\d+)?/, '05'],
  [/^(Z|[+-]\d{2}:\d{2})/, 'Z07:00'],
];

function explain(text: string, layout: string): string {
  let rest = text;
  for (const [pattern, name] of PARTS) {
    const match = pattern.exec(rest);
    if (match === null)
      return `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(name)}`;
    rest = rest.slice(match[0].length);
  }
  return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
}
