import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { armor, Decrypter } from 'age-encryption';
import { openKeyRing, parseAgeKeys } from '../../../src/secrets/keys.ts';
import { decryptFile } from '../../../src/secrets/sops/decrypt.ts';
import type { Format } from '../../../src/secrets/sops/formats.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

interface Case {
  readonly id: string;
  readonly format: Format | 'age';
  readonly encrypted?: string;
  readonly encryptedBase64?: string;
  readonly keys: readonly string[];
  readonly expect:
    | { readonly ok: true; readonly plaintext?: string; readonly plaintextBase64?: string }
    | { readonly ok: false; readonly error: string };
}

interface Key {
  readonly identity?: { readonly base64: string };
  readonly private?: { readonly base64: string };
}

/** Files that sops encrypted, decrypted with just the keys named: the bytes of the plain file, or sops's refusal. */
export const set: ConformanceSet = {
  name: 'sops',
  async run(directory) {
    const read = <T>(name: string): T => JSON.parse(readFileSync(join(directory, name), 'utf8')) as T;
    const keys = read<Record<string, Key>>('keys.json');
    const results: CaseResult[] = [];
    for (const one of read<{ cases: Case[] }>('cases.json').cases) results.push(await play(one, keys));
    return results;
  },
};

async function play(one: Case, keys: Record<string, Key>): Promise<CaseResult> {
  const { id, format, expect } = one;
  const content = Buffer.from(
    one.encrypted ?? one.encryptedBase64 ?? '',
    one.encrypted === undefined ? 'base64' : 'utf8',
  );
  const age: string[] = [];
  const pgp: string[] = [];
  for (const name of one.keys) {
    const { identity, private: secret } = keys[name] ?? {};
    if (identity !== undefined) {
      const parsed = parseAgeKeys(Buffer.from(identity.base64, 'base64').toString());
      if (!parsed.ok) return { id, passed: false, detail: parsed.error };
      age.push(...parsed.value);
    }
    if (secret !== undefined) pgp.push(Buffer.from(secret.base64, 'base64').toString());
  }
  if (format === 'age') {
    const decrypter = new Decrypter();
    for (const identity of age) decrypter.addIdentity(identity);
    const plain = await decrypter.decrypt(armor.decode(content.toString()));
    return verdict(id, expect, Buffer.from(plain), '');
  }
  const plain = await decryptFile(content, openKeyRing({ age, pgp }), {
    input: format,
    output: format,
    checkMac: true,
  });
  return plain.ok ? verdict(id, expect, Buffer.from(plain.value), '') : verdict(id, expect, undefined, plain.error);
}

/** A refusal must have sops's cause: the message's last part, which Flux prefixes in words of its own. */
function verdict(id: string, expect: Case['expect'], plain: Buffer | undefined, error: string): CaseResult {
  if (!expect.ok) {
    if (plain !== undefined) return { id, passed: false, detail: 'it was decrypted' };
    const cause = expect.error.startsWith('MAC mismatch')
      ? 'failed to verify sops data integrity'
      : expect.error.replace('Error decrypting tree: ', '');
    return error.includes(cause)
      ? { id, passed: true }
      : { id, passed: false, detail: `${error}\nwanted ${expect.error}` };
  }
  const wanted = Buffer.from(
    expect.plaintext ?? expect.plaintextBase64 ?? '',
    expect.plaintext === undefined ? 'base64' : 'utf8',
  );
  if (plain?.equals(wanted) === true) return { id, passed: true };
  return { id, passed: false, detail: `${error}\ngot\n${plain?.toString() ?? ''}\nwanted\n${wanted.toString()}` };
}
