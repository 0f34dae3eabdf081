import type { KubeObject } from '../api/object.ts';
import type { ObjectIdentity } from './inventory.ts';

/** The object on whose behalf others are applied. */
export interface Owner {
  /** API group, prefix of its labels and policies (`kustomize.toolkit.fluxcd.io`). */
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
}

export function ownerLabels({ group, namespace, name }: Owner): Readonly<Record<string, string>> {
  return { [`${group}/name`]: name, [`${group}/namespace`]: namespace };
}

/** Whether the labels of a live object say that `owner` applied it. */
export function isOwnedBy(object: KubeObject, owner: Owner): boolean {
  const labels = object.metadata.labels ?? {};
  return Object.entries(ownerLabels(owner)).every(([key, value]) => labels[key] === value);
}

export interface CommonMetadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The object with the owner's labels and the common metadata; these replace entries of the same key. */
export function withMetadata(object: KubeObject, owner: Owner, common: CommonMetadata = {}): KubeObject {
  const { labels = {}, annotations } = object.metadata;
  const allAnnotations = common.annotations === undefined ? annotations : { ...annotations, ...common.annotations };
  return {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...labels, ...ownerLabels(owner), ...common.labels },
      ...(allAnnotations === undefined ? {} : { annotations: allAnnotations }),
    },
  };
}

export function isSelf({ group, kind, namespace, name }: ObjectIdentity, owner: Owner, ownKind: string): boolean {
  return group === owner.group && kind === ownKind && namespace === owner.namespace && name === owner.name;
}
