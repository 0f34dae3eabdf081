/**
 * What a Go server does with zero values that a client sent: optional fields that are no pointers vanish. OpenAPI does not tell
 * pointers from values, so they stand here. Source: the struct tags in k8s.io/api@0.34.
 */

/** Optional numbers and booleans that are values: `false` and `0` are not written. */
const VALUES = new Set([
  ...['hostNetwork', 'hostPID', 'hostIPC'].map((name) => `PodSpec.${name}`),
  ...['Container', 'EphemeralContainer'].flatMap((kind) => [`${kind}.stdin`, `${kind}.stdinOnce`, `${kind}.tty`]),
  'VolumeMount.readOnly',
  ...[
    'AWSElasticBlockStoreVolumeSource',
    'AzureFileVolumeSource',
    'AzureFilePersistentVolumeSource',
    'CephFSVolumeSource',
    'CephFSPersistentVolumeSource',
    'CinderVolumeSource',
    'CinderPersistentVolumeSource',
    'CSIPersistentVolumeSource',
    'FCVolumeSource',
    'FlexVolumeSource',
    'FlexPersistentVolumeSource',
    'GCEPersistentDiskVolumeSource',
    'GlusterfsVolumeSource',
    'ISCSIVolumeSource',
    'ISCSIPersistentVolumeSource',
    'NFSVolumeSource',
    'PersistentVolumeClaimVolumeSource',
    'PortworxVolumeSource',
    'QuobyteVolumeSource',
    'RBDVolumeSource',
    'RBDPersistentVolumeSource',
    'ScaleIOVolumeSource',
    'ScaleIOPersistentVolumeSource',
    'StorageOSVolumeSource',
    'StorageOSPersistentVolumeSource',
  ].map((kind) => `${kind}.readOnly`),
  'AWSElasticBlockStoreVolumeSource.partition',
  'GCEPersistentDiskVolumeSource.partition',
  'ISCSIVolumeSource.chapAuthDiscovery',
  'ISCSIVolumeSource.chapAuthSession',
  'ContainerPort.hostPort',
  'NodeSpec.unschedulable',
  'ServiceSpec.publishNotReadyAddresses',
  'ServiceSpec.healthCheckNodePort',
  'ServicePort.nodePort',
  ...['DeploymentSpec', 'ReplicaSetSpec', 'StatefulSetSpec', 'DaemonSetSpec', 'ReplicationControllerSpec'].map(
    (kind) => `${kind}.minReadySeconds`,
  ),
  'DeploymentSpec.paused',
  ...['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'].map(
    (name) => `Probe.${name}`,
  ),
  'PriorityClass.globalDefault',
  'APIServiceSpec.insecureSkipTLSVerify',
  'Event.count',
  'EventSeries.count',
  'ObjectMeta.generation',
  'ListMeta.remainingItemCount',
  'CustomResourceDefinitionSpec.preserveUnknownFields',
  'CustomResourceDefinitionVersion.deprecated',
  'CustomResourceColumnDefinition.priority',
  ...[
    'nullable',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'uniqueItems',
    'x-kubernetes-embedded-resource',
    'x-kubernetes-int-or-string',
  ].map((name) => `JSONSchemaProps.${name}`),
  'DeviceRequest.adminAccess',
  'ExactDeviceRequest.count',
  'SubjectAccessReviewStatus.denied',
  'SubjectRulesReviewStatus.incomplete',
  'TokenReviewStatus.authenticated',
  'LabelSelectorRequirement.values',
  'ContainerStatus.restartCount',
  'ScaleSpec.replicas',
]);

/** Kinds whose optional numbers and booleans are all values. */
const VALUE_KINDS = new Set([
  'DeploymentStatus',
  'ReplicaSetStatus',
  'DaemonSetStatus',
  'StatefulSetStatus',
  'ReplicationControllerStatus',
  'PodDisruptionBudgetStatus',
  'FlowSchemaStatus',
  'ContainerStateTerminated',
]);

const VALUE_STATUS: ReadonlySet<string> = new Set(['JobStatus.active', 'JobStatus.succeeded', 'JobStatus.failed']);

/** Optional strings that are pointers: `''` is written. */
const STRING_POINTERS = new Set([
  'PersistentVolumeClaimSpec.storageClassName',
  'PersistentVolumeClaimSpec.volumeMode',
  'PersistentVolumeClaimSpec.volumeAttributesClassName',
  'PersistentVolumeSpec.volumeMode',
  'PersistentVolumeSpec.volumeAttributesClassName',
  'IngressSpec.ingressClassName',
  'PodSpec.runtimeClassName',
  'PodSpec.preemptionPolicy',
  'PodSpec.hostnameOverride',
  'ServicePort.appProtocol',
  'ServiceSpec.loadBalancerClass',
  'EndpointPort.name',
  'EndpointPort.protocol',
  'EndpointPort.appProtocol',
  'Endpoint.hostname',
  'Endpoint.nodeName',
  'Endpoint.zone',
  'EndpointAddress.nodeName',
  'GRPCAction.service',
  'LeaseSpec.holderIdentity',
  'LeaseSpec.strategy',
  'LeaseSpec.preferredHolder',
  'CronJobSpec.timeZone',
  'JobSpec.managedBy',
  'WebhookClientConfig.url',
  'ServiceReference.path',
  'TypedLocalObjectReference.apiGroup',
  'TypedObjectReference.apiGroup',
  'TypedObjectReference.namespace',
  'CSIPersistentVolumeSource.fsType',
  'CSIVolumeSource.fsType',
  'AzureDiskVolumeSource.fsType',
  'DeviceRequest.deviceClassName',
  'PodDNSConfigOption.value',
  'SELinuxOptions.none',
  'HostPathVolumeSource.type',
  'IngressClassParametersReference.apiGroup',
  'IngressClassParametersReference.namespace',
  'IngressClassParametersReference.scope',
  'StorageClass.reclaimPolicy',
  'StorageClass.volumeBindingMode',
  'CustomResourceDefinitionVersion.deprecationWarning',
  'CustomResourceSubresourceScale.labelSelectorPath',
  'ValidationRule.reason',
  'ParamRef.parameterNotFoundAction',
  'Validation.reason',
]);

/** Lists and maps that are optional for clients, and yet always written: `null` when there is none. */
const ALWAYS = new Set([
  'ClusterRole.rules',
  'Role.rules',
  'Event.eventTime',
  'Event.firstTimestamp',
  'Event.lastTimestamp',
  'Event.reportingComponent',
  'Event.reportingInstance',
  'CSINodeSpec.drivers',
  'TypedLocalObjectReference.apiGroup',
  'HorizontalPodAutoscalerStatus.currentMetrics',
]);
/** Fields that the schema calls required or defaulted, and that are left out when empty. */
const NEVER = new Set([
  'ObjectMeta.creationTimestamp',
  'EndpointSlice.ports',
  'Deployment.spec',
  'PodCondition.lastTransitionTime',
]);

export function isDroppedZero(struct: string, field: string, value: number | boolean | string): boolean {
  const name = `${struct}.${field}`;
  if (typeof value === 'string') return value === '' && !STRING_POINTERS.has(name);
  if (value !== 0 && value !== false) return false;
  return VALUES.has(name) || VALUE_KINDS.has(struct) || VALUE_STATUS.has(name);
}

export function isAlwaysWritten(struct: string, field: string): boolean {
  return ALWAYS.has(`${struct}.${field}`);
}

export function isNeverDefaulted(struct: string, field: string): boolean {
  return NEVER.has(`${struct}.${field}`);
}
