import { isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';

/**
 * JSON merge patch (RFC 7396) as evanphx/json-patch v4 applies it: null removes, objects merge, everything else replaces. Objects on the
 * way come out with sorted keys, as Go's maps print.
 */
export function applyMergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base: JsonObject = isObject(target) ? target : {};
  const out: MutableJsonObject = {};
  for (const key of [...new Set([...Object.keys(base), ...Object.keys(patch)])].toSorted()) {
    const own = Object.hasOwn(base, key) ? base[key] : undefined;
    if (!Object.hasOwn(patch, key)) put(out, key, own as Json);
    else {
      const value = patch[key] as Json;
      if (value === null) continue;
      if (!isObject(own)) put(out, key, withoutNulls(value));
      else put(out, key, isObject(value) ? applyMergePatch(own, value) : value);
    }
  }
  return out;
}

/** What comes where no object was loses the nulls of its objects, also of those in lists. (pruneNils) */
function withoutNulls(value: Json): Json {
  if (isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value).toSorted())
    if (value[key] !== null) put(out, key, withoutNulls(value[key] as Json));
  return out;
}
