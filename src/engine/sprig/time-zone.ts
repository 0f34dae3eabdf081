import { ZONE_NAMES } from './zone-names.generated.ts';

/** A time zone as Go has it: the offset from UTC in seconds and its abbreviation ('' when there is none), at a time. */
export interface TimeZone {
  /** `Local`, `UTC`, `Europe/Berlin`. */
  readonly name: string;
  at(unixSeconds: number): ZoneOffset;
}

export interface ZoneOffset {
  readonly seconds: number;
  readonly abbreviation: string;
}

export const UTC: TimeZone = fixedZone('UTC', 0);

export function fixedZone(name: string, seconds: number): TimeZone {
  const offset = { seconds, abbreviation: name };
  return { name, at: () => offset };
}

/** An abbreviation, and the second since 1970 from which on another one is in use. */
interface Abbreviation {
  /** `?` where there are no letters. */
  readonly name: string;
  readonly end: number;
}

type Abbreviations = ReadonlyMap<number, readonly Abbreviation[]>;

/** Abbreviations by zone, then by minutes. */
const ZONES: ReadonlyMap<string, Abbreviations> = new Map(
  ZONE_NAMES.trim()
    .split('\n')
    .flatMap((line) => {
      const [offsets = '', zones = ''] = line.split('|');
      const names = readAbbreviations(offsets);
      return zones.split(' ').map((zone) => [zone, names] as const);
    }),
);

function readAbbreviations(text: string): Abbreviations {
  const out = new Map<number, Abbreviation[]>();
  for (const [, name = '', minutes, end] of text.matchAll(/([A-Za-z?]+)([-+]\d+)(?:<(\d+))?/g)) {
    const known = out.get(Number(minutes)) ?? [];
    known.push({ name, end: end === undefined ? Number.POSITIVE_INFINITY : Number(end) });
    out.set(Number(minutes), known);
  }
  return out;
}

const known = new Map<string, TimeZone>();

/** `time.LoadLocation`, without what it gives for `Local`; undefined for a name that is no zone. */
export function findZone(name: string, shownAs: string = name): TimeZone | undefined {
  if (name === '' || name === 'UTC') return shownAs === name || name === '' ? UTC : { ...UTC, name: shownAs };
  const abbreviations = ZONES.get(name);
  if (abbreviations === undefined) return undefined;
  const key = `${shownAs} ${name}`;
  let zone = known.get(key);
  if (zone === undefined) {
    const offset = offsetOf(name);
    if (offset === undefined) return undefined;
    zone = {
      name: shownAs,
      at: (unixSeconds) => {
        const seconds = offset(unixSeconds);
        const found = abbreviations.get(seconds / 60)?.find(({ end }) => unixSeconds < end)?.name ?? '?';
        return { seconds, abbreviation: found === '?' ? unnamed(seconds, unixSeconds) : found };
      },
    };
    known.set(key, zone);
  }
  return zone;
}

/** 1900: before, hardly a place had a time that was not the sun's. */
const STANDARD_TIME = -2_208_988_800;

/** How the time zone database abbreviates where no letters are in use: `+03`, `-0330`; the sun's own time as `LMT`. */
function unnamed(seconds: number, unixSeconds: number): string {
  if (seconds % 60 !== 0 || unixSeconds < STANDARD_TIME) return 'LMT';
  const minutes = Math.trunc(Math.abs(seconds) / 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  const rest = minutes % 60 === 0 ? '' : two(minutes % 60);
  return `${seconds < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}${rest}`;
}

/** Milliseconds that a JavaScript Date can hold. */
const LAST_MS = 8.64e15;

function offsetOf(name: string): ((unixSeconds: number) => number) | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    // A zone newer than the host's data.
    return undefined;
  }
  return (unixSeconds) => {
    const ms = Math.max(-LAST_MS, Math.min(LAST_MS, unixSeconds * 1000));
    const text = format.formatToParts(ms).find((part) => part.type === 'timeZoneName')?.value ?? '';
    const match = /([-+])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text);
    if (match === null) return 0;
    const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
    return match[1] === '-' ? -seconds : seconds;
  };
}
