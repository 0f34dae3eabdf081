import type { Json, JsonObject } from '../../../base/json.ts';
import { dns1123Label, dns1123Subdomain } from '../names.ts';
import { claimSpec } from './claims.ts';
import {
  duplicate,
  type Errors,
  each,
  forbidden,
  has,
  invalid,
  items,
  labels,
  notSupported,
  number,
  object,
  required,
  Seen,
  text,
} from './field-checks.ts';
import { fieldRef, resourceFieldRef } from './field-refs.ts';
import { driverName } from './storage.ts';

const KINDS = [
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
];

/**
 * Volumes of a pod by name; `podName` is that of a pod, '' for a template.
 * (kubernetes@1.34 pkg/apis/core/validation ValidateVolumes)
 */
export function volumes(errors: Errors, spec: JsonObject, path: string, podName: string): Map<string, JsonObject> {
  const known = new Map<string, JsonObject>();
  items(spec, 'volumes').forEach((volume, index) => {
    const at = `${path}[${index}]`;
    const name = text(volume, 'name');
    const found: Errors = [];
    source(found, volume as JsonObject, at);
    if (podName !== '' && name !== '' && has(volume, 'ephemeral')) {
      const claimName = `${podName}-${name}`;
      const wrong = dns1123Subdomain(claimName).map((message) => `PVC name ${JSON.stringify(claimName)}: ${message}`);
      each(found, wrong, `${at}.name`, name);
    }
    const names: Errors = [];
    if (name === '') names.push(required(`${at}.name`));
    else {
      each(names, dns1123Label(name), `${at}.name`, name);
      if (known.has(name)) names.push(duplicate(`${at}.name`, name));
    }
    errors.push(...found, ...names);
    if (found.length === 0 && names.length === 0) known.set(name, volume as JsonObject);
  });
  return known;
}

/** Exactly one kind of source; a second one is refused where it stands. */
function source(errors: Errors, volume: JsonObject, path: string): void {
  let count = object(volume, 'emptyDir') === undefined ? 0 : 1;
  if (count === 1) {
    const limit = text(object(volume, 'emptyDir'), 'sizeLimit');
    if (limit.startsWith('-'))
      errors.push(forbidden(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  }
  for (const kind of KINDS) {
    const own = object(volume, kind);
    if (own === undefined) continue;
    if (count > 0) {
      errors.push(forbidden(`${path}.${kind}`, 'may not specify more than 1 volume type'));
      continue;
    }
    count++;
    sourceOf(errors, kind, own, `${path}.${kind}`);
  }
  if (count === 0) errors.push(required(path, 'must specify a volume type'));
}

function sourceOf(errors: Errors, kind: string, own: JsonObject, path: string): void {
  const needed: { readonly [kind: string]: readonly string[] } = {
    secret: ['secretName'],
    persistentVolumeClaim: ['claimName'],
    nfs: ['server', 'path'],
    gcePersistentDisk: ['pdName'],
    awsElasticBlockStore: ['volumeID'],
    iscsi: ['targetPortal'],
    cinder: ['volumeID'],
    azureFile: ['secretName', 'shareName'],
    gitRepo: ['repository'],
    flexVolume: ['driver'],
  };
  for (const key of needed[kind] ?? []) if (text(own, key) === '') errors.push(required(`${path}.${key}`));
  switch (kind) {
    case 'configMap':
      if (text(own, 'name') === '') errors.push(required(`${path}.name`));
      mode(errors, own, path);
      keyPaths(errors, own, path);
      return;
    case 'secret':
      mode(errors, own, path);
      keyPaths(errors, own, path);
      return;
    case 'hostPath':
      hostPath(errors, own, path);
      return;
    case 'csi': {
      driverName(errors, text(own, 'driver'), `${path}.driver`);
      const secret = object(own, 'nodePublishSecretRef');
      if (secret === undefined) return;
      const name = text(secret, 'name');
      if (name === '') errors.push(required(`${path}.nodePublishSecretRef.name`));
      else each(errors, dns1123Subdomain(name), `${path}.name`, name);
      return;
    }
    case 'nfs':
      if (!text(own, 'path').startsWith('/'))
        errors.push(invalid(`${path}.path`, text(own, 'path'), 'must be an absolute path'));
      return;
    case 'downwardAPI':
      mode(errors, own, path);
      for (const item of items(own, 'items')) downward(errors, item, path);
      return;
    case 'projected':
      projected(errors, own, path);
      return;
    case 'ephemeral': {
      const template = object(own, 'volumeClaimTemplate');
      if (template === undefined) errors.push(required(`${path}.volumeClaimTemplate`));
      else {
        labels(errors, object(object(template, 'metadata'), 'labels'), `${path}.volumeClaimTemplate.metadata.labels`);
        claimSpec(errors, object(template, 'spec') ?? {}, `${path}.volumeClaimTemplate.spec`);
      }
      return;
    }
    default:
  }
}

function hostPath(errors: Errors, own: JsonObject, path: string): void {
  if (text(own, 'path') === '') errors.push(required(`${path}.path`));
  else noBackSteps(errors, text(own, 'path'), `${path}.path`);
  const types = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];
  if (has(own, 'type') && !types.includes(text(own, 'type')))
    errors.push(notSupported(`${path}.type`, text(own, 'type'), types));
}

function noBackSteps(errors: Errors, value: string, path: string): void {
  if (value.split('/').includes('..')) errors.push(invalid(path, value, "must not contain '..'"));
}

/** A path below a volume. */
export function localPath(errors: Errors, value: string, path: string): void {
  if (value.startsWith('/')) errors.push(invalid(path, value, 'must be a relative path'));
  noBackSteps(errors, value, path);
}

function mode(errors: Errors, own: Json, path: string, key = 'defaultMode'): void {
  const value = number(own, key);
  if (value !== undefined && (value < 0 || value > 0o777)) {
    errors.push(invalid(`${path}.${key}`, value, 'must be a number between 0 and 0777 (octal), both inclusive'));
  }
}

function keyPaths(errors: Errors, own: Json, path: string): void {
  items(own, 'items').forEach((item, index) => {
    const at = `${path}.items[${index}]`;
    if (text(item, 'key') === '') errors.push(required(`${at}.key`));
    itemPath(errors, item, at);
    mode(errors, item, at, 'mode');
  });
}

function itemPath(errors: Errors, item: Json, path: string): void {
  const value = text(item, 'path');
  if (value === '') errors.push(required(`${path}.path`));
  else {
    localPath(errors, value, `${path}.path`);
    if (value.startsWith('..') && !value.split('/').includes('..'))
      errors.push(invalid(`${path}.path`, value, "must not start with '..'"));
  }
}

/** What files may say of their pod. */
const FILE_FIELDS: ReadonlySet<string> = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]);

function downward(errors: Errors, item: Json, path: string): void {
  itemPath(errors, item, path);
  const [reference, resource] = [object(item, 'fieldRef'), object(item, 'resourceFieldRef')];
  if (reference === undefined && resource === undefined)
    errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'));
  else if (reference !== undefined && resource !== undefined)
    errors.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  else if (reference !== undefined) fieldRef(errors, reference, `${path}.fieldRef`, FILE_FIELDS);
  else if (resource !== undefined) resourceFieldRef(errors, resource, `${path}.resourceFieldRef`, true);
  mode(errors, item, path, 'mode');
}

function projected(errors: Errors, own: JsonObject, path: string): void {
  mode(errors, own, path);
  const paths = new Seen();
  const once = (place: string, named: string): void => {
    if (place !== '' && !paths.add(place)) errors.push(invalid(path, named, 'conflicting duplicate paths'));
  };
  items(own, 'sources').forEach((projection, index) => {
    const at = `${path}.sources[${index}]`;
    const kinds = ['secret', 'configMap', 'downwardAPI', 'serviceAccountToken', 'clusterTrustBundle'].filter(
      (kind) => object(projection, kind) !== undefined,
    );
    kinds
      .slice(1)
      .forEach((kind) => errors.push(forbidden(`${at}.${kind}`, 'may not specify more than 1 volume type')));
    const [kind] = kinds;
    if (kind === undefined) return;
    const inner = object(projection, kind) as JsonObject;
    if (kind === 'secret' || kind === 'configMap') {
      if (text(inner, 'name') === '') errors.push(required(`${at}.${kind}.name`));
      keyPaths(errors, inner, `${at}.${kind}`);
      for (const item of items(inner, 'items')) once(text(item, 'path'), text(inner, 'name'));
    } else if (kind === 'downwardAPI')
      items(inner, 'items').forEach((item) => {
        downward(errors, item, `${at}.downwardAPI`);
        once(text(item, 'path'), text(item, 'path'));
      });
    else if (kind === 'serviceAccountToken') {
      const seconds = number(inner, 'expirationSeconds');
      if (seconds !== undefined && seconds < 600)
        errors.push(
          invalid(`${at}.${kind}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'),
        );
      if (seconds !== undefined && seconds > 2 ** 32)
        errors.push(
          invalid(`${at}.${kind}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'),
        );
      const own = text(inner, 'path');
      if (own === '') errors.push(required(`${path}.path`));
      else localPath(errors, own, `${path}.path`);
      once(own, own);
    }
  });
}

/** Mounts of a container over the pod's volumes. */
export function mounts(errors: Errors, container: Json, known: ReadonlyMap<string, JsonObject>, path: string): void {
  const seen = new Seen();
  items(container, 'volumeMounts').forEach((mount, index) => {
    const at = `${path}[${index}]`;
    const name = text(mount, 'name');
    if (name === '') errors.push(required(`${at}.name`));
    if (!known.has(name))
      errors.push({ field: `${at}.name`, reason: 'FieldValueNotFound', message: `Not found: ${JSON.stringify(name)}` });
    const place = text(mount, 'mountPath');
    if (place === '') errors.push(required(`${at}.mountPath`));
    if (place !== '' && !seen.add(place)) errors.push(invalid(`${at}.mountPath`, place, 'must be unique'));
    for (const key of ['subPath', 'subPathExpr']) {
      if (text(mount, key) !== '') localPath(errors, text(mount, key), `${path}.${key}`);
    }
    const propagation = text(mount, 'mountPropagation');
    if (has(mount, 'mountPropagation') && !['Bidirectional', 'HostToContainer', 'None'].includes(propagation)) {
      errors.push(notSupported(`${path}.mountPropagation`, propagation, ['Bidirectional', 'HostToContainer', 'None']));
    }
    recursive(errors, mount, propagation, `${path}.recursiveReadOnly`);
  });
}

/** Mounts that are read-only all the way down. (validateMountRecursiveReadOnly) */
function recursive(errors: Errors, mount: Json, propagation: string, path: string): void {
  if (!has(mount, 'recursiveReadOnly')) return;
  const own = text(mount, 'recursiveReadOnly');
  if (own === 'Disabled') return;
  if (!['Enabled', 'IfPossible'].includes(own)) {
    errors.push(notSupported(path, own, ['Disabled', 'Enabled', 'IfPossible']));
    return;
  }
  if (object({ mount }, 'mount')?.['readOnly'] !== true)
    errors.push(forbidden(path, 'may only be specified when readOnly is true'));
  if (propagation !== '' && propagation !== 'None')
    errors.push(forbidden(path, 'may only be specified when mountPropagation is None or not specified'));
}
