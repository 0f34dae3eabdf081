import type { KubeObject } from '../../api/object.ts';
import { at, field, type Json, stringAt } from '../../base/json.ts';
import { items, json } from '../apiserver/draft.ts';
import { qualityOf } from '../apiserver/quality-of-service.ts';
import type { Quantity } from '../apiserver/quantity.ts';
import type { GroupResource } from '../registry.ts';
import { type Amounts, amountsOf, podResources } from './pod-resources.ts';
import { resourceName } from './resources.ts';

const ONE = 1_000_000_000n;
const count = (amount: number): Quantity => ({ nano: BigInt(amount) * ONE, format: 'decimal' });
/** Kinds that a quota may name without `count/`. */
export const PLAIN: ReadonlySet<string> = new Set([
  'configmaps',
  'secrets',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'persistentvolumeclaims',
]);
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const STORAGE_CLASS = '.storageclass.storage.k8s.io/';
/** Resources that are no Kubernetes words: `vendor.example/gpu`. */
const isExtended = (name: string): boolean =>
  name.includes('/') && !/(^|\.)kubernetes\.io\//.test(name) && !name.startsWith('requests.');

/** What one object takes of its namespace's quotas. Source: kubernetes@1.34 pkg/quota/v1/evaluator/core. */
export function usageOf(resource: GroupResource, object: KubeObject): Amounts {
  const usage = new Map<string, Quantity>([[`count/${resourceName(resource)}`, count(1)]]);
  if (resource.group !== '') return usage;
  if (PLAIN.has(resource.plural)) usage.set(resource.plural, count(1));
  if (resource.plural === 'pods') addPod(usage, object);
  if (resource.plural === 'services') addService(usage, object);
  if (resource.plural === 'persistentvolumeclaims') addClaim(usage, object);
  return usage;
}

function addPod(usage: Map<string, Quantity>, pod: KubeObject): void {
  const phase = at(pod.status, 'phase');
  if (phase === 'Succeeded' || phase === 'Failed') return;
  for (const [name, amount] of computeUsage(podResources(json(pod), 'requests'), podResources(json(pod), 'limits')))
    usage.set(name, amount);
}

/** The names by which quotas know requests and limits. */
export function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage = new Map<string, Quantity>([['pods', count(1)]]);
  for (const [name, amount] of requests) {
    const known = COMPUTE.includes(name) || name.startsWith('hugepages-');
    if (known) usage.set(name, amount);
    if (known || isExtended(name)) usage.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of limits) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, amount);
  return usage;
}

function addService(usage: Map<string, Quantity>, { spec }: KubeObject): void {
  const ports = items(spec, 'ports');
  const balanced = field(spec, 'type') === 'LoadBalancer';
  // Without allocation only ports that were asked for by number count.
  const numbered =
    field(spec, 'allocateLoadBalancerNodePorts') === false ? ports.filter((port) => 'nodePort' in port) : ports;
  usage.set('services.loadbalancers', count(balanced ? 1 : 0));
  usage.set(
    'services.nodeports',
    count(balanced ? numbered.length : field(spec, 'type') === 'NodePort' ? ports.length : 0),
  );
}

function addClaim(usage: Map<string, Quantity>, claim: KubeObject): void {
  const storageClass =
    claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ??
    stringAt(claim.spec, 'storageClassName') ??
    '';
  const asked = amountsOf(at(claim.spec, 'resources', 'requests')).get('storage');
  const allocated = amountsOf(at(claim.status, 'allocatedResources')).get('storage');
  const most = asked !== undefined && allocated !== undefined && allocated.nano > asked.nano ? allocated : asked;
  if (most !== undefined) {
    // Bytes come whole.
    const bytes: Quantity = { ...most, nano: ((most.nano + ONE - 1n) / ONE) * ONE };
    usage.set('requests.storage', bytes);
    if (storageClass !== '') usage.set(`${storageClass}${STORAGE_CLASS}requests.storage`, bytes);
  }
  if (storageClass !== '') usage.set(`${storageClass}${STORAGE_CLASS}persistentvolumeclaims`, count(1));
}

/** Whether a limit of a quota is about objects of a kind. Source: MatchingResources of each evaluator there. */
export function isLimitOf(resource: GroupResource, limit: string): boolean {
  if (limit === `count/${resourceName(resource)}`) return true;
  if (resource.group !== '') return false;
  switch (resource.plural) {
    case 'pods':
      if (limit === 'pods' || COMPUTE.includes(limit) || limit.startsWith('hugepages-')) return true;
      if (limit.startsWith('limits.')) return COMPUTE.includes(limit.slice(7));
      return limit.startsWith('requests.') && limit !== 'requests.storage';
    case 'services':
      return limit === 'services' || limit === 'services.nodeports' || limit === 'services.loadbalancers';
    case 'persistentvolumeclaims':
      return (
        limit === 'persistentvolumeclaims' ||
        limit === 'requests.storage' ||
        limit.endsWith(`${STORAGE_CLASS}persistentvolumeclaims`) ||
        limit.endsWith(`${STORAGE_CLASS}requests.storage`)
      );
    default:
      return PLAIN.has(resource.plural) && limit === resource.plural;
  }
}

interface Scope {
  readonly name: string;
  readonly operator: string;
  readonly values: readonly string[];
}

function scopesOf(quota: KubeObject): readonly Scope[] {
  const plain = (at(quota.spec, 'scopes') ?? []) as readonly string[];
  return [
    ...plain.map((name) => ({ name, operator: 'Exists', values: [] })),
    ...items(at(quota.spec, 'scopeSelector'), 'matchExpressions').map((one) => ({
      name: stringAt(one, 'scopeName') ?? '',
      operator: stringAt(one, 'operator') ?? '',
      values: (field(one, 'values') ?? []) as readonly string[],
    })),
  ];
}

/** Whether a quota's scopes take an object; quotas without scopes take every one, and only pods and claims have any. */
export function inScopes(quota: KubeObject, resource: GroupResource, object: KubeObject): boolean {
  return scopesOf(quota).every((scope) => {
    if (resource.group !== '') return false;
    if (resource.plural === 'pods') return podIn(scope, object);
    return (
      resource.plural === 'persistentvolumeclaims' &&
      scope.name === 'VolumeAttributesClass' &&
      chosen(scope, attributesClasses(object))
    );
  });
}

function podIn(scope: Scope, pod: KubeObject): boolean {
  switch (scope.name) {
    case 'BestEffort':
      return qualityOf(pod) === 'BestEffort';
    case 'NotBestEffort':
      return qualityOf(pod) !== 'BestEffort';
    case 'Terminating':
      return hasDeadline(pod);
    case 'NotTerminating':
      return !hasDeadline(pod);
    case 'PriorityClass': {
      const name = stringAt(pod.spec, 'priorityClassName') ?? '';
      return chosen(scope, name === '' ? [] : [name]);
    }
    case 'CrossNamespacePodAffinity':
      return ['podAffinity', 'podAntiAffinity'].some((kind) => {
        const rules = at(pod.spec, 'affinity', kind);
        return [
          ...items(rules, 'requiredDuringSchedulingIgnoredDuringExecution'),
          ...items(rules, 'preferredDuringSchedulingIgnoredDuringExecution').map((one) =>
            field(one, 'podAffinityTerm'),
          ),
        ].some(looksElsewhere);
      });
    default:
      return false;
  }
}

function hasDeadline({ spec }: KubeObject): boolean {
  const seconds = field(spec, 'activeDeadlineSeconds');
  return typeof seconds === 'number' && seconds >= 0;
}

function looksElsewhere(term: Json | undefined): boolean {
  const names = field(term, 'namespaces');
  return (Array.isArray(names) && names.length > 0) || field(term, 'namespaceSelector') !== undefined;
}

function chosen({ operator, values }: Scope, names: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return names.some((name) => values.includes(name));
    case 'NotIn':
      return names.length === 0 || names.some((name) => !values.includes(name));
    case 'Exists':
      return names.length > 0;
    case 'DoesNotExist':
      return names.length === 0;
    default:
      return false;
  }
}

function attributesClasses(claim: KubeObject): readonly string[] {
  return [
    stringAt(claim.spec, 'volumeAttributesClassName'),
    stringAt(claim.status, 'currentVolumeAttributesClassName'),
    stringAt(at(claim.status, 'modifyVolumeStatus'), 'targetVolumeAttributesClassName'),
  ].filter((name): name is string => name !== undefined && name !== '');
}
