import { type JsonObject, stringAt } from '../../../base/json.ts';
import type { FieldError } from '../schema.ts';
import { apiService } from './api-services.ts';
import { horizontalPodAutoscaler } from './autoscaling.ts';
import { cronJob, job } from './batch.ts';
import { certificateSigningRequest } from './certificates.ts';
import { claim, persistentVolume } from './claims.ts';
import { configMap, lease, node, podTemplateKind, runtimeClass, secret } from './core.ts';
import { customResourceDefinition } from './definitions.ts';
import { deviceClass, resourceClaim, resourceClaimTemplate } from './devices.ts';
import { endpointSlice, endpoints } from './endpoints.ts';
import { event } from './events.ts';
import type { Errors } from './field-checks.ts';
import { flowSchema, priorityLevelConfiguration } from './flow-control.ts';
import { ingress, ingressClass, networkPolicy, podDisruptionBudget } from './networking.ts';
import { ephemeralContainers, pod } from './pods.ts';
import { limitRange, resourceQuota } from './quotas.ts';
import { clusterRole, clusterRoleBinding, priorityClass, role, roleBinding } from './rbac.ts';
import { ipAddress, serviceCidr } from './service-ranges.ts';
import { service } from './services.ts';
import {
  csiDriver,
  csiNode,
  csiStorageCapacity,
  storageClass,
  volumeAttachment,
  volumeAttributesClass,
} from './storage.ts';
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
  '/Endpoints': endpoints,
  '/Event': event(false),
  'events.k8s.io/Event': event(true),
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
  'flowcontrol.apiserver.k8s.io/FlowSchema': flowSchema,
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': priorityLevelConfiguration,
  'storage.k8s.io/StorageClass': storageClass,
  'storage.k8s.io/CSIStorageCapacity': csiStorageCapacity,
  'storage.k8s.io/VolumeAttachment': volumeAttachment,
  'storage.k8s.io/CSIDriver': csiDriver,
  'storage.k8s.io/CSINode': csiNode,
  'storage.k8s.io/VolumeAttributesClass': volumeAttributesClass,
  'certificates.k8s.io/CertificateSigningRequest': (errors, object, old) => {
    // What was asked for stays, and was judged when it came.
    if (old === undefined) certificateSigningRequest(errors, object);
  },
  'networking.k8s.io/IPAddress': ipAddress,
  'networking.k8s.io/ServiceCIDR': serviceCidr,
  'apiregistration.k8s.io/APIService': apiService,
  'resource.k8s.io/DeviceClass': deviceClass,
  'resource.k8s.io/ResourceClaim': resourceClaim,
  'resource.k8s.io/ResourceClaimTemplate': resourceClaimTemplate,
  'scheduling.k8s.io/PriorityClass': priorityClass,
  'node.k8s.io/RuntimeClass': runtimeClass,
  'apiextensions.k8s.io/CustomResourceDefinition': customResourceDefinition,
};

/** Kinds of which an update is judged as a whole, and then again with what it may not change. (each strategy.go's ValidateUpdate) */
const TWICE: ReadonlySet<string> = new Set([
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  '/ReplicationController',
  '/Node',
  'batch/Job',
  'networking.k8s.io/NetworkPolicy',
  'networking.k8s.io/IPAddress',
  'rbac.authorization.k8s.io/Role',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/RoleBinding',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'storage.k8s.io/CSINode',
  'resource.k8s.io/DeviceClass',
  'resource.k8s.io/ResourceClaim',
  'resource.k8s.io/ResourceClaimTemplate',
]);

/**
 * What a built-in kind's own rules say of a decoded, defaulted object; with `old`, what an update may not change either. Metadata
 * is not looked at (names, labels, immutable metadata are the same for all kinds); kinds without rules give no error.
 * The order and the words are kube-apiserver's. `apiVersion` is that of the request, where it says more than the object's own.
 */
export function validateBuiltin(
  object: JsonObject,
  old?: JsonObject,
  apiVersion: string = stringAt(object, 'apiVersion') ?? '',
): FieldError[] {
  const slash = apiVersion.indexOf('/');
  const key = `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${stringAt(object, 'kind') ?? ''}`;
  const errors: Errors = [];
  if (!Object.hasOwn(VALIDATORS, key)) return errors;
  if (old !== undefined && TWICE.has(key)) VALIDATORS[key]?.(errors, object, undefined);
  VALIDATORS[key]?.(errors, object, old);
  return errors;
}

/** What the rules of a subresource of a built-in kind say of an update through it; most have none beside the schema. */
export function validateSubresource(
  subresource: string,
  object: JsonObject,
  old: JsonObject | undefined,
): FieldError[] {
  const errors: Errors = [];
  if (subresource === 'ephemeralcontainers' && old !== undefined) ephemeralContainers(errors, object, old);
  return errors;
}
