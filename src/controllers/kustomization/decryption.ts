import { Buffer } from 'node:buffer';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import type { KubeObject } from '../../api/object.ts';
import { field, isObject, type JsonObject } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { type DecryptionKeys, NO_KEYS, parseAgeKeys, pgpKeyProblem } from '../../secrets/keys.ts';

export interface DecryptionSettings {
  /** Where the engine runs: the Secret that `sopsAgeSecret` names lies there. */
  readonly runtimeNamespace: string;
  /** Secret with age keys for Kustomizations that name none; '' for none. */
  readonly sopsAgeSecret: string;
}

/** Reads the keys that `spec.decryption` names; undefined without it. Source: kustomize-controller@1.9 ImportKeys. */
export async function readDecryptionKeys(
  { metadata, spec }: Kustomization,
  client: KubeClient,
  { runtimeNamespace, sopsAgeSecret }: DecryptionSettings,
): Promise<Result<DecryptionKeys | undefined, string>> {
  if (spec.decryption === undefined) return ok(undefined);
  const { provider, secretRef } = spec.decryption;
  const isOwn = secretRef !== undefined;
  const name = secretRef?.name ?? sopsAgeSecret;
  if (name === '') return ok(NO_KEYS);
  const namespace = isOwn ? (metadata.namespace ?? '') : runtimeNamespace;
  const subject = `${provider} ${isOwn ? '' : 'SOPS age '}decryption Secret '${namespace}/${name}'`;
  const found = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name });
  if (!found.ok) {
    return err(isNotFound(found.error) ? found.error.message : `cannot get ${subject}: ${found.error.message}`);
  }
  return importKeys(found.value, isOwn, subject);
}

async function importKeys(
  secret: KubeObject,
  alsoPgp: boolean,
  subject: string,
): Promise<Result<DecryptionKeys, string>> {
  const age: string[] = [];
  const pgp: string[] = [];
  const data = field(secret as unknown as JsonObject, 'data');
  for (const key of isObject(data) ? Object.keys(data).sort() : []) {
    const encoded = field(data, key);
    const text = Buffer.from(typeof encoded === 'string' ? encoded : '', 'base64').toString('utf8');
    if (key.endsWith('.agekey')) {
      const parsed = parseAgeKeys(text);
      if (!parsed.ok) return err(`failed to import '${key}' data from ${subject}: ${parsed.error}`);
      age.push(...parsed.value);
    } else if (alsoPgp && key.endsWith('.asc')) {
      const problem = await pgpKeyProblem(text);
      if (problem !== undefined) return err(`failed to import '${key}' data from ${subject}: ${problem}`);
      pgp.push(text);
    }
  }
  return ok({ age, pgp });
}
