import type { Json } from '../../../base/json.ts';
import { at, field, isObject, stringAt } from '../../../base/json.ts';
import { items } from '../draft.ts';
import { canonicalQuantity, nanoOf } from '../quantity.ts';
import { goQuote } from '../status.ts';
import { addressWarnings } from './addresses.ts';
import { deprecatedLabel, nodeSelectorTermWarnings } from './node-labels.ts';
import { overlappingPaths } from './volume-paths.ts';

const ONE = 1_000_000_000n;
const NULL_SELECTOR = 'a null labelSelector results in matching no pod';
const ANNOTATIONS: readonly (readonly [key: string, message: string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
];
const VOLUMES: readonly (readonly [kind: string, message: string, shown?: string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+', 'storageOS'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['ephemeral', ''],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

type Placed = readonly [container: Json, path: string];

/**
 * What a user should know of a pod, or of what a workload makes pods from (`template`: where that is).
 * Source: kubernetes@1.34 pkg/api/pod/warnings.go.
 */
export function podWarnings(pod: Json, template?: string): readonly string[] {
  const root = template === undefined ? '' : `${template}.`;
  const path = `${root}spec`;
  const spec = field(pod, 'spec');
  const notes = at(pod, 'metadata', 'annotations');
  const annotations = isObject(notes) ? notes : {};
  const placed: readonly Placed[] = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((key) =>
    items(spec, key).map((container, index) => [container, `${path}.${key}[${index}]`] as const),
  );
  return [
    ...placement(spec, path),
    ...ANNOTATIONS.filter(([key]) => key in annotations).map(
      ([key, message]) => `${root}metadata.annotations[${key}]: ${message}`,
    ),
    ...volumes(spec, path),
    ...overlappingPaths(items(spec, 'volumes')),
    ...repeated(items(spec, 'hostAliases'), 'ip', `${path}.hostAliases`, 'ip'),
    ...repeated(items(spec, 'imagePullSecrets'), 'name', `${path}.imagePullSecrets`, 'name'),
    ...items(spec, 'imagePullSecrets').flatMap((secret, index) =>
      (stringAt(secret, 'name') ?? '') === '' ? [`${path}.imagePullSecrets[${index}].name: invalid empty name ""`] : [],
    ),
    ...['memory', 'ephemeral-storage'].flatMap((name) =>
      fraction(at(spec, 'overhead', name), `${path}.overhead[${name}]`),
    ),
    ...(SECCOMP_POD in annotations && !isObject(at(spec, 'securityContext', 'seccompProfile'))
      ? [seccomp(root, SECCOMP_POD)]
      : []),
    ...placed.flatMap(([container, place]) =>
      containerWarnings(container, place, annotations, root, template !== undefined, spec),
    ),
    ...ports(placed),
    ...portNames(placed),
    ...(Number(field(spec, 'terminationGracePeriodSeconds') ?? 0) < 0
      ? [`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinity(spec, path),
    ...texts(at(spec, 'dnsConfig', 'nameservers')).flatMap((server, index) =>
      addressWarnings(`${path}.dnsConfig.nameservers[${index}]`, server),
    ),
    ...items(spec, 'hostAliases').flatMap((alias, index) =>
      addressWarnings(`${path}.hostAliases[${index}].ip`, stringAt(alias, 'ip') ?? ''),
    ),
  ];
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

const seccomp = (root: string, key: string): string =>
  `${root}metadata.annotations[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`;

function placement(spec: Json | undefined, path: string): readonly string[] {
  const selector = field(spec, 'nodeSelector');
  const nodes = at(spec, 'affinity', 'nodeAffinity');
  const needed = `${path}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  const liked = `${path}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution`;
  return [
    ...Object.keys(isObject(selector) ? selector : {}).flatMap((key) => {
      const message = deprecatedLabel(key);
      return message === undefined ? [] : [`${path}.nodeSelector[${key}]: ${message}`];
    }),
    ...items(at(nodes, 'requiredDuringSchedulingIgnoredDuringExecution'), 'nodeSelectorTerms').flatMap((term, index) =>
      nodeSelectorTermWarnings(term, false, `${needed}[${index}]`),
    ),
    ...items(nodes, 'preferredDuringSchedulingIgnoredDuringExecution').flatMap((term, index) =>
      nodeSelectorTermWarnings(field(term, 'preference'), true, `${liked}[${index}].preference`),
    ),
    ...items(spec, 'topologySpreadConstraints').flatMap((constraint, index) => {
      const key = stringAt(constraint, 'topologyKey') ?? '';
      const message = deprecatedLabel(key);
      const place = `${path}.topologySpreadConstraints[${index}]`;
      return [
        ...(message === undefined ? [] : [`${place}.topologyKey: ${key} is ${message}`]),
        ...(isObject(field(constraint, 'labelSelector')) ? [] : [`${place}.labelSelector: ${NULL_SELECTOR}`]),
      ];
    }),
  ];
}

function volumes(spec: Json | undefined, path: string): readonly string[] {
  return items(spec, 'volumes').flatMap((volume, index) =>
    VOLUMES.flatMap(([kind, message, shown = kind]) => {
      if (!isObject(field(volume, kind))) return [];
      const place = `${path}.volumes[${index}].${shown}`;
      return kind === 'ephemeral'
        ? claimWarnings(at(volume, kind, 'volumeClaimTemplate', 'spec'), `${place}.volumeClaimTemplate.spec`)
        : [`${place}: ${message}`];
    }),
  );
}

/** Claims that ask for parts of a byte. */
export function claimWarnings(spec: Json | undefined, path: string): readonly string[] {
  return ['requests', 'limits'].flatMap((kind) =>
    fraction(at(spec, 'resources', kind, 'storage'), `${path}.resources.${kind}[storage]`),
  );
}

function fraction(value: Json | undefined, path: string): readonly string[] {
  if (typeof value !== 'string' || nanoOf(value) % ONE === 0n) return [];
  return [`${path}: fractional byte value ${goQuote(canonicalQuantity(value))} is invalid, must be an integer`];
}

function repeated(list: readonly Json[], key: string, path: string, word: string): readonly string[] {
  const seen = new Set<string>();
  return list.flatMap((item, index) => {
    const value = stringAt(item, key) ?? '';
    if (seen.has(value)) return [`${path}[${index}].${key}: duplicate ${word} ${goQuote(value)}`];
    seen.add(value);
    return [];
  });
}

function containerWarnings(
  container: Json,
  path: string,
  annotations: { readonly [key: string]: Json },
  root: string,
  template: boolean,
  spec: Json | undefined,
): readonly string[] {
  const name = stringAt(container, 'name') ?? '';
  const context = field(container, 'securityContext');
  const armor = annotations[APP_ARMOR + name];
  const whole = at(spec, 'securityContext', 'appArmorProfile');
  return [
    ...(SECCOMP_CONTAINER + name in annotations && !isObject(field(context, 'seccompProfile'))
      ? [seccomp(root, SECCOMP_CONTAINER + name)]
      : []),
    ...(template &&
    armor !== undefined &&
    !isObject(field(context, 'appArmorProfile')) &&
    !(isObject(whole) && profileText(whole) === armor)
      ? [appArmorDeprecated(root, name)]
      : []),
    ...['memory', 'ephemeral-storage'].flatMap((resource) =>
      ['limits', 'requests'].flatMap((kind) =>
        fraction(at(container, 'resources', kind, resource), `${path}.resources.${kind}[${resource}]`),
      ),
    ),
    ...hiddenVariables(container, path),
  ];
}

/** Said of pods when the annotation becomes a field, of templates here. */
export function appArmorDeprecated(root: string, container: string): string {
  return `${root}metadata.annotations[${APP_ARMOR}${container}]: deprecated since v1.30; use the "appArmorProfile" field instead`;
}

function profileText(profile: Json): string {
  const type = stringAt(profile, 'type');
  if (type === 'RuntimeDefault') return 'runtime/default';
  return type === 'Unconfined' ? 'unconfined' : `localhost/${stringAt(profile, 'localhostProfile') ?? ''}`;
}

function hiddenVariables(container: Json, path: string): readonly string[] {
  const seen = new Set<string>();
  return items(container, 'env').flatMap((variable, index) => {
    const name = stringAt(variable, 'name') ?? '';
    const value = stringAt(variable, 'value') ?? '';
    const reference = `$(${name})`;
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    const builds = !isObject(field(variable, 'valueFrom')) && value !== reference && value.includes(reference);
    return builds
      ? []
      : [`${path}.env[${index}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`];
  });
}

function ports(placed: readonly Placed[]): readonly string[] {
  const known = new Map<string, { readonly place: string; readonly hostIP: string; readonly hostPort: number }[]>();
  return placed.flatMap(([container, path]) =>
    items(container, 'ports').flatMap((port, index) => {
      const place = `${path}.ports[${index}]`;
      const hostIP = stringAt(port, 'hostIP') ?? '';
      const hostPort = Number(field(port, 'hostPort') ?? 0);
      const number = String(Number(field(port, 'containerPort') ?? 0));
      const protocol = stringAt(port, 'protocol') ?? '';
      const others = known.get(`${number}/${protocol}`) ?? [];
      known.set(`${number}/${protocol}`, [...others, { place, hostIP, hostPort }]);
      const name = stringAt(port, 'name') ?? '';
      return [
        ...(hostIP !== '' && hostPort === 0
          ? [
              `${place}: hostIP set without hostPort: {Name:${name} HostPort:0 ContainerPort:${number} Protocol:${protocol} HostIP:${hostIP}}`,
            ]
          : []),
        ...others.flatMap((other) => {
          if (hostIP === other.hostIP && hostPort === other.hostPort)
            return [`${place}: duplicate port definition with ${other.place}`];
          if (hostPort === 0 || other.hostPort === 0)
            return [`${place}: overlapping port definition with ${other.place}`];
          return hostPort === other.hostPort && (hostIP === '') !== (other.hostIP === '')
            ? [`${place}: dangerously ambiguous port definition with ${other.place}`]
            : [];
        }),
      ];
    }),
  );
}

function portNames(placed: readonly Placed[]): readonly string[] {
  const known = new Map<string, string>();
  return placed.flatMap(([container, path]) =>
    items(container, 'ports').flatMap((port, index) => {
      const name = stringAt(port, 'name') ?? '';
      if (name === '') return [];
      const place = `${path}.ports[${index}]`;
      const first = known.get(name);
      if (first === undefined) {
        known.set(name, place);
        return [];
      }
      return [
        `${place}: duplicate port name ${goQuote(name)} with ${first}, services and probes that select ports by name will use ${first}`,
      ];
    }),
  );
}

function affinity(spec: Json | undefined, path: string): readonly string[] {
  return ['podAffinity', 'podAntiAffinity'].flatMap((kind) => {
    const rules = at(spec, 'affinity', kind);
    const place = `${path}.affinity.${kind}`;
    const check = (term: Json | undefined, where: string): readonly string[] =>
      isObject(field(term, 'labelSelector')) ? [] : [`${where}.labelSelector: ${NULL_SELECTOR}`];
    return [
      ...items(rules, 'requiredDuringSchedulingIgnoredDuringExecution').flatMap((term, index) =>
        check(term, `${place}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`),
      ),
      ...items(rules, 'preferredDuringSchedulingIgnoredDuringExecution').flatMap((term, index) =>
        check(
          field(term, 'podAffinityTerm'),
          `${place}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm`,
        ),
      ),
    ];
  });
}
