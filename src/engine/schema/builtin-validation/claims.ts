import { equal, type Json, type JsonObject } from '../../../base/json.ts';
import { internalDiff } from '../internal-types.ts';
import { dns1123Label, dns1123Subdomain } from '../names.ts';
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
} from './field-checks.ts';
import { internalForm, VOLUME_NODE_AFFINITY } from './internal-form.ts';
import { nodeSelectorTerms } from './node-selector.ts';
import { driverName } from './storage.ts';

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
  volumeMode(errors, spec, `${path}.volumeMode`);
  for (const key of ['dataSource', 'dataSourceRef']) {
    const source = object(spec, key);
    if (source !== undefined) dataSource(errors, source, `${path}.${key}`);
  }
  const attributes = text(spec, 'volumeAttributesClassName');
  if (attributes !== '') each(errors, dns1123Subdomain(attributes), `${path}.volumeAttributesClassName`, attributes);
}

function volumeMode(errors: Errors, spec: JsonObject, path: string): void {
  const mode = text(spec, 'volumeMode');
  if (has(spec, 'volumeMode') && mode !== 'Block' && mode !== 'Filesystem')
    errors.push(notSupported(path, mode, ['Block', 'Filesystem']));
}

function dataSource(errors: Errors, source: JsonObject, path: string): void {
  const [name, kind, group] = [text(source, 'name'), text(source, 'kind'), text(source, 'apiGroup')];
  if (name === '') errors.push(required(`${path}.name`));
  if (kind === '') errors.push(required(`${path}.kind`));
  if (group === '' && kind !== 'PersistentVolumeClaim')
    errors.push(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  if (group !== '') each(errors, dns1123Subdomain(group), `${path}.apiGroup`, group);
}

export function claim(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  claimSpec(errors, spec, 'spec');
  if (old === undefined) return;
  const before = object(old, 'spec') ?? {};
  const bound = text(object(value, 'status'), 'phase') === 'Bound';
  const [size, was] = [
    object(object(spec, 'resources'), 'requests')?.['storage'],
    object(object(before, 'resources'), 'requests')?.['storage'],
  ];
  // What may change counts as it was: the volume once, and of a bound claim the size and the class of attributes.
  const own: { [key: string]: Json } = { ...spec };
  const first: { [key: string]: Json } = { ...before };
  if (text(before, 'volumeName') === '' && has(spec, 'volumeName')) first['volumeName'] = spec['volumeName'] as Json;
  if (bound) {
    const resources = object(spec, 'resources') ?? {};
    const requests = object(resources, 'requests');
    if (requests !== undefined && was !== undefined)
      own['resources'] = { ...resources, requests: { ...requests, storage: was } };
    if (has(before, 'volumeAttributesClassName'))
      own['volumeAttributesClassName'] = before['volumeAttributesClassName'] as Json;
    else delete own['volumeAttributesClassName'];
  }
  if (!equal(own, first)) {
    errors.push(
      forbidden(
        'spec',
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${internalDiff('PersistentVolumeClaimSpec', first, own)}`,
      ),
    );
  }
  const held = object(object(old, 'status'), 'capacity')?.['storage'];
  if (lessThan(size, was) && !lessThan(held, size))
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  if (!equal(spec['volumeMode'] ?? null, before['volumeMode'] ?? null))
    errors.push(invalid('volumeMode', spec['volumeMode'] ?? null, 'field is immutable'));
}

export function persistentVolume(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  if (items(spec, 'accessModes').length === 0) errors.push(required('spec.accessModes'));
  accessModes(errors, spec, 'spec.accessModes');
  const capacity = object(spec, 'capacity') ?? {};
  if (Object.keys(capacity).length === 0) errors.push(required('spec.capacity'));
  if (capacity['storage'] === undefined || Object.keys(capacity).length > 1)
    errors.push(notSupported('spec.capacity', capacity, ['storage']));
  for (const [name, amount] of Object.entries(capacity)) {
    const at = `spec.capacity[${name}]`;
    const own = quantity(amount);
    if (own.value < 0n) errors.push(invalid(at, Number(own.value), 'must be a valid resource quantity'));
    if (own.value <= 0n) errors.push(invalid(at, amount, 'must be greater than zero'));
  }
  const policy = text(spec, 'persistentVolumeReclaimPolicy');
  if (policy !== '' && !['Delete', 'Recycle', 'Retain'].includes(policy)) {
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, ['Delete', 'Recycle', 'Retain']));
  }
  const nodes = object(spec, 'nodeAffinity');
  if (nodes !== undefined) {
    const needed = object(nodes, 'required');
    if (needed === undefined)
      errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
    else nodeSelectorTerms(errors, needed, 'spec.nodeAffinity.required', true);
  }
  const sources = persistentSources(spec);
  sources.slice(1).forEach((kind) => errors.push(forbidden(`spec.${kind}`, 'may not specify more than 1 volume type')));
  if (sources.length === 0) errors.push(required('spec', 'must specify a volume type'));
  if (sources[0] !== undefined) sourceOf(errors, sources[0], object(spec, sources[0]) ?? {}, spec);
  const className = text(spec, 'storageClassName');
  if (className !== '') each(errors, dns1123Subdomain(className), 'spec.storageClassName', className);
  volumeMode(errors, spec, 'spec.volumeMode');
  const attributes = text(spec, 'volumeAttributesClassName');
  if (has(spec, 'volumeAttributesClassName')) volumeAttributes(errors, spec, attributes);
  if (old === undefined) return;
  const before = object(old, 'spec') ?? {};
  const onlySources = (own: JsonObject): JsonObject =>
    Object.fromEntries(persistentSources(own).map((kind) => [kind, own[kind] ?? null]));
  if (!equal(onlySources(spec), onlySources(before)))
    errors.push(
      forbidden(
        'spec.persistentvolumesource',
        `spec.persistentvolumesource is immutable after creation\n${internalDiff('PersistentVolumeSource', before, spec)}`,
      ),
    );
  if (!equal(spec['volumeMode'] ?? null, before['volumeMode'] ?? null))
    errors.push(invalid('volumeMode', spec['volumeMode'] ?? null, 'field is immutable'));
  if (has(before, 'nodeAffinity') && !equal(spec['nodeAffinity'] ?? null, before['nodeAffinity'] ?? null)) {
    const own = nodes === undefined ? null : internalForm(nodes, VOLUME_NODE_AFFINITY);
    errors.push(invalid('nodeAffinity', own, 'field is immutable, except for updating from beta label to GA'));
  }
  if (has(before, 'volumeAttributesClassName') && !has(spec, 'volumeAttributesClassName'))
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
}

function volumeAttributes(errors: Errors, spec: JsonObject, name: string): void {
  const at = 'spec.volumeAttributesClassName';
  if (name === '') errors.push(required(at, 'an empty string is disallowed'));
  else each(errors, dns1123Subdomain(name), at, name);
  if (object(spec, 'csi') === undefined) errors.push(required('spec.csi', `has to be specified when using ${at}`));
}

const HOST_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const SECRET_REFS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
];

/** The sources of volumes that clusters are set up with by hand. */
function sourceOf(errors: Errors, kind: string, source: JsonObject, spec: JsonObject): void {
  const at = `spec.${kind}`;
  const need = (key: string): void => {
    if (text(source, key) === '') errors.push(required(`${at}.${key}`));
  };
  const noBacksteps = (): void => {
    if (text(source, 'path').split('/').includes('..'))
      errors.push(invalid(`${at}.path`, text(source, 'path'), "must not contain '..'"));
  };
  if (kind === 'hostPath') {
    need('path');
    if (text(source, 'path') === '') return;
    noBacksteps();
    const type = text(source, 'type');
    if (!HOST_TYPES.includes(type)) errors.push(notSupported(`${at}.type`, type, HOST_TYPES));
  } else if (kind === 'nfs') {
    need('server');
    need('path');
    const path = text(source, 'path');
    if (path !== '' && !path.startsWith('/')) errors.push(invalid(`${at}.path`, path, 'must be an absolute path'));
  } else if (kind === 'local') {
    need('path');
    if (text(source, 'path') !== '') noBacksteps();
    if (object(spec, 'nodeAffinity') === undefined)
      errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  } else if (kind === 'csi') {
    driverName(errors, text(source, 'driver'), `${at}.driver`);
    need('volumeHandle');
    for (const key of SECRET_REFS) {
      const secret = object(source, key);
      if (secret === undefined) continue;
      for (const part of ['name', 'namespace']) {
        const own = text(secret, part);
        const place = `${at}.${key}.${part}`;
        if (own === '') errors.push(required(place));
        else each(errors, part === 'name' ? dns1123Subdomain(own) : dns1123Label(own), place, own);
      }
    }
  }
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
