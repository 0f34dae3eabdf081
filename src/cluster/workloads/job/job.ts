import { conditionOf, isTrue, setCondition } from '../conditions.ts';
import { CONTROLLER_MANAGER, type Context, itself, splitKey, type WorkloadController } from '../context.ts';
import { claim, controllerOf } from '../owned.ts';
import { byDispensability, isActive, isFinished, isReady, podFrom, podOwners, podsControlledBy } from '../pods.ts';
import type { Again } from '../queue.ts';
import { JOBS, PODS } from '../resources.ts';
import { type Pod, type StoredCondition, shaped } from '../shapes.ts';
import type { Job, JobStatus } from '../shapes-batch.ts';
import { timeMs, timeText } from '../times.ts';
import { deleteObject, WriteFailed, writeStatus, writtenOrGone } from '../writes.ts';
import { failsIndex, failuresOf, INDEX_FAILURES, indexFailure } from './index-failures.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import { type Failure, failureOf, isComplete, isIgnored, wantedPods } from './outcome.ts';
import { matchedSuccessRule } from './success-policy.ts';

const COMPONENT = 'job-controller';
/** Holds a pod until its end is counted. */
const TRACKING = 'batch.kubernetes.io/job-tracking';
const INDEX = 'batch.kubernetes.io/job-completion-index';
/** Pause before a failed pod is replaced: 10 s, doubling to 10 min. Source: kubernetes@1.34 pkg/controller/job. */
const FIRST_BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 600_000;
/** Pods made in one sync; the rest follows with the next. */
const BURST = 500;

/** Runs Jobs to their end and removes them when their time is over. Source: kubernetes@1.34 pkg/controller/job, ttlafterfinished. */
export function jobController(context: Context): WorkloadController {
  const { registry, clock, events } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(JOBS, namespace, name);
    await freeOrphans(namespace, name, stored?.metadata.uid);
    if (stored === undefined) return undefined;
    const job = shaped<Job>(stored);
    if (isEnded(job)) return expire(job);
    if (job.metadata.deletionTimestamp !== undefined) {
      await freeAll(job);
      return undefined;
    }
    return advance(job);
  }

  /** Lets go of pods whose Job is gone: nobody will count them. */
  async function freeOrphans(namespace: string, name: string, uid: string | undefined): Promise<void> {
    for (const object of registry.list(PODS, namespace)) {
      const owner = controllerOf(object);
      if (owner?.kind !== 'Job' || owner.name !== name || owner.uid === uid) continue;
      await free(shaped<Pod>(object));
    }
  }

  async function freeAll(job: Job): Promise<void> {
    for (const pod of podsControlledBy(registry, job)) await free(pod);
  }

  async function free(pod: Pod): Promise<void> {
    const current = registry.get(PODS, pod.metadata.namespace, pod.metadata.name);
    const finalizers = current?.metadata.finalizers ?? [];
    if (current === undefined || current.metadata.uid !== pod.metadata.uid || !finalizers.includes(TRACKING)) return;
    const metadata = { ...current.metadata, finalizers: finalizers.filter((one) => one !== TRACKING) };
    writtenOrGone(await registry.update(PODS, { ...current, metadata }, CONTROLLER_MANAGER));
  }

  async function expire(job: Job): Promise<Again> {
    await freeAll(job);
    const ttl = job.spec.ttlSecondsAfterFinished;
    if (ttl === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
    const end = (job.status?.conditions ?? []).find(({ type, status }) => isEnd(type) && status === 'True');
    const leftMs = timeMs(end?.lastTransitionTime) + ttl * 1000 - clock.now();
    if (leftMs > 0) return { againInMs: leftMs };
    await deleteObject(registry, JOBS, job, { propagation: 'Foreground' });
    return undefined;
  }

  async function advance(job: Job): Promise<Again> {
    const pods =
      job.spec.selector === undefined
        ? podsControlledBy(registry, job)
        : await claim<Pod>(registry, PODS, job, job.spec.selector);
    const counted = await count(job, pods);
    let current = counted.job;
    const active = pods.filter(isActive);
    const { succeeded, failed } = counted;
    const nowMs = clock.now();
    const startMs = current.status?.startTime === undefined ? undefined : timeMs(current.status.startTime);
    const target = conditionOf(current.status?.conditions, 'FailureTarget');
    const failure =
      target === undefined
        ? (failureOf(current, { failed, active, newlyFailed: counted.newlyFailed, startMs, nowMs }) ??
          indexFailure(current, counted.failedIndexes, counted.completed))
        : ({ reason: target.reason, message: target.message } as Failure);
    if (failure !== undefined) {
      for (const pod of active) await removePod(job, pod);
      // What is taken from a Job that failed has failed with it.
      return end(current, 'Failed', failure, { ...counted, failed: failed + active.length });
    }
    const met = conditionOf(current.status?.conditions, 'SuccessCriteriaMet');
    const rule = met?.reason === 'SuccessPolicy' ? met.message : matchedSuccessRule(current, counted.completed);
    if (rule !== undefined) {
      for (const pod of active) await removePod(job, pod);
      return end(current, 'Complete', { reason: 'SuccessPolicy', message: rule }, counted);
    }
    if (isComplete(current, succeeded, active.length)) {
      for (const pod of active) await removePod(job, pod);
      const reached = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
      return end(current, 'Complete', reached, counted);
    }
    let again: Again;
    let running: readonly Pod[] = active;
    if (current.spec.suspend === true) {
      for (const pod of active) await removePod(job, pod);
      running = [];
      current = await write(current, suspended(current, true));
    } else {
      current = await write(current, suspended(current, false));
      const result = await manage(current, pods, active, counted);
      running = result.active;
      again = result.again;
    }
    await write(current, withCounts(current, counted, running, terminating(pods, active, running)));
    const deadline = current.spec.activeDeadlineSeconds;
    if (deadline !== undefined && current.status?.startTime !== undefined) {
      const leftMs = timeMs(current.status.startTime) + deadline * 1000 - nowMs;
      again = { againInMs: Math.max(1, Math.min(leftMs, again?.againInMs ?? Infinity)) };
    }
    return again;
  }

  interface Counted {
    readonly job: Job;
    readonly succeeded: number;
    readonly failed: number;
    readonly completed: ReadonlySet<number>;
    readonly failedIndexes: ReadonlySet<number>;
    readonly newlyFailed: readonly Pod[];
  }

  /** Counts ended pods once and only once: their uids go to the status first, then their finalizer goes, then the counters rise. */
  async function count(input: Job, pods: readonly Pod[]): Promise<Counted> {
    let job = input;
    const isIndexed = job.spec.completionMode === 'Indexed';
    const completed = parseIndexes(job.status?.completedIndexes);
    const failedIndexes = parseIndexes(job.status?.failedIndexes);
    const before = job.status?.uncountedTerminatedPods ?? {};
    const succeededUids = new Set(before.succeeded ?? []);
    const failedUids = new Set(before.failed ?? []);
    const ended = pods.filter((pod) => pod.metadata.finalizers?.includes(TRACKING) === true && isOver(job, pod));
    const newlyFailed: Pod[] = [];
    for (const pod of ended) {
      const uid = pod.metadata.uid ?? '';
      if (succeededUids.has(uid) || failedUids.has(uid)) continue;
      if (pod.status?.phase === 'Succeeded') {
        if (!isIndexed) succeededUids.add(uid);
        else if (indexOf(pod) !== undefined) completed.add(indexOf(pod) ?? 0);
      } else {
        newlyFailed.push(pod);
        const index = indexOf(pod);
        if (index !== undefined && failsIndex(job, pod)) failedIndexes.add(index);
        if (!isIgnored(job, pod)) failedUids.add(uid);
      }
    }
    const base = job.status ?? {};
    const indexText = {
      ...(completed.size === 0 ? {} : { completedIndexes: formatIndexes(completed) }),
      ...(job.spec.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(failedIndexes) }),
    };
    const uncounted = {
      ...(succeededUids.size === 0 ? {} : { succeeded: [...succeededUids] }),
      ...(failedUids.size === 0 ? {} : { failed: [...failedUids] }),
    };
    if (ended.length > 0) job = await write(job, { ...base, ...indexText, uncountedTerminatedPods: uncounted });
    for (const pod of ended) await free(pod);
    const succeeded = isIndexed ? completed.size : (base.succeeded ?? 0) + succeededUids.size;
    const failed = (base.failed ?? 0) + failedUids.size;
    if (succeededUids.size + failedUids.size + ended.length > 0) {
      job = await write(job, {
        ...base,
        ...indexText,
        uncountedTerminatedPods: {},
        ...(succeeded === 0 ? {} : { succeeded }),
        ...(failed === 0 ? {} : { failed }),
      });
    }
    return { job, succeeded, failed, completed, failedIndexes, newlyFailed };
  }

  async function manage(
    job: Job,
    pods: readonly Pod[],
    active: readonly Pod[],
    { succeeded, failed, completed, failedIndexes }: Counted,
  ): Promise<{ readonly active: readonly Pod[]; readonly again: Again }> {
    const wanted = wantedPods(job, succeeded + failedIndexes.size, active.length);
    if (active.length > wanted) {
      const surplus = [...active].sort(byDispensability).slice(0, active.length - wanted);
      for (const pod of surplus) await removePod(job, pod);
      return { active: active.filter((pod) => !surplus.includes(pod)), again: undefined };
    }
    const stopping = job.spec.podReplacementPolicy === 'Failed' ? pods.filter(isStopping).length : 0;
    const missing = Math.max(0, wanted - active.length - stopping);
    if (missing === 0) return { active, again: undefined };
    const pauseMs = untilRetryMs(pods, failed, clock.now());
    if (pauseMs > 0) return { active, again: { againInMs: pauseMs } };
    const over = new Set([...completed, ...failedIndexes]);
    const indexes = job.spec.completionMode === 'Indexed' ? freeIndexes(job, active, over) : undefined;
    const made: Pod[] = [];
    for (let number = 0; number < Math.min(missing, BURST); number++) {
      if (indexes !== undefined && indexes[number] === undefined) break;
      made.push(await makePod(job, indexes?.[number], pods));
    }
    return { active: [...active, ...made], again: missing > BURST ? { againInMs: 0 } : undefined };
  }

  async function makePod(job: Job, index: number | undefined, pods: readonly Pod[]): Promise<Pod> {
    const indexed = index === undefined ? {} : indexedParts(job, index, pods);
    const generateName = index === undefined ? `${job.metadata.name}-` : `${job.metadata.name}-${index}-`;
    const wanted = podFrom(job.spec.template, job, { generateName }, { finalizers: [TRACKING], ...indexed });
    const created = await registry.create(PODS, wanted, CONTROLLER_MANAGER);
    if (!created.ok) {
      const message = `Error creating: ${created.error.message}`;
      events.record(job, COMPONENT, { type: 'Warning', reason: 'FailedCreate', message });
      throw new WriteFailed(created.error);
    }
    const message = `Created pod: ${created.value.metadata.name}`;
    events.record(job, COMPONENT, { type: 'Normal', reason: 'SuccessfulCreate', message });
    return shaped<Pod>(created.value);
  }

  async function removePod(job: Job, pod: Pod): Promise<void> {
    // A pod that the Job itself takes away is no failure: it is not counted.
    await free(pod);
    await deleteObject(registry, PODS, pod);
    const message = `Deleted pod: ${pod.metadata.name}`;
    events.record(job, COMPONENT, { type: 'Normal', reason: 'SuccessfulDelete', message });
  }

  /** Says first what the Job will come to, and says it for good when its last pod has gone. */
  async function end(
    input: Job,
    type: 'Complete' | 'Failed',
    because: { readonly reason: string; readonly message: string },
    counted: Counted,
  ): Promise<Again> {
    const now = timeText(clock.now());
    const interim = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
    const left = podsControlledBy(registry, input).filter((pod) => !isFinished(pod));
    const condition = (name: string): StoredCondition => ({
      type: name,
      status: 'True',
      lastProbeTime: now,
      ...because,
    });
    let conditions = input.status?.conditions ?? [];
    if (!isTrue(conditions, interim)) conditions = setCondition(conditions, condition(interim), now);
    if (left.length > 0) {
      await write(input, withCounts({ ...input, status: { ...input.status, conditions } }, counted, [], left.length));
      return undefined;
    }
    conditions = setCondition(conditions, condition(type), now);
    const status = withCounts({ ...input, status: { ...input.status, conditions } }, counted, [], 0);
    const job = await write(input, type === 'Complete' ? { ...status, completionTime: now } : status);
    events.record(
      job,
      COMPONENT,
      type === 'Complete'
        ? { type: 'Normal', reason: 'Completed', message: 'Job completed' }
        : { type: 'Warning', ...because },
    );
    return undefined;
  }

  /** The status with its start time and its Suspended condition as the spec asks. */
  function suspended(job: Job, isSuspended: boolean): JobStatus {
    const status = job.status ?? {};
    const now = timeText(clock.now());
    const known = conditionOf(status.conditions, 'Suspended');
    const change = (state: 'True' | 'False', reason: string, message: string): readonly StoredCondition[] => {
      events.record(job, COMPONENT, { type: 'Normal', reason: reason.replace('Job', ''), message });
      return setCondition(
        status.conditions,
        { type: 'Suspended', status: state, lastProbeTime: now, reason, message },
        now,
      );
    };
    if (isSuspended) {
      if (known?.status === 'True') return status;
      const { startTime: _, ...rest } = status;
      return { ...rest, conditions: change('True', 'JobSuspended', 'Job suspended') };
    }
    const started = status.startTime === undefined ? { ...status, startTime: now } : status;
    if (known?.status !== 'True') return started;
    return { ...started, startTime: now, conditions: change('False', 'JobResumed', 'Job resumed') };
  }

  async function write(job: Job, status: JobStatus): Promise<Job> {
    return writeStatus(registry, JOBS, job, status, CONTROLLER_MANAGER);
  }

  function withCounts(job: Job, { succeeded, failed }: Counted, active: readonly Pod[], ending: number): JobStatus {
    const { active: _, succeeded: _s, failed: _f, ...rest } = job.status ?? {};
    return {
      ...rest,
      ...(active.length === 0 ? {} : { active: active.length }),
      ready: active.filter(isReady).length,
      ...(succeeded === 0 ? {} : { succeeded }),
      ...(failed === 0 ? {} : { failed }),
      terminating: ending,
      uncountedTerminatedPods: {},
    };
  }

  return {
    name: COMPONENT,
    watches: [
      { resource: JOBS, keys: itself },
      { resource: PODS, keys: podOwners(registry, 'Job', JOBS) },
    ],
    sync,
  };
}

/** Whether a pod may be counted as ended: by default as soon as it is being deleted. */
function isOver(job: Job, pod: Pod): boolean {
  return job.spec.podReplacementPolicy === 'Failed' ? isFinished(pod) : !isActive(pod);
}

function isStopping(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined && !isFinished(pod);
}

function isEnd(type: string): boolean {
  return type === 'Complete' || type === 'Failed';
}

export function isEnded(job: Job): boolean {
  return (job.status?.conditions ?? []).some(({ type, status }) => isEnd(type) && status === 'True');
}

function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[INDEX];
  return text === undefined ? undefined : Number(text);
}

function freeIndexes(job: Job, active: readonly Pod[], completed: ReadonlySet<number>): readonly number[] {
  const taken = new Set(active.map(indexOf));
  const indexes: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0); index++) {
    if (!completed.has(index) && !taken.has(index)) indexes.push(index);
  }
  return indexes;
}

function indexedParts(job: Job, index: number, pods: readonly Pod[]): NonNullable<Parameters<typeof podFrom>[3]> {
  const env = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX}']` } } };
  const withIndex = <T extends object>(containers: readonly T[]): T[] =>
    containers.map((one) => ({ ...one, env: [...((one as { env?: readonly object[] }).env ?? []), env] }));
  const { containers, initContainers, hostname } = job.spec.template.spec;
  return {
    labels: { [INDEX]: String(index) },
    annotations: {
      [INDEX]: String(index),
      ...(job.spec.backoffLimitPerIndex === undefined
        ? {}
        : {
            [INDEX_FAILURES]: String(
              failuresOf(
                job,
                pods.filter((pod) => indexOf(pod) === index && isFinished(pod)),
              ),
            ),
          }),
    },
    spec: {
      containers: withIndex(containers),
      ...(initContainers === undefined ? {} : { initContainers: withIndex(initContainers) }),
      hostname: hostname ?? `${job.metadata.name}-${index}`,
    },
  };
}

/** Milliseconds before a failed pod may be replaced. */
function untilRetryMs(pods: readonly Pod[], failed: number, nowMs: number): number {
  if (failed === 0) return 0;
  const ends = pods
    .filter(({ status }) => status?.phase === 'Failed')
    .flatMap(({ status }) =>
      (status?.containerStatuses ?? []).map(({ state }) => timeMs(state.terminated?.finishedAt)),
    );
  const last = Math.max(0, ...ends);
  return Math.max(0, last + Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failed - 1, 10), MAX_BACKOFF_MS) - nowMs);
}

function terminating(pods: readonly Pod[], active: readonly Pod[], running: readonly Pod[]): number {
  const stopped = active.filter((pod) => !running.includes(pod)).length;
  return stopped + pods.filter(isStopping).length;
}
