import type { ResourceType } from '../resource-type.ts';
import {
  claimPrinter,
  configMapPrinter,
  createdAtPrinter,
  endpointSlicePrinter,
  endpointsPrinter,
  eventPrinter,
  ingressClassPrinter,
  ingressPrinter,
  leasePrinter,
  namespacePrinter,
  networkPolicyPrinter,
  nodeWidePrinter,
  priorityClassPrinter,
  quotaPrinter,
  roleBindingPrinter,
  secretPrinter,
  serviceAccountPrinter,
  servicePrinter,
  storageClassPrinter,
  volumePrinter,
} from './cluster.ts';
import { customPrinter } from './custom.ts';
import { podPrinter } from './pod.ts';
import type { Printer } from './printer.ts';
import {
  autoscalerPrinter,
  budgetPrinter,
  cronJobPrinter,
  daemonSetPrinter,
  deploymentPrinter,
  jobPrinter,
  replicaSetPrinter,
  replicationControllerPrinter,
  revisionPrinter,
  statefulSetPrinter,
  templatePrinter,
} from './workloads.ts';

const PRINTERS: Readonly<Record<string, Printer>> = {
  '/pods': podPrinter,
  '/podtemplates': templatePrinter,
  '/replicationcontrollers': replicationControllerPrinter,
  '/namespaces': namespacePrinter,
  '/configmaps': configMapPrinter,
  '/secrets': secretPrinter,
  '/serviceaccounts': serviceAccountPrinter,
  '/services': servicePrinter,
  '/nodes': nodeWidePrinter,
  '/endpoints': endpointsPrinter,
  '/events': eventPrinter,
  '/persistentvolumeclaims': claimPrinter,
  '/persistentvolumes': volumePrinter,
  '/resourcequotas': quotaPrinter,
  'apps/deployments': deploymentPrinter,
  'apps/replicasets': replicaSetPrinter,
  'apps/statefulsets': statefulSetPrinter,
  'apps/daemonsets': daemonSetPrinter,
  'apps/controllerrevisions': revisionPrinter,
  'batch/jobs': jobPrinter,
  'batch/cronjobs': cronJobPrinter,
  'autoscaling/horizontalpodautoscalers': autoscalerPrinter,
  'policy/poddisruptionbudgets': budgetPrinter,
  'coordination.k8s.io/leases': leasePrinter,
  'networking.k8s.io/ingresses': ingressPrinter,
  'networking.k8s.io/ingressclasses': ingressClassPrinter,
  'networking.k8s.io/networkpolicies': networkPolicyPrinter,
  'discovery.k8s.io/endpointslices': endpointSlicePrinter,
  'storage.k8s.io/storageclasses': storageClassPrinter,
  'scheduling.k8s.io/priorityclasses': priorityClassPrinter,
  'rbac.authorization.k8s.io/rolebindings': roleBindingPrinter,
  'rbac.authorization.k8s.io/clusterrolebindings': roleBindingPrinter,
};

/** The printer of a kind; those without one of their own show their name and when they were made. */
export function printerOf(type: ResourceType): Printer {
  if (type.definition !== undefined) return customPrinter(type);
  return PRINTERS[type.storage] ?? createdAtPrinter;
}
