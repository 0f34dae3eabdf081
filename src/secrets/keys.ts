import { homedir } from 'node:os';
import { armor, Decrypter, identityToRecipient } from 'age-encryption';
import type { PrivateKey } from 'openpgp';
import { err, ok, type Result } from '../base/result.ts';
import type { KeyFailure, KeyRing } from './sops/data-key.ts';
import { isServiceKey, keyId, type ServiceKey, type WrappedKey } from './sops/metadata.ts';

/** Private keys for decryption, as text: plain data, so that it can be sent to a thread. */
export interface DecryptionKeys {
  /** age identities, one each (`AGE-SECRET-KEY-…`). */
  readonly age: readonly string[];
  /** Armored PGP private keys. */
  readonly pgp: readonly string[];
  /** What services answered so far, by {@link keyId}; absent where there are no services to ask. */
  readonly services?: ReadonlyMap<string, Result<Uint8Array, string>>;
}

export const NO_KEYS: DecryptionKeys = { age: [], pgp: [] };

/** The identities of an age key file; comments and empty lines do not count. Source: sops@3.13 age/keysource.go parseIdentities. */
export function parseAgeKeys(text: string): Result<readonly string[], string> {
  const lines = text.split('\n').map((line) => line.trim());
  const identities = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0) return err('failed to parse and add to age identities: no identities found');
  for (const identity of identities) {
    const problem = identityProblem(identity);
    if (problem !== undefined) return err(`failed to parse and add to age identities: ${problem}`);
  }
  return ok(identities);
}

function identityProblem(identity: string): string | undefined {
  if (identity.startsWith('AGE-PLUGIN-')) return 'identities of plugins cannot be used here';
  if (!/^AGE-SECRET-KEY-(PQ-)?1/.test(identity)) return 'unknown identity type';
  try {
    new Decrypter().addIdentity(identity);
    return undefined;
  } catch {
    // The library's message may hold the key.
    return 'malformed secret key';
  }
}

/** Why a PGP key cannot be used; undefined when it can. */
export async function pgpKeyProblem(armored: string): Promise<string | undefined> {
  const keys = await readPgpKeys(armored);
  return keys.ok ? undefined : keys.error;
}

async function readPgpKeys(armored: string): Promise<Result<readonly PrivateKey[], string>> {
  const { readPrivateKeys } = await import('openpgp');
  let keys: readonly PrivateKey[];
  try {
    keys = await readPrivateKeys({ armoredKeys: armored });
  } catch {
    return err('no valid OpenPGP data found');
  }
  if (keys.length === 0) return err('no private key found');
  return keys.every((key) => key.isDecrypted()) ? ok(keys) : err('the private key is protected by a passphrase');
}

/** Opens data keys with `keys`. Each wrapped key is opened once; keep the ring for as long as one build lasts. */
export function openKeyRing(keys: DecryptionKeys): KeyRing {
  return new Keys(keys);
}

/** What sops says when it has no identity at all. The places are those where the tool looks; here keys come from Secrets alone. */
/** Source: filippo.io/age@v1.3.1 age.go NoIdentityMatchError. */
function noMatch(identities: number): string {
  return identities === 1
    ? 'identity did not match any of the recipients: incorrect identity for recipient block'
    : 'no identity matched any of the recipients';
}

function nowhere(): string {
  const home = homedir();
  return `failed to load age identities. Did not find keys in locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', 'SOPS_AGE_SSH_PRIVATE_KEY_CMD', '${home}/.ssh/id_ed25519', '${home}/.ssh/id_rsa', 'SOPS_AGE_KEY', 'SOPS_AGE_KEY_FILE', 'SOPS_AGE_KEY_CMD', and '${home}/.config/sops/age/keys.txt'.`;
}

class Keys implements KeyRing {
  readonly #keys: DecryptionKeys;
  readonly #opened = new Map<string, Promise<Result<Uint8Array, KeyFailure>>>();
  readonly #requested = new Map<string, readonly ServiceKey[]>();
  #recipients: Promise<ReadonlyMap<string, string>> | undefined;
  #pgp: Promise<readonly PrivateKey[]> | undefined;

  constructor(keys: DecryptionKeys) {
    this.#keys = keys;
  }

  get requested(): readonly (readonly ServiceKey[])[] {
    return [...this.#requested.values()];
  }

  request(alternatives: readonly ServiceKey[]): void {
    this.#requested.set(alternatives.map(keyId).join('\n'), alternatives);
  }

  unwrap(key: WrappedKey): Promise<Result<Uint8Array, KeyFailure>> {
    const id = keyId(key);
    let opened = this.#opened.get(id);
    if (opened === undefined) {
      opened = this.#open(key);
      this.#opened.set(id, opened);
    }
    return opened;
  }

  async #open(key: WrappedKey): Promise<Result<Uint8Array, KeyFailure>> {
    if (isServiceKey(key) && this.#keys.services !== undefined) {
      const answer = this.#keys.services.get(keyId(key));
      if (answer === undefined) return err({ code: 'closed', message: 'a service has to open the key first' });
      return answer.ok ? answer : err({ code: 'refused', message: answer.error });
    }
    const opened = await this.#openLocal(key);
    return opened.ok ? opened : err({ code: 'refused', message: opened.error });
  }

  #openLocal(key: WrappedKey): Promise<Result<Uint8Array, string>> {
    if (key.type === 'age') return this.#openAge(key);
    if (key.type === 'pgp') return this.#openPgp(key);
    return Promise.resolve(err(`keys of type ${key.type} are not supported here: add another recipient to the file`));
  }

  async #openAge({ name, encrypted }: WrappedKey): Promise<Result<Uint8Array, string>> {
    if (this.#keys.age.length === 0) return err(nowhere());
    this.#recipients ??= recipientsOf(this.#keys.age);
    const own = (await this.#recipients).get(name);
    const decrypter = new Decrypter();
    // The recipient's own identity opens its key. Others are tried where none is known by that name.
    for (const identity of own === undefined ? this.#keys.age : [own]) decrypter.addIdentity(identity);
    try {
      const bytes = encrypted.includes('-----BEGIN AGE') ? armor.decode(encrypted) : Buffer.from(encrypted, 'base64');
      return ok(await decrypter.decrypt(bytes));
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : '';
      const reason = text.includes('no identity matched')
        ? noMatch(own === undefined ? this.#keys.age.length : 1)
        : 'failed to read header';
      return err(`failed to create reader for decrypting sops data key with age: ${reason}`);
    }
  }

  async #openPgp({ encrypted }: WrappedKey): Promise<Result<Uint8Array, string>> {
    const failed = 'could not decrypt data key with PGP key';
    if (this.#keys.pgp.length === 0) return err(`${failed}: no private key was given`);
    const { decrypt, readMessage } = await import('openpgp');
    this.#pgp ??= privateKeys(this.#keys.pgp);
    const decryptionKeys = [...(await this.#pgp)];
    try {
      const message = await readMessage({ armoredMessage: encrypted });
      const { data } = await decrypt({ message, decryptionKeys, format: 'binary' });
      return ok(data as Uint8Array);
    } catch {
      return err(`${failed}: none of the given private keys fits`);
    }
  }
}

async function recipientsOf(identities: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const pairs = await Promise.all(
    identities.map(async (identity) => [await identityToRecipient(identity), identity] as const),
  );
  return new Map(pairs);
}

async function privateKeys(armored: readonly string[]): Promise<readonly PrivateKey[]> {
  const all = await Promise.all(armored.map(readPgpKeys));
  return all.flatMap((keys) => (keys.ok ? keys.value : []));
}
