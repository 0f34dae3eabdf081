import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { clone, field, isObject, put } from '../../base/json.ts';

/** A copy of `object` whose metadata is a copy too; deeper parts are shared and must be replaced, not changed. */
export function withMeta(
  object: KubeObject,
  change: (meta: { -readonly [K in keyof KubeObject['metadata']]?: KubeObject['metadata'][K] | undefined }) => void,
): KubeObject {
  const meta = { ...object.metadata };
  change(meta);
  for (const key of Object.keys(meta) as (keyof typeof meta)[]) if (meta[key] === undefined) delete meta[key];
  return { ...object, metadata: meta };
}

/** `object` with top-level `key` set, or removed when `value` is undefined. */
export function withField(object: KubeObject, key: string, value: Json | undefined): KubeObject {
  const out = { ...object } as unknown as MutableJsonObject;
  if (value === undefined) delete out[key];
  else out[key] = value;
  return out as unknown as KubeObject;
}

export function json(object: KubeObject): JsonObject {
  return object as unknown as JsonObject;
}

export function kube(object: JsonObject): KubeObject {
  return object as unknown as KubeObject;
}

/** A deep copy to be changed in place. */
export function draft(object: KubeObject): MutableJsonObject {
  return clone(json(object)) as MutableJsonObject;
}

/** The object at `key` of a draft, made when it is missing. */
export function child(parent: MutableJsonObject, key: string): MutableJsonObject {
  const found = field(parent, key);
  if (isObject(found)) return found as MutableJsonObject;
  const made: MutableJsonObject = {};
  put(parent, key, made);
  return made;
}

/** The objects of the list at `key` of a draft. */
export function items(parent: Json | undefined, key: string): readonly MutableJsonObject[] {
  const found = field(parent, key);
  return Array.isArray(found) ? (found.filter(isObject) as MutableJsonObject[]) : [];
}

/** Sets `key` where it is missing. */
export function fallback(parent: MutableJsonObject, key: string, value: Json): void {
  if (field(parent, key) === undefined) put(parent, key, value);
}
