import { Buffer } from 'node:buffer';
import type { KubeObject } from '../api/object.ts';
import { at, field, isObject, type Json, type JsonObject, stringAt } from '../base/json.ts';
import { isCipherText } from './sops/cipher.ts';

const DISABLED = 'kustomize.toolkit.fluxcd.io/decrypt';

/** Whether an object asks to be left as it is. Source: kustomize-controller@1.9 IsDecryptionDisabled. */
export function isDecryptionDisabled(object: JsonObject): boolean {
  return stringAt(object, 'metadata', 'annotations', DISABLED)?.toLowerCase() === 'disabled';
}

/**
 * A Secret that sops has encrypted and nobody has decrypted: with sops's metadata (Source: kustomize-controller@1.9
 * decryptor.IsEncryptedSecret), or with cipher text as a value, which would go to the cluster as if it were the secret.
 */
export function isEncryptedSecret(object: KubeObject): boolean {
  const raw = object as unknown as JsonObject;
  if (object.kind !== 'Secret' || isDecryptionDisabled(raw)) return false;
  if (at(raw, 'sops', 'mac') !== undefined) return true;
  const plain = valuesOf(field(raw, 'stringData'));
  const encoded = valuesOf(field(raw, 'data')).map((text) => Buffer.from(text, 'base64').toString('utf8'));
  return [...plain, ...encoded, ...valuesOf(field(raw, 'data'))].some(isCipherText);
}

function valuesOf(map: Json | undefined): readonly string[] {
  return isObject(map) ? Object.values(map).filter((value) => typeof value === 'string') : [];
}
