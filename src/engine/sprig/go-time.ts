import { type Civil, civil, daysFromCivil } from '../cel/time.ts';
import { GoError } from '../gotemplate/value.ts';
import type { Equality } from './deep-equal.ts';
import { SECOND } from './duration.ts';
import type { JsonForm } from './json-form.ts';
import { type Piece, piecesOf } from './time-layout.ts';
import { type TimeZone, UTC } from './time-zone.ts';

export const MONTHS: readonly string[] =
  'January February March April May June July August September October November December'.split(' ');
export const WEEKDAYS: readonly string[] = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
/** Seconds from the first of January of the year 1, Go's zero time, to 1970. */
const ZERO_TIME = -62_135_596_800n * SECOND;

/** A `time.Time`: an instant, and the zone to show it in. Source: go@1.26 time/time.go, time/format.go. */
export class GoTime implements Equality, JsonForm {
  /** Since 1970. */
  readonly nanos: bigint;
  readonly zone: TimeZone;

  constructor(nanos: bigint, zone: TimeZone) {
    this.nanos = nanos;
    this.zone = zone;
  }

  unix(): bigint {
    return (this.nanos - (((this.nanos % SECOND) + SECOND) % SECOND)) / SECOND;
  }

  /** The calendar's fields in the time's zone. */
  civil(): Civil {
    return civil(this.nanos + BigInt(this.offset().seconds) * SECOND);
  }

  offset(): ReturnType<TimeZone['at']> {
    return this.zone.at(Number(this.unix()));
  }

  jsonForm(): string {
    const { year } = this.civil();
    if (year < 0 || year > 9999) {
      throw new GoError(
        'json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of range [0,9999]',
      );
    }
    return formatTime(this, '2006-01-02T15:04:05.999999999Z07:00');
  }

  equals(other: unknown): boolean {
    return other instanceof GoTime && other.nanos === this.nanos && other.zone.name === this.zone.name;
  }
}

export const ZERO: GoTime = new GoTime(ZERO_TIME, UTC);

/** What a clock on the wall shows; fields may be out of range, as the 32nd of January. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanos: number;
}

/** `time.Date`: the instant at which a clock in `zone` shows `wall`. */
export function timeOf(wall: WallTime, zone: TimeZone): GoTime {
  const months = wall.year * 12 + wall.month - 1;
  const year = Math.floor(months / 12);
  const days = daysFromCivil(year, months - year * 12 + 1, 1) + wall.day - 1;
  const asUtc = BigInt(days) * 86_400n + BigInt(wall.hour * 3600 + wall.minute * 60 + wall.second);
  // The offset looked up as if the wall showed UTC holds, unless it ends in between.
  const guess = zone.at(Number(asUtc)).seconds;
  const offset = guess === 0 ? 0 : zone.at(Number(asUtc) - guess).seconds;
  return new GoTime((asUtc - BigInt(offset)) * SECOND + BigInt(wall.nanos), zone);
}

/** `Time.Format`. */
export function formatTime(time: GoTime, layout: string): string {
  const fields = time.civil();
  const offset = time.offset();
  return piecesOf(layout)
    .map((piece) => format(piece, fields, offset))
    .join('');
}

function format(piece: Piece, fields: Civil, { seconds, abbreviation }: ReturnType<TimeZone['at']>): string {
  const hour12 = fields.hour % 12 === 0 ? 12 : fields.hour % 12;
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'long-month':
      return MONTHS[fields.month - 1] as string;
    case 'month':
      return (MONTHS[fields.month - 1] as string).slice(0, 3);
    case 'number-month':
      return String(fields.month);
    case 'zero-month':
      return digits(fields.month, 2);
    case 'long-weekday':
      return WEEKDAYS[fields.weekday] as string;
    case 'weekday':
      return (WEEKDAYS[fields.weekday] as string).slice(0, 3);
    case 'day':
      return String(fields.day);
    case 'space-day':
      return String(fields.day).padStart(2);
    case 'zero-day':
      return digits(fields.day, 2);
    case 'space-year-day':
      return String(fields.yearDay + 1).padStart(3);
    case 'zero-year-day':
      return digits(fields.yearDay + 1, 3);
    case 'hour':
      return digits(fields.hour, 2);
    case 'hour12':
      return String(hour12);
    case 'zero-hour12':
      return digits(hour12, 2);
    case 'minute':
      return String(fields.minute);
    case 'zero-minute':
      return digits(fields.minute, 2);
    case 'second':
      return String(fields.second);
    case 'zero-second':
      return digits(fields.second, 2);
    case 'long-year':
      return digits(fields.year, 4);
    case 'year':
      return digits(Math.abs(fields.year) % 100, 2);
    case 'PM':
      return fields.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return fields.hour >= 12 ? 'pm' : 'am';
    case 'zone':
      return abbreviation === '' ? offsetText(seconds, '-0700') : abbreviation;
    case 'offset':
      return seconds === 0 && piece.text.startsWith('Z') ? 'Z' : offsetText(seconds, piece.text);
    case 'zero-fraction':
      return piece.text.charAt(0) + fraction(fields.nanos, piece.text.length - 1);
    case 'trimmed-fraction': {
      const shown = fraction(fields.nanos, piece.text.length - 1).replace(/0+$/, '');
      return shown === '' ? '' : piece.text.charAt(0) + shown;
    }
  }
}

function digits(value: number, width: number): string {
  return (value < 0 ? '-' : '') + String(Math.abs(value)).padStart(width, '0');
}

/** At most nine digits, as Go has no finer time. */
function fraction(nanos: bigint, count: number): string {
  return nanos.toString().padStart(9, '0').slice(0, count);
}

function offsetText(seconds: number, layout: string): string {
  const colon = layout.includes(':') ? ':' : '';
  const minutes = Math.trunc(seconds / 60);
  const size = Math.abs(minutes);
  let out = (minutes < 0 ? '-' : '+') + digits(Math.trunc(size / 60), 2);
  if (layout.length > 3) out += colon + digits(size % 60, 2);
  if (layout.length > 6) out += colon + digits((minutes < 0 ? -seconds : seconds) % 60, 2);
  return out;
}
