import type { KubeObject } from '../api/object.ts';
import { at, isArray, stringAt } from '../base/json.ts';

/** One entry of a Kustomization's inventory. */
export interface InventoryEntry {
  readonly namespace: string;
  readonly name: string;
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

/** Reads `namespace_name_group_kind`; colons in names are written `__`. Source: fluxcd/cli-utils pkg/object ParseObjMetadata. */
export function parseInventoryId(id: string): Omit<InventoryEntry, 'version'> | undefined {
  const first = id.indexOf('_');
  const last = id.lastIndexOf('_');
  const middle = id.lastIndexOf('_', last - 1);
  if (first < 0 || middle <= first) return undefined;
  return {
    namespace: id.slice(0, first),
    name: id.slice(first + 1, middle).replaceAll('__', ':'),
    group: id.slice(middle + 1, last),
    kind: id.slice(last + 1),
  };
}

export function inventoryOf(object: KubeObject): readonly InventoryEntry[] {
  const entries = at(object.status, 'inventory', 'entries');
  if (!isArray(entries)) return [];
  return entries.flatMap((entry) => {
    const parsed = parseInventoryId(stringAt(entry, 'id') ?? '');
    return parsed === undefined ? [] : [{ ...parsed, version: stringAt(entry, 'v') ?? '' }];
  });
}
