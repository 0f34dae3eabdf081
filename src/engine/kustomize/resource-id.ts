/** Names a kind; an empty part is a wild card where it selects. */
export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The id of a resource in a build (kyaml resid). `clusterScoped` is known only of ids made from an object. */
export interface ResourceId extends Gvk {
  readonly name: string;
  readonly namespace: string;
  readonly clusterScoped: boolean;
}

/** Namespace of cluster-scoped ids. */
export const NO_NAMESPACE = '_non_namespaceable_';
export const DEFAULT_NAMESPACE = 'default';

export function splitApiVersion(apiVersion: string): readonly [string, string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

export function apiVersionOf({ group, version }: Gvk): string {
  return group === '' ? version : `${group}/${version}`;
}

export function printGvk({ group, version, kind }: Gvk): string {
  return `${kind === '' ? '[noKind]' : kind}.${version === '' ? '[noVer]' : version}.${group === '' ? '[noGrp]' : group}`;
}

export function printId(id: Omit<ResourceId, 'clusterScoped'>): string {
  return `${printGvk(id)}/${id.name === '' ? '[noName]' : id.name}.${id.namespace === '' ? '[noNs]' : id.namespace}`;
}

export function effectiveNamespace({ clusterScoped, namespace }: ResourceId): string {
  return clusterScoped ? NO_NAMESPACE : namespace === '' ? DEFAULT_NAMESPACE : namespace;
}

export function gvkEquals(a: Gvk, b: Gvk): boolean {
  return a.kind === b.kind && a.group === b.group && a.version === b.version;
}

export function idEquals(a: ResourceId, b: ResourceId): boolean {
  return a.name === b.name && gvkEquals(a, b) && effectiveNamespace(a) === effectiveNamespace(b);
}

/** Text by which equal ids are equal. */
export function idKey(id: ResourceId): string {
  return `${id.kind}\0${id.group}\0${id.version}\0${id.name}\0${effectiveNamespace(id)}`;
}

/** Whether `gvk` is one that `selector` names; an empty part of the selector fits all. */
export function isSelected(gvk: Gvk, selector: Gvk): boolean {
  return (
    (selector.group === '' || gvk.group === selector.group) &&
    (selector.version === '' || gvk.version === selector.version) &&
    (selector.kind === '' || gvk.kind === selector.kind)
  );
}

/** Kinds that come first and last wherever kustomize sorts by kind (kyaml resid/gvk.go). */
export const ORDER_FIRST: readonly string[] = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
export const ORDER_LAST: readonly string[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** Position of each kind that has one. */
export function typeOrders(first: readonly string[], last: readonly string[]): ReadonlyMap<string, number> {
  return new Map([
    ...first.map((kind, index) => [kind, index - first.length] as const),
    ...last.map((kind, index) => [kind, index + 1] as const),
  ]);
}

const TYPE_ORDERS = typeOrders(ORDER_FIRST, ORDER_LAST);

export function gvkSortText({ group, version, kind }: Gvk): string {
  return `${group === '' ? '~G' : group}_${version === '' ? '~V' : version}_${kind === '' ? '~K' : kind}`;
}

export function compareGvk(a: Gvk, b: Gvk): number {
  const order = (TYPE_ORDERS.get(a.kind) ?? 0) - (TYPE_ORDERS.get(b.kind) ?? 0);
  if (order !== 0) return order;
  return compareText(gvkSortText(a), gvkSortText(b));
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
