import { at, field, isArray, type JsonObject, stringAt } from '../../base/json.ts';
import { err } from '../../base/result.ts';
import { conditionsOf, current, failed, inProgress, integerAt, optionalInteger, type StatusOutcome } from './status.ts';

/** A Pod is not called unschedulable before this: schedulers and autoscalers need a moment. */
const SCHEDULE_WINDOW_MS = 15_000;
/** The deployment controller takes this progressDeadlineSeconds for "no deadline". */
const NO_DEADLINE = 2 ** 31 - 1;

type Rule = (object: JsonObject, nowMs: number) => StatusOutcome;

// Source of all rules: fluxcd/cli-utils@1.2.2 pkg/kstatus/status/core.go.
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['/Service', service],
  ['/Pod', pod],
  ['/Secret', alwaysReady],
  ['/ConfigMap', alwaysReady],
  ['batch/CronJob', alwaysReady],
  ['/PersistentVolumeClaim', claim],
  ['apps/StatefulSet', statefulSet],
  ['apps/DaemonSet', daemonSet],
  ['extensions/DaemonSet', daemonSet],
  ['apps/Deployment', deployment],
  ['extensions/Deployment', deployment],
  ['apps/ReplicaSet', replicaSet],
  ['extensions/ReplicaSet', replicaSet],
  ['policy/PodDisruptionBudget', () => current('AllowedDisruptions has been computed.')],
  ['batch/Job', job],
  ['apiextensions.k8s.io/CustomResourceDefinition', definition],
]);

/** The verdict of a kind with rules of its own; undefined for every other kind. */
export function builtinStatus(object: JsonObject, nowMs: number): StatusOutcome | undefined {
  const apiVersion = stringAt(object, 'apiVersion') ?? '';
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return RULES.get(`${group}/${stringAt(object, 'kind') ?? ''}`)?.(object, nowMs);
}

function alwaysReady(): StatusOutcome {
  return current('Resource is always ready');
}

function service(object: JsonObject): StatusOutcome {
  const needsAddress = stringAt(object, 'spec', 'type') === 'LoadBalancer';
  if (needsAddress && (stringAt(object, 'spec', 'clusterIP') ?? '') === '') {
    return inProgress('NoIPAssigned', 'ClusterIP not set. Service type: LoadBalancer');
  }
  return current('Service is ready');
}

function claim(object: JsonObject): StatusOutcome {
  const phase = stringAt(object, 'status', 'phase') ?? 'unknown';
  return phase === 'Bound' ? current('PVC is Bound') : inProgress('NotBound', `PVC is not Bound. phase: ${phase}`);
}

function statefulSet(object: JsonObject): StatusOutcome {
  if (stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    return current('StatefulSet is using the ondelete update strategy');
  }
  const wanted = integerAt(object, 1, 'spec', 'replicas');
  const ready = integerAt(object, 0, 'status', 'readyReplicas');
  const now = integerAt(object, 0, 'status', 'currentReplicas');
  const updated = integerAt(object, 0, 'status', 'updatedReplicas');
  const replicas = integerAt(object, 0, 'status', 'replicas');
  const partition = integerAt(object, -1, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  if (wanted > replicas) return inProgress('LessReplicas', `Replicas: ${replicas}/${wanted}`);
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`);
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`);
  if (partition !== -1) {
    return updated < wanted - partition
      ? inProgress('PartitionRollout', `updated: ${updated}/${wanted - partition}`)
      : current(`Partition rollout complete. updated: ${updated}`);
  }
  if (wanted > now) return inProgress('LessCurrent', `current: ${now}/${wanted}`);
  const revision = stringAt(object, 'status', 'currentRevision') ?? '';
  if (revision !== (stringAt(object, 'status', 'updateRevision') ?? '')) {
    return inProgress('RevisionMismatch', 'Waiting for updated revision to match current');
  }
  return current(`All replicas scheduled as expected. Replicas: ${replicas}`);
}

function deployment(object: JsonObject): StatusOutcome {
  let progressing = integerAt(object, NO_DEADLINE, 'spec', 'progressDeadlineSeconds') === NO_DEADLINE;
  let available = false;
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (type === 'Progressing') {
      if (reason === 'ProgressDeadlineExceeded') return failed(reason, 'Progress deadline exceeded', message);
      if (status === 'True' && reason === 'NewReplicaSetAvailable') progressing = true;
    }
    if (type === 'Available' && status === 'True') available = true;
  }
  const wanted = integerAt(object, 1, 'spec', 'replicas');
  const replicas = integerAt(object, 0, 'status', 'replicas');
  const updated = integerAt(object, 0, 'status', 'updatedReplicas');
  const ready = integerAt(object, 0, 'status', 'readyReplicas');
  const availableReplicas = integerAt(object, 0, 'status', 'availableReplicas');
  if (wanted > replicas) return inProgress('LessReplicas', `Replicas: ${replicas}/${wanted}`);
  if (wanted > updated) return inProgress('LessUpdated', `Updated: ${updated}/${wanted}`);
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`);
  if (updated > availableReplicas) return inProgress('LessAvailable', `Available: ${availableReplicas}/${updated}`);
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`);
  if (!progressing) return inProgress('ReplicaSetNotAvailable', 'ReplicaSet not Available');
  if (!available) return inProgress('DeploymentNotAvailable', 'Deployment not Available');
  return current(`Deployment is available. Replicas: ${replicas}`);
}

function replicaSet(object: JsonObject): StatusOutcome {
  if (conditionsOf(object).some(({ type, status }) => type === 'ReplicaFailure' && status === 'True')) {
    return inProgress('ReplicaFailure', 'Replica Failure condition. Check Pods');
  }
  const wanted = integerAt(object, 1, 'spec', 'replicas');
  const replicas = integerAt(object, 0, 'status', 'replicas');
  const ready = integerAt(object, 0, 'status', 'readyReplicas');
  const available = integerAt(object, 0, 'status', 'availableReplicas');
  const labelled = integerAt(object, 0, 'status', 'fullyLabeledReplicas');
  if (wanted > labelled) return inProgress('LessLabelled', `Labelled: ${labelled}/${wanted}`);
  if (wanted > available) return inProgress('LessAvailable', `Available: ${available}/${wanted}`);
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`);
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`);
  return current(`ReplicaSet is available. Replicas: ${replicas}`);
}

function daemonSet(object: JsonObject): StatusOutcome {
  // Elsewhere a missing generation is let pass; the DaemonSet controller always writes it, so that its absence means "not seen yet".
  if (optionalInteger(object, 'metadata', 'generation') === undefined) {
    return inProgress('NoGeneration', `${stringAt(object, 'kind')} metadata.generation not found`);
  }
  if (optionalInteger(object, 'status', 'observedGeneration') === undefined) {
    return inProgress('NoObservedGeneration', `${stringAt(object, 'kind')} status.observedGeneration not found`);
  }
  const wanted = integerAt(object, -1, 'status', 'desiredNumberScheduled');
  const now = integerAt(object, 0, 'status', 'currentNumberScheduled');
  const updated = integerAt(object, 0, 'status', 'updatedNumberScheduled');
  const available = integerAt(object, 0, 'status', 'numberAvailable');
  const ready = integerAt(object, 0, 'status', 'numberReady');
  if (wanted === -1) return inProgress('NoDesiredNumber', 'Missing .status.desiredNumberScheduled');
  if (wanted > now) return inProgress('LessCurrent', `Current: ${now}/${wanted}`);
  if (wanted > updated) return inProgress('LessUpdated', `Updated: ${updated}/${wanted}`);
  if (wanted > available) return inProgress('LessAvailable', `Available: ${available}/${wanted}`);
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`);
  return current(`All replicas scheduled as expected. Replicas: ${wanted}`);
}

function pod(object: JsonObject, nowMs: number): StatusOutcome {
  const phase = stringAt(object, 'status', 'phase') ?? '';
  const conditions = conditionsOf(object);
  switch (phase) {
    case 'Succeeded':
      return current('Pod has completed successfully');
    case 'Failed':
      return current('Pod has completed, but not successfully');
    case 'Running': {
      if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return current('Pod is Ready');
      const looping = crashLooping(object);
      if (looping.length > 0) {
        return failed('ContainerCrashLooping', `Containers in CrashLoop state: ${looping.join(',')}`);
      }
      return inProgress('PodRunningNotReady', 'Pod is running but is not Ready');
    }
    case 'Pending': {
      const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
      if (unscheduled?.reason !== 'Unschedulable') return inProgress('PodPending', 'Pod is in the Pending phase');
      const created = parseTime(stringAt(object, 'metadata', 'creationTimestamp') ?? '');
      return created !== undefined && nowMs - SCHEDULE_WINDOW_MS < created
        ? inProgress('PodNotScheduled', 'Pod has not been scheduled')
        : failed('PodUnschedulable', 'Pod could not be scheduled');
    }
    case '':
      return inProgress('PodNotObserved', 'Pod phase not available');
    default:
      return err(`unknown phase ${phase}`);
  }
}

function crashLooping(object: JsonObject): readonly string[] {
  const list = at(object, 'status', 'containerStatuses');
  if (!isArray(list)) return [];
  return list
    .filter((item) => stringAt(item, 'state', 'waiting', 'reason') === 'CrashLoopBackOff')
    .map((item) => field(item, 'name'))
    .filter((name) => typeof name === 'string');
}

function job(object: JsonObject): StatusOutcome {
  const completions = integerAt(object, integerAt(object, 1, 'spec', 'parallelism'), 'spec', 'completions');
  const succeeded = integerAt(object, 0, 'status', 'succeeded');
  const active = integerAt(object, 0, 'status', 'active');
  const failures = integerAt(object, 0, 'status', 'failed');
  for (const { type, status } of conditionsOf(object)) {
    if (status !== 'True') continue;
    if (type === 'Complete') return current(`Job Completed. succeeded: ${succeeded}/${completions}`);
    if (type === 'Failed') return failed('JobFailed', `Job Failed. failed: ${failures}/${completions}`);
  }
  if ((stringAt(object, 'status', 'startTime') ?? '') === '') return inProgress('JobNotStarted', 'Job not started');
  return current(`Job in progress. success:${succeeded}, active: ${active}, failed: ${failures}`);
}

function definition(object: JsonObject): StatusOutcome {
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (type === 'NamesAccepted' && status === 'False') return failed(reason, message);
    if (type !== 'Established') continue;
    if (status === 'False' && reason !== 'Installing') return failed(reason, message);
    if (status === 'True') return current('CRD is established');
  }
  return inProgress('Installing', 'Install in progress');
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})/;

/** Milliseconds of an RFC 3339 time in UTC, without a Date: pure code has none. */
function parseTime(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  // Days since the epoch by the civil calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return ((era * 146_097 + dayOfEra - 719_468) * 86_400 + hour * 3600 + minute * 60 + second) * 1000;
}
