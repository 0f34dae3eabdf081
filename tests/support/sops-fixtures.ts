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
      age: await Promise.all(recipients.map((recipient) => wrapped(key, recipient))),
      encrypted_regex: '^(data|stringData)$',
      lastmodified: LAST_MODIFIED,
      mac: seal(key, hash.digest('hex').toUpperCase(), LAST_MODIFIED),
      version: '3.9.0',
    },
  };
}

async function wrapped(key: Uint8Array, recipient: string): Promise<JsonObject> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return { recipient, enc: armor.encode(await encrypter.encrypt(key)) };
}
