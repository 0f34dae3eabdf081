import { equal, type JsonObject } from '../../../base/json.ts';
import { dns1123Subdomain } from '../names.ts';
import {
  type Errors,
  each,
  forbidden,
  has,
  invalid,
  items,
  labelSelector,
  lessThan,
  notSupported,
  object,
  quantity,
  required,
  text,
  texts,
  without,
} from './field-checks.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

function accessModes(errors: Errors, spec: JsonObject, path: string): void {
  const modes = texts(spec, 'accessModes');
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(path, mode, ACCESS_MODES));
  if (modes.includes('ReadWriteOncePod') && modes.length > 1)
    errors.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'));
}

/** The spec of a claim, or of a claim's template. (ValidatePersistentVolumeClaimSpec) */
export function claimSpec(errors: Errors, spec: JsonObject, path: string): void {
  if (items(spec, 'accessModes').length === 0)
    errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'));
  labelSelector(errors, object(spec, 'selector'), `${path}.selector`);
  // A template's modes are named one by one, a claim's own by their list.
  const modes: Errors = [];
  accessModes(modes, spec, `${path}.accessModes`);
  errors.push(...modes);
  const storage = object(object(spec, 'resources'), 'requests')?.['storage'];
  if (storage === undefined) errors.push(required(`${path}.resources[storage]`));
  else if (quantity(storage).value <= 0n)
    errors.push(invalid(`${path}.resources[storage]`, storage, 'must be greater than zero'));
  const className = text(spec, 'storageClassName');
  if (className !== '') each(errors, dns1123Subdomain(className), `${path}.storageClassName`, className);
  const mode = text(spec, 'volumeMode');
  if (mode !== '' && mode !== 'Block' && mode !== 'Filesystem')
    errors.push(notSupported(`${path}.volumeMode`, mode, ['Block', 'Filesystem']));
}

export function claim(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  claimSpec(errors, spec, 'spec');
  if (old === undefined) return;
  const before = object(old, 'spec') ?? {};
  const rest = (own: JsonObject): JsonObject => ({
    ...without(own, 'resources', 'volumeName', 'volumeAttributesClassName'),
    limits: object(object(own, 'resources'), 'limits') ?? null,
  });
  const bound = text(before, 'volumeName') !== '' && text(before, 'volumeName') !== text(spec, 'volumeName');
  if (bound || !equal(rest(spec), rest(before))) {
    errors.push(
      forbidden(
        'spec',
        'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      ),
    );
  }
  const [size, was] = [
    object(object(spec, 'resources'), 'requests')?.['storage'],
    object(object(before, 'resources'), 'requests')?.['storage'],
  ];
  if (lessThan(size, was))
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than previous value'));
}

export function persistentVolume(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  if (items(spec, 'accessModes').length === 0) errors.push(required('spec.accessModes'));
  accessModes(errors, spec, 'spec.accessModes');
  const capacity = object(spec, 'capacity') ?? {};
  if (Object.keys(capacity).length === 0) errors.push(required('spec.capacity'));
  if (capacity['storage'] === undefined || Object.keys(capacity).length > 1)
    errors.push(notSupported('spec.capacity', capacity, ['storage']));
  else if (quantity(capacity['storage']).value <= 0n)
    errors.push(invalid('spec.capacity[storage]', capacity['storage'], 'must be greater than zero'));
  const policy = text(spec, 'persistentVolumeReclaimPolicy');
  if (policy !== '' && !['Delete', 'Recycle', 'Retain'].includes(policy)) {
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, ['Delete', 'Recycle', 'Retain']));
  }
  const sources = persistentSources(spec);
  sources.slice(1).forEach((kind) => errors.push(forbidden(`spec.${kind}`, 'may not specify more than 1 volume type')));
  if (sources.length === 0) errors.push(required('spec', 'must specify a volume type'));
  const host = object(spec, 'hostPath');
  if (sources[0] === 'hostPath' && text(host, 'path') === '') errors.push(required('spec.hostPath.path'));
  const className = text(spec, 'storageClassName');
  if (className !== '') each(errors, dns1123Subdomain(className), 'spec.storageClassName', className);
  const mode = text(spec, 'volumeMode');
  if (mode !== '' && mode !== 'Block' && mode !== 'Filesystem')
    errors.push(notSupported('spec.volumeMode', mode, ['Block', 'Filesystem']));
  if (old === undefined) return;
  const before = object(old, 'spec') ?? {};
  const onlySources = (own: JsonObject): JsonObject =>
    Object.fromEntries(persistentSources(own).map((kind) => [kind, own[kind] ?? null]));
  if (!equal(onlySources(spec), onlySources(before)))
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
  if (text(before, 'volumeMode') !== mode) errors.push(invalid('spec.volumeMode', mode, 'field is immutable'));
}

export function storageClass(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const provisioner = text(value, 'provisioner');
  if (provisioner === '') errors.push(required('provisioner', provisioner));
  const reclaim = text(value, 'reclaimPolicy');
  if (has(value, 'reclaimPolicy') && !['Delete', 'Retain'].includes(reclaim))
    errors.push(notSupported('reclaimPolicy', reclaim, ['Delete', 'Retain']));
  const mode = text(value, 'volumeBindingMode');
  if (mode === '') errors.push(required('volumeBindingMode'));
  else if (!['Immediate', 'WaitForFirstConsumer'].includes(mode)) {
    errors.push(notSupported('volumeBindingMode', mode, ['Immediate', 'WaitForFirstConsumer']));
  }
  if (old === undefined) return;
  if (!equal(object(value, 'parameters') ?? {}, object(old, 'parameters') ?? {}))
    errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
  if (provisioner !== text(old, 'provisioner'))
    errors.push(forbidden('provisioner', 'updates to provisioner are forbidden.'));
  if (reclaim !== text(old, 'reclaimPolicy'))
    errors.push(forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'));
  if (mode !== text(old, 'volumeBindingMode')) errors.push(invalid('volumeBindingMode', mode, 'field is immutable'));
}

export function csiStorageCapacity(errors: Errors, value: JsonObject): void {
  const className = text(value, 'storageClassName');
  if (className === '') errors.push(required('storageClassName'));
  else each(errors, dns1123Subdomain(className), 'storageClassName', className);
}

export function volumeAttachment(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  if (text(spec, 'attacher') === '') errors.push(required('spec.attacher'));
  const source = object(spec, 'source');
  if (!has(source, 'persistentVolumeName') && !has(source, 'inlineVolumeSpec'))
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  if (text(spec, 'nodeName') === '') errors.push(required('spec.nodeName'));
  if (old !== undefined && !equal(spec, object(old, 'spec') ?? {}))
    errors.push(invalid('spec', spec, 'field is immutable'));
}

/** Every kind of source of a PersistentVolume that is set, in the order they are looked at. */
function persistentSources(spec: JsonObject): string[] {
  const kinds = [
    'hostPath',
    'gcePersistentDisk',
    'awsElasticBlockStore',
    'glusterfs',
    'flocker',
    'nfs',
    'rbd',
    'quobyte',
    'cephfs',
    'iscsi',
    'cinder',
    'fc',
    'flexVolume',
    'azureFile',
    'vsphereVolume',
    'photonPersistentDisk',
    'portworxVolume',
    'azureDisk',
    'scaleIO',
    'local',
    'storageos',
    'csi',
  ];
  return kinds.filter((kind) => object(spec, kind) !== undefined);
}
