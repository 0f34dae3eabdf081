import type { KubeObject } from '../api/object.ts';
import { equal, type Json, type JsonObject, type MutableJsonObject, put } from '../base/json.ts';

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
