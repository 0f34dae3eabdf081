import { groupOf, type KubeObject, type ObjectRef } from '../api/object.ts';

/** Kinds that others need, in the order they are applied. Source: fluxcd/pkg@e2cfd1a ssa/sort.go ReconcileOrder. */
const FIRST = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
const RANKS: ReadonlyMap<string, number> = new Map([
  ...FIRST.map((kind, index) => [kind, index - FIRST.length] as const),
  ...LAST.map((kind, index) => [kind, index + 1] as const),
]);

/** Compares by rank of kind, then group, kind, namespace and name (bytewise). */
export function compareRefs(a: ObjectRef, b: ObjectRef): number {
  return (
    (RANKS.get(a.kind) ?? 0) - (RANKS.get(b.kind) ?? 0) ||
    compare(groupOf(a.apiVersion), groupOf(b.apiVersion)) ||
    compare(a.kind, b.kind) ||
    compare(a.namespace ?? '', b.namespace ?? '') ||
    compare(a.name, b.name)
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Splits objects into the stages in which they are applied: definitions that others need, then classes, then kinds named by
 * `custom` (`group/Kind`), then the rest; each stage in apply order. Stages before the last must be ready before
 * the next begins. Source: fluxcd/pkg@e2cfd1a ssa/manager_apply.go ApplyAllStaged.
 */
export function stages<T extends KubeObject>(
  objects: readonly T[],
  custom: ReadonlySet<string> = new Set(),
): readonly (readonly T[])[] {
  const groups: [T[], T[], T[], T[]] = [[], [], [], []];
  for (const object of objects) {
    if (isDefinition(object)) groups[0].push(object);
    else if (object.kind.endsWith('Class')) groups[1].push(object);
    else if (custom.has(`${groupOf(object.apiVersion)}/${object.kind}`)) groups[2].push(object);
    else groups[3].push(object);
  }
  return groups.filter((group) => group.length > 0).map((group) => group.sort(compareObjects));
}

export function compareObjects(a: KubeObject, b: KubeObject): number {
  return compareRefs(plainRef(a), plainRef(b));
}

function plainRef({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): ObjectRef {
  return namespace === undefined ? { apiVersion, kind, name } : { apiVersion, kind, namespace, name };
}

/** Whether other objects of the same set may need this one to exist: CRD, Namespace, ClusterRole. */
export function isDefinition({ apiVersion, kind }: KubeObject): boolean {
  const group = groupOf(apiVersion);
  return (
    (kind === 'CustomResourceDefinition' && group === 'apiextensions.k8s.io') ||
    (kind === 'Namespace' && group === '') ||
    (kind === 'ClusterRole' && group === 'rbac.authorization.k8s.io')
  );
}
