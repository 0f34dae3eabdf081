import type { KubeObject } from '../api/object.ts';
import {
  equal,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
} from '../base/json.ts';
import { canonicalQuantity } from '../engine/schema/quantity.ts';

/**
 * Whether applying would change the live object: labels, annotations or anything beside metadata and status differ between it and
 * the server's dry-run. Source: fluxcd/pkg@e2cfd1a ssa/manager_diff.go hasDrifted.
 */
export function hasDrifted(live: KubeObject, dryRun: KubeObject): boolean {
  return (
    !same(live.metadata.labels, dryRun.metadata.labels) ||
    !same(live.metadata.annotations, dryRun.metadata.annotations) ||
    !equal(body(live), body(dryRun))
  );
}

/**
 * Whether the live object has all that is desired: it may be that applying it changes nothing. Read as text, not by its schema, but
 * for quantities, which the server writes in one way only.
 */
export function holdsAll(live: KubeObject, desired: KubeObject): boolean {
  return (
    contains(live.metadata.labels as JsonObject | undefined, (desired.metadata.labels ?? {}) as JsonObject) &&
    contains(live.metadata.annotations as JsonObject | undefined, (desired.metadata.annotations ?? {}) as JsonObject) &&
    contains(body(live), { ...body(desired), apiVersion: live.apiVersion })
  );
}

function contains(whole: Json | undefined, part: Json): boolean {
  if (isObject(part)) {
    const given = whole ?? {};
    return isObject(given) && Object.keys(part).every((key) => contains(field(given, key), part[key] as Json));
  }
  if (isArray(part)) {
    return isArray(whole) && whole.length === part.length && part.every((item, index) => contains(whole[index], item));
  }
  return whole !== undefined && (equal(whole, part) || isSameQuantity(whole, part));
}

function isSameQuantity(a: Json, b: Json): boolean {
  if (typeof a !== 'string' || (typeof b !== 'string' && typeof b !== 'number')) return false;
  const canonical = canonicalQuantity(String(b));
  return canonical !== undefined && canonical === canonicalQuantity(a);
}

function same(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  return equal(a, b);
}

/** What of an object is compared. */
function body(object: KubeObject): JsonObject {
  const all = object as unknown as JsonObject;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(all)) {
    const value = all[key] as Json | undefined;
    if (key !== 'metadata' && key !== 'status' && value !== undefined) put(out, key, value);
  }
  return out;
}
