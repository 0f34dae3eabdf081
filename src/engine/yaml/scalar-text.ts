import { DOUBLE_QUOTED, FOLDED, LITERAL, SINGLE_QUOTED } from './node.ts';
import type { Dialect } from './resolve.ts';

/** Column after which libyaml folds a scalar at the next space. */
const BEST_WIDTH = 80;
const BEST_INDENT = 2;

/** What the ways to write a scalar depend on (libyaml's yaml_emitter_analyze_scalar). */
interface Analysis {
  readonly multiline: boolean;
  readonly flowPlain: boolean;
  readonly blockPlain: boolean;
  readonly singleQuoted: boolean;
  readonly block: boolean;
}

export interface ScalarPlace {
  /** Indentation of the lines that continue the scalar. */
  readonly indent: number;
  /** Column where it begins, with the space before it not yet written. */
  readonly column: number;
  readonly isKey: boolean;
  readonly inFlow: boolean;
}

const SAFE = /^[A-Za-z0-9_./][A-Za-z0-9_./@=+%$()~;^|*!&<>\\'"-]*$/;

function isBreak(code: number): boolean {
  return code === 0x0a || code === 0x0d || code === 0x85 || code === 0x2028 || code === 0x2029;
}

function isPrintable(code: number): boolean {
  if (code < 0x7f) return code === 0x0a || code >= 0x20;
  if (code < 0xa0) return false;
  // Go's check is by bytes and knows none of four: astral characters are escaped.
  return code < 0xd800 || (code >= 0xe000 && code < 0xfffe && code !== 0xfeff);
}

const EMPTY: Analysis = { multiline: false, flowPlain: false, blockPlain: true, singleQuoted: true, block: false };
const PLAIN: Analysis = { multiline: false, flowPlain: true, blockPlain: true, singleQuoted: true, block: true };

function analyze(value: string, dialect: Dialect): Analysis {
  if (value === '') return EMPTY;
  if (value.length < 128 && SAFE.test(value) && !value.startsWith('...')) return PLAIN;
  let blockIndicators = false;
  let flowIndicators = false;
  let lineBreaks = false;
  let special = false;
  let tab = false;
  let leading = false;
  let trailingSpace = false;
  let trailingBreak = false;
  let breakSpace = false;
  let spaceBreak = false;
  let previousSpace = false;
  let previousBreak = false;
  let afterBlank = true;
  if (value.startsWith('---') || value.startsWith('...')) {
    blockIndicators = true;
    flowIndicators = true;
  }
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    const last = index === value.length - 1;
    const next = last ? 0x20 : value.charCodeAt(index + 1);
    const beforeBlank = next === 0x20 || next === 0x09;
    if (index === 0) {
      switch (code) {
        case 0x23: // #
        case 0x2c: // ,
        case 0x5b: // [
        case 0x5d: // ]
        case 0x7b: // {
        case 0x7d: // }
        case 0x26: // &
        case 0x2a: // *
        case 0x21: // !
        case 0x7c: // |
        case 0x3e: // >
        case 0x27: // '
        case 0x22: // "
        case 0x25: // %
        case 0x40: // @
        case 0x60: // `
          flowIndicators = true;
          blockIndicators = true;
          break;
        case 0x3f: // ?
        case 0x3a: // :
          flowIndicators = true;
          if (beforeBlank) blockIndicators = true;
          break;
        case 0x2d: // -
          if (beforeBlank) {
            flowIndicators = true;
            blockIndicators = true;
          }
          break;
        default:
      }
    } else {
      switch (code) {
        case 0x2c:
        case 0x3f:
        case 0x5b:
        case 0x5d:
        case 0x7b:
        case 0x7d:
          flowIndicators = true;
          break;
        case 0x3a:
          flowIndicators = true;
          if (beforeBlank) blockIndicators = true;
          break;
        case 0x23:
          if (afterBlank) {
            flowIndicators = true;
            blockIndicators = true;
          }
          break;
        default:
      }
    }
    if (code === 0x09 && dialect === 'v3') tab = true;
    else if (!isPrintable(code)) special = true;
    if (code === 0x20) {
      if (index === 0) leading = true;
      if (last) trailingSpace = true;
      if (previousBreak) breakSpace = true;
      previousSpace = true;
      previousBreak = false;
    } else if (isBreak(code)) {
      lineBreaks = true;
      if (index === 0) leading = true;
      if (last) trailingBreak = true;
      if (previousSpace) spaceBreak = true;
      previousSpace = false;
      previousBreak = true;
    } else {
      previousSpace = false;
      previousBreak = false;
    }
    afterBlank = code === 0x20 || code === 0x09 || isBreak(code);
  }
  const outside = leading || trailingSpace || trailingBreak;
  const hard = spaceBreak || special;
  const noPlain = outside || breakSpace || hard || tab || lineBreaks;
  return {
    multiline: lineBreaks,
    flowPlain: !noPlain && !flowIndicators,
    blockPlain: !noPlain && !blockIndicators,
    singleQuoted: !(breakSpace || hard || tab),
    block: !(trailingSpace || hard),
  };
}

/** Whether `value` as a key needs the `? ` form: it spans lines, or is long. */
export function isComplexKey(value: string): boolean {
  if (value.length > 128) return true;
  for (let index = 0; index < value.length; index++) if (isBreak(value.charCodeAt(index))) return true;
  return value.length > 42 && utf8Length(value) > 128;
}

function utf8Length(value: string): number {
  let length = 0;
  for (const char of value) {
    const code = char.codePointAt(0) as number;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

/**
 * Text of a scalar as libyaml writes it, without the space before it.
 * @param style wanted: 0 (plain) or one of the quoting bits; another is taken where that one cannot hold `value`.
 */
export function scalarText(value: string, style: number, place: ScalarPlace, dialect: Dialect): string {
  const analysis = analyze(value, dialect);
  let chosen = place.isKey && analysis.multiline ? DOUBLE_QUOTED : style;
  if (chosen === 0) {
    const allowed = place.inFlow ? analysis.flowPlain : analysis.blockPlain;
    if (!allowed || (value === '' && (place.inFlow || place.isKey))) chosen = SINGLE_QUOTED;
  }
  if (chosen === SINGLE_QUOTED && !analysis.singleQuoted) chosen = DOUBLE_QUOTED;
  if ((chosen === LITERAL || chosen === FOLDED) && (!analysis.block || place.inFlow || place.isKey))
    chosen = DOUBLE_QUOTED;
  switch (chosen) {
    case DOUBLE_QUOTED:
      return doubleQuoted(value, place);
    case SINGLE_QUOTED:
      return singleQuoted(value, place);
    case LITERAL:
      return literal(value, place.indent);
    case FOLDED:
      return folded(value, place.indent);
    default:
      return plain(value, place);
  }
}

function plain(value: string, place: ScalarPlace): string {
  if (place.isKey || place.column + value.length <= BEST_WIDTH || !value.includes(' ')) return value;
  return foldAtSpaces(value, place.column, place.indent, 0, value.length);
}

/** Breaks at a single space past {@link BEST_WIDTH}; only at positions after `from` and before `to`. */
function foldAtSpaces(value: string, column: number, indent: number, from: number, to: number): string {
  const margin = `\n${' '.repeat(indent)}`;
  let out = '';
  let start = 0;
  let at = column;
  let spaces = false;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code === 0x20) {
      if (!spaces && at > BEST_WIDTH && index >= from && index < to && value.charCodeAt(index + 1) !== 0x20) {
        out += value.slice(start, index) + margin;
        start = index + 1;
        at = indent;
      } else at++;
      spaces = true;
    } else {
      // A low surrogate belongs to the character before it.
      if (code < 0xdc00 || code > 0xdfff) at++;
      spaces = false;
    }
  }
  return out + value.slice(start);
}

function singleQuoted(value: string, place: ScalarPlace): string {
  const text = value.includes("'") ? value.replaceAll("'", "''") : value;
  if (!/[\n\r\u0085\u2028\u2029]/.test(value)) {
    if (place.isKey || place.column + text.length < BEST_WIDTH) return `'${text}'`;
    return `'${foldAtSpaces(text, place.column + 1, place.indent, 1, text.length - 1)}'`;
  }
  return `'${singleQuotedLines(value, place)}'`;
}

function singleQuotedLines(value: string, place: ScalarPlace): string {
  const margin = ' '.repeat(place.indent);
  let out = '';
  let column = place.column + 1;
  let spaces = false;
  let breaks = false;
  for (let index = 0; index < value.length; index++) {
    const char = value[index] as string;
    if (char === ' ') {
      if (
        !place.isKey &&
        !spaces &&
        column > BEST_WIDTH &&
        index > 0 &&
        index < value.length - 1 &&
        value[index + 1] !== ' '
      ) {
        out += `\n${margin}`;
        column = place.indent;
      } else {
        out += char;
        column++;
      }
      spaces = true;
    } else if (isBreak(char.charCodeAt(0))) {
      if (!breaks && char === '\n') out += '\n';
      out += char === '\r' || char === '\u0085' ? '\n' : char;
      column = 0;
      breaks = true;
    } else {
      if (breaks) {
        out += margin;
        column = place.indent;
      }
      out += char === "'" ? "''" : char;
      column += char === "'" ? 2 : 1;
      spaces = false;
      breaks = false;
    }
  }
  return out;
}

const ESCAPES = new Map([
  [0x00, '0'],
  [0x07, 'a'],
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0b, 'v'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x1b, 'e'],
  [0x22, '"'],
  [0x5c, '\\'],
  [0x85, 'N'],
  [0xa0, '_'],
  [0x2028, 'L'],
  [0x2029, 'P'],
]);

function doubleQuoted(value: string, place: ScalarPlace): string {
  const margin = `\n${' '.repeat(place.indent)}`;
  // Go looks for a byte order mark at the start of the buffer only: then every character of the text is escaped.
  const bom = value.charCodeAt(0) === 0xfeff;
  let out = '"';
  let column = place.column + 1;
  let spaces = false;
  for (let index = 0; index < value.length; index++) {
    const code = value.codePointAt(index) as number;
    if (bom || code > 0xffff || !isPrintable(code) || isBreak(code) || code === 0x22 || code === 0x5c) {
      const short = ESCAPES.get(code);
      const text =
        short !== undefined
          ? `\\${short}`
          : code <= 0xff
            ? `\\x${hex(code, 2)}`
            : code <= 0xffff
              ? `\\u${hex(code, 4)}`
              : `\\U${hex(code, 8)}`;
      out += text;
      column += text.length;
      spaces = false;
      if (code > 0xffff) index++;
    } else if (code === 0x20) {
      if (!place.isKey && !spaces && column > BEST_WIDTH && index > 0 && index < value.length - 1) {
        out += margin;
        column = place.indent;
        if (value.charCodeAt(index + 1) === 0x20) {
          out += '\\';
          column++;
        }
      } else {
        out += ' ';
        column++;
      }
      spaces = true;
    } else {
      out += String.fromCharCode(code);
      column++;
      spaces = false;
    }
  }
  return `${out}"`;
}

function hex(code: number, width: number): string {
  return code.toString(16).toUpperCase().padStart(width, '0');
}

function blockHints(value: string): string {
  const first = value.charCodeAt(0);
  const indent = value !== '' && (first === 0x20 || isBreak(first)) ? String(BEST_INDENT) : '';
  const last = value.charCodeAt(value.length - 1);
  if (value === '' || !isBreak(last)) return `${indent}-`;
  return value.length === 1 || isBreak(value.charCodeAt(value.length - 2)) ? `${indent}+` : indent;
}

/** A literal block ends with a line break of its own only when the text does. */
function literal(value: string, indent: number): string {
  const margin = ' '.repeat(indent);
  let out = `|${blockHints(value)}\n`;
  let start = 0;
  for (let index = 0; index <= value.length; index++) {
    if (index < value.length && !isBreak(value.charCodeAt(index))) continue;
    if (index > start) out += margin + value.slice(start, index);
    if (index < value.length) out += breakText(value.charCodeAt(index));
    start = index + 1;
  }
  return out;
}

function breakText(code: number): string {
  return code === 0x2028 || code === 0x2029
    ? String.fromCharCode(code)
    : code === 0x0d || code === 0x0a
      ? '\n'
      : '\u0085';
}

function folded(value: string, indent: number): string {
  const margin = ' '.repeat(indent);
  let out = `>${blockHints(value)}\n`;
  let column = 0;
  let breaks = true;
  let leadingSpaces = true;
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (isBreak(code)) {
      if (!breaks && !leadingSpaces && code === 0x0a) {
        let next = 0;
        while (next < value.length && isBreak(value.charCodeAt(next))) next++;
        // Go looks from the start of the text, not from here (emitterc.go): kept.
        const after = value.charCodeAt(next);
        if (next < value.length && after !== 0x20 && after !== 0x09) out += '\n';
      }
      out += breakText(code);
      column = 0;
      breaks = true;
    } else {
      if (breaks) {
        out += margin;
        column = indent;
        leadingSpaces = code === 0x20 || code === 0x09;
      }
      if (!breaks && code === 0x20 && value.charCodeAt(index + 1) !== 0x20 && column > BEST_WIDTH) {
        out += `\n${margin}`;
        column = indent;
      } else {
        out += value[index] as string;
        column++;
      }
      breaks = false;
    }
  }
  return out;
}
