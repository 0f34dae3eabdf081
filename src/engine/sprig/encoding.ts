import { type FuncMap, func } from '../gotemplate/func.ts';
import { fromBytes, toBytes } from '../gotemplate/go-string.ts';
import { STRING } from '../gotemplate/go-type.ts';
import { corruptBase64, decodeBase64, encodeBase64 } from '../schema/base64.ts';

/** Base64 and base32; text that is none decodes to the message that says so. Source: sprig@3.3.0 strings.go. */
export function encodingFunctions(): FuncMap {
  return new Map([
    ['b64enc', func([STRING], (text) => encodeBase64(toBytes(text)))],
    ['b64dec', func([STRING], (text) => spelled(readBase64(text)))],
    ['b32enc', func([STRING], (text) => encodeBase32(toBytes(text)))],
    ['b32dec', func([STRING], (text) => spelled(readBase32(text)))],
  ]);
}

function spelled(read: Uint8Array | string): string {
  return typeof read === 'string' ? read : fromBytes(read);
}

/** The bytes of base64 text, or Go's message. */
export function readBase64(text: string): Uint8Array | string {
  const corrupt = corruptBase64(byteText(text));
  if (corrupt !== undefined) return `illegal base64 data at input byte ${corrupt}`;
  return decodeBase64(text.replaceAll(/[\r\n]/g, '')) ?? new Uint8Array();
}

/** As many characters as there are bytes, so that positions count bytes. */
function byteText(text: string): string {
  return /^[\0-\x7f]*$/.test(text)
    ? text
    : text.replace(/[^\0-\x7f]/gu, (character) => '?'.repeat(toBytes(character).length));
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function encodeBase32(bytes: Uint8Array): string {
  const parts: string[] = [];
  let word = 0;
  let bits = 0;
  for (const byte of bytes) {
    word = ((word << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      parts.push(ALPHABET.charAt((word >> bits) & 31));
    }
  }
  if (bits > 0) parts.push(ALPHABET.charAt((word << (5 - bits)) & 31));
  return parts.join('') + '='.repeat((8 - (parts.length % 8)) % 8);
}

/** How many characters of a last group of eight stand for bytes, beside all eight. */
const GROUP_ENDS: ReadonlySet<number> = new Set([2, 4, 5, 7]);

/** The bytes of base32 text, or Go's message. (go@1.26 encoding/base32, decode) */
function readBase32(input: string): Uint8Array | string {
  const text = byteText(input).replaceAll(/[\r\n]/g, '');
  const fail = (at: number): string => `illegal base32 data at input byte ${at}`;
  const digits: number[] = [];
  let at = 0;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    const place = digits.length % 8;
    const behind = text.length - at - 1;
    if (char === '=' && place >= 2 && behind < 8) {
      if (behind + place < 7) return fail(text.length);
      for (let k = 0; k < 7 - place && k < behind; k++) if (text.charAt(at + 1 + k) !== '=') return fail(at + k);
      return GROUP_ENDS.has(place) ? base32Bytes(digits) : fail(at);
    }
    const digit = ALPHABET.indexOf(char);
    if (digit < 0) return fail(at);
    digits.push(digit);
  }
  return digits.length % 8 === 0 ? base32Bytes(digits) : fail(text.length - (digits.length % 8));
}

function base32Bytes(digits: readonly number[]): Uint8Array {
  const out = new Uint8Array(Math.floor((digits.length * 5) / 8));
  let word = 0;
  let bits = 0;
  let size = 0;
  for (const digit of digits) {
    word = ((word << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[size++] = (word >> bits) & 255;
    }
  }
  return out;
}
