import { conditionOf, withoutCondition } from '../conditions.ts';
import type { Deployment, DeploymentStatus, ReplicaSet, StoredCondition } from '../shapes.ts';
import { timeMs, timeText } from '../times.ts';
import { maxUnavailable, totalSize } from './sizes.ts';

const NEW_SET_AVAILABLE = 'NewReplicaSetAvailable';
const TIMED_OUT = 'ProgressDeadlineExceeded';

function sum(
  sets: readonly ReplicaSet[],
  of: (status: NonNullable<ReplicaSet['status']>) => number | undefined,
): number {
  return sets.reduce((total, { status }) => total + (status === undefined ? 0 : (of(status) ?? 0)), 0);
}

/** Sets a Deployment's condition: an equal status and reason change nothing; a changed one goes to the end. */
export function setProgress(
  conditions: readonly StoredCondition[] | undefined,
  wanted: Pick<StoredCondition, 'type' | 'status' | 'reason' | 'message'>,
  nowMs: number,
): readonly StoredCondition[] {
  const known = conditionOf(conditions, wanted.type);
  if (known !== undefined && known.status === wanted.status && known.reason === wanted.reason) return conditions ?? [];
  const now = timeText(nowMs);
  const lastTransitionTime = known?.status === wanted.status ? (known.lastTransitionTime ?? now) : now;
  return [
    ...withoutCondition(conditions, wanted.type),
    { ...wanted, lastUpdateTime: now, lastTransitionTime } as StoredCondition,
  ];
}

/** Counts and the Available condition. Source: kubernetes@1.34 deployment/sync.go calculateStatus. */
export function countedStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const { generation } = deployment.metadata;
  const available = sum(all, ({ availableReplicas }) => availableReplicas);
  const counts = {
    replicas: sum(all, ({ replicas }) => replicas),
    updatedReplicas: fresh?.status?.replicas ?? 0,
    readyReplicas: sum(all, ({ readyReplicas }) => readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, totalSize(all) - available),
  };
  const enough = available >= deployment.spec.replicas - maxUnavailable(deployment);
  const conditions = setProgress(
    deployment.status?.conditions,
    enough
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    nowMs,
  );
  const { collisionCount } = deployment.status ?? {};
  return {
    observedGeneration: generation ?? 0,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions,
  };
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const { replicas } = deployment.spec;
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** A deadline of the largest int32 means none. */
export function progressDeadlineMs(deployment: Deployment): number | undefined {
  const seconds = deployment.spec.progressDeadlineSeconds;
  return seconds === undefined || seconds === 2_147_483_647 ? undefined : seconds * 1000;
}

/** The whole status during a rollout. Source: kubernetes@1.34 deployment/progress.go syncRolloutStatus. */
export function rolloutStatus(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const status = countedStatus(deployment, all, fresh, nowMs);
  const deadlineMs = progressDeadlineMs(deployment);
  const before = deployment.status ?? {};
  const current = conditionOf(before.conditions, 'Progressing');
  let conditions = status.conditions ?? [];
  if (deadlineMs === undefined) conditions = withoutCondition(conditions, 'Progressing');
  const wasComplete = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === NEW_SET_AVAILABLE;
  if (deadlineMs !== undefined && !wasComplete) {
    const subject =
      fresh === undefined
        ? `Deployment ${JSON.stringify(deployment.metadata.name)}`
        : `ReplicaSet ${JSON.stringify(fresh.metadata.name)}`;
    if (isComplete(deployment, status)) {
      const message = `${subject} has successfully progressed.`;
      conditions = setProgress(
        conditions,
        { type: 'Progressing', status: 'True', reason: NEW_SET_AVAILABLE, message },
        nowMs,
      );
    } else if (hasProgressed(before, status)) {
      const now = timeText(nowMs);
      const lastTransitionTime = current?.status === 'True' ? (current.lastTransitionTime ?? now) : now;
      conditions = [
        ...withoutCondition(conditions, 'Progressing'),
        {
          type: 'Progressing',
          status: 'True',
          lastUpdateTime: now,
          lastTransitionTime,
          reason: 'ReplicaSetUpdated',
          message: `${subject} is progressing.`,
        },
      ];
    } else if (isTimedOut(current, deadlineMs, nowMs)) {
      const message = `${subject} has timed out progressing.`;
      conditions = setProgress(conditions, { type: 'Progressing', status: 'False', reason: TIMED_OUT, message }, nowMs);
    }
  }
  return { ...status, conditions: withFailure(conditions, all, fresh, nowMs) };
}

function isTimedOut(current: StoredCondition | undefined, deadlineMs: number, nowMs: number): boolean {
  if (current === undefined || current.reason === NEW_SET_AVAILABLE) return false;
  return current.reason === TIMED_OUT || timeMs(current.lastUpdateTime) + deadlineMs < nowMs;
}

function withFailure(
  conditions: readonly StoredCondition[],
  all: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  nowMs: number,
): readonly StoredCondition[] {
  const failures = [fresh, ...all].map((set) => conditionOf(set?.status?.conditions, 'ReplicaFailure'));
  const failure = failures.find((condition) => condition !== undefined);
  return failure === undefined
    ? withoutCondition(conditions, 'ReplicaFailure')
    : setProgress(conditions, failure, nowMs);
}

/** When to look again for a rollout that may run out of time; undefined when nothing can time out. */
export function untilDeadlineMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const deadlineMs = progressDeadlineMs(deployment);
  const current = conditionOf(status.conditions, 'Progressing');
  if (deadlineMs === undefined || current === undefined) return undefined;
  if (isComplete(deployment, status) || current.reason === TIMED_OUT) return undefined;
  const leftMs = timeMs(current.lastUpdateTime) + deadlineMs - nowMs;
  // A second more, as the times in status have whole seconds.
  return Math.max(0, leftMs) + 1000;
}
