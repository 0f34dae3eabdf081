import { isArray, isObject, type Json } from '../../base/json.ts';

/** Letters and digits that spell no words: k8s.io/apimachinery util/rand. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a, 32 bits, over the UTF-16 code units of `text`. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash;
}

/** Writes a value as text in which the order of keys does not matter. */
export function canonical(value: Json | undefined): string {
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    return `{${keys
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
      .join(',')}}`;
  }
  return typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? 'null');
}

/** A short name part for a value, as `pod-template-hash`: stable, and changed by `collisionCount`. Kubernetes' own hash is of Go's memory layout. */
export function templateHash(value: Json, collisionCount = 0): string {
  const text = canonical(value) + (collisionCount === 0 ? '' : `\n${collisionCount}`);
  return safeEncode(String(fnv32a(text)));
}

/** Replaces each character by one of the alphabet: k8s.io/apimachinery util/rand SafeEncodeString. */
function safeEncode(digits: string): string {
  return Array.from(digits, (digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length] ?? 'b').join('');
}
