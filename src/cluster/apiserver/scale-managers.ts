import type { ManagedFieldsEntry } from '../../api/object.ts';
import { at, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import { compareManagers, identify } from '../../engine/merge/managers.ts';

export const SCALE_VERSION = 'autoscaling/v1';

type Entries = readonly ManagedFieldsEntry[];

/** Where an object's replicas are, by the version of the entry: undefined for one that has no scale. */
export type ReplicasPath = (apiVersion: string) => readonly string[] | undefined;

const members = (path: readonly string[]): readonly string[] => path.map((name) => `f:${name}`);

function owns({ fieldsV1 }: ManagedFieldsEntry, path: readonly string[]): boolean {
  return at(fieldsV1, ...members(path)) !== undefined;
}

/** Of two entries with one identity, as taking over replicas may leave them, the last is read. */
function byIdentity(entries: Entries): Map<string, ManagedFieldsEntry> {
  return new Map(entries.map((entry) => [identify(entry), entry]));
}

function ownerOf(path: readonly string[]): JsonObject {
  let fields: JsonObject = {};
  for (const name of members(path).toReversed()) fields = { [name]: fields };
  return fields;
}

/** Who owns the replicas of an object, as owners of its scale. Source: apimachinery@0.34 util/managedfields/scalehandler.go ToSubresource. */
export function scaleManagers(entries: Entries, pathOf: ReplicasPath): Entries {
  const out: ManagedFieldsEntry[] = [];
  for (const entry of byIdentity(entries).values()) {
    const path = pathOf(entry.apiVersion);
    if (path === undefined || !owns(entry, path)) continue;
    out.push({ ...entry, apiVersion: SCALE_VERSION, fieldsV1: ownerOf(['spec', 'replicas']) });
  }
  return out;
}

/**
 * The object's entries after its scale was written: who no longer owns the scale's replicas loses the object's. An entry that
 * came by the scale has no time. Source: apimachinery@0.34 util/managedfields/scalehandler.go ToParent.
 */
export function parentManagers(entries: Entries, scale: Entries, apiVersion: string, pathOf: ReplicasPath): Entries {
  const left = byIdentity(scale);
  const known = byIdentity(entries);
  const out = new Map<string, ManagedFieldsEntry>();
  for (const [id, entry] of known) {
    const path = pathOf(entry.apiVersion);
    if (path === undefined) continue;
    if (!owns(entry, path)) out.set(id, entry);
    else if (left.delete(id)) out.set(id, entry);
    else {
      const rest = without(entry.fieldsV1, members(path));
      if (rest !== undefined) out.set(id, { ...entry, fieldsV1: rest });
    }
  }
  for (const [id, entry] of left) {
    if (!owns(entry, ['spec', 'replicas'])) continue;
    const { time: _of, ...rest } = entry;
    const time = known.get(id)?.time;
    const fieldsV1 = ownerOf(pathOf(apiVersion) ?? []);
    out.set(id, { ...rest, apiVersion, fieldsV1, ...(time === undefined ? {} : { time }) });
  }
  return [...out.values()].toSorted(compareManagers);
}

/** The set without one field; undefined when nothing is left. */
function without(fields: JsonObject, path: readonly string[]): JsonObject | undefined {
  const [first, ...rest] = path;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(fields)) {
    const value = fields[key] as Json;
    const kept = key !== first ? value : rest.length === 0 ? undefined : without(value as JsonObject, rest);
    if (kept !== undefined) put(out, key, kept);
  }
  return Object.keys(out).length === 0 ? undefined : out;
}
