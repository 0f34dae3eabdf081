import { type JsonObject, stringAt } from '../../../base/json.ts';
import type { FieldError } from '../schema.ts';
import { cronJob, job } from './batch.ts';
import { claim, csiStorageCapacity, persistentVolume, storageClass, volumeAttachment } from './claims.ts';
import {
  configMap,
  horizontalPodAutoscaler,
  lease,
  limitRange,
  node,
  podTemplateKind,
  resourceQuota,
  runtimeClass,
  secret,
} from './core.ts';
import { customResourceDefinition } from './definitions.ts';
import type { Errors } from './field-checks.ts';
import { endpointSlice, ingress, ingressClass, networkPolicy, podDisruptionBudget } from './networking.ts';
import { pod } from './pods.ts';
import { clusterRole, clusterRoleBinding, priorityClass, role, roleBinding } from './rbac.ts';
import { service } from './services.ts';
import {
  controllerRevision,
  daemonSet,
  deployment,
  replicaSet,
  replicationController,
  statefulSet,
} from './workloads.ts';

type Validator = (errors: Errors, object: JsonObject, old: JsonObject | undefined) => void;

const VALIDATORS: { readonly [kind: string]: Validator } = {
  '/ConfigMap': configMap,
  '/Secret': secret,
  '/Pod': pod,
  '/PodTemplate': podTemplateKind,
  '/Service': service,
  '/ReplicationController': replicationController,
  '/PersistentVolumeClaim': claim,
  '/PersistentVolume': persistentVolume,
  '/ResourceQuota': resourceQuota,
  '/LimitRange': limitRange,
  '/Node': node,
  'apps/Deployment': deployment,
  'apps/ReplicaSet': replicaSet,
  'apps/DaemonSet': daemonSet,
  'apps/StatefulSet': statefulSet,
  'apps/ControllerRevision': controllerRevision,
  'batch/Job': job,
  'batch/CronJob': cronJob,
  'autoscaling/HorizontalPodAutoscaler': horizontalPodAutoscaler,
  'networking.k8s.io/Ingress': ingress,
  'networking.k8s.io/IngressClass': ingressClass,
  'networking.k8s.io/NetworkPolicy': networkPolicy,
  'policy/PodDisruptionBudget': podDisruptionBudget,
  'rbac.authorization.k8s.io/Role': role,
  'rbac.authorization.k8s.io/ClusterRole': clusterRole,
  'rbac.authorization.k8s.io/RoleBinding': roleBinding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': clusterRoleBinding,
  'discovery.k8s.io/EndpointSlice': endpointSlice,
  'coordination.k8s.io/Lease': lease,
  'storage.k8s.io/StorageClass': storageClass,
  'storage.k8s.io/CSIStorageCapacity': csiStorageCapacity,
  'storage.k8s.io/VolumeAttachment': volumeAttachment,
  'scheduling.k8s.io/PriorityClass': priorityClass,
  'node.k8s.io/RuntimeClass': runtimeClass,
  'apiextensions.k8s.io/CustomResourceDefinition': customResourceDefinition,
};

/**
 * What a built-in kind's own rules say of a decoded, defaulted object; with `old`, what an update may not change either. Metadata
 * is not looked at (names, labels, immutable metadata are the same for all kinds); kinds without rules give no error.
 * The order and the words are kube-apiserver's.
 */
export function validateBuiltin(object: JsonObject, old?: JsonObject): FieldError[] {
  const apiVersion = stringAt(object, 'apiVersion') ?? '';
  const slash = apiVersion.indexOf('/');
  const key = `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${stringAt(object, 'kind') ?? ''}`;
  const errors: Errors = [];
  if (Object.hasOwn(VALIDATORS, key)) VALIDATORS[key]?.(errors, object, old);
  return errors;
}
