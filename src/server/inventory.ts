import type { KubeObject } from '../api/object.ts';
import { at, isArray, stringAt } from '../base/json.ts';

export interface InventoryEntry {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Entries of `status.inventory` (`<namespace>_<name>_<group>_<kind>` + version, fluxcd/cli-utils object ids). */
export function inventoryOf(applier: KubeObject): readonly InventoryEntry[] {
  const entries = at(applier.status, 'inventory', 'entries');
  if (!isArray(entries)) return [];
  return entries.flatMap((entry) => {
    const id = stringAt(entry, 'id');
    const version = stringAt(entry, 'v');
    const parts = id?.split('_') ?? [];
    if (version === undefined || parts.length < 4) return [];
    // A name may hold `__`, which stands for the colon of RBAC names: the namespace is first, group and kind are last.
    const [namespace = ''] = parts;
    const [group = '', kind = ''] = parts.slice(-2);
    const name = parts.slice(1, -2).join('_').replaceAll('__', ':');
    return [{ apiVersion: group === '' ? version : `${group}/${version}`, kind, namespace, name }];
  });
}
