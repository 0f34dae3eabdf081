import { daysIn } from '../cel/time.ts';
import { SECOND, timeQuote } from './duration.ts';
import { GoTime, MONTHS, timeOf, WEEKDAYS } from './go-time.ts';
import { type Piece, piecesOf } from './time-layout.ts';
import { fixedZone, type TimeZone, UTC } from './time-zone.ts';

/** Why a text is no time in a layout, as Go has it. */
export interface ParseFailure {
  readonly message: string;
}

/** What is said of a piece: the text is not of its kind, or out of range. */
class Bad extends Error {}
class OutOfRange extends Error {}

/** `time.ParseInLocation`: without a zone in the layout the time is that of `local`. Source: go@1.26 time/format.go, parse. */
export function parseTime(layout: string, text: string, local: TimeZone): GoTime | ParseFailure {
  const reader = new Reader(text);
  const pieces = piecesOf(layout);
  for (const [index, piece] of pieces.entries()) {
    const before = reader.rest;
    try {
      reader.read(piece, pieces[index + 1]);
    } catch (error) {
      if (error instanceof OutOfRange) return failure(text, `: ${error.message} out of range`);
      if (error instanceof Bad) return mismatch(layout, text, piece, piece.kind === 'text' ? reader.rest : before);
      throw error;
    }
  }
  if (reader.rest !== '') return failure(text, `: extra text: ${timeQuote(reader.rest)}`);
  const problem = reader.completeDate();
  return problem === undefined ? reader.time(local) : failure(text, `: ${problem}`);
}

function failure(text: string, why: string): ParseFailure {
  return { message: `parsing time ${timeQuote(text)}${why}` };
}

function mismatch(layout: string, text: string, piece: Piece, rest: string): ParseFailure {
  const as = `parsing time ${timeQuote(text)} as ${timeQuote(layout)}`;
  return { message: `${as}: cannot parse ${timeQuote(rest)} as ${timeQuote(piece.text)}` };
}

class Reader {
  rest: string;
  private year = 0;
  private month = -1;
  private day = -1;
  private yearDay = -1;
  private hour = 0;
  private minute = 0;
  private second = 0;
  private nanos = 0;
  private half: 'AM' | 'PM' | undefined;
  private isUtc = false;
  private offset: number | undefined;
  private zoneName = '';

  constructor(text: string) {
    this.rest = text;
  }

  read(piece: Piece, next: Piece | undefined): void {
    switch (piece.kind) {
      case 'text':
        return this.skip(piece.text);
      case 'year': {
        const year = whole(this.take(2));
        this.year = year >= 69 ? year + 1900 : year + 2000;
        return;
      }
      case 'long-year':
        if (!/^\d/.test(this.rest)) throw new Bad();
        this.year = whole(this.take(4));
        return;
      case 'month':
        this.month = this.name(MONTHS, 3) + 1;
        return;
      case 'long-month':
        this.month = this.name(MONTHS) + 1;
        return;
      case 'number-month':
      case 'zero-month':
        this.month = this.number(piece.kind === 'zero-month');
        if (this.month < 1 || this.month > 12) throw new OutOfRange('month');
        return;
      case 'weekday':
        this.name(WEEKDAYS, 3);
        return;
      case 'long-weekday':
        this.name(WEEKDAYS);
        return;
      case 'day':
      case 'space-day':
      case 'zero-day':
        if (piece.kind === 'space-day' && this.rest.startsWith(' ')) this.rest = this.rest.slice(1);
        this.day = this.number(piece.kind === 'zero-day');
        return;
      case 'space-year-day':
      case 'zero-year-day':
        if (piece.kind === 'space-year-day') this.rest = this.rest.replace(/^ {1,2}/, '');
        this.yearDay = Number(this.match(piece.kind === 'zero-year-day' ? /^\d{3}/ : /^\d{1,3}/)[0]);
        return;
      case 'hour':
        this.hour = this.number(false, 'hour', 23);
        return;
      case 'hour12':
      case 'zero-hour12':
        this.hour = this.number(piece.kind === 'zero-hour12', 'hour', 12);
        return;
      case 'minute':
      case 'zero-minute':
        this.minute = this.number(piece.kind === 'zero-minute', 'minute', 59);
        return;
      case 'second':
      case 'zero-second':
        this.second = this.number(piece.kind === 'zero-second', 'second', 59);
        // A fraction that the layout does not speak of is read all the same.
        if (next?.kind !== 'zero-fraction' && next?.kind !== 'trimmed-fraction') this.fraction();
        return;
      case 'PM':
      case 'pm': {
        const half = this.take(2);
        const [am, pm] = piece.kind === 'PM' ? ['AM', 'PM'] : ['am', 'pm'];
        if (half !== am && half !== pm) throw new Bad();
        this.half = half === am ? 'AM' : 'PM';
        return;
      }
      case 'zone':
        return this.zone();
      case 'offset':
        return this.readOffset(piece.text);
      case 'zero-fraction': {
        const text = this.take(piece.text.length);
        if (!/^[.,]\d+$/.test(text)) throw new Bad();
        this.nanos = nanosOf(text.slice(1));
        return;
      }
      case 'trimmed-fraction':
        return this.fraction();
    }
  }

  private skip(prefix: string): void {
    for (let at = 0; at < prefix.length; ) {
      if (prefix.charAt(at) === ' ') {
        if (this.rest !== '' && !this.rest.startsWith(' ')) throw new Bad();
        while (prefix.charAt(at) === ' ') at++;
        this.rest = this.rest.replace(/^ +/, '');
      } else {
        if (this.rest.charAt(0) !== prefix.charAt(at)) throw new Bad();
        at++;
        this.rest = this.rest.slice(1);
      }
    }
  }

  private take(count: number): string {
    if (this.rest.length < count) throw new Bad();
    const taken = this.rest.slice(0, count);
    this.rest = this.rest.slice(count);
    return taken;
  }

  private match(pattern: RegExp): RegExpExecArray {
    const match = pattern.exec(this.rest);
    if (match === null) throw new Bad();
    this.rest = this.rest.slice(match[0].length);
    return match;
  }

  private number(twoDigits: boolean, what = '', most = 99): number {
    const value = Number(this.match(twoDigits ? /^\d\d/ : /^\d\d?/)[0]);
    if (value > most) throw new OutOfRange(what);
    return value;
  }

  private name(names: readonly string[], length?: number): number {
    const index = names.findIndex((name) => this.rest.toLowerCase().startsWith(name.slice(0, length).toLowerCase()));
    if (index < 0) throw new Bad();
    this.rest = this.rest.slice(length ?? (names[index] as string).length);
    return index;
  }

  private fraction(): void {
    const match = /^[.,](\d+)/.exec(this.rest);
    if (match === null) return;
    this.rest = this.rest.slice(match[0].length);
    this.nanos = nanosOf(match[1] as string);
  }

  private readOffset(layout: string): void {
    if (layout.startsWith('Z') && this.rest.startsWith('Z')) {
      this.rest = this.rest.slice(1);
      this.isUtc = true;
      return;
    }
    const text = this.take(layout.length);
    const colon = layout.includes(':') ? ':' : '';
    const shape = `^(.)(\\d\\d)${layout.length > 3 ? `${colon}(\\d\\d)` : '()'}${layout.length > 6 ? `${colon}(\\d\\d)` : '()'}$`;
    const match = new RegExp(shape, 's').exec(text);
    if (match === null) throw new Bad();
    const [, sign, hours, minutes, seconds] = match;
    if (Number(seconds) > 60) throw new OutOfRange('time zone offset second');
    if (Number(minutes) > 60) throw new OutOfRange('time zone offset minute');
    if (Number(hours) > 24) throw new OutOfRange('time zone offset hour');
    if (sign !== '+' && sign !== '-') throw new Bad();
    this.offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
    if (sign === '-') this.offset = -this.offset;
  }

  private zone(): void {
    if (this.rest.startsWith('UTC')) {
      this.rest = this.rest.slice(3);
      this.isUtc = true;
      return;
    }
    this.zoneName = this.match(
      /^(?:ChST|MeST|GMT(?:[-+](?:0*(?:1?\d|2[0-3]))(?!\d))?|[-+]0*(?:1?\d|2[0-3])(?!\d)|(?:WITA|[A-Z]{4}T|[A-Z]{3}T|[A-Z]{3})(?![A-Z]))/,
    )[0];
  }

  /** Takes the day of the year for month and day; what is wrong with the date. */
  completeDate(): string | undefined {
    if (this.yearDay >= 0) {
      const date = this.ofYearDay();
      if (date === undefined) return 'day-of-year out of range';
      if (this.month >= 0 && this.month !== date.month) return 'day-of-year does not match month';
      if (this.day >= 0 && this.day !== date.day) return 'day-of-year does not match day';
      this.month = date.month;
      this.day = date.day;
    }
    if (this.month < 0) this.month = 1;
    if (this.day < 0) this.day = 1;
    return this.day < 1 || this.day > daysIn(this.year, this.month) ? 'day out of range' : undefined;
  }

  private ofYearDay(): { readonly month: number; readonly day: number } | undefined {
    let day = this.yearDay;
    if (day < 1) return undefined;
    for (let month = 1; month <= 12; month++) {
      const days = daysIn(this.year, month);
      if (day <= days) return { month, day };
      day -= days;
    }
    return undefined;
  }

  time(local: TimeZone): GoTime {
    const { year, month, day, minute, second, nanos } = this;
    const hour =
      this.half === 'PM' && this.hour < 12 ? this.hour + 12 : this.half === 'AM' && this.hour === 12 ? 0 : this.hour;
    const wall = { year, month, day, hour, minute, second, nanos };
    if (this.isUtc) return timeOf(wall, UTC);
    // Go takes an offset of a second west of UTC for none at all.
    if (this.offset !== undefined && this.offset !== -1) {
      const instant = timeOf(wall, UTC).nanos - BigInt(this.offset) * SECOND;
      const here = new GoTime(instant, local);
      const { seconds, abbreviation } = here.offset();
      const isLocal = seconds === this.offset && (this.zoneName === '' || abbreviation === this.zoneName);
      return isLocal ? here : new GoTime(instant, fixedZone(this.zoneName, this.offset));
    }
    return this.zoneName === '' ? timeOf(wall, local) : this.named(timeOf(wall, UTC), local);
  }

  /** A zone known by its letters alone: that of `local` when it has them, else one of no offset. */
  private named(asUtc: GoTime, local: TimeZone): GoTime {
    const guess = local.at(Number(asUtc.unix()));
    const here = new GoTime(asUtc.nanos - BigInt(guess.seconds) * SECOND, local);
    if (here.offset().abbreviation === this.zoneName) return here;
    const hours = this.zoneName.startsWith('GMT') ? Number(this.zoneName.slice(3)) : 0;
    return new GoTime(asUtc.nanos, fixedZone(this.zoneName, hours * 3600));
  }
}

/** Go reads nine digits of a fraction and leaves the rest. */
function nanosOf(digits: string): number {
  return Number(digits.slice(0, 9).padEnd(9, '0'));
}

function whole(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw new Bad();
  return Number(text);
}
