import type { KubeObject, ManagedFieldsEntry } from '../api/object.ts';
import { field, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../base/json.ts';

/** Managers whose fields the applier takes over; a name is a prefix. */
export interface ManagerPattern {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
}

/** kubectl, and what was written before server-side apply. Source: kustomize-controller@1.9 `apply`. */
export function replacedManagers(self: string, extra: readonly string[] = []): readonly ManagerPattern[] {
  return [
    { name: 'kubectl', operation: 'Apply' },
    { name: 'kubectl', operation: 'Update' },
    { name: 'before-first-apply', operation: 'Update' },
    { name: self, operation: 'Update' },
    ...extra.flatMap((name): ManagerPattern[] => [
      { name, operation: 'Apply' },
      { name, operation: 'Update' },
    ]),
  ];
}

/** Metadata that kubectl and older versions of Flux left behind. */
const STALE_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'kustomize.toolkit.fluxcd.io/checksum',
  'fluxcd.io/sync-checksum',
];
const STALE_LABELS = ['fluxcd.io/sync-gc-mark'];

/**
 * The JSON patch that hands the fields of `managers` over to `self` and removes stale metadata from a live object; empty when
 * there is nothing to do. Source: fluxcd/pkg@e2cfd1a ssa/patch.go PatchReplaceFieldsManagers.
 */
export function cleanupPatch(
  live: KubeObject,
  managers: readonly ManagerPattern[],
  self: string,
): readonly JsonObject[] {
  const patch: JsonObject[] = [
    ...removals('annotations', live.metadata.annotations, STALE_ANNOTATIONS),
    ...removals('labels', live.metadata.labels, STALE_LABELS),
  ];
  const entries = live.metadata.managedFields ?? [];
  const taken = replaceManagers(entries, managers, self);
  if (taken !== undefined) {
    patch.push({ op: 'replace', path: '/metadata/managedFields', value: taken as unknown as Json });
  }
  // Another writer must not be overwritten with entries that are no longer true.
  const version = live.metadata.resourceVersion;
  if (taken !== undefined && version !== undefined) {
    patch.push({ op: 'replace', path: '/metadata/resourceVersion', value: version });
  }
  return patch;
}

function removals(
  map: string,
  values: Readonly<Record<string, string>> | undefined,
  keys: readonly string[],
): readonly JsonObject[] {
  return keys
    .filter((key) => values !== undefined && Object.hasOwn(values, key))
    .map((key) => ({ op: 'remove', path: `/metadata/${map}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` }));
}

/** Undefined when no entry matches. */
function replaceManagers(
  entries: readonly ManagedFieldsEntry[],
  managers: readonly ManagerPattern[],
  self: string,
): readonly ManagedFieldsEntry[] | undefined {
  let own = entries.find(
    ({ manager, operation, subresource }) => manager === self && operation === 'Apply' && !subresource,
  );
  const previous = own;
  const rest: ManagedFieldsEntry[] = [];
  let edited = false;
  for (const entry of entries) {
    if (entry === previous) continue;
    const matches =
      !entry.subresource &&
      managers.some(({ name, operation }) => managerOf(entry).startsWith(name) && entry.operation === operation);
    if (!matches) {
      rest.push(entry);
      continue;
    }
    edited = true;
    own =
      own === undefined
        ? { ...entry, manager: self, operation: 'Apply' }
        : { ...own, fieldsV1: union(fieldsOf(own), fieldsOf(entry)) };
  }
  return edited && own !== undefined ? [...rest, own] : undefined;
}

/** A writer without a user agent has no name: the server leaves it out. Nor need an entry have fields. */
export function managerOf({ manager = '' }: Partial<ManagedFieldsEntry>): string {
  return manager;
}

export function fieldsOf({ fieldsV1 = {} }: Partial<ManagedFieldsEntry>): JsonObject {
  return fieldsV1;
}

/** Union of two field sets: they are tries, so that it is a deep merge. */
function union(a: JsonObject, b: JsonObject): JsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(a)) put(out, key, a[key] as Json);
  for (const key of Object.keys(b)) {
    const mine = field(a, key);
    const theirs = b[key] as Json;
    put(out, key, isObject(mine) && isObject(theirs) ? union(mine, theirs) : theirs);
  }
  return out;
}
