import { tableColumns } from '../../data/table-columns.ts';
import type { ResourceType } from '../resource-type.ts';
import { autoscalerCells } from './autoscaler.ts';
import {
  componentStatusCells,
  configMapCells,
  createdAtCells,
  endpointsCells,
  eventCells,
  leaseCells,
  namespaceCells,
  nodeCells,
  podTemplateCells,
  quotaCells,
  secretCells,
  serviceAccountCells,
  serviceCells,
} from './core.ts';
import { customPrinter } from './custom.ts';
import {
  apiServiceCells,
  endpointSliceCells,
  ingressCells,
  ingressClassCells,
  ipAddressCells,
  networkPolicyCells,
  serviceCidrCells,
} from './network.ts';
import { podRow } from './pod.ts';
import {
  budgetCells,
  flowSchemaCells,
  mutatingPolicyCells,
  policyBindingCells,
  priorityLevelCells,
  roleBindingCells,
  signingRequestCells,
  validatingPolicyCells,
  webhookCells,
} from './policy.ts';
import type { Cells, Printer } from './printer.ts';
import {
  ageCells,
  attachmentCells,
  attributesClassCells,
  claimCells,
  driverCells,
  driverNodeCells,
  priorityClassCells,
  resourceClaimCells,
  resourceSliceCells,
  runtimeClassCells,
  storageClassCells,
  volumeCells,
} from './storage.ts';
import {
  cronJobCells,
  daemonSetCells,
  deploymentCells,
  jobCells,
  replicaSetCells,
  revisionCells,
  statefulSetCells,
} from './workloads.ts';

const CELLS: Readonly<Record<string, Cells>> = {
  '/componentstatuses': componentStatusCells,
  '/configmaps': configMapCells,
  '/endpoints': endpointsCells,
  '/events': eventCells,
  '/namespaces': namespaceCells,
  '/nodes': nodeCells,
  '/persistentvolumeclaims': claimCells,
  '/persistentvolumes': volumeCells,
  '/podtemplates': podTemplateCells,
  '/replicationcontrollers': replicaSetCells,
  '/resourcequotas': quotaCells,
  '/secrets': secretCells,
  '/serviceaccounts': serviceAccountCells,
  '/services': serviceCells,
  'admissionregistration.k8s.io/mutatingadmissionpolicies': mutatingPolicyCells,
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': policyBindingCells,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': webhookCells,
  'admissionregistration.k8s.io/validatingadmissionpolicies': validatingPolicyCells,
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': policyBindingCells,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': webhookCells,
  'apiregistration.k8s.io/apiservices': apiServiceCells,
  'apps/controllerrevisions': revisionCells,
  'apps/daemonsets': daemonSetCells,
  'apps/deployments': deploymentCells,
  'apps/replicasets': replicaSetCells,
  'apps/statefulsets': statefulSetCells,
  'autoscaling/horizontalpodautoscalers': autoscalerCells,
  'batch/cronjobs': cronJobCells,
  'batch/jobs': jobCells,
  'certificates.k8s.io/certificatesigningrequests': signingRequestCells,
  'coordination.k8s.io/leases': leaseCells,
  'discovery.k8s.io/endpointslices': endpointSliceCells,
  'flowcontrol.apiserver.k8s.io/flowschemas': flowSchemaCells,
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': priorityLevelCells,
  'networking.k8s.io/ingressclasses': ingressClassCells,
  'networking.k8s.io/ingresses': ingressCells,
  'networking.k8s.io/ipaddresses': ipAddressCells,
  'networking.k8s.io/networkpolicies': networkPolicyCells,
  'networking.k8s.io/servicecidrs': serviceCidrCells,
  'node.k8s.io/runtimeclasses': runtimeClassCells,
  'policy/poddisruptionbudgets': budgetCells,
  'rbac.authorization.k8s.io/clusterrolebindings': roleBindingCells,
  'rbac.authorization.k8s.io/rolebindings': roleBindingCells,
  'resource.k8s.io/deviceclasses': ageCells,
  'resource.k8s.io/resourceclaims': resourceClaimCells,
  'resource.k8s.io/resourceclaimtemplates': ageCells,
  'resource.k8s.io/resourceslices': resourceSliceCells,
  'scheduling.k8s.io/priorityclasses': priorityClassCells,
  'storage.k8s.io/csidrivers': driverCells,
  'storage.k8s.io/csinodes': driverNodeCells,
  'storage.k8s.io/storageclasses': storageClassCells,
  'storage.k8s.io/volumeattachments': attachmentCells,
  'storage.k8s.io/volumeattributesclasses': attributesClassCells,
};

/** Kinds without cells of their own share the columns of a kind that has none either. */
const PLAIN = '/limitranges';

/** Shows a name and when the object was made. */
export const createdAtPrinter: Printer = {
  get columns() {
    return tableColumns(PLAIN) ?? [];
  },
  cells: (object) => ({ cells: createdAtCells(object, 0) }),
};

/** The printer of a kind; those without one of their own show their name and when they were made. */
export function printerOf(type: ResourceType): Printer {
  if (type.definition !== undefined) return customPrinter(type);
  if (type.storage === '/pods') return { columns: tableColumns(type.storage) ?? [], cells: podRow };
  const cells = CELLS[type.storage];
  const columns = tableColumns(type.storage);
  if (cells === undefined || columns === undefined) return createdAtPrinter;
  return { columns, cells: (object, now) => ({ cells: cells(object, now) }) };
}
