import type { Json, JsonObject } from '../../../base/json.ts';
import { internalObject } from '../internal-types.ts';
import {
  duplicate,
  type Errors,
  has,
  invalid,
  items,
  notSupported,
  number,
  object,
  required,
  Seen,
  text,
} from './field-checks.ts';

/** What pods and containers may ask of the kernel. (kubernetes@1.34 pkg/apis/core/validation ValidateSecurityContext, validatePodSpecSecurityContext) */

function id(errors: Errors, context: JsonObject | undefined, key: string, path: string): void {
  const value = number(context, key);
  if (value !== undefined) identity(errors, value, `${path}.${key}`);
}

function identity(errors: Errors, value: number, path: string): void {
  if (value < 0 || value > 2_147_483_647)
    errors.push(invalid(path, value, 'must be between 0 and 2147483647, inclusive'));
}

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function profile(
  errors: Errors,
  own: JsonObject | undefined,
  kind: 'seccompProfile' | 'appArmorProfile',
  path: string,
): void {
  if (own === undefined) return;
  const [type, local] = [text(own, 'type'), text(own, 'localhostProfile')];
  const words = kind === 'seccompProfile' ? 'seccomp' : 'AppArmor';
  const unknown = (): void => {
    if (type === '') errors.push(required(`${path}.type`, `type is required when ${kind} is set`));
    else if (!PROFILES.includes(type)) errors.push(notSupported(`${path}.type`, type, PROFILES));
  };
  const at = `${path}.localhostProfile`;
  if (kind === 'seccompProfile') unknown();
  if (type === 'Localhost') {
    if (kind === 'seccompProfile') {
      if (!has(own, 'localhostProfile')) errors.push(required(at, 'must be set when seccomp type is Localhost'));
      else localhost(errors, local, at);
    } else if (local.trim() === '') errors.push(required(at, 'must be set when AppArmor type is Localhost'));
    else {
      if (local.trim() !== local) errors.push(invalid(at, local, 'must not be padded with whitespace'));
      if (local.length > 4095)
        errors.push({ field: at, reason: 'FieldValueTooLong', message: 'Too long: may not be more than 4095 bytes' });
    }
  } else if (has(own, 'localhostProfile') && (kind === 'seccompProfile' || PROFILES.includes(type))) {
    const shown = kind === 'seccompProfile' ? internalObject('SeccompProfile', own) : local;
    errors.push(invalid(at, shown, `can only be set when ${words} type is Localhost`));
  }
  if (kind === 'appArmorProfile') unknown();
}

function localhost(errors: Errors, path: string, at: string): void {
  if (path.startsWith('/')) errors.push(invalid(at, path, 'must be a relative path'));
  if (path.split('/').includes('..')) errors.push(invalid(at, path, "must not contain '..'"));
}

const SYSCTL = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const SYSCTL_RULE =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
/** Sysctls of namespaces that a pod may share with its host. */
const SHARED: readonly (readonly [prefix: RegExp, host: string])[] = [
  [/^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/, 'hostIPC'],
  [/^net\./, 'hostNetwork'],
];

export function podSecurity(errors: Errors, spec: JsonObject, path: string): void {
  const context = object(spec, 'securityContext');
  const at = `${path}.securityContext`;
  for (const key of ['fsGroup', 'runAsUser', 'runAsGroup']) id(errors, context, key, at);
  items(context, 'supplementalGroups').forEach((group, index) => {
    if (typeof group === 'number') identity(errors, group, `${at}.supplementalGroups[${index}]`);
  });
  if (spec['shareProcessNamespace'] === true && spec['hostPID'] === true)
    errors.push(
      invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  sysctls(errors, spec, context, `${at}.sysctls`);
  const change = text(context, 'fsGroupChangePolicy');
  if (has(context, 'fsGroupChangePolicy') && !['Always', 'OnRootMismatch'].includes(change))
    errors.push(notSupported(`${at}.fsGroupChangePolicy`, change, ['Always', 'OnRootMismatch']));
  profile(errors, object(context, 'seccompProfile'), 'seccompProfile', `${at}.seccompProfile`);
  const groups = text(context, 'supplementalGroupsPolicy');
  if (has(context, 'supplementalGroupsPolicy') && !['Merge', 'Strict'].includes(groups))
    errors.push(notSupported(`${at}.supplementalGroupsPolicy`, groups, ['Merge', 'Strict']));
  profile(errors, object(context, 'appArmorProfile'), 'appArmorProfile', `${at}.appArmorProfile`);
}

function sysctls(errors: Errors, spec: JsonObject, context: JsonObject | undefined, path: string): void {
  const names = new Seen();
  items(context, 'sysctls').forEach((sysctl, index) => {
    const at = `${path}[${index}].name`;
    const name = text(sysctl, 'name');
    if (name === '') errors.push(required(at));
    else if (name.length > 253 || !SYSCTL.test(name)) errors.push(invalid(at, name, SYSCTL_RULE));
    else if (!names.add(name.replaceAll('/', '.'))) errors.push(duplicate(at, name));
    for (const [prefix, host] of SHARED)
      if (spec[host] === true && prefix.test(name))
        errors.push(invalid(at, name, `may not be specified when '${host}' is true`));
  });
}

export function containerSecurity(errors: Errors, own: JsonObject | undefined, path: string, hostUsers: boolean): void {
  if (own === undefined) return;
  for (const key of ['runAsUser', 'runAsGroup']) id(errors, own, key, path);
  const mount = text(own, 'procMount');
  if (has(own, 'procMount')) {
    if (!['Default', 'Unmasked'].includes(mount))
      errors.push(notSupported(`${path}.procMount`, mount, ['Default', 'Unmasked']));
    if (hostUsers && mount === 'Unmasked')
      errors.push(invalid(`${path}.procMount`, mount, '`hostUsers` must be false to use `Unmasked`'));
  }
  profile(errors, object(own, 'seccompProfile'), 'seccompProfile', `${path}.seccompProfile`);
  if (own['allowPrivilegeEscalation'] === false) {
    const shown = (): Json => internalObject('SecurityContext', own);
    if (own['privileged'] === true)
      errors.push(invalid(path, shown(), 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    if (items(object(own, 'capabilities'), 'add').includes('CAP_SYS_ADMIN'))
      errors.push(
        invalid(path, shown(), 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'),
      );
  }
  profile(errors, object(own, 'appArmorProfile'), 'appArmorProfile', `${path}.appArmorProfile`);
}

/** Containers that are processes of a Windows host: all of a pod's or none, and on the host's network. (validateWindowsHostProcessPod) */
export function hostProcesses(errors: Errors, spec: JsonObject, path: string): void {
  const flag = (of: Json | undefined): boolean | undefined => {
    const own = object(object(of, 'securityContext'), 'windowsOptions')?.['hostProcess'];
    return typeof own === 'boolean' ? own : undefined;
  };
  const whole = flag(spec);
  const all = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((key) => items(spec, key));
  const hosted = all.filter((container) => flag(container) ?? whole ?? false).length;
  if (hosted === 0) return;
  if (hosted !== all.length)
    errors.push(
      invalid(
        path,
        '',
        'If pod contains any hostProcess containers then all containers must be HostProcess containers',
      ),
    );
  if (spec['hostNetwork'] !== true)
    errors.push(
      invalid(`${path}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'),
    );
}
