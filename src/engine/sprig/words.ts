import { byteLength, fromBytes, isAscii, sliceBytes, toBytes } from '../gotemplate/go-string.ts';
import { isSpace } from './letter-case.ts';
import { checkTextBytes } from './limits.ts';

/*
 * What Masterminds/goutils@1.1.1 does with words. It counts bytes, and takes single bytes for characters.
 */

/** Breaks `text` into lines of at most `width` bytes. */
export function wrap(text: string, width: number, lineBreak: string, breakWords: boolean): string {
  const separator = lineBreak === '' ? '\n' : lineBreak;
  const limit = Math.max(1, width);
  // Bytes as characters, so that positions are bytes whatever the text is.
  const line = isAscii(text) ? text : latin(text);
  const lines: string[] = [];
  let at = 0;
  while (line.length - at > limit) {
    if (line[at] === ' ') {
      at++;
      continue;
    }
    const space = line.lastIndexOf(' ', at + limit);
    if (space >= at) {
      lines.push(line.slice(at, space));
      at = space + 1;
    } else if (breakWords) {
      lines.push(line.slice(at, at + limit));
      at += limit;
    } else {
      const end = line.indexOf(' ', at + limit);
      if (end < 0) {
        lines.push(line.slice(at));
        return finish(lines, separator, text);
      }
      lines.push(line.slice(at, end));
      at = end + 1;
    }
  }
  lines.push(line.slice(at));
  return finish(lines, separator, text);
}

function finish(lines: readonly string[], separator: string, text: string): string {
  checkTextBytes('wrap', byteLength(text) + lines.length * byteLength(separator));
  if (isAscii(text)) return lines.join(separator);
  return lines.map((line) => fromBytes(Uint8Array.from(line, (byte) => byte.charCodeAt(0)))).join(separator);
}

/** Every byte of `text` as the character of its number. */
function latin(text: string): string {
  let out = '';
  for (const byte of toBytes(text)) out += String.fromCharCode(byte);
  return out;
}

/** Cuts `text` to `width` bytes with `...` where something is left out; `offset` is in what stays. */
export function abbreviate(text: string, offset: number, width: number): string {
  const length = byteLength(text);
  if (length <= width) return text;
  const from = length - Math.min(offset, length) < width - 3 ? length - (width - 3) : Math.min(offset, length);
  if (from <= 4) return `${sliceBytes(text, 0, width - 3)}...`;
  if (width < 7) return '';
  if (from + width - 3 < length) return `...${width - 3 < 4 ? '' : abbreviate(sliceBytes(text, from), 0, width - 3)}`;
  return `...${sliceBytes(text, length - (width - 3))}`;
}

/** The first byte of every word, as a character. */
export function initials(text: string): string {
  let out = '';
  let afterGap = true;
  for (const character of isAscii(text) ? text : latin(text)) {
    if (isSpace(character)) afterGap = true;
    else if (afterGap) {
      out += character;
      afterGap = false;
    }
  }
  return out;
}

/** `text` without space; when there is some, every other byte becomes a character of its own. */
export function withoutSpace(text: string): string {
  const bytes = isAscii(text) ? text : latin(text);
  let out = '';
  for (const character of bytes) if (!isSpace(character)) out += character;
  return out.length === bytes.length ? text : out;
}
