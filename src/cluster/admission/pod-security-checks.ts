import { at, isObject, type Json, stringAt } from '../../base/json.ts';
import { items } from '../apiserver/draft.ts';
import { goQuote } from '../apiserver/status.ts';

/** Why a pod is not allowed: what it does, and where. */
export interface Finding {
  readonly reason: string;
  readonly detail: string;
}

/** A pod, or what a workload makes pods from. */
export interface PodLike {
  readonly annotations: { readonly [key: string]: string };
  readonly spec: Json | undefined;
}

type Test = (pod: PodLike) => Finding | undefined;

interface Check {
  readonly id: string;
  /** By the minor version of 1.x that they began with, rising. */
  readonly versions: readonly (readonly [since: number, test: Test])[];
  /** The baseline check that this restricted one takes the place of. */
  readonly overrides?: string;
}

const containersOf = (spec: Json | undefined): readonly Json[] =>
  ['initContainers', 'containers', 'ephemeralContainers'].flatMap((key) => items(spec, key));
const nameOf = (container: Json): string => stringAt(container, 'name') ?? '';
const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`);
const named = (names: readonly string[]): string => `${plural('container', names.length)} ${quoted(names)}`;
const sorted = (values: Iterable<string>): readonly string[] => [...new Set(values)].sort();
const context = (of: Json | undefined, ...path: readonly string[]): Json | undefined =>
  at(of, 'securityContext', ...path);
const isWindows = ({ spec }: PodLike): boolean => at(spec, 'os', 'name') === 'windows';

/** The containers that `bad` holds for. */
function offenders({ spec }: PodLike, bad: (container: Json) => boolean): readonly string[] {
  return containersOf(spec).filter(bad).map(nameOf);
}

function textsAt(of: Json | undefined, ...path: readonly string[]): readonly string[] {
  const list = at(of, ...path);
  return Array.isArray(list) ? list.map(String) : [];
}

/** Who set something: the pod, its containers, or both. */
function setters(pod: boolean, containers: readonly string[]): string {
  return [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [named(containers)] : [])].join(' and ');
}

/** A value that must not be set, on the pod or on containers. */
function forbiddenValue(
  pod: PodLike,
  path: readonly string[],
  allowed: (value: string) => boolean,
): { readonly who: string; readonly values: readonly string[] } | undefined {
  const values: string[] = [];
  const bad = (of: Json | undefined): boolean => {
    const parent = context(of, ...path.slice(0, -1));
    if (!isObject(parent)) return false;
    const value = stringAt(parent, path.at(-1) as string) ?? '';
    if (allowed(value)) return false;
    values.push(value);
    return true;
  };
  const who = setters(bad(pod.spec), offenders(pod, bad));
  return who === '' ? undefined : { who, values: sorted(values) };
}

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

function added(pod: PodLike, allowed: (name: string) => boolean): string {
  const bad = (container: Json): readonly string[] =>
    textsAt(container, 'securityContext', 'capabilities', 'add').filter((name) => !allowed(name));
  const who = offenders(pod, (container) => bad(container).length > 0);
  return who.length === 0
    ? ''
    : `${named(who)} must not include ${quoted(sorted(containersOf(pod.spec).flatMap(bad)))} in securityContext.capabilities.add`;
}

const capabilitiesBaseline: Test = (pod) => {
  const detail = added(pod, (name) => DEFAULT_CAPABILITIES.has(name));
  return detail === '' ? undefined : { reason: 'non-default capabilities', detail };
};

const capabilitiesRestricted: Test = (pod) => {
  const kept = offenders(
    pod,
    (container) => !textsAt(container, 'securityContext', 'capabilities', 'drop').includes('ALL'),
  );
  const details = [
    ...(kept.length === 0 ? [] : [`${named(kept)} must set securityContext.capabilities.drop=["ALL"]`]),
    added(pod, (name) => name === 'NET_BIND_SERVICE'),
  ].filter((detail) => detail !== '');
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const escalation: Test = (pod) => {
  const who = offenders(pod, (container) => context(container, 'allowPrivilegeEscalation') !== false);
  return who.length === 0
    ? undefined
    : {
        reason: 'allowPrivilegeEscalation != false',
        detail: `${named(who)} must set securityContext.allowPrivilegeEscalation=false`,
      };
};

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

const appArmor: Test = (pod) => {
  const found = forbiddenValue(
    pod,
    ['appArmorProfile', 'type'],
    (type) => type === 'RuntimeDefault' || type === 'Localhost',
  );
  const notes = Object.entries(pod.annotations)
    .filter(
      ([key, value]) =>
        key.startsWith(APP_ARMOR) && value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .sort();
  const who = [
    ...(found === undefined ? [] : [found.who]),
    ...(notes.length === 0 ? [] : [plural('annotation', notes.length)]),
  ];
  if (who.length === 0) return undefined;
  const values = [...(found?.values ?? []), ...notes];
  return {
    reason: plural('forbidden AppArmor profile', values.length),
    detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const hostNamespaces: Test = ({ spec }) => {
  const shared = ['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => at(spec, name) === true);
  return shared.length === 0
    ? undefined
    : { reason: 'host namespaces', detail: shared.map((name) => `${name}=true`).join(', ') };
};

const hostPaths: Test = ({ spec }) => {
  const names = items(spec, 'volumes')
    .filter((volume) => isObject(volume['hostPath']))
    .map(nameOf);
  return names.length === 0
    ? undefined
    : { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` };
};

const hostPorts: Test = (pod) => {
  const ports = (container: Json): readonly string[] =>
    items(container, 'ports')
      .map((port) => String(Number(port['hostPort'] ?? 0)))
      .filter((port) => port !== '0');
  const who = offenders(pod, (container) => ports(container).length > 0);
  if (who.length === 0) return undefined;
  const used = sorted(containersOf(pod.spec).flatMap(ports));
  return {
    reason: 'hostPort',
    detail: `${named(who)} ${who.length === 1 ? 'uses' : 'use'} ${plural('hostPort', used.length)} ${used.join(', ')}`,
  };
};

const HANDLERS = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
];

const probeHosts: Test = (pod) => {
  const hosts = (container: Json): readonly string[] =>
    HANDLERS.flatMap((path) =>
      ['httpGet', 'tcpSocket'].map((kind) => stringAt(at(container, ...path, kind), 'host') ?? ''),
    ).filter((host) => host !== '');
  const who = sorted(offenders(pod, (container) => hosts(container).length > 0));
  if (who.length === 0) return undefined;
  const used = sorted(containersOf(pod.spec).flatMap(hosts));
  return {
    reason: 'probe or lifecycle host',
    detail: `${named(who)} ${who.length === 1 ? 'uses' : 'use'} ${plural('probe or lifecycle host', used.length)} ${quoted(used)}`,
  };
};

const privileged: Test = (pod) => {
  const who = offenders(pod, (container) => context(container, 'privileged') === true);
  return who.length === 0
    ? undefined
    : { reason: 'privileged', detail: `${named(who)} must not set securityContext.privileged=true` };
};

const procMount: Test = (pod) => {
  const values: string[] = [];
  const who = offenders(pod, (container) => {
    const value = stringAt(context(container), 'procMount');
    if (value === undefined || value === 'Default') return false;
    values.push(value);
    return true;
  });
  return who.length === 0
    ? undefined
    : {
        reason: 'procMount',
        detail: `${named(who)} must not set securityContext.procMount to ${quoted(sorted(values))}`,
      };
};

const PLAIN_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

const restrictedVolumes: Test = ({ spec }) => {
  const bad = items(spec, 'volumes').filter((volume) => !PLAIN_VOLUMES.some((kind) => isObject(volume[kind])));
  if (bad.length === 0) return undefined;
  const kinds = sorted(bad.map((volume) => Object.keys(volume).find((key) => isObject(volume[key])) ?? 'unknown'));
  return {
    reason: 'restricted volume types',
    detail: `${plural('volume', bad.length)} ${quoted(bad.map(nameOf))} ${bad.length === 1 ? 'uses' : 'use'} ${plural('restricted volume type', kinds.length)} ${quoted(kinds)}`,
  };
};

const nonRoot: Test = (pod) => {
  const whole = context(pod.spec, 'runAsNonRoot');
  const who = setters(
    whole === false,
    offenders(pod, (container) => context(container, 'runAsNonRoot') === false),
  );
  const reason = 'runAsNonRoot != true';
  if (who !== '') return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  const silent = offenders(
    pod,
    (container) => typeof context(container, 'runAsNonRoot') !== 'boolean' && whole !== true,
  );
  return silent.length === 0
    ? undefined
    : { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` };
};

const rootUser: Test = (pod) => {
  const who = setters(
    context(pod.spec, 'runAsUser') === 0,
    offenders(pod, (container) => context(container, 'runAsUser') === 0),
  );
  return who === '' ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` };
};

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

function seLinux(allowed: readonly string[]): Test {
  return (pod) => {
    const types: string[] = [];
    let user = false;
    let role = false;
    const bad = (of: Json | undefined): boolean => {
      const options = context(of, 'seLinuxOptions');
      if (!isObject(options)) return false;
      const type = stringAt(options, 'type') ?? '';
      const hasUser = (stringAt(options, 'user') ?? '') !== '';
      const hasRole = (stringAt(options, 'role') ?? '') !== '';
      if (!allowed.includes(type)) types.push(type);
      user ||= hasUser;
      role ||= hasRole;
      return hasUser || hasRole || !allowed.includes(type);
    };
    const who = setters(bad(pod.spec), offenders(pod, bad));
    if (who === '') return undefined;
    const kinds = sorted(types);
    const data = [
      ...(kinds.length === 0 ? [] : [`${plural('type', kinds.length)} ${quoted(kinds)}`]),
      ...(user ? ['user may not be set'] : []),
      ...(role ? ['role may not be set'] : []),
    ];
    return {
      reason: 'seLinuxOptions',
      detail: `${who} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
    };
  };
}

const isSeccomp = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

const seccompNotes: Test = ({ annotations, spec }) => {
  const keys = [SECCOMP_POD, ...containersOf(spec).map((container) => SECCOMP_CONTAINER + nameOf(container))];
  const bad = sorted(
    keys.flatMap((key) => {
      const value = annotations[key];
      const fine = value === undefined || /^(runtime\/default$|docker\/default$|localhost\/)/.test(value);
      return fine ? [] : [`${key}=${goQuote(value)}`];
    }),
  );
  return bad.length === 0
    ? undefined
    : { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', bad.length)} ${bad.join(', ')}` };
};

const seccompBaseline: Test = (pod) => {
  const found = forbiddenValue(pod, ['seccompProfile', 'type'], isSeccomp);
  return found === undefined
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `${found.who} must not set securityContext.seccompProfile.type to ${quoted(found.values)}`,
      };
};

const seccompRestricted: Test = (pod) => {
  const found = seccompBaseline(pod);
  if (found !== undefined || isObject(context(pod.spec, 'seccompProfile'))) return found;
  const silent = offenders(pod, (container) => !isObject(context(container, 'seccompProfile')));
  return silent.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `pod or ${named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      };
};

const SYSCTLS: readonly (readonly [since: number, names: readonly string[]])[] = [
  [
    0,
    [
      'kernel.shm_rmid_forced',
      'net.ipv4.ip_local_port_range',
      'net.ipv4.tcp_syncookies',
      'net.ipv4.ping_group_range',
      'net.ipv4.ip_unprivileged_port_start',
    ],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [
    29,
    [
      'net.ipv4.tcp_keepalive_time',
      'net.ipv4.tcp_fin_timeout',
      'net.ipv4.tcp_keepalive_intvl',
      'net.ipv4.tcp_keepalive_probes',
    ],
  ],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
];

function sysctls(version: number): Test {
  const allowed = new Set(SYSCTLS.filter(([since]) => since <= version).flatMap(([, names]) => names));
  return ({ spec }) => {
    const bad = items(context(spec), 'sysctls')
      .map(nameOf)
      .filter((name) => !allowed.has(name));
    return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
  };
}

const hostProcess: Test = (pod) => {
  const bad = (of: Json | undefined): boolean => context(of, 'windowsOptions', 'hostProcess') === true;
  const who = setters(bad(pod.spec), offenders(pod, bad));
  return who === ''
    ? undefined
    : { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` };
};

const notOnWindows =
  (test: Test): Test =>
  (pod) =>
    isWindows(pod) ? undefined : test(pod);

/** In the order of their names, which is that of findings. */
const BASELINE: readonly Check[] = [
  { id: 'appArmorProfile', versions: [[0, appArmor]] },
  { id: 'capabilities_baseline', versions: [[0, capabilitiesBaseline]] },
  { id: 'hostNamespaces', versions: [[0, hostNamespaces]] },
  { id: 'hostPathVolumes', versions: [[0, hostPaths]] },
  { id: 'hostPorts', versions: [[0, hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', versions: [[34, probeHosts]] },
  { id: 'privileged', versions: [[0, privileged]] },
  { id: 'procMount', versions: [[0, procMount]] },
  {
    id: 'seLinuxOptions',
    versions: [
      [0, seLinux(SELINUX_TYPES)],
      [31, seLinux([...SELINUX_TYPES, 'container_engine_t'])],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    versions: [
      [0, seccompNotes],
      [19, seccompBaseline],
    ],
  },
  { id: 'sysctls', versions: SYSCTLS.map(([since]) => [since, sysctls(since)] as const) },
  { id: 'windowsHostProcess', versions: [[0, hostProcess]] },
];

const RESTRICTED: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    versions: [
      [8, escalation],
      [25, notOnWindows(escalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    overrides: 'capabilities_baseline',
    versions: [
      [22, capabilitiesRestricted],
      [25, notOnWindows(capabilitiesRestricted)],
    ],
  },
  { id: 'restrictedVolumes', overrides: 'hostPathVolumes', versions: [[0, restrictedVolumes]] },
  { id: 'runAsNonRoot', versions: [[0, nonRoot]] },
  { id: 'runAsUser', versions: [[23, rootUser]] },
  {
    id: 'seccompProfile_restricted',
    overrides: 'seccompProfile_baseline',
    versions: [
      [19, seccompRestricted],
      [25, notOnWindows(seccompRestricted)],
    ],
  },
];

/**
 * What a level of the Pod Security Standards, as of 1.`minor`, finds in a pod.
 * Source: kubernetes@1.34 pod-security-admission/policy.
 */
export function findings(level: string, minor: number, pod: PodLike): readonly Finding[] {
  if (level === 'privileged') return [];
  const restricted = level === 'restricted' ? RESTRICTED : [];
  const inForce = ({ versions }: Check): Test | undefined => versions.findLast(([since]) => since <= minor)?.[1];
  const overridden = new Set(
    restricted.filter((check) => inForce(check) !== undefined).map(({ overrides }) => overrides),
  );
  return [...BASELINE.filter(({ id }) => !overridden.has(id)), ...restricted].flatMap(
    (check) => inForce(check)?.(pod) ?? [],
  );
}
