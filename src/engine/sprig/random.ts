import { type FuncMap, func } from '../gotemplate/func.ts';
import { INT, STRING } from '../gotemplate/go-type.ts';
import { int } from '../gotemplate/make-value.ts';
import { GoError } from '../gotemplate/value.ts';
import { encodeBase64 } from '../schema/base64.ts';
import { toValidUtf8 } from './cast.ts';
import type { TemplateCrypto } from './host.ts';
import { checkTextBytes } from './limits.ts';

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PRINTABLE: string = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

/** Randomness, all of it fit for secrets. Source: sprig@3.3.0 strings.go, crypto.go; Masterminds/goutils@1.1.1. */
export function randomFunctions(crypto: Pick<TemplateCrypto, 'randomBytes'>): FuncMap {
  const text = (name: string, alphabet: string) => func([INT], (count) => randomText(crypto, name, alphabet, count));
  return new Map([
    ['randAlphaNum', text('randAlphaNum', LETTERS + DIGITS)],
    ['randAlpha', text('randAlpha', LETTERS)],
    ['randNumeric', text('randNumeric', DIGITS)],
    ['randAscii', text('randAscii', PRINTABLE)],
    ['randBytes', func([INT], (count) => randomBase64(crypto, count))],
    ['randInt', func([INT, INT], (least, end) => int(least + below(crypto, end - least)))],
    ['shuffle', func([STRING], (value) => shuffled(crypto, value))],
    ['uuidv4', func([], () => uuid(crypto.randomBytes(16)))],
  ]);
}

type Random = Pick<TemplateCrypto, 'randomBytes'>;

/** A negative count gives nothing, as Sprig drops the error. */
function randomText(crypto: Random, name: string, alphabet: string, count: number): string {
  if (count <= 0) return '';
  checkTextBytes(name, count);
  // Bytes from the last, incomplete round of the alphabet are thrown away, so that no character is likelier than another.
  const usable = 256 - (256 % alphabet.length);
  const out: string[] = [];
  while (out.length < count) {
    for (const byte of crypto.randomBytes(Math.min(65_536, Math.ceil((count - out.length) * 1.5)))) {
      if (byte < usable && out.length < count) out.push(alphabet.charAt(byte % alphabet.length));
    }
  }
  return out.join('');
}

function randomBase64(crypto: Random, count: number): string {
  if (count < 0) throw new GoError('runtime error: makeslice: len out of range');
  checkTextBytes('randBytes', Math.ceil(count / 3) * 4);
  return encodeBase64(crypto.randomBytes(count));
}

/** An even choice among `count` numbers from 0 on. */
function below(crypto: Random, count: number): number {
  if (count <= 0) throw new GoError('invalid argument to Intn');
  const bits = Math.ceil(Math.log2(count)) + 1;
  const range = 2 ** Math.min(53, bits);
  for (;;) {
    let value = 0;
    for (const byte of crypto.randomBytes(7)) value = (value * 256 + byte) % range;
    if (value < range - (range % count)) return value % count;
  }
}

function shuffled(crypto: Random, text: string): string {
  const characters = Array.from(toValidUtf8(text));
  for (let index = characters.length - 1; index > 0; index--) {
    const other = below(crypto, index + 1);
    const held = characters[index] as string;
    characters[index] = characters[other] as string;
    characters[other] = held;
  }
  return characters.join('');
}

function uuid(random: Uint8Array): string {
  const bytes = Uint8Array.from(random);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
