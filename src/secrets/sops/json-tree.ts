import { isArray, isObject, type Json, type MutableJsonObject, put } from '../../base/json.ts';
import { type Branch, isBranch, isComment, isList, isTimestamp, type TreeValue } from './tree.ts';

/** A JSON object as a tree of sops. */
export function branchOf(object: { readonly [key: string]: Json }): Branch {
  return { items: Object.keys(object).map((key) => ({ key, value: treeOf(object[key] as Json) })) };
}

function treeOf(value: Json): TreeValue {
  if (isArray(value)) return value.map(treeOf);
  if (isObject(value)) return branchOf(value);
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}

/** The JSON object of a decrypted tree; comments are left out. */
export function jsonOf(branch: Branch): { readonly [key: string]: Json } {
  const out: MutableJsonObject = {};
  for (const { key, value } of branch.items) if (typeof key === 'string') put(out, key, plainOf(value));
  return out;
}

function plainOf(value: TreeValue): Json {
  if (isList(value)) return value.filter((item) => !isComment(item)).map(plainOf);
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value === null || typeof value !== 'object') return value;
  if (isBranch(value)) return jsonOf(value);
  return isTimestamp(value) ? value.time : null;
}
