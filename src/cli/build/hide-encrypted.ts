import type { KubeObject } from '../../api/object.ts';
import { isObject, type Json, type MutableJsonObject, put, stringAt } from '../../base/json.ts';

/** What stands for a value that sops encrypted. Source: fluxcd/flux2@v2.9 internal/build/build.go. */
export const HIDDEN = '**SOPS**';
/** The same for a registry's configuration, which the server wants to be JSON. */
const HIDDEN_CONFIG = JSON.stringify({ mask: HIDDEN });
const CONFIG_TYPE = 'kubernetes.io/dockerconfigjson';

/** What SOPS encrypted is not told: neither its cipher text nor what it would decrypt to. Source: fluxcd/flux2@v2.9 internal/build maskSopsData. */
export function hideEncrypted(object: KubeObject): KubeObject {
  const { sops, ...rest } = object as unknown as {
    readonly sops?: Json;
    readonly data?: Json;
    readonly stringData?: Json;
  };
  if (object.kind !== 'Secret') return object;
  const config = stringAt(object as unknown as Json, 'type') === CONFIG_TYPE && sops !== undefined;
  const hidden = config ? HIDDEN_CONFIG : HIDDEN;
  const hide = (values: Json | undefined, instead: string): Json | undefined => {
    if (!isObject(values)) return values;
    const out: MutableJsonObject = {};
    for (const [key, value] of Object.entries(values)) {
      put(out, key, sops !== undefined || isEncrypted(value) ? instead : value);
    }
    return out;
  };
  const data = hide(rest.data, Buffer.from(hidden).toString('base64'));
  const stringData = hide(rest.stringData, hidden);
  return {
    ...(rest as unknown as KubeObject),
    ...(data === undefined ? {} : { data }),
    ...(stringData === undefined ? {} : { stringData }),
  } as KubeObject;
}

/** Whether a text is cipher text of sops. */
export function isEncryptedText(text: string): boolean {
  return text.startsWith('ENC[AES256_GCM');
}

function isEncrypted(text: Json): boolean {
  if (typeof text !== 'string') return false;
  if (text.includes('ENC[AES256_GCM')) return true;
  const decoded = Buffer.from(text, 'base64');
  return decoded.includes('"sops"') || decoded.includes('\nsops:');
}
