import { Buffer } from 'node:buffer';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import type { KubeObject } from '../../api/object.ts';
import { field, isObject, type JsonObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { CloudIdentity } from '../../identity/cloud-identity.ts';
import { principalOf } from '../../identity/principal.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { type DecryptionKeys, NO_KEYS, parseAgeKeys, pgpKeyProblem } from '../../secrets/keys.ts';
import { type KeyServices, openKeyServices } from '../../secrets/services/key-services.ts';
import { type OwnCredentials, readOwnCredentials } from '../../secrets/services/own-credentials.ts';
import { readVaultLogins, type VaultLogins } from '../../secrets/services/vault-tokens.ts';

export interface DecryptionSettings {
  /** Where the engine runs: what the two names below name lies there. */
  readonly runtimeNamespace: string;
  /** Secret with age keys for Kustomizations that name none; '' for none. */
  readonly sopsAgeSecret: string;
  /** ConfigMap with the Vaults to log in to; '' for none. */
  readonly sopsVaultConfigMap: string;
  /** Service account for Kustomizations that name none; '' for the engine's own identity. */
  readonly defaultDecryptionServiceAccount: string;
}

export interface DecryptionPorts {
  readonly client: KubeClient;
  /** Absent where no service may be asked for keys. */
  readonly cloud?: CloudIdentity;
}

/** What a Kustomization's encrypted files are decrypted with. */
export interface Decryption {
  readonly keys: DecryptionKeys;
  readonly services: KeyServices | undefined;
}

/** Reads the keys and credentials that `spec.decryption` names; undefined without it. Source: kustomize-controller@1.9 ImportKeys, SetAuthOptions. */
export async function readDecryption(
  { metadata, spec }: Kustomization,
  ports: DecryptionPorts,
  settings: DecryptionSettings,
): Promise<Result<Decryption | undefined, string>> {
  if (spec.decryption === undefined) return ok(undefined);
  const { provider, secretRef, serviceAccountName = '' } = spec.decryption;
  const { client, cloud } = ports;
  const { runtimeNamespace, sopsAgeSecret, sopsVaultConfigMap, defaultDecryptionServiceAccount } = settings;
  const isOwn = secretRef !== undefined;
  const name = secretRef?.name ?? sopsAgeSecret;
  const namespace = isOwn ? (metadata.namespace ?? '') : runtimeNamespace;
  const subject = `${provider} ${isOwn ? '' : 'SOPS age '}decryption Secret '${namespace}/${name}'`;
  let imported: Imported = { keys: NO_KEYS, own: {} };
  if (name !== '') {
    const found = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name });
    if (!found.ok) {
      return err(isNotFound(found.error) ? found.error.message : `cannot get ${subject}: ${found.error.message}`);
    }
    // Of the engine's own Secret only age keys: credentials for services would take the place of a tenant's identity.
    const entries = await importEntries(found.value, isOwn, subject, cloud);
    if (!entries.ok) return entries;
    imported = entries.value;
  }
  const { keys, own } = imported;
  if (cloud === undefined) return ok({ keys, services: undefined });
  const logins =
    sopsVaultConfigMap === '' || own.vaultToken
      ? ok(undefined)
      : await vaultLogins(client, runtimeNamespace, sopsVaultConfigMap);
  if (!logins.ok) return logins;
  const principal = principalOf(metadata.namespace ?? '', serviceAccountName, defaultDecryptionServiceAccount);
  return ok({ keys, services: openKeyServices({ cloud, principal, own, logins: logins.value }) });
}

interface Imported {
  readonly keys: DecryptionKeys;
  readonly own: OwnCredentials;
}

async function importEntries(
  secret: KubeObject,
  isOwn: boolean,
  subject: string,
  cloud: CloudIdentity | undefined,
): Promise<Result<Imported, string>> {
  const age: string[] = [];
  const pgp: string[] = [];
  let own: OwnCredentials = {};
  const data = field(secret as unknown as JsonObject, 'data');
  for (const key of isObject(data) ? Object.keys(data).sort() : []) {
    const encoded = field(data, key);
    const bytes = Buffer.from(typeof encoded === 'string' ? encoded : '', 'base64');
    const text = bytes.toString('utf8');
    const failed = `failed to import '${key}' data from ${subject}`;
    if (key.endsWith('.agekey')) {
      const parsed = parseAgeKeys(text);
      if (!parsed.ok) return err(`${failed}: ${parsed.error}`);
      age.push(...parsed.value);
    } else if (isOwn && key.endsWith('.asc')) {
      const problem = await pgpKeyProblem(text);
      if (problem !== undefined) return err(`${failed}: ${problem}`);
      pgp.push(text);
    } else if (isOwn && cloud !== undefined) {
      const read = readOwnCredentials(key, bytes, cloud.ports);
      if (!read.ok) return err(`${failed}: ${read.error}`);
      own = { ...own, ...read.value };
    }
  }
  return ok({ keys: { age, pgp }, own });
}

async function vaultLogins(
  client: KubeClient,
  namespace: string,
  name: string,
): Promise<Result<VaultLogins | undefined, string>> {
  const subject = `${namespace}/${name}`;
  const found = await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });
  if (!found.ok) return err(`failed to get Vault ConfigMap '${subject}': ${found.error.message}`);
  const text = stringAt(found.value as unknown as JsonObject, 'data', 'config.yaml');
  if (text === undefined) return err(`Vault ConfigMap '${subject}' is missing the 'config.yaml' key`);
  return readVaultLogins(subject, text);
}
