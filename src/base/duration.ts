import { err, ok, type Result } from './result.ts';

const UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
/** Go's time.Duration holds at most this many hours; longer texts are an error there and here. */
const MAX_NS = 2 ** 63;

/** Parses Go's duration syntax (`1h30m`, `250ms`, `-1s`, `0`) to milliseconds. Source: go@1.26 time/format.go ParseDuration. */
export function parseDuration(text: string): Result<number, string> {
  const invalid = err(`time: invalid duration ${JSON.stringify(text)}`);
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return ok(0);
  if (rest === '') return invalid;
  let total = 0;
  while (rest !== '') {
    const match = /^(\d+(?:\.\d*)?|\.\d+)([^\d.]*)/.exec(rest);
    if (match === null) return invalid;
    const [whole, digits, unit] = match as unknown as [string, string, string];
    if (unit === '') return err(`time: missing unit in duration ${JSON.stringify(text)}`);
    const ns = Object.hasOwn(UNITS_NS, unit) ? UNITS_NS[unit] : undefined;
    if (ns === undefined) return err(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += Number(digits) * ns;
    rest = rest.slice(whole.length);
  }
  if (total > MAX_NS) return invalid;
  return ok((sign * total) / 1e6);
}

/** Writes milliseconds as Go's Duration.String does: `1h0m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const ns = Math.round(Math.abs(ms) * 1e6);
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${trim(ns / 1e3)}µs`;
  if (ns < 1e9) return `${sign}${trim(ns / 1e6)}ms`;
  const hours = Math.floor(ns / 3600e9);
  const minutes = Math.floor((ns % 3600e9) / 60e9);
  const seconds = `${trim((ns % 60e9) / 1e9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : sign + seconds;
}

function trim(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}
