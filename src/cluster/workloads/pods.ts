import type { KubeObject } from '../../api/object.ts';
import type { Change, Registry } from '../registry.ts';
import { conditionOf, isTrue } from './conditions.ts';
import { controllerOf, controllerReference } from './owned.ts';
import { PODS } from './resources.ts';
import { matches, selectsAll } from './selector.ts';
import { type LabelSelector, type Pod, type PodTemplate, type Stored, shaped } from './shapes.ts';
import { timeMs } from './times.ts';

export function isReady(pod: Pod): boolean {
  return isTrue(pod.status?.conditions, 'Ready');
}

/** Milliseconds until a ready pod counts as available; 0 when it does, undefined when it is not ready. */
export function untilAvailableMs(pod: Pod, minReadySeconds: number | undefined, nowMs: number): number | undefined {
  if (!isReady(pod)) return undefined;
  if (minReadySeconds === undefined || minReadySeconds === 0) return 0;
  const since = timeMs(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime);
  return Math.max(0, since + minReadySeconds * 1000 - nowMs);
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** A pod that counts for its controller: neither ended nor being deleted. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** The pod that `owner` makes from `template`. */
export function podFrom(
  template: PodTemplate,
  owner: Stored<unknown, unknown>,
  name: { readonly name: string } | { readonly generateName: string },
  extra?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly spec?: Partial<Pod['spec']>;
  },
): KubeObject {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const allFinalizers = [...(finalizers ?? []), ...(extra?.finalizers ?? [])];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...name,
      namespace: owner.metadata.namespace,
      labels: { ...labels, ...extra?.labels },
      ...(annotations === undefined && extra?.annotations === undefined
        ? {}
        : { annotations: { ...annotations, ...extra?.annotations } }),
      ...(allFinalizers.length === 0 ? {} : { finalizers: allFinalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: { ...template.spec, ...extra?.spec },
  } as unknown as KubeObject;
}

/**
 * Which pod goes first when too many run: unassigned, pending, not ready, then the youngest.
 * Source: kubernetes@1.34 pkg/controller/controller_utils.go ActivePodsWithRanks.
 */
export function byDispensability(a: Pod, b: Pod): number {
  const unassigned = (pod: Pod): number => (pod.spec.nodeName === undefined || pod.spec.nodeName === '' ? 0 : 1);
  const phase = (pod: Pod): number => ({ Pending: 0, Unknown: 1 })[pod.status?.phase as 'Pending' | 'Unknown'] ?? 2;
  const cost = (pod: Pod): number =>
    Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0;
  const readyAt = (pod: Pod): number => timeMs(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime);
  const restarts = (pod: Pod): number =>
    (pod.status?.containerStatuses ?? []).reduce((most, { restartCount }) => Math.max(most, restartCount), 0);
  return (
    unassigned(a) - unassigned(b) ||
    phase(a) - phase(b) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    cost(a) - cost(b) ||
    (isReady(a) && isReady(b) ? readyAt(b) - readyAt(a) : 0) ||
    restarts(b) - restarts(a) ||
    timeMs(b.metadata.creationTimestamp) - timeMs(a.metadata.creationTimestamp) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  );
}

/** Keys of the controllers of `kind` that a changed pod concerns: its owners now and before, and, for an orphan, those that may adopt it. */
export function podOwners(
  registry: Registry,
  kind: string,
  resource: { readonly group: string; readonly plural: string },
): (change: Change) => readonly string[] {
  return (change) => {
    const keys = new Set<string>();
    for (const object of [change.object, change.previous]) {
      if (object === undefined) continue;
      const owner = controllerOf(object);
      if (owner !== undefined) {
        if (owner.kind === kind) keys.add(`${object.metadata.namespace ?? ''}/${owner.name}`);
        continue;
      }
      if (change.type === 'DELETED') continue;
      for (const candidate of registry.list(resource, object.metadata.namespace)) {
        const selector = shaped<Stored<{ selector?: LabelSelector }, unknown>>(candidate).spec.selector;
        if (selector !== undefined && !selectsAll(selector) && matches(selector, object.metadata.labels)) {
          keys.add(`${candidate.metadata.namespace ?? ''}/${candidate.metadata.name}`);
        }
      }
    }
    return [...keys];
  };
}

/** The pods of a namespace that `owner` controls, without adopting any. */
export function podsControlledBy(registry: Registry, owner: Stored<unknown, unknown>): Pod[] {
  return registry
    .list(PODS, owner.metadata.namespace)
    .filter((pod) => controllerOf(pod)?.uid === owner.metadata.uid)
    .map((pod) => shaped<Pod>(pod));
}
