import { field, isArray, isObject, type Json, type MutableJsonObject } from '../../base/json.ts';

/** Sets `key` where nobody did. The objects here are copies that the defaulting owns. */
export function preset(object: MutableJsonObject, key: string, value: Json): void {
  if (field(object, key) === undefined || object[key] === null) object[key] = value;
}

/** As {@link preset}, and where an empty string or zero stands. */
export function presetEmpty(object: MutableJsonObject, key: string, value: Json): void {
  const own = field(object, key);
  if (own === undefined || own === null || own === '' || own === 0) object[key] = value;
}

export function child(object: Json | undefined, key: string): MutableJsonObject | undefined {
  const value = field(object, key);
  return isObject(value) ? (value as MutableJsonObject) : undefined;
}

export function children(object: Json | undefined, key: string): MutableJsonObject[] {
  const value = field(object, key);
  return isArray(value) ? (value.filter(isObject) as MutableJsonObject[]) : [];
}

/** Pod spec defaults, in a Pod or a template. (kubernetes@1.34 pkg/apis/core/v1/defaults.go) */
export function defaultPodSpec(spec: MutableJsonObject, inPod: boolean): void {
  presetEmpty(spec, 'dnsPolicy', 'ClusterFirst');
  presetEmpty(spec, 'restartPolicy', 'Always');
  if (spec['hostNetwork'] === true) {
    for (const container of [...children(spec, 'containers'), ...children(spec, 'initContainers')]) {
      for (const port of children(container, 'ports')) {
        if (typeof port['containerPort'] === 'number') presetEmpty(port, 'hostPort', port['containerPort']);
      }
    }
  }
  preset(spec, 'securityContext', {});
  preset(spec, 'terminationGracePeriodSeconds', 30);
  const grace = spec['terminationGracePeriodSeconds'];
  if (inPod && typeof grace === 'number' && grace < 0) spec['terminationGracePeriodSeconds'] = 1;
  presetEmpty(spec, 'schedulerName', 'default-scheduler');
  if (inPod) preset(spec, 'enableServiceLinks', true);
  const account = field(spec, 'serviceAccountName') ?? field(spec, 'serviceAccount');
  if (typeof account === 'string' && account !== '') {
    spec['serviceAccountName'] = account;
    spec['serviceAccount'] = account;
  }
  for (const container of [...children(spec, 'initContainers'), ...children(spec, 'containers')]) {
    defaultContainer(container);
    if (inPod) requestsFromLimits(container);
  }
  for (const container of children(spec, 'ephemeralContainers')) defaultContainer(container);
  if (inPod) requestsFromLimits(spec);
  for (const volume of children(spec, 'volumes')) defaultVolume(volume);
}

function requestsFromLimits(holder: MutableJsonObject): void {
  const resources = child(holder, 'resources');
  const limits = child(resources, 'limits');
  if (resources === undefined || limits === undefined) return;
  const requests: MutableJsonObject = { ...child(resources, 'requests') };
  for (const name of Object.keys(limits)) preset(requests, name, limits[name] as Json);
  if (Object.keys(requests).length > 0) resources['requests'] = requests;
}

function defaultContainer(container: MutableJsonObject): void {
  const image = field(container, 'image');
  presetEmpty(container, 'imagePullPolicy', pullPolicy(typeof image === 'string' ? image : ''));
  presetEmpty(container, 'terminationMessagePath', '/dev/termination-log');
  presetEmpty(container, 'terminationMessagePolicy', 'File');
  for (const port of children(container, 'ports')) presetEmpty(port, 'protocol', 'TCP');
  for (const env of children(container, 'env')) {
    const reference = child(child(env, 'valueFrom'), 'fieldRef');
    if (reference !== undefined) presetEmpty(reference, 'apiVersion', 'v1');
    const file = child(child(env, 'valueFrom'), 'fileKeyRef');
    if (file !== undefined) preset(file, 'optional', false);
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = child(container, name);
    if (probe !== undefined) defaultProbe(probe);
  }
  const lifecycle = child(container, 'lifecycle');
  for (const name of ['postStart', 'preStop']) defaultHttpGet(child(child(lifecycle, name), 'httpGet'));
  const context = child(container, 'securityContext');
  if (context !== undefined && field(context, 'procMount') === '') context['procMount'] = 'Default';
}

const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const DOMAIN = /^(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9]|\[[0-9a-fA-F:]+\])(?::\d+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/**
 * An image that is `latest`, or has neither tag nor digest, is pulled always; what is no image's name is not looked into.
 * Source: kubernetes@1.34 pkg/apis/core/v1/defaults.go, pkg/util/parsers; distribution/reference.
 */
function pullPolicy(image: string): string {
  const [tagged = '', digest, ...more] = image.split('@');
  const slash = tagged.lastIndexOf('/');
  const colon = tagged.indexOf(':', slash + 1);
  const name = colon < 0 ? tagged : tagged.slice(0, colon);
  const tag = colon < 0 ? undefined : tagged.slice(colon + 1);
  const [first = '', ...rest] = name.split('/');
  const domain = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const parts = domain ? rest : [first, ...rest];
  const readable =
    more.length === 0 &&
    (!domain || DOMAIN.test(first)) &&
    parts.every((part) => PATH.test(part)) &&
    !/^[0-9a-f]{64}$/.test(name) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  return readable && (tag === 'latest' || (tag === undefined && digest === undefined)) ? 'Always' : 'IfNotPresent';
}

function defaultProbe(probe: MutableJsonObject): void {
  presetEmpty(probe, 'timeoutSeconds', 1);
  presetEmpty(probe, 'periodSeconds', 10);
  presetEmpty(probe, 'successThreshold', 1);
  presetEmpty(probe, 'failureThreshold', 3);
  defaultHttpGet(child(probe, 'httpGet'));
  const grpc = child(probe, 'grpc');
  if (grpc !== undefined) preset(grpc, 'service', '');
}

function defaultHttpGet(action: MutableJsonObject | undefined): void {
  if (action === undefined) return;
  presetEmpty(action, 'path', '/');
  presetEmpty(action, 'scheme', 'HTTP');
}

const VOLUME_KINDS = [
  'hostPath',
  'emptyDir',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'persistentVolumeClaim',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'downwardAPI',
  'fc',
  'azureFile',
  'configMap',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'projected',
  'portworxVolume',
  'scaleIO',
  'storageos',
  'csi',
  'ephemeral',
  'image',
];

function defaultVolume(volume: MutableJsonObject): void {
  if (!VOLUME_KINDS.some((kind) => isObject(field(volume, kind)))) volume['emptyDir'] = {};
  for (const kind of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    const source = child(volume, kind);
    if (source === undefined) continue;
    preset(source, 'defaultMode', 0o644);
    const items = kind === 'downwardAPI' ? children(source, 'items') : [];
    for (const item of items) defaultDownward(item);
    if (kind === 'projected') defaultProjected(source);
  }
  const hostPath = child(volume, 'hostPath');
  if (hostPath !== undefined) preset(hostPath, 'type', '');
  const iscsi = child(volume, 'iscsi');
  if (iscsi !== undefined) presetEmpty(iscsi, 'iscsiInterface', 'default');
  const rbd = child(volume, 'rbd');
  if (rbd !== undefined) {
    presetEmpty(rbd, 'pool', 'rbd');
    presetEmpty(rbd, 'user', 'admin');
    presetEmpty(rbd, 'keyring', '/etc/ceph/keyring');
  }
  const azure = child(volume, 'azureDisk');
  if (azure !== undefined) {
    presetEmpty(azure, 'cachingMode', 'ReadWrite');
    presetEmpty(azure, 'kind', 'Shared');
    presetEmpty(azure, 'fsType', 'ext4');
    preset(azure, 'readOnly', false);
  }
  const scaleIo = child(volume, 'scaleIO');
  if (scaleIo !== undefined) {
    presetEmpty(scaleIo, 'storageMode', 'ThinProvisioned');
    presetEmpty(scaleIo, 'fsType', 'xfs');
  }
  const image = child(volume, 'image');
  if (image !== undefined && typeof image['reference'] === 'string')
    presetEmpty(image, 'pullPolicy', pullPolicy(image['reference']));
  const template = child(child(volume, 'ephemeral'), 'volumeClaimTemplate');
  const spec = child(template, 'spec');
  if (spec !== undefined) defaultClaimSpec(spec);
}

function defaultDownward(item: MutableJsonObject): void {
  const reference = child(item, 'fieldRef');
  if (reference !== undefined) presetEmpty(reference, 'apiVersion', 'v1');
}

function defaultProjected(source: MutableJsonObject): void {
  for (const projection of children(source, 'sources')) {
    for (const item of children(child(projection, 'downwardAPI'), 'items')) defaultDownward(item);
    const token = child(projection, 'serviceAccountToken');
    if (token !== undefined) preset(token, 'expirationSeconds', 3600);
  }
}

/** Of a claim, or of the template of one. */
export function defaultClaimSpec(spec: MutableJsonObject): void {
  preset(spec, 'volumeMode', 'Filesystem');
}

/** The template of a workload: metadata stays as it is. */
export function defaultTemplate(holder: MutableJsonObject | undefined): void {
  const spec = child(child(holder, 'template'), 'spec');
  if (spec !== undefined) defaultPodSpec(spec, false);
}
