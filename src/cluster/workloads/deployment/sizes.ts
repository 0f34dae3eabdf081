import type { Deployment, IntOrPercent, ReplicaSet } from '../shapes.ts';

/** A count, or a percentage of `total`. Source: apimachinery util/intstr GetScaledValueFromIntOrPercent. */
export function scaledValue(value: IntOrPercent | undefined, total: number, roundUp: boolean): number {
  if (value === undefined) return 0;
  if (typeof value === 'number') return value;
  const percent = Number(value.replace(/%$/, ''));
  if (Number.isNaN(percent)) return 0;
  return roundUp ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100);
}

/** Surge and unavailability as counts; when both come to 0, one pod may be missing, or nothing could ever move. */
function fenceposts(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  const { strategy, replicas } = deployment.spec;
  const surge = scaledValue(strategy.rollingUpdate?.maxSurge, replicas, true);
  const unavailable = scaledValue(strategy.rollingUpdate?.maxUnavailable, replicas, false);
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

export function maxSurge(deployment: Deployment): number {
  return deployment.spec.strategy.type === 'RollingUpdate' ? fenceposts(deployment).surge : 0;
}

export function maxUnavailable(deployment: Deployment): number {
  const { strategy, replicas } = deployment.spec;
  if (strategy.type !== 'RollingUpdate' || replicas === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, replicas);
}

/** A set and the size it shall have; the caller writes those whose size changes. */
export interface Resize {
  readonly set: ReplicaSet;
  readonly to: number;
}

export function totalSize(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, { spec }) => sum + spec.replicas, 0);
}

function availablePods(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, { status }) => sum + (status?.availableReplicas ?? 0), 0);
}

/** The size of the new set after one step. Source: kubernetes@1.34 deployment/util NewRSNewReplicas. */
export function newSetSize(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const { replicas, strategy } = deployment.spec;
  if (strategy.type !== 'RollingUpdate') return replicas;
  const room = replicas + maxSurge(deployment) - totalSize(all);
  if (room <= 0) return current;
  return current + Math.max(0, Math.min(room, replicas - current));
}

/**
 * How far the old sets shrink in one step of a rolling update: unhealthy pods first, then as many healthy ones as may be
 * missing. Source: kubernetes@1.34 deployment/rolling.go reconcileOldReplicaSets. `old` is sorted by age.
 */
export function shrinkOld(deployment: Deployment, fresh: ReplicaSet | undefined, old: readonly ReplicaSet[]): Resize[] {
  const all = fresh === undefined ? old : [...old, fresh];
  if (totalSize(old) === 0) return [];
  const minAvailable = deployment.spec.replicas - maxUnavailable(deployment);
  const freshUnavailable = fresh === undefined ? 0 : fresh.spec.replicas - (fresh.status?.availableReplicas ?? 0);
  let mayGo = totalSize(all) - minAvailable - freshUnavailable;
  if (mayGo <= 0) return [];
  const sizes = new Map(old.map((set) => [set, set.spec.replicas]));
  for (const set of old) {
    const unhealthy = Math.min(mayGo, set.spec.replicas - (set.status?.availableReplicas ?? 0));
    if (unhealthy <= 0) continue;
    sizes.set(set, set.spec.replicas - unhealthy);
    mayGo -= unhealthy;
  }
  let healthy = availablePods(all) - minAvailable;
  for (const set of old) {
    const size = sizes.get(set) ?? 0;
    if (healthy <= 0) break;
    const less = Math.min(size, healthy);
    sizes.set(set, size - less);
    healthy -= less;
  }
  return old.map((set) => ({ set, to: sizes.get(set) ?? 0 })).filter(({ set, to }) => to !== set.spec.replicas);
}

/**
 * New sizes when `replicas` changed in the middle of a rollout: spread over the sets by their share.
 * Source: kubernetes@1.34 deployment/sync.go scale.
 */
export function spread(deployment: Deployment, active: readonly ReplicaSet[]): Resize[] {
  const { replicas } = deployment.spec;
  const allowed = replicas > 0 ? replicas + maxSurge(deployment) : 0;
  const size = totalSize(active);
  const toAdd = allowed - size;
  const newer = (a: ReplicaSet, b: ReplicaSet): number =>
    (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? 1 : -1;
  const sorted = [...active].sort(
    (a, b) => b.spec.replicas - a.spec.replicas || (toAdd > 0 ? newer(a, b) : newer(b, a)),
  );
  let added = 0;
  const sizes = sorted.map((set) => {
    if (toAdd === 0) return { set, to: set.spec.replicas };
    const share = proportion(set, deployment, toAdd, added, size);
    added += share;
    return { set, to: set.spec.replicas + share };
  });
  const first = sizes[0];
  if (first !== undefined && toAdd !== 0) sizes[0] = { set: first.set, to: Math.max(0, first.to + toAdd - added) };
  return sizes;
}

function proportion(set: ReplicaSet, deployment: Deployment, toAdd: number, added: number, size: number): number {
  const left = toAdd - added;
  if (set.spec.replicas === 0 || toAdd === 0 || left === 0) return 0;
  const annotated = Number(set.metadata.annotations?.['deployment.kubernetes.io/max-replicas'] ?? size);
  const target = (set.spec.replicas * (deployment.spec.replicas + maxSurge(deployment))) / (annotated || size);
  const fraction = Math.round(target) - set.spec.replicas;
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}
