import { Buffer } from 'node:buffer';
import {
  at,
  field,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
  stringAt,
} from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { isDecryptionDisabled } from './encrypted-object.ts';
import type { KeyRing } from './sops/data-key.ts';
import { decryptDocuments, decryptFile, takeMetadata } from './sops/decrypt.ts';
import { encryptedFormat, formatForPath } from './sops/formats.ts';
import { branchOf, jsonOf } from './sops/json-tree.ts';

/**
 * The object decrypted: as a whole where it holds sops's metadata, else each encrypted value of a Secret's data. The same object
 * when nothing is encrypted. Source: kustomize-controller@1.9 DecryptResource.
 */
export async function decryptObject(object: JsonObject, ring: KeyRing): Promise<Result<JsonObject, string>> {
  if (isDecryptionDisabled(object)) return ok(object);
  const mac = at(object, 'sops', 'mac');
  if (mac !== undefined && mac !== null && mac !== '') return decryptWhole(object, ring);
  return stringAt(object, 'kind') === 'Secret' ? decryptData(object, ring) : ok(object);
}

async function decryptWhole(object: JsonObject, ring: KeyRing): Promise<Result<JsonObject, string>> {
  const prefix = `failed to decrypt and format '${placeOf(object)}' ${stringAt(object, 'kind') ?? ''} data`;
  const encrypted = takeMetadata([branchOf(object)]);
  if (!encrypted.ok) return err(`${prefix}: failed to load encrypted JSON data: ${encrypted.error}`);
  // The build has changed the object since (namespace, names, labels): its MAC cannot be right.
  const plain = await decryptDocuments(encrypted.value, ring, false);
  if (!plain.ok) return err(`${prefix}: ${plain.error}`);
  return ok(plain.value[0] === undefined ? {} : jsonOf(plain.value[0]));
}

async function decryptData(object: JsonObject, ring: KeyRing): Promise<Result<JsonObject, string>> {
  const data = field(object, 'data');
  if (!isObject(data)) return ok(object);
  const out: MutableJsonObject = {};
  let changed = false;
  for (const key of Object.keys(data)) {
    const value = data[key] as Json;
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
    const input = bytes === undefined ? undefined : encryptedFormat(bytes.toString('latin1'));
    if (bytes === undefined || input === undefined) {
      put(out, key, value);
      continue;
    }
    const plain = await decryptFile(bytes, ring, { input, output: formatForPath(key), checkMac: true });
    if (!plain.ok) {
      return err(`failed to decrypt and format '${placeOf(object)}' Secret field '${key}': ${plain.error}`);
    }
    put(out, key, Buffer.from(plain.value).toString('base64'));
    changed = true;
  }
  return ok(changed ? { ...object, data: out } : object);
}

function placeOf(object: JsonObject): string {
  return `${stringAt(object, 'metadata', 'namespace') ?? ''}/${stringAt(object, 'metadata', 'name') ?? ''}`;
}
