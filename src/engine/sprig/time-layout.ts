/** Pieces of a Go layout. The names say what a piece stands for; see go@1.26 time/format.go. */
export interface Piece {
  readonly kind: Element | 'text' | 'zero-fraction' | 'trimmed-fraction';
  /** As the layout has it. */
  readonly text: string;
}

export type Element =
  | 'long-month'
  | 'month'
  | 'number-month'
  | 'zero-month'
  | 'long-weekday'
  | 'weekday'
  | 'day'
  | 'space-day'
  | 'zero-day'
  | 'space-year-day'
  | 'zero-year-day'
  | 'hour'
  | 'hour12'
  | 'zero-hour12'
  | 'minute'
  | 'zero-minute'
  | 'second'
  | 'zero-second'
  | 'long-year'
  | 'year'
  | 'PM'
  | 'pm'
  | 'zone'
  | 'offset';

const WORDS: readonly (readonly [RegExp, Element])[] = [
  [/^January/, 'long-month'],
  [/^Jan(?![a-z])/, 'month'],
  [/^Monday/, 'long-weekday'],
  [/^Mon(?![a-z])/, 'weekday'],
  [/^MST/, 'zone'],
  [/^01/, 'zero-month'],
  [/^02/, 'zero-day'],
  [/^03/, 'zero-hour12'],
  [/^04/, 'zero-minute'],
  [/^05/, 'zero-second'],
  [/^06/, 'year'],
  [/^002/, 'zero-year-day'],
  [/^15/, 'hour'],
  [/^1/, 'number-month'],
  [/^2006/, 'long-year'],
  [/^2/, 'day'],
  [/^_2(?!006)/, 'space-day'],
  [/^__2/, 'space-year-day'],
  [/^3/, 'hour12'],
  [/^4/, 'minute'],
  [/^5/, 'second'],
  [/^PM/, 'PM'],
  [/^pm/, 'pm'],
  [/^[-Z](?:070000|07:00:00|0700|07:00|07)/, 'offset'],
];
const FRACTION = /^[.,](?:(0+)|9+)(?!\d)/;
/** A layout can begin a piece with one of these only. */
const STARTS = /[JM0-5_PpZ\-.,]/;

const layouts = new Map<string, readonly Piece[]>();

/** Takes a layout apart. */
export function piecesOf(layout: string): readonly Piece[] {
  let pieces = layouts.get(layout);
  if (pieces === undefined) {
    pieces = read(layout);
    if (layouts.size > 1000) layouts.clear();
    layouts.set(layout, pieces);
  }
  return pieces;
}

function read(layout: string): Piece[] {
  const pieces: Piece[] = [];
  let plain = '';
  for (let at = 0; at < layout.length; ) {
    const piece = STARTS.test(layout.charAt(at)) ? pieceAt(layout.slice(at, at + 64), layout, at) : undefined;
    if (piece === undefined) {
      plain += layout.charAt(at++);
      continue;
    }
    if (plain !== '') pieces.push({ kind: 'text', text: plain });
    plain = '';
    pieces.push(piece);
    at += piece.text.length;
  }
  if (plain !== '') pieces.push({ kind: 'text', text: plain });
  return pieces;
}

function pieceAt(near: string, layout: string, at: number): Piece | undefined {
  for (const [pattern, kind] of WORDS) {
    const match = pattern.exec(near);
    if (match !== null) return { kind, text: match[0] };
  }
  // A run of digits may be longer than what is near.
  const fraction = FRACTION.exec(/^[.,][09]/.test(near) ? layout.slice(at) : '');
  if (fraction === null) return undefined;
  return { kind: fraction[1] === undefined ? 'trimmed-fraction' : 'zero-fraction', text: fraction[0] };
}
