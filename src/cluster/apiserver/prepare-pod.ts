import type { KubeObject } from '../../api/object.ts';
import { at, field, isObject, type Json, type MutableJsonObject, put, stringAt } from '../../base/json.ts';
import { child, draft, items, json, kube, withField } from './draft.ts';
import { appArmorDeprecated } from './warnings/pod-spec.ts';

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'];

/**
 * A new pod as the real server completes it before admission: fields of features that are off by default vanish, label keys become
 * selectors, and profiles in annotations become fields. Source: kubernetes@1.34 pkg/registry/core/pod/strategy.go PrepareForCreate.
 */
export function preparePod(pod: KubeObject): KubeObject {
  const out = draft(pod);
  const spec = child(out, 'spec');
  dropDisabled(spec);
  const labels = pod.metadata.labels ?? {};
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const rules = at(spec, 'affinity', kind);
    const terms = [
      ...items(rules, 'requiredDuringSchedulingIgnoredDuringExecution'),
      ...items(rules, 'preferredDuringSchedulingIgnoredDuringExecution').map((one) => field(one, 'podAffinityTerm')),
    ];
    for (const term of terms) {
      addKeys(term, 'matchLabelKeys', 'In', labels);
      addKeys(term, 'mismatchLabelKeys', 'NotIn', labels);
    }
  }
  for (const constraint of items(spec, 'topologySpreadConstraints'))
    addKeys(constraint, 'matchLabelKeys', 'In', labels);
  appArmor(spec, pod.metadata.annotations ?? {});
  return kube(out);
}

/** Features that a real 1.34 server has off by default: image volumes, trust bundle and certificate projections. */
export function dropDisabled(spec: MutableJsonObject): void {
  const volumes = items(spec, 'volumes');
  if (volumes.length === 0) return;
  const images = volumes.filter((volume) => isObject(field(volume, 'image'))).map((volume) => stringAt(volume, 'name'));
  if (images.length > 0) {
    put(
      spec,
      'volumes',
      volumes.filter((volume) => !images.includes(stringAt(volume, 'name'))),
    );
    for (const key of CONTAINERS)
      for (const container of items(spec, key)) {
        const mounts = items(container, 'volumeMounts');
        if (mounts.some((mount) => images.includes(stringAt(mount, 'name'))))
          put(
            container,
            'volumeMounts',
            mounts.filter((mount) => !images.includes(stringAt(mount, 'name'))),
          );
      }
  }
  for (const volume of volumes)
    for (const source of items(field(volume, 'projected'), 'sources')) {
      delete source['clusterTrustBundle'];
      delete source['podCertificate'];
    }
}

function addKeys(
  term: Json | undefined,
  keys: string,
  operator: string,
  labels: { readonly [key: string]: string },
): void {
  const selector = field(term, 'labelSelector');
  const listed = field(term, keys);
  if (!isObject(selector) || !Array.isArray(listed)) return;
  const more = listed
    .map(String)
    .filter((key) => labels[key] !== undefined)
    .map((key) => ({ key, operator, values: [labels[key] as string] }));
  if (more.length > 0)
    put(selector as MutableJsonObject, 'matchExpressions', [...items(selector, 'matchExpressions'), ...more]);
}

/** The profile that an annotation means; undefined when it means none that is valid. */
function profileOf(annotation: string): MutableJsonObject | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  if (!annotation.startsWith('localhost/')) return undefined;
  const localhostProfile = annotation.slice('localhost/'.length);
  return localhostProfile.trim() === localhostProfile && localhostProfile !== ''
    ? { type: 'Localhost', localhostProfile }
    : undefined;
}

/** A status that gives one address gives the list of it too, and the class of the pod stays. */
export function preparePodStatus(pod: KubeObject, old: KubeObject): KubeObject {
  const status: { [key: string]: Json } = { ...pod.status };
  if ((status['qosClass'] ?? '') === '') {
    const quality = field(old.status, 'qosClass');
    if (quality !== undefined) status['qosClass'] = quality;
  }
  for (const [one, all] of [
    ['podIP', 'podIPs'],
    ['hostIP', 'hostIPs'],
  ] as const) {
    const ip = status[one] ?? '';
    if (ip !== '' && items(status, all)[0]?.['ip'] !== ip) status[all] = [{ ip }];
  }
  return withField(pod, 'status', status);
}

/** What is said of a new pod before it is prepared. */
export function preparationWarnings(storage: string, pod: KubeObject): readonly string[] {
  if (storage !== '/pods') return [];
  return appArmorAnnotations(json(pod)['spec'] ?? {}, pod.metadata.annotations ?? {}).map(({ container }) =>
    appArmorDeprecated('', stringAt(container, 'name') ?? ''),
  );
}

/** Profiles in annotations become fields of the containers that have none, unless the pod as a whole has the same. */
function appArmor(spec: MutableJsonObject, annotations: { readonly [key: string]: string }): void {
  for (const { container, profile } of appArmorAnnotations(spec, annotations))
    if (profile !== undefined) put(child(container, 'securityContext'), 'appArmorProfile', profile);
}

interface Annotated {
  readonly container: MutableJsonObject;
  /** Undefined when the annotation means no valid profile. */
  readonly profile: MutableJsonObject | undefined;
}

/** Containers whose profile is in an annotation and nowhere else. */
function appArmorAnnotations(spec: Json, annotations: { readonly [key: string]: string }): readonly Annotated[] {
  if (at(spec, 'os', 'name') === 'windows') return [];
  const whole = at(spec, 'securityContext', 'appArmorProfile');
  return CONTAINERS.flatMap((key) => items(spec, key)).flatMap((container) => {
    const annotation = annotations[APP_ARMOR + (stringAt(container, 'name') ?? '')];
    if (annotation === undefined || isObject(at(container, 'securityContext', 'appArmorProfile'))) return [];
    const profile = profileOf(annotation);
    const same =
      profile !== undefined &&
      isObject(whole) &&
      profile['type'] === whole['type'] &&
      profile['localhostProfile'] === whole['localhostProfile'];
    return same ? [] : [{ container, profile }];
  });
}
