import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { armor, Encrypter } from 'age-encryption';
import type { JsonObject } from '../../src/base/json.ts';

/** What a test encrypts is as sops 3.9 would have written it. */
export const LAST_MODIFIED = '2026-01-02T03:04:05Z';

/** One value as sops encrypts it, bound to `path` (`data:key:`). */
export function seal(key: Uint8Array, text: string, path: string, type = 'str'): string {
  const iv = randomBytes(32);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(Buffer.from(path));
  const data = Buffer.concat([cipher.update(text), cipher.final()]);
  const [plain, nonce, tag] = [data, iv, cipher.getAuthTag()].map((part) => part.toString('base64'));
  return `ENC[AES256_GCM,data:${plain},iv:${nonce},tag:${tag},type:${type}]`;
}

/** A Secret whose `stringData` is encrypted for `recipients`, with `encrypted_regex: ^(data|stringData)$`. */
export async function sealedSecret(
  name: string,
  stringData: Readonly<Record<string, string>>,
  recipients: readonly string[],
): Promise<JsonObject> {
  const key = randomBytes(32);
  const age = await Promise.all(recipients.map((recipient) => wrapped(key, recipient)));
  return secretSealedWith(name, stringData, key, { age });
}

/** A Secret encrypted with a data key; `keys` is what sops's metadata say about how that is wrapped. */
export function secretSealedWith(
  name: string,
  stringData: Readonly<Record<string, string>>,
  key: Uint8Array,
  keys: JsonObject,
): JsonObject {
  const hash = createHash('sha512');
  for (const text of ['v1', 'Secret', name, ...Object.values(stringData)]) hash.update(text);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    stringData: Object.fromEntries(
      Object.entries(stringData).map(([field, text]) => [field, seal(key, text, `stringData:${field}:`)]),
    ),
    sops: {
      ...keys,
      encrypted_regex: '^(data|stringData)$',
      lastmodified: LAST_MODIFIED,
      mac: seal(key, hash.digest('hex').toUpperCase(), LAST_MODIFIED),
      version: '3.9.0',
    },
  };
}

/** Three shares of a data key, of which any two are enough: as sops cuts it, each byte with a line of its own. */
export function sharesOf(key: Uint8Array): readonly Uint8Array[] {
  const slopes = randomBytes(key.length);
  return [1, 2, 3].map((place) =>
    Uint8Array.from([...key.map((byte, index) => byte ^ times(slopes[index] as number, place)), place]),
  );
}

/** Multiplies in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let left = a, right = b; right > 0; right >>= 1) {
    if ((right & 1) === 1) product ^= left;
    left = left & 0x80 ? ((left << 1) ^ 0x11b) & 0xff : left << 1;
  }
  return product;
}

async function wrapped(key: Uint8Array, recipient: string): Promise<JsonObject> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return { recipient, enc: armor.encode(await encrypter.encrypt(key)) };
}
