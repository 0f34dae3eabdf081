import type { MutableJsonObject } from '../../../base/json.ts';
import { field, isObject, put } from '../../../base/json.ts';
import { child, fallback, items } from '../draft.ts';

/** Defaults of pods and pod templates. Source: kubernetes@1.34 pkg/apis/core/v1/defaults.go. */
export function defaultPodSpec(spec: MutableJsonObject): void {
  fallback(spec, 'restartPolicy', 'Always');
  fallback(spec, 'terminationGracePeriodSeconds', 30);
  const grace = field(spec, 'terminationGracePeriodSeconds');
  // A negative period means the shortest one.
  if (typeof grace === 'number' && grace < 0) put(spec, 'terminationGracePeriodSeconds', 1);
  fallback(spec, 'dnsPolicy', 'ClusterFirst');
  fallback(spec, 'securityContext', {});
  fallback(spec, 'schedulerName', 'default-scheduler');
  const hostNetwork = field(spec, 'hostNetwork') === true;
  for (const key of ['initContainers', 'containers', 'ephemeralContainers'])
    for (const container of items(spec, key)) defaultContainer(container, hostNetwork && key !== 'ephemeralContainers');
  for (const volume of items(spec, 'volumes')) defaultVolume(volume);
  if (field(spec, 'serviceAccountName') !== undefined)
    fallback(spec, 'serviceAccount', field(spec, 'serviceAccountName') as string);
  else if (field(spec, 'serviceAccount') !== undefined)
    put(spec, 'serviceAccountName', field(spec, 'serviceAccount') as string);
}

function defaultContainer(container: MutableJsonObject, hostNetwork: boolean): void {
  const image = field(container, 'image');
  const tag = typeof image === 'string' ? tagOf(image) : '';
  fallback(container, 'imagePullPolicy', tag === 'latest' ? 'Always' : 'IfNotPresent');
  fallback(container, 'terminationMessagePath', '/dev/termination-log');
  fallback(container, 'terminationMessagePolicy', 'File');
  for (const port of items(container, 'ports')) {
    fallback(port, 'protocol', 'TCP');
    if (hostNetwork) fallback(port, 'hostPort', field(port, 'containerPort') ?? 0);
  }
  for (const variable of items(container, 'env')) {
    const reference = field(field(variable, 'valueFrom'), 'fieldRef');
    if (isObject(reference)) fallback(reference as MutableJsonObject, 'apiVersion', 'v1');
  }
  for (const key of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = field(container, key);
    if (isObject(probe)) defaultProbe(probe as MutableJsonObject);
  }
  const lifecycle = field(container, 'lifecycle');
  for (const key of ['postStart', 'preStop']) {
    const http = field(field(lifecycle, key), 'httpGet');
    if (isObject(http)) defaultHttp(http as MutableJsonObject);
  }
}

/** Requests default to limits: of pods, not of templates. */
export function defaultRequests(spec: MutableJsonObject): void {
  for (const key of ['initContainers', 'containers'])
    for (const container of items(spec, key)) {
      const resources = field(container, 'resources');
      const limits = field(resources, 'limits');
      if (!isObject(resources) || !isObject(limits)) continue;
      const requests = child(resources as MutableJsonObject, 'requests');
      for (const name of Object.keys(limits)) fallback(requests, name, limits[name] as string);
    }
}

function defaultProbe(probe: MutableJsonObject): void {
  fallback(probe, 'timeoutSeconds', 1);
  fallback(probe, 'periodSeconds', 10);
  fallback(probe, 'successThreshold', 1);
  fallback(probe, 'failureThreshold', 3);
  const http = field(probe, 'httpGet');
  if (isObject(http)) defaultHttp(http as MutableJsonObject);
  const grpc = field(probe, 'grpc');
  if (isObject(grpc)) fallback(grpc as MutableJsonObject, 'service', '');
}

function defaultHttp(http: MutableJsonObject): void {
  fallback(http, 'path', '/');
  fallback(http, 'scheme', 'HTTP');
}

function defaultVolume(volume: MutableJsonObject): void {
  if (Object.keys(volume).length <= 1) put(volume, 'emptyDir', {});
  const set = (source: string, key: string, value: string | number | boolean): void => {
    const found = field(volume, source);
    if (isObject(found)) fallback(found as MutableJsonObject, key, value);
  };
  set('secret', 'defaultMode', 420);
  set('configMap', 'defaultMode', 420);
  set('downwardAPI', 'defaultMode', 420);
  set('projected', 'defaultMode', 420);
  set('hostPath', 'type', '');
  set('iscsi', 'iscsiInterface', 'default');
  set('rbd', 'pool', 'rbd');
  set('rbd', 'user', 'admin');
  set('rbd', 'keyring', '/etc/ceph/keyring');
  set('azureDisk', 'cachingMode', 'ReadWrite');
  set('azureDisk', 'kind', 'Shared');
  set('azureDisk', 'fsType', 'ext4');
  set('azureDisk', 'readOnly', false);
  set('scaleIO', 'storageMode', 'ThinProvisioned');
  set('scaleIO', 'fsType', 'xfs');
  set('image', 'pullPolicy', 'IfNotPresent');
  for (const item of items(field(volume, 'downwardAPI'), 'items')) defaultFieldRef(item);
  for (const source of items(field(volume, 'projected'), 'sources')) {
    const token = field(source, 'serviceAccountToken');
    if (isObject(token)) fallback(token as MutableJsonObject, 'expirationSeconds', 3600);
    for (const item of items(field(source, 'downwardAPI'), 'items')) defaultFieldRef(item);
  }
  const claim = field(field(volume, 'ephemeral'), 'volumeClaimTemplate');
  const spec = field(claim, 'spec');
  if (isObject(spec)) fallback(spec as MutableJsonObject, 'volumeMode', 'Filesystem');
}

function defaultFieldRef(item: MutableJsonObject): void {
  const reference = field(item, 'fieldRef');
  if (isObject(reference)) fallback(reference as MutableJsonObject, 'apiVersion', 'v1');
}

/** The tag of an image; a digest counts as one, and no tag is `latest`. */
function tagOf(image: string): string {
  const at = image.indexOf('@');
  const name = at < 0 ? image : image.slice(0, at);
  const colon = name.lastIndexOf(':');
  if (colon > name.lastIndexOf('/')) return name.slice(colon + 1);
  return at < 0 ? 'latest' : '';
}

export function defaultTemplate(template: unknown): void {
  if (!isObject(template)) return;
  const spec = field(template, 'spec');
  if (isObject(spec)) defaultPodSpec(spec as MutableJsonObject);
}
