import type { Clock } from '../base/clock.ts';
import type { Log, LogFields } from '../base/log.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'error';
export type LogEncoding = 'json' | 'console';

export interface LogOptions {
  readonly level: LogLevel;
  readonly encoding: LogEncoding;
  /** Takes one line without its line feed. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  /** Replaces secrets in a message or a value. */
  readonly mask?: (text: string) => string;
}

const RANK: Readonly<Record<LogLevel, number>> = { trace: 0, debug: 1, info: 2, error: 3 };
/** A line longer than this helps nobody. */
const MAX_VALUE_LENGTH = 64 * 1024;

/** Writes lines in the shape of Flux's zap logger: level, ts, msg, then the fields. Source: fluxcd/pkg runtime/logger. */
export function createLog(options: LogOptions): Log {
  return logWith(options, {});
}

function logWith(options: LogOptions, fields: LogFields): Log {
  const at = (level: LogLevel) => {
    if (RANK[level] < RANK[options.level]) return () => undefined;
    return (message: string, extra: LogFields = {}) =>
      options.write(line(options, level, message, { ...fields, ...extra }));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    error: at('error'),
    with: (more) => logWith(options, { ...fields, ...more }),
  };
}

function line(options: LogOptions, level: LogLevel, message: string, fields: LogFields): string {
  const ts = new Date(options.clock.now()).toISOString();
  const clean = (text: string): string => {
    const masked = options.mask?.(text) ?? text;
    return masked.length > MAX_VALUE_LENGTH ? `${masked.slice(0, MAX_VALUE_LENGTH)}...` : masked;
  };
  const values: [string, unknown][] = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, typeof value === 'string' ? clean(value) : value]);
  const rest = Object.fromEntries(values);
  if (options.encoding === 'json') return JSON.stringify({ level, ts, msg: clean(message), ...rest });
  const tail = values.length === 0 ? '' : `\t${JSON.stringify(rest)}`;
  return `${ts}\t${level.toUpperCase()}\t${clean(message)}${tail}`;
}
