import type { KubeObject } from '../../api/object.ts';
import { at, type Json, stringAt } from '../../base/json.ts';
import { nanoOf, printQuantity } from '../apiserver/quantity.ts';
import type { GroupResource } from '../registry.ts';
import type { Service } from './endpoints.ts';
import { resourceName } from './resources.ts';
import { type Container, type Pod, shaped } from './shapes.ts';

/** Amounts by the name that a ResourceQuota gives them, in billionths. */
export type Usage = ReadonlyMap<string, bigint>;

const ONE = 1_000_000_000n;
/** Kinds that a quota may name without `count/`. */
const PLAIN: ReadonlySet<string> = new Set([
  'configmaps',
  'secrets',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'persistentvolumeclaims',
]);
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'] as const;

/** What one object takes of its namespace's quotas. Source: kubernetes@1.34 pkg/quota/v1/evaluator/core. */
export function usageOf(resource: GroupResource, object: KubeObject): Usage {
  const usage = new Map<string, bigint>([[`count/${resourceName(resource)}`, ONE]]);
  if (resource.group !== '') return usage;
  if (PLAIN.has(resource.plural)) usage.set(resource.plural, ONE);
  if (resource.plural === 'pods') addPod(usage, shaped<Pod>(object));
  if (resource.plural === 'services') addService(usage, shaped<Service>(object));
  if (resource.plural === 'persistentvolumeclaims') addClaim(usage, object);
  return usage;
}

function addPod(usage: Map<string, bigint>, pod: Pod): void {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
  usage.set('pods', ONE);
  const amounts = (containers: readonly Container[], kind: 'requests' | 'limits', name: string): bigint[] =>
    containers.map(({ resources }) => nanoOf(resources?.[kind]?.[name]));
  for (const kind of ['requests', 'limits'] as const) {
    const names = new Set<string>(COMPUTE);
    for (const { resources } of pod.spec.containers)
      for (const name of Object.keys(resources?.[kind] ?? {})) names.add(name);
    for (const name of names) {
      const together = amounts(pod.spec.containers, kind, name).reduce((sum, one) => sum + one, 0n);
      // Init containers run one after the other, before the others: the largest counts when it is larger than all together.
      const largest = amounts(pod.spec.initContainers ?? [], kind, name).reduce(
        (most, one) => (one > most ? one : most),
        0n,
      );
      const amount = largest > together ? largest : together;
      if (amount === 0n) continue;
      usage.set(`${kind}.${name}`, amount);
      if (kind === 'requests' && (COMPUTE as readonly string[]).includes(name)) usage.set(name, amount);
    }
  }
}

function addService(usage: Map<string, bigint>, { spec }: Service): void {
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
    usage.set('services.nodeports', BigInt((spec.ports ?? []).length) * ONE);
  }
  if (spec.type === 'LoadBalancer') usage.set('services.loadbalancers', ONE);
}

function addClaim(usage: Map<string, bigint>, claim: KubeObject): void {
  const asked = nanoOf(at(claim.spec, 'resources', 'requests', 'storage'));
  usage.set('requests.storage', asked);
  const storageClass = stringAt(claim.spec, 'storageClassName');
  if (storageClass === undefined || storageClass === '') return;
  usage.set(`${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE);
  usage.set(`${storageClass}.storageclass.storage.k8s.io/requests.storage`, asked);
}

/** Whether a quota's scopes take a pod; quotas without scopes take every object. Source: kubernetes@1.34 pkg/quota/v1/evaluator/core/pods.go. */
export function inScopes(quota: KubeObject, resource: GroupResource, object: KubeObject): boolean {
  const scopes = (at(quota.spec, 'scopes') ?? []) as readonly string[];
  const selectors = (at(quota.spec, 'scopeSelector', 'matchExpressions') ?? []) as readonly {
    readonly scopeName: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
  if (scopes.length + selectors.length === 0) return true;
  if (resource.group !== '' || resource.plural !== 'pods') return false;
  const pod = shaped<Pod>(object);
  const holds = (scope: string): boolean => {
    switch (scope) {
      case 'BestEffort':
        return isBestEffort(pod);
      case 'NotBestEffort':
        return !isBestEffort(pod);
      case 'Terminating':
        return (pod.spec.activeDeadlineSeconds ?? -1) >= 0;
      case 'NotTerminating':
        return !((pod.spec.activeDeadlineSeconds ?? -1) >= 0);
      default:
        return false;
    }
  };
  const priority = stringAt(object.spec, 'priorityClassName') ?? '';
  return (
    scopes.every((scope) => (scope === 'PriorityClass' ? priority !== '' : holds(scope))) &&
    selectors.every(({ scopeName, operator, values }) => {
      if (scopeName !== 'PriorityClass') return holds(scopeName);
      const listed = priority !== '' && (values ?? []).includes(priority);
      if (operator === 'In') return listed;
      if (operator === 'NotIn') return !listed;
      return (priority !== '') === (operator === 'Exists');
    })
  );
}

function isBestEffort({ spec }: Pod): boolean {
  return [...spec.containers, ...(spec.initContainers ?? [])].every(({ resources }) =>
    [resources?.requests, resources?.limits].every(
      (amounts) => nanoOf(amounts?.['cpu']) === 0n && nanoOf(amounts?.['memory']) === 0n,
    ),
  );
}

/** An amount as a quota's status writes it: in the form its limit is written in. */
export function printAmount(nano: bigint, limit: Json | undefined): string {
  const binary = typeof limit === 'string' && /[KMGTPE]i$/.test(limit);
  return printQuantity({ nano, format: binary ? 'binary' : 'decimal' });
}
