import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { type InstallOptions, labelsOf } from './options.ts';

const RBAC = 'rbac.authorization.k8s.io';
export const SERVICE_ACCOUNT = 'weir';

const GROUPS = [
  'source.toolkit.fluxcd.io',
  'kustomize.toolkit.fluxcd.io',
  'helm.toolkit.fluxcd.io',
  'notification.toolkit.fluxcd.io',
  'image.toolkit.fluxcd.io',
  'source.extensions.fluxcd.io',
];

/** The controllers' account and what it may do, by the names that Flux gives the roles. Source: fluxcd/flux2@v2 manifests/rbac. */
export function roles(options: InstallOptions): readonly KubeObject[] {
  const { namespace } = options;
  const labels = labelsOf(options);
  const cluster = (kind: string, name: string, rest: Readonly<Record<string, Json>>, extra = {}): KubeObject =>
    ({
      apiVersion: `${RBAC}/v1`,
      kind,
      metadata: { labels: { ...labels, ...extra }, name: `${name}-${namespace}` },
      ...rest,
    }) as KubeObject;
  const subjects = [{ kind: 'ServiceAccount', name: SERVICE_ACCOUNT, namespace }];
  const binding = (name: string, role: string): KubeObject =>
    cluster('ClusterRoleBinding', name, { roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role }, subjects });
  const aggregated = (to: readonly string[]): Readonly<Record<string, string>> =>
    Object.fromEntries(to.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']));
  return [
    cluster('ClusterRole', 'crd-controller', { rules: controllerRules() }),
    cluster(
      'ClusterRole',
      'flux-edit',
      { rules: [{ apiGroups: GROUPS, resources: ['*'], verbs: EDIT_VERBS }] },
      aggregated(['admin', 'edit']),
    ),
    cluster(
      'ClusterRole',
      'flux-view',
      { rules: [{ apiGroups: GROUPS, resources: ['*'], verbs: ['get', 'list', 'watch'] }] },
      aggregated(['admin', 'edit', 'view']),
    ),
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { labels, name: SERVICE_ACCOUNT, namespace },
    },
    binding('cluster-reconciler', 'cluster-admin'),
    binding('crd-controller', `crd-controller-${namespace}`),
  ];
}

const EDIT_VERBS = ['create', 'delete', 'deletecollection', 'patch', 'update'];

function controllerRules(): readonly Json[] {
  return [
    ...GROUPS.map((group) => ({ apiGroups: [group], resources: ['*'], verbs: ['*'] })),
    {
      apiGroups: [''],
      resources: ['namespaces', 'secrets', 'configmaps', 'serviceaccounts'],
      verbs: ['get', 'list', 'watch'],
    },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
    // Leader election and what controllers keep of their own.
    {
      apiGroups: [''],
      resources: ['configmaps'],
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    },
    { apiGroups: [''], resources: ['configmaps/status'], verbs: ['get', 'update', 'patch'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
    },
    // Workload identity of single objects.
    { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
    { nonResourceURLs: ['/livez/ping'], verbs: ['head'] },
  ];
}
