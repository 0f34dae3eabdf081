import { type FuncMap, func } from '../gotemplate/func.ts';
import { fromBytes, toBytes } from '../gotemplate/go-string.ts';
import { STRING, UINT32 } from '../gotemplate/go-type.ts';
import { GoError } from '../gotemplate/value.ts';
import { encodeBase64 } from '../schema/base64.ts';
import { readBase64 } from './encoding.ts';
import type { HashName, KeyKind, TemplateCrypto } from './host.ts';
import { MAX_PASSWORD_HASHES, meter } from './limits.ts';
import { derivePassword } from './password.ts';

const BCRYPT_COST = 10;
const BLOCK = 16;

/** Hashes, passwords, keys, AES. Source: sprig@3.3.0 crypto.go. */
export function cryptoFunctions(crypto: TemplateCrypto, countKey: (name: string) => void): FuncMap {
  const countHash = meter('slow password hashes', MAX_PASSWORD_HASHES);
  const sum = (name: HashName) => func([STRING], (text) => hex(crypto.hash(name, toBytes(text))));
  const bcrypt = (name: string, password: string): string => {
    countHash(name);
    const bytes = toBytes(password);
    if (bytes.length > 72) return 'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes';
    return crypto.bcrypt(bytes, BCRYPT_COST);
  };
  return new Map([
    ['sha1sum', sum('sha1')],
    ['sha256sum', sum('sha256')],
    ['sha512sum', sum('sha512')],
    ['adler32sum', func([STRING], (text) => String(adler32(toBytes(text))))],
    ['bcrypt', func([STRING], (password) => bcrypt('bcrypt', password))],
    [
      'htpasswd',
      func([STRING, STRING], (user, password) =>
        user.includes(':') ? `invalid username: ${user}` : `${user}:${bcrypt('htpasswd', password)}`,
      ),
    ],
    [
      'derivePassword',
      func([UINT32, STRING, STRING, STRING, STRING], (counter, type, master, user, site) => {
        countHash('derivePassword');
        return derivePassword(crypto, { counter, type, master, user, site });
      }),
    ],
    ['genPrivateKey', func([STRING], (type) => privateKey(crypto, type, countKey))],
    ['encryptAES', func([STRING, STRING], (password, text) => encrypt(crypto, password, text))],
    ['decryptAES', func([STRING, STRING], (password, text) => decrypt(crypto, password, text))],
  ]);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Source: RFC 1950. */
function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

const KEY_KINDS: ReadonlyMap<string, KeyKind> = new Map<string, KeyKind>([
  ['', 'rsa4096'],
  ['rsa', 'rsa4096'],
  ['dsa', 'dsa'],
  ['ecdsa', 'ecdsa'],
  ['ed25519', 'ed25519'],
]);

function privateKey(crypto: TemplateCrypto, type: string, count: (name: string) => void): string {
  const kind = KEY_KINDS.get(type);
  if (kind === undefined) return `Unknown type ${type}`;
  count('genPrivateKey');
  return crypto.generateKey(kind);
}

/** The password's first 32 bytes, with zeros behind it. */
function aesKey(password: string): Uint8Array {
  const key = new Uint8Array(32);
  key.set(toBytes(password).subarray(0, 32));
  return key;
}

function encrypt(crypto: TemplateCrypto, password: string, text: string): string {
  if (text === '') return '';
  const plain = toBytes(text);
  const padding = BLOCK - (plain.length % BLOCK);
  const padded = new Uint8Array(plain.length + padding).fill(padding);
  padded.set(plain);
  const iv = crypto.randomBytes(BLOCK);
  const blocks = crypto.aesCbc('encrypt', aesKey(password), iv, padded);
  const out = new Uint8Array(BLOCK + blocks.length);
  out.set(iv);
  out.set(blocks, BLOCK);
  return encodeBase64(out);
}

function decrypt(crypto: TemplateCrypto, password: string, text: string): string {
  if (text === '') return '';
  const bytes = readBase64(text);
  if (typeof bytes === 'string') throw new GoError(bytes);
  // Go's decoder has room for as many bytes as the text could hold.
  const capacity = Math.floor(text.length / 4) * 3;
  if (capacity < BLOCK) {
    throw new GoError(`runtime error: slice bounds out of range [:${BLOCK}] with capacity ${capacity}`);
  }
  if (bytes.length < BLOCK) throw new GoError(`runtime error: slice bounds out of range [${BLOCK}:${bytes.length}]`);
  const blocks = bytes.subarray(BLOCK);
  if (blocks.length % BLOCK !== 0) throw new GoError('crypto/cipher: input not full blocks');
  const plain = crypto.aesCbc('decrypt', aesKey(password), bytes.subarray(0, BLOCK), blocks);
  const padding = plain.at(-1);
  if (padding === undefined) throw new GoError('runtime error: index out of range [-1]');
  if (padding > plain.length)
    throw new GoError(`runtime error: slice bounds out of range [:${plain.length - padding}]`);
  return fromBytes(plain.subarray(0, plain.length - padding));
}
