import type { GroupResource } from '../registry.ts';

/** The resources that the controllers read and write, by their plural names. */
export const PODS: GroupResource = { group: '', plural: 'pods' };
export const NODES: GroupResource = { group: '', plural: 'nodes' };
export const NAMESPACES: GroupResource = { group: '', plural: 'namespaces' };
export const SERVICES: GroupResource = { group: '', plural: 'services' };
export const ENDPOINTS: GroupResource = { group: '', plural: 'endpoints' };
export const EVENTS: GroupResource = { group: '', plural: 'events' };
export const CONFIG_MAPS: GroupResource = { group: '', plural: 'configmaps' };
export const SERVICE_ACCOUNTS: GroupResource = { group: '', plural: 'serviceaccounts' };
export const RESOURCE_QUOTAS: GroupResource = { group: '', plural: 'resourcequotas' };
export const CLAIMS: GroupResource = { group: '', plural: 'persistentvolumeclaims' };
export const VOLUMES: GroupResource = { group: '', plural: 'persistentvolumes' };
export const DEPLOYMENTS: GroupResource = { group: 'apps', plural: 'deployments' };
export const REPLICA_SETS: GroupResource = { group: 'apps', plural: 'replicasets' };
export const REPLICATION_CONTROLLERS: GroupResource = { group: '', plural: 'replicationcontrollers' };
export const STATEFUL_SETS: GroupResource = { group: 'apps', plural: 'statefulsets' };
export const DAEMON_SETS: GroupResource = { group: 'apps', plural: 'daemonsets' };
export const CONTROLLER_REVISIONS: GroupResource = { group: 'apps', plural: 'controllerrevisions' };
export const JOBS: GroupResource = { group: 'batch', plural: 'jobs' };
export const CRON_JOBS: GroupResource = { group: 'batch', plural: 'cronjobs' };
export const ENDPOINT_SLICES: GroupResource = { group: 'discovery.k8s.io', plural: 'endpointslices' };
export const AUTOSCALERS: GroupResource = { group: 'autoscaling', plural: 'horizontalpodautoscalers' };
export const DISRUPTION_BUDGETS: GroupResource = { group: 'policy', plural: 'poddisruptionbudgets' };
export const CLUSTER_ROLES: GroupResource = { group: 'rbac.authorization.k8s.io', plural: 'clusterroles' };
export const STORAGE_CLASSES: GroupResource = { group: 'storage.k8s.io', plural: 'storageclasses' };
export const SIGNING_REQUESTS: GroupResource = {
  group: 'certificates.k8s.io',
  plural: 'certificatesigningrequests',
};
export const LEASES: GroupResource = { group: 'coordination.k8s.io', plural: 'leases' };

/** The name under which a resource's objects are filed in logs and maps: `deployments.apps`, `pods`. */
export function resourceName({ group, plural }: GroupResource): string {
  return group === '' ? plural : `${plural}.${group}`;
}
