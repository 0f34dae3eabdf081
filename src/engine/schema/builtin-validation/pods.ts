import { equal, type Json, type JsonObject } from '../../../base/json.ts';
import { isIpv4, isIpv6 } from '../formats.ts';
import { internalDiff, internalObject } from '../internal-types.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../names.ts';
import { containers, laterContainers } from './containers.ts';
import {
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
  text,
  texts,
  without,
} from './field-checks.ts';
import { affinity, dnsConfig, schedulingGates, tolerations, topology } from './pod-placement.ts';
import { hostProcesses, podSecurity } from './security-context.ts';
import { volumes } from './volumes.ts';

const RESTART = ['Always', 'OnFailure', 'Never'];
const DNS = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** A pod's spec, in a pod, which has a name, or in a template. (kubernetes@1.34 pkg/apis/core/validation ValidatePodSpec) */
export function podSpec(errors: Errors, spec: JsonObject, path: string, podName = ''): void {
  const known = volumes(errors, spec, `${path}.volumes`, podName);
  containers(errors, spec, known, path);
  laterContainers(errors, spec, known, path);
  hostNetwork(errors, spec, path);
  const restart = text(spec, 'restartPolicy');
  if (restart === '') errors.push(required(`${path}.restartPolicy`));
  else if (!RESTART.includes(restart)) errors.push(notSupported(`${path}.restartPolicy`, restart, RESTART));
  const dns = text(spec, 'dnsPolicy');
  if (dns === '') errors.push(required(`${path}.dnsPolicy`));
  else if (!DNS.includes(dns)) errors.push(notSupported(`${path}.dnsPolicy`, dns, DNS));
  labels(errors, object(spec, 'nodeSelector'), `${path}.nodeSelector`);
  podSecurity(errors, spec, path);
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
  schedulingGates(errors, spec, `${path}.schedulingGates`);
  topology(errors, spec, `${path}.topologySpreadConstraints`);
  hostProcesses(errors, spec, path);
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
    texts(alias, 'hostnames').forEach((name, place) => {
      each(errors, dns1123Subdomain(name), `${path}.hostAliases[${index}].hostnames[${place}]`, name);
    });
  });
  for (const key of ['priorityClassName', 'runtimeClassName']) {
    if (text(spec, key) !== '') each(errors, dns1123Subdomain(text(spec, key)), `${path}.${key}`, text(spec, key));
  }
  const preemption = text(spec, 'preemptionPolicy');
  if (preemption !== '' && !['Never', 'PreemptLowerPriority'].includes(preemption)) {
    errors.push(notSupported(`${path}.preemptionPolicy`, preemption, ['Never', 'PreemptLowerPriority']));
  }
  const os = object(spec, 'os');
  if (os !== undefined) {
    const name = text(os, 'name');
    if (name === '') errors.push(required(`${path}.os.name`));
    else if (!['linux', 'windows'].includes(name)) errors.push(notSupported(`${path}.os`, name, ['linux', 'windows']));
  }
}

/** Ports of containers on the host's network are the host's. */
function hostNetwork(errors: Errors, spec: JsonObject, path: string): void {
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

export function pod(errors: Errors, value: JsonObject, old: JsonObject | undefined): void {
  const spec = object(value, 'spec') ?? {};
  podSpec(errors, spec, 'spec', text(object(value, 'metadata'), 'name'));
  if (old === undefined) {
    if (items(spec, 'ephemeralContainers').length > 0)
      errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
    return;
  }
  podUpdate(errors, spec, object(old, 'spec') ?? {});
}

const MUTABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function podUpdate(errors: Errors, spec: JsonObject, old: JsonObject): void {
  const before = errors.length;
  for (const kind of ['containers', 'initContainers']) {
    const [now, was] = [items(spec, kind), items(old, kind)];
    if (now.length !== was.length)
      errors.push(forbidden(`spec.${kind}`, 'pod updates may not add or remove containers'));
    now.forEach((container, index) => {
      if (text(container, 'image') === '') errors.push(required(`spec.${kind}[${index}].image`));
    });
    if (errors.length > before && now.length !== was.length) return;
  }
  const [deadline, last] = [number(spec, 'activeDeadlineSeconds'), number(old, 'activeDeadlineSeconds')];
  if (deadline !== undefined) {
    if (deadline < 0 || deadline > 2_147_483_647)
      errors.push(invalid('spec.activeDeadlineSeconds', deadline, 'must be between 0 and 2147483647, inclusive'));
    else if (last !== undefined && last < deadline) {
      errors.push(invalid('spec.activeDeadlineSeconds', deadline, 'must be less than or equal to previous value'));
    }
  } else if (last !== undefined)
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
  const gates = new Set(items(old, 'schedulingGates').map((gate) => text(gate, 'name')));
  items(spec, 'schedulingGates').forEach((gate, index) => {
    const name = text(gate, 'name');
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    if (!gates.has(name)) errors.push(forbidden(`spec.schedulingGates[${index}].name`, detail));
  });
  const timeless = (toleration: Json): Json => without(toleration as JsonObject, 'tolerationSeconds');
  const kept = items(old, 'tolerations').every((toleration) =>
    items(spec, 'tolerations').some((other) => equal(timeless(other), timeless(toleration))),
  );
  if (kept) tolerations(errors, spec, 'spec.tolerations');
  else
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  if (gates.size > 0) gatedPlacement(errors, munged, old);
  if (!equal(munged, old)) errors.push(forbidden('spec', `${MUTABLE}\n${internalDiff('PodSpec', old, munged)}`));
}

/** A pod that waits at a gate may be told more of where to run; what it was told before stays. */
function gatedPlacement(errors: Errors, munged: { [key: string]: Json }, old: JsonObject): void {
  const [nodes, before] = [object(munged, 'nodeSelector') ?? {}, object(old, 'nodeSelector') ?? {}];
  for (const [key, value] of Object.entries(before)) {
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    if (nodes[key] !== value) errors.push(invalid('spec.nodeSelector', object(munged, 'nodeSelector') ?? null, detail));
  }
  if (has(old, 'nodeSelector')) munged['nodeSelector'] = before;
  else delete munged['nodeSelector'];
  const [affinity, was] = [object(munged, 'affinity'), object(old, 'affinity')];
  const oldNodes = object(was, 'nodeAffinity');
  if (equal(object(affinity, 'nodeAffinity') ?? null, oldNodes ?? null)) return;
  if (oldNodes !== undefined) nodeTermsGrow(errors, object(affinity, 'nodeAffinity'), oldNodes);
  const others: { [key: string]: Json } = without(affinity ?? {}, 'nodeAffinity');
  if (oldNodes !== undefined) others['nodeAffinity'] = oldNodes;
  if (Object.keys(others).length > 0 || (affinity !== undefined && was !== undefined)) munged['affinity'] = others;
  else delete munged['affinity'];
}

/** (validateNodeAffinityMutation) */
function nodeTermsGrow(errors: Errors, affinity: JsonObject | undefined, old: JsonObject): void {
  const key = 'requiredDuringSchedulingIgnoredDuringExecution';
  const at = `spec.affinity.nodeAffinity.${key}.nodeSelectorTerms`;
  const [now, was] = [affinity, old].map((one) => items(object(one, key), 'nodeSelectorTerms')) as [
    readonly Json[],
    readonly Json[],
  ];
  if (was.length === 0) return;
  const quoted = now.map((term) => internalObject('NodeSelectorTerm', term));
  if (was.length !== now.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    errors.push(invalid(at, now.length === 0 ? null : quoted, detail));
    return;
  }
  was.forEach((term, index) => {
    const grows = ['matchExpressions', 'matchFields'].every((list) =>
      items(term, list).every((one, position) => equal(one, items(now[index], list)[position] ?? null)),
    );
    const some = (one: Json | undefined): boolean =>
      items(one, 'matchExpressions').length + items(one, 'matchFields').length > 0;
    if (!grows || (!some(term) && some(now[index]))) {
      const detail = 'only additions are allowed (no mutations or deletions)';
      errors.push(invalid(`${at}[${index}]`, quoted[index], detail));
    }
  });
}

/** Keys of a template's annotations, in any case. */
export function annotations(errors: Errors, template: JsonObject | undefined, path: string): void {
  for (const key of Object.keys(object(object(template, 'metadata'), 'annotations') ?? {}))
    each(errors, qualifiedName(key.toLowerCase()), `${path}.annotations`, key);
}

/** A pod template of a workload whose pods restart as `restart` says. */
export function podTemplate(errors: Errors, template: JsonObject | undefined, path: string): void {
  const meta = object(template, 'metadata');
  labels(errors, object(meta, 'labels'), `${path}.labels`);
  annotations(errors, template, path);
  const spec = object(template, 'spec') ?? {};
  podSpec(errors, spec, `${path}.spec`);
  if (items(spec, 'ephemeralContainers').length > 0) {
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}

/** Ephemeral containers come, and stay as they are. (ValidatePodEphemeralContainersUpdate) */
export function ephemeralContainers(errors: Errors, value: JsonObject, old: JsonObject): void {
  podSpec(errors, object(value, 'spec') ?? {}, 'spec');
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
