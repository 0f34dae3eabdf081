import type { KubeObject } from '../api/object.ts';

/** What labels or annotations `<group>/<policy>` of an object ask for. */
export interface ApplyPolicies {
  /** `reconcile: disabled` or `ssa: Ignore`: leave the object alone. */
  readonly ignored: boolean;
  /** `ssa: IfNotPresent`: create, never change. */
  readonly ifNotPresent: boolean;
  /** `force: enabled`: recreate when a field is immutable. */
  readonly force: boolean;
  /** `ssa: Merge`: keep the fields of other managers. */
  readonly merge: boolean;
  /** `prune: disabled`: never delete. */
  readonly keep: boolean;
}

/** Reads the policies of an object; a value counts in any case. Source: fluxcd/pkg@e2cfd1a ssa/utils/meta.go AnyInMetadata. */
export function policiesOf(object: KubeObject, group: string): ApplyPolicies {
  const is = (policy: string, value: string): boolean => {
    const key = `${group}/${policy}`;
    return (
      textOf(object.metadata.labels, key)?.toLowerCase() === value ||
      textOf(object.metadata.annotations, key)?.toLowerCase() === value
    );
  };
  return {
    ignored: is('reconcile', 'disabled') || is('ssa', 'ignore'),
    ifNotPresent: is('ssa', 'ifnotpresent'),
    force: is('force', 'enabled'),
    merge: is('ssa', 'merge'),
    keep: is('prune', 'disabled'),
  };
}

function textOf(map: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  if (map === undefined || !Object.hasOwn(map, key)) return undefined;
  const value: unknown = map[key];
  return typeof value === 'string' ? value : undefined;
}
