import { groupOf, type KubeObject, type ObjectRef, versionOf } from '../api/object.ts';

/** One entry of `status.inventory.entries`: an applied object, as Flux writes it. */
export interface InventoryEntry {
  /** `<namespace>_<name>_<group>_<kind>`; namespace and group may be empty, `:` is written `__`. */
  readonly id: string;
  /** API version without the group. */
  readonly v: string;
}

/** The identity of an object without its version. */
export interface ObjectIdentity {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export function identityOf({ apiVersion, kind, metadata }: KubeObject): ObjectIdentity {
  return { group: groupOf(apiVersion), kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** The inventory id. Source: fluxcd/cli-utils@1.2.2 pkg/object/objmetadata.go. */
export function inventoryId({ group, kind, namespace, name }: ObjectIdentity): string {
  return `${namespace}_${name.replaceAll(':', '__')}_${group}_${kind}`;
}

export function inventoryEntry(object: KubeObject): InventoryEntry {
  return { id: inventoryId(identityOf(object)), v: versionOf(object.apiVersion) };
}

/** Reads an id back; undefined when it is not one. Names hold `_` only as the encoded `:`. */
export function parseInventoryId(id: string): ObjectIdentity | undefined {
  const first = id.indexOf('_');
  const last = id.lastIndexOf('_');
  const middle = id.lastIndexOf('_', last - 1);
  if (first < 0 || middle <= first || last <= middle) return undefined;
  const name = id.slice(first + 1, middle).replaceAll('__', ':');
  const kind = id.slice(last + 1);
  if (name === '' || kind === '') return undefined;
  return { namespace: id.slice(0, first), name, group: id.slice(middle + 1, last), kind };
}

/** The object that an entry names; undefined for an entry that cannot be read. */
export function entryRef({ id, v }: InventoryEntry): ObjectRef | undefined {
  const identity = parseInventoryId(id);
  if (identity === undefined) return undefined;
  const { group, kind, namespace, name } = identity;
  const apiVersion = group === '' ? v : `${group}/${v}`;
  return namespace === '' ? { apiVersion, kind, name } : { apiVersion, kind, namespace, name };
}

/** Entries of `before` that `after` no longer holds. */
export function staleEntries(
  before: readonly InventoryEntry[],
  after: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  const kept = new Set(after.map(({ id }) => id));
  return before.filter(({ id }) => !kept.has(id));
}

/** `entries` with those of `more` that are missing. */
export function mergeEntries(
  entries: readonly InventoryEntry[],
  more: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  return [...entries, ...staleEntries(more, entries)];
}
