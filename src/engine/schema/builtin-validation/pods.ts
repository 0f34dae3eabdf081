import { equal, type Json, type JsonObject } from '../../../base/json.ts';
import { isIpv4, isIpv6 } from '../formats.ts';
import { internalDiff } from '../internal-types.ts';
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../names.ts';
import { containers } from './containers.ts';
import {
  type Errors,
  each,
  forbidden,
  has,
  invalid,
  items,
  labelSelector,
  labels,
  notSupported,
  number,
  object,
  required,
  text,
} from './field-checks.ts';
import { volumes } from './volumes.ts';

const RESTART = ['Always', 'OnFailure', 'Never'];
const DNS = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** A pod's spec, in a pod or in a template. (kubernetes@1.34 pkg/apis/core/validation ValidatePodSpec) */
export function podSpec(errors: Errors, spec: JsonObject, path: string): void {
  const known = volumes(errors, spec, `${path}.volumes`);
  containers(errors, spec, known, path);
  const restart = text(spec, 'restartPolicy');
  if (restart === '') errors.push(required(`${path}.restartPolicy`));
  else if (!RESTART.includes(restart)) errors.push(notSupported(`${path}.restartPolicy`, restart, RESTART));
  const dns = text(spec, 'dnsPolicy');
  if (dns === '') errors.push(required(`${path}.dnsPolicy`));
  else if (!DNS.includes(dns)) errors.push(notSupported(`${path}.dnsPolicy`, dns, DNS));
  labels(errors, object(spec, 'nodeSelector'), `${path}.nodeSelector`);
  security(errors, spec, path);
  affinity(errors, object(spec, 'affinity'), `${path}.affinity`);
  dnsConfig(errors, spec, dns, `${path}.dnsConfig`);
  items(spec, 'readinessGates').forEach((gate, index) => {
    each(
      errors,
      qualifiedName(text(gate, 'conditionType')),
      `${path}.readinessGates[${index}].conditionType`,
      text(gate, 'conditionType'),
    );
  });
  topology(errors, spec, `${path}.topologySpreadConstraints`);
  for (const [key, check] of [
    ['serviceAccountName', dns1123Subdomain],
    ['nodeName', dns1123Subdomain],
  ] as const) {
    if (text(spec, key) !== '') each(errors, check(text(spec, key)), `${path}.${key}`, text(spec, key));
  }
  const deadline = number(spec, 'activeDeadlineSeconds');
  if (deadline !== undefined && (deadline < 1 || deadline > 2_147_483_647)) {
    errors.push(invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'));
  }
  for (const key of ['hostname', 'subdomain']) {
    if (text(spec, key) !== '') each(errors, dns1123Label(text(spec, key)), `${path}.${key}`, text(spec, key));
  }
  tolerations(errors, spec, `${path}.tolerations`);
  items(spec, 'hostAliases').forEach((alias, index) => {
    const ip = text(alias, 'ip');
    if (!isIpv4(ip) && !isIpv6(ip))
      errors.push(
        invalid(
          `${path}.hostAliases[${index}].ip`,
          ip,
          'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
      );
  });
  for (const key of ['priorityClassName', 'runtimeClassName']) {
    if (text(spec, key) !== '') each(errors, dns1123Subdomain(text(spec, key)), `${path}.${key}`, text(spec, key));
  }
  const preemption = text(spec, 'preemptionPolicy');
  if (preemption !== '' && !['Never', 'PreemptLowerPriority'].includes(preemption)) {
    errors.push(notSupported(`${path}.preemptionPolicy`, preemption, ['Never', 'PreemptLowerPriority']));
  }
}

function security(errors: Errors, spec: JsonObject, path: string): void {
  const context = object(spec, 'securityContext');
  for (const key of ['fsGroup', 'runAsUser', 'runAsGroup']) {
    const id = number(context, key);
    if (id !== undefined && (id < 0 || id > 2_147_483_647)) {
      errors.push(invalid(`${path}.securityContext.${key}`, id, 'must be between 0 and 2147483647, inclusive'));
    }
  }
  if (spec['hostPID'] === true && spec['shareProcessNamespace'] === true) {
    errors.push(
      invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  }
  if (spec['hostNetwork'] !== true) return;
  items(spec, 'containers').forEach((container, index) => {
    items(container, 'ports').forEach((port, position) => {
      const [own, host] = [number(port, 'containerPort') ?? 0, number(port, 'hostPort') ?? 0];
      if (own !== host)
        errors.push(
          invalid(
            `${path}.containers[${index}].ports[${position}].hostPort`,
            host,
            'must match `containerPort` when `hostNetwork` is true',
          ),
        );
    });
  });
}

function dnsConfig(errors: Errors, spec: JsonObject, policy: string, path: string): void {
  const own = object(spec, 'dnsConfig');
  if (policy === 'None') {
    if (own === undefined) errors.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    else if (items(own, 'nameservers').length === 0)
      errors.push(required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
  }
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'];

function affinity(errors: Errors, own: JsonObject | undefined, path: string): void {
  const node = object(own, 'nodeAffinity');
  const needed = object(node, 'requiredDuringSchedulingIgnoredDuringExecution');
  if (needed !== undefined) {
    const at = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
    const terms = items(needed, 'nodeSelectorTerms');
    if (terms.length === 0) errors.push(required(at, 'must have at least one node selector term'));
    terms.forEach((term, index) => expressions(errors, term, `${at}[${index}]`));
  }
  items(node, 'preferredDuringSchedulingIgnoredDuringExecution').forEach((term, index) => {
    const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
    weight(errors, term, at);
    expressions(errors, object(term, 'preference') ?? {}, `${at}.preference`);
  });
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const group = object(own, kind);
    items(group, 'requiredDuringSchedulingIgnoredDuringExecution').forEach((term, index) => {
      podTerm(errors, term, `${path}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`);
    });
    items(group, 'preferredDuringSchedulingIgnoredDuringExecution').forEach((term, index) => {
      const at = `${path}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
      weight(errors, term, at);
      podTerm(errors, object(term, 'podAffinityTerm') ?? {}, `${at}.podAffinityTerm`);
    });
  }
}

function weight(errors: Errors, term: Json, path: string): void {
  const value = number(term, 'weight') ?? 0;
  if (value < 1 || value > 100) errors.push(invalid(`${path}.weight`, value, 'must be in the range 1-100'));
}

function podTerm(errors: Errors, term: Json, path: string): void {
  labelSelector(errors, object(term, 'labelSelector'), `${path}.labelSelector`);
  labelSelector(errors, object(term, 'namespaceSelector'), `${path}.namespaceSelector`);
  const key = text(term, 'topologyKey');
  if (key === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'));
  each(errors, qualifiedName(key), `${path}.topologyKey`, key);
}

function expressions(errors: Errors, term: Json, path: string): void {
  items(term, 'matchExpressions').forEach((expression, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const operator = text(expression, 'operator');
    const values = items(expression, 'values').length;
    if (operator === 'In' || operator === 'NotIn') {
      if (values === 0) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values > 0)
        errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else if (operator === 'Gt' || operator === 'Lt') {
      if (values !== 1)
        errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    } else if (!OPERATORS.includes(operator))
      errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    each(errors, qualifiedName(text(expression, 'key')), `${at}.key`, text(expression, 'key'));
  });
}

function topology(errors: Errors, spec: JsonObject, path: string): void {
  items(spec, 'topologySpreadConstraints').forEach((constraint, index) => {
    const at = `${path}[${index}]`;
    const skew = number(constraint, 'maxSkew') ?? 0;
    if (skew <= 0) errors.push(invalid(`${at}.maxSkew`, skew, 'must be greater than zero'));
    const key = text(constraint, 'topologyKey');
    if (key === '') errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    else each(errors, qualifiedName(key), `${at}.topologyKey`, key);
    const action = text(constraint, 'whenUnsatisfiable');
    if (!['DoNotSchedule', 'ScheduleAnyway'].includes(action))
      errors.push(notSupported(`${at}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']));
    labelSelector(errors, object(constraint, 'labelSelector'), `${at}.labelSelector`);
  });
}

function tolerations(errors: Errors, spec: JsonObject, path: string): void {
  items(spec, 'tolerations').forEach((toleration, index) => {
    const at = `${path}[${index}]`;
    const [key, operator, value, effect] = ['key', 'operator', 'value', 'effect'].map((name) =>
      text(toleration, name),
    ) as [string, string, string, string];
    if (key !== '') each(errors, qualifiedName(key), `${at}.key`, key);
    if (key === '' && operator !== 'Exists')
      errors.push(
        invalid(
          `${at}.operator`,
          operator,
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    if (has(toleration, 'tolerationSeconds') && effect !== 'NoExecute')
      errors.push(invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === 'Equal' || operator === '') each(errors, labelValue(value), `${at}.operator`, value);
    else if (operator === 'Exists') {
      if (value !== '')
        errors.push(invalid(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
    } else errors.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    taintEffect(errors, effect, `${at}.effect`, true);
  });
}

export function taintEffect(errors: Errors, effect: string, path: string, mayBeEmpty: boolean): void {
  if (['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect) || (mayBeEmpty && effect === '')) return;
  if (effect === '') errors.push(required(path));
  else errors.push(notSupported(path, effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']));
}

export function pod(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  if (old === undefined) {
    podSpec(errors, spec, 'spec');
    if (items(spec, 'ephemeralContainers').length > 0)
      errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
    return;
  }
  podUpdate(errors, spec, object(old, 'spec') ?? {});
}

const MUTABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function podUpdate(errors: Errors, spec: JsonObject, old: JsonObject): void {
  for (const kind of ['containers', 'initContainers']) {
    const [now, was] = [items(spec, kind), items(old, kind)];
    if (now.length !== was.length)
      errors.push(forbidden(`spec.${kind}`, 'pod updates may not add or remove containers'));
    now.forEach((container, index) => {
      if (text(container, 'image') === '') errors.push(required(`spec.${kind}[${index}].image`));
    });
  }
  if (errors.length > 0) return;
  const [deadline, before] = [number(spec, 'activeDeadlineSeconds'), number(old, 'activeDeadlineSeconds')];
  if (deadline !== undefined) {
    if (deadline < 0 || deadline > 2_147_483_647)
      errors.push(invalid('spec.activeDeadlineSeconds', deadline, 'must be between 0 and 2147483647, inclusive'));
    else if (before !== undefined && before < deadline) {
      errors.push(invalid('spec.activeDeadlineSeconds', deadline, 'must be less than or equal to previous value'));
    }
  } else if (before !== undefined)
    errors.push(invalid('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value'));
  const grace = number(spec, 'terminationGracePeriodSeconds');
  const graceMayChange = (number(old, 'terminationGracePeriodSeconds') ?? 0) < 0 && grace === 1;
  // What may change counts as it was.
  const munged: { [key: string]: Json } = { ...spec };
  for (const kind of ['containers', 'initContainers']) {
    const was = items(old, kind);
    if (has(spec, kind))
      munged[kind] = items(spec, kind).map((container, index) => ({
        ...(container as JsonObject),
        image: text(was[index], 'image'),
      }));
  }
  const keep = (key: string): void => {
    if (has(old, key)) munged[key] = old[key] as Json;
    else delete munged[key];
  };
  keep('activeDeadlineSeconds');
  keep('tolerations');
  keep('schedulingGates');
  if (graceMayChange) keep('terminationGracePeriodSeconds');
  const kept = items(old, 'tolerations').every((toleration) =>
    items(spec, 'tolerations').some((other) => equal(other, toleration)),
  );
  if (!kept)
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  if (!equal(munged, old)) errors.push(forbidden('spec', `${MUTABLE}\n${internalDiff('PodSpec', old, munged)}`));
}

/** A pod template of a workload whose pods restart as `restart` says. */
export function podTemplate(errors: Errors, template: JsonObject | undefined, path: string): void {
  const meta = object(template, 'metadata');
  labels(errors, object(meta, 'labels'), `${path}.labels`);
  const spec = object(template, 'spec') ?? {};
  podSpec(errors, spec, `${path}.spec`);
  if (items(spec, 'ephemeralContainers').length > 0) {
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}

/** Ephemeral containers come, and stay as they are. (ValidatePodEphemeralContainersUpdate) */
export function ephemeralContainers(errors: Errors, value: JsonObject, old: JsonObject): void {
  const now = items(object(value, 'spec'), 'ephemeralContainers');
  for (const before of items(object(old, 'spec'), 'ephemeralContainers')) {
    const name = text(before, 'name');
    const own = now.find((container) => text(container, 'name') === name);
    const quoted = JSON.stringify(name);
    if (own === undefined)
      errors.push(
        forbidden('spec.ephemeralContainers', `existing ephemeral containers ${quoted} may not be removed\n`),
      );
    else if (!equal(own, before))
      errors.push(
        forbidden(
          'spec.ephemeralContainers',
          `existing ephemeral containers ${quoted} may not be changed\n${internalDiff('EphemeralContainer', before, own)}`,
        ),
      );
  }
}
