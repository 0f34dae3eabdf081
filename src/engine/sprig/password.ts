import { toBytes } from '../gotemplate/go-string.ts';
import type { TemplateCrypto } from './host.ts';

/** Which kinds of characters a password is made of, by its type. Source: sprig@3.3.0 crypto.go (Master Password's algorithm). */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['maximum', ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno']],
  [
    'long',
    (
      'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv ' +
      'CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv ' +
      'CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno'
    ).split(' '),
  ],
  ['medium', ['CvcnoCvc', 'CvcCvcno']],
  ['short', ['Cvcn']],
  ['basic', ['aaanaaan', 'aannaaan', 'aaannaaa']],
  ['pin', ['nnnn']],
]);
const CONSONANTS = 'bcdfghjklmnpqrstvwxyz';
const LETTERS = `AEIOUaeiou${CONSONANTS.toUpperCase()}${CONSONANTS}`;
const CHARACTERS: { readonly [kind: string]: string } = {
  V: 'AEIOU',
  C: CONSONANTS.toUpperCase(),
  v: 'aeiou',
  c: CONSONANTS,
  A: `AEIOU${CONSONANTS.toUpperCase()}`,
  a: LETTERS,
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: `${LETTERS}0123456789!@#$%^&*()`,
};
const SEED = 'com.lyndir.masterpassword';

/** The password that a master password gives for a user on a site. */
export function derivePassword(
  crypto: Pick<TemplateCrypto, 'scrypt' | 'hmacSha256'>,
  ask: {
    readonly counter: bigint;
    readonly type: string;
    readonly master: string;
    readonly user: string;
    readonly site: string;
  },
): string {
  const templates = TEMPLATES.get(ask.type);
  if (templates === undefined) return `cannot find password template ${ask.type}`;
  const [user, site, seed] = [toBytes(ask.user), toBytes(ask.site), toBytes(SEED)];
  const salt = joined(seed, uint32(user.length), user);
  const key = crypto.scrypt(toBytes(ask.master), salt, { n: 32_768, r: 8, p: 2 }, 64);
  const message = joined(seed, uint32(site.length), site, uint32(Number(ask.counter)));
  const digest = crypto.hmacSha256(key, message);
  const template = templates[(digest[0] as number) % templates.length] as string;
  return Array.from(template, (kind, index) => {
    const characters = CHARACTERS[kind] as string;
    return characters.charAt((digest[index + 1] as number) % characters.length);
  }).join('');
}

/** Big-endian. */
function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
