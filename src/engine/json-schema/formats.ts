import { RE2JS } from 're2js';
import { parseVersion } from '../semver/version.ts';

/** Why a text is not of a format, or undefined. A format that is not here accepts everything. */
export function formatObjection(format: string, text: string): string | undefined {
  return FORMATS.get(format)?.(text);
}

type Check = (text: string) => string | undefined;

/** Longest text that is looked at: every check is linear, but the number of checks is the schema's. */
const MAX_TEXT = 64 * 1024;

function pattern(expression: RegExp, why: string): Check {
  return (text) => (text.length <= MAX_TEXT && expression.test(text) ? undefined : why);
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d+)?([zZ]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

function date(text: string): string | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  const why = 'invalid date';
  if (year === undefined || Number(day) < 1 || Number(day) > (DAYS[Number(month) - 1] ?? 0)) return why;
  const leap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0);
  return month === '02' && day === '29' && !leap ? why : undefined;
}

function dateTime(text: string): string | undefined {
  if (!/^.{10}[tT]/.test(text)) return 'less than 20 characters long';
  return date(text.slice(0, 10)) ?? time(text.slice(11));
}

function time(text: string): string | undefined {
  return TIME.test(text) ? undefined : 'invalid time';
}

function ipv4(text: string): string | undefined {
  const parts = text.split('.');
  const fits = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return fits ? undefined : 'invalid ipv4 address';
}

function ipv6(text: string): string | undefined {
  const why = 'invalid ipv6 address';
  const halves = text.split('::');
  if (halves.length > 2 || text.length > 45) return why;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const embedded = last.includes('.');
  if (embedded && ipv4(last) !== undefined) return why;
  const count = groups.length + (embedded ? 1 : 0);
  const hex = (embedded ? groups.slice(0, -1) : groups).every((group) => /^[0-9a-fA-F]{1,4}$/.test(group));
  return hex && (halves.length === 2 ? count < 8 : count === 8) ? undefined : why;
}

function hostname(text: string): string | undefined {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length > 253) return 'more than 253 characters long';
  const label = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
  return name.split('.').every((part) => label.test(part)) ? undefined : 'invalid hostname';
}

function email(text: string): string | undefined {
  const at = text.lastIndexOf('@');
  if (at < 0) return 'missing @';
  const local = text.slice(0, at);
  if (text.length > 254 || at > 64) return 'too long';
  const domain = text.slice(at + 1);
  if (/^\[.*\]$/.test(domain)) return undefined;
  const quotedLocal = /^".*"$/.test(local);
  const plain = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+$/.test(local) && !/^\.|\.$|\.\./.test(local);
  return quotedLocal || plain ? hostname(domain) : 'invalid character in local part';
}

function regex(text: string): string | undefined {
  try {
    RE2JS.compile(text);
    return undefined;
  } catch (failure) {
    return failure instanceof Error ? failure.message : 'invalid regex';
  }
}

const URI_TEXT = /^(?:[a-zA-Z0-9\-._~:/?#[\]@!$&'()*+,;=\u0080-\u{10ffff}]|%[0-9a-fA-F]{2})*$/u;
const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

const FORMATS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['date', date],
  ['time', time],
  ['date-time', dateTime],
  ['ipv4', ipv4],
  ['ipv6', ipv6],
  ['hostname', hostname],
  ['email', email],
  ['regex', regex],
  ['uri', (text) => (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && URI_TEXT.test(text) ? undefined : 'relative url')],
  ['uri-reference', pattern(URI_TEXT, 'invalid url')],
  ['uuid', pattern(/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'invalid uuid')],
  ['json-pointer', pattern(POINTER, 'invalid pointer')],
  ['semver', (text) => (parseVersion(text).ok ? undefined : 'invalid semver')],
]);
