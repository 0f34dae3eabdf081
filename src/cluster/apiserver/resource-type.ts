import type { KubeObject } from '../../api/object.ts';

export interface SubresourceType {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly verbs: readonly string[];
}

/** A kind in one served version, built in or defined by a CRD. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: ReadonlyMap<string, SubresourceType>;
  /** Where its objects are in the store; the versions of a kind share it, and so do the two kinds of events. */
  readonly storage: string;
  /** Version in which the store holds it. */
  readonly storageApiVersion: string;
  /** The definition, for a custom resource. */
  readonly definition?: KubeObject;
  /** Set when using this version is discouraged: the text of the warning header. */
  readonly deprecation?: string;
}

export function apiVersionOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}

export function storageOf(group: string, plural: string): string {
  return group === 'events.k8s.io' ? '/events' : `${group}/${plural}`;
}

/** Key of an object in the store: `namespace/name`, or `name`. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}
