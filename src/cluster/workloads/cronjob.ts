import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import { isTrue } from './conditions.ts';
import { CONTROLLER_MANAGER, type Context, itself, ownerOfKind, splitKey, type WorkloadController } from './context.ts';
import { parseSchedule } from './cron-schedule.ts';
import { isEnded } from './job/job.ts';
import { controllerReference, isControlledBy } from './owned.ts';
import type { Again } from './queue.ts';
import { isTerminatingNamespace } from './replicaset.ts';
import { CRON_JOBS, JOBS } from './resources.ts';
import { shaped } from './shapes.ts';
import type { CronJob, Job } from './shapes-batch.ts';
import { timeMs, timeText } from './times.ts';
import { deleteObject, WriteFailed, writeStatus } from './writes.ts';

const COMPONENT = 'cronjob-controller';
/** Missed times looked at before only the latest counts: kubernetes@1.34 pkg/controller/cronjob/utils.go. */
const MAX_MISSED = 100;

/** Makes Jobs by a schedule. Source: kubernetes@1.34 pkg/controller/cronjob/cronjob_controllerv2.go. */
export function cronJobController(context: Context): WorkloadController {
  const { registry, clock, events } = context;

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(CRON_JOBS, namespace, name);
    if (stored === undefined) return undefined;
    let cron = shaped<CronJob>(stored);
    const jobs = registry
      .list(JOBS, namespace)
      .filter((job) => isControlledBy(job, cron))
      .map((job) => shaped<Job>(job));
    cron = await settle(cron, jobs);
    await keepHistory(cron, jobs);
    if (cron.metadata.deletionTimestamp !== undefined || cron.spec.suspend === true) return undefined;
    return schedule(cron, jobs);
  }

  /** Brings the list of active Jobs and the time of the last success up to date. */
  async function settle(cron: CronJob, jobs: readonly Job[]): Promise<CronJob> {
    const running = jobs.filter((job) => !isEnded(job));
    const known = (cron.status?.active ?? []) as readonly { readonly uid: string; readonly name: string }[];
    for (const { uid, name } of known) {
      if (running.some(({ metadata }) => metadata.uid === uid)) continue;
      const ended = jobs.find(({ metadata }) => metadata.uid === uid);
      const message =
        ended === undefined
          ? `Active job went missing: ${name}`
          : `Saw completed job: ${name}, condition: ${isTrue(ended.status?.conditions, 'Complete') ? 'Complete' : 'Failed'}`;
      const reason = ended === undefined ? 'MissingJob' : 'SawCompletedJob';
      events.record(cron, COMPONENT, { type: 'Normal', reason, message });
    }
    const successes = jobs.map(({ status }) => status?.completionTime ?? '').sort();
    const lastSuccess = successes.at(-1) ?? '';
    const status = {
      ...cron.status,
      ...(running.length === 0
        ? {}
        : { active: running.map((job) => known.find(({ uid }) => uid === job.metadata.uid) ?? referenceTo(job)) }),
      ...(lastSuccess > (cron.status?.lastSuccessfulTime ?? '') ? { lastSuccessfulTime: lastSuccess } : {}),
    };
    if (running.length === 0) delete (status as { active?: unknown }).active;
    return writeStatus(registry, CRON_JOBS, cron, status, CONTROLLER_MANAGER);
  }

  async function keepHistory(cron: CronJob, jobs: readonly Job[]): Promise<void> {
    const limits = [
      ['Complete', cron.spec.successfulJobsHistoryLimit ?? 3],
      ['Failed', cron.spec.failedJobsHistoryLimit ?? 1],
    ] as const;
    for (const [condition, limit] of limits) {
      const ended = jobs
        .filter((job) => isTrue(job.status?.conditions, condition) && job.metadata.deletionTimestamp === undefined)
        .sort((a, b) => timeMs(a.status?.startTime) - timeMs(b.status?.startTime));
      for (const job of ended.slice(0, Math.max(0, ended.length - limit))) {
        await deleteObject(registry, JOBS, job, { propagation: 'Background' });
        events.record(cron, COMPONENT, {
          type: 'Normal',
          reason: 'SuccessfulDelete',
          message: `Deleted job ${job.metadata.name}`,
        });
      }
    }
  }

  async function schedule(cron: CronJob, jobs: readonly Job[]): Promise<Again> {
    const parsed = parseSchedule(cron.spec.schedule, cron.spec.timeZone);
    if (!parsed.ok) {
      const message = `unparseable schedule: ${cron.spec.schedule} : ${parsed.error}`;
      events.record(cron, COMPONENT, { type: 'Warning', reason: 'UnparseableSchedule', message });
      return undefined;
    }
    const now = clock.now();
    const { startingDeadlineSeconds } = cron.spec;
    let fromMs = timeMs(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp);
    if (startingDeadlineSeconds !== undefined) fromMs = Math.max(fromMs, now - startingDeadlineSeconds * 1000);
    const due = latestDue(parsed.value.next, fromMs, now);
    const next = parsed.value.next(now);
    const again = next === undefined ? undefined : { againInMs: next - now };
    if (due === undefined) return again;
    if (due.missed > MAX_MISSED) {
      const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
      events.record(cron, COMPONENT, { type: 'Warning', reason: 'TooManyMissedTimes', message });
    }
    const running = jobs.filter((job) => !isEnded(job));
    if (cron.spec.concurrencyPolicy === 'Forbid' && running.length > 0) {
      const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
      events.record(cron, COMPONENT, { type: 'Normal', reason: 'JobAlreadyActive', message });
      return again;
    }
    if (cron.spec.concurrencyPolicy === 'Replace') {
      for (const job of running) {
        await deleteObject(registry, JOBS, job, { propagation: 'Background' });
        events.record(cron, COMPONENT, {
          type: 'Normal',
          reason: 'SuccessfulDelete',
          message: `Deleted job ${job.metadata.name}`,
        });
      }
    }
    const job = await makeJob(cron, due.atMs);
    if (job !== undefined) {
      const kept = cron.spec.concurrencyPolicy === 'Replace' ? [] : (cron.status?.active ?? []);
      const status = { ...cron.status, active: [...kept, referenceTo(job)], lastScheduleTime: timeText(due.atMs) };
      await writeStatus(registry, CRON_JOBS, cron, status, CONTROLLER_MANAGER);
    }
    return again;
  }

  async function makeJob(cron: CronJob, atMs: number): Promise<Job | undefined> {
    const { metadata, spec } = cron.spec.jobTemplate;
    const wanted = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        // The minute of the schedule in the name: a second controller makes no second Job.
        name: `${cron.metadata.name}-${Math.floor(atMs / 60_000)}`,
        namespace: cron.metadata.namespace ?? '',
        ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
        annotations: { ...metadata?.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': timeText(atMs) },
        ownerReferences: [controllerReference(cron)],
      },
      spec,
    };
    const created = await registry.create(JOBS, wanted as unknown as KubeObject, CONTROLLER_MANAGER);
    if (created.ok) {
      const message = `Created job ${created.value.metadata.name}`;
      events.record(cron, COMPONENT, { type: 'Normal', reason: 'SuccessfulCreate', message });
      return shaped<Job>(created.value);
    }
    if (isTerminatingNamespace(created.error)) return undefined;
    const known = registry.get(JOBS, cron.metadata.namespace, wanted.metadata.name);
    if (created.error.reason === 'AlreadyExists' && known !== undefined && isControlledBy(known, cron)) {
      return shaped<Job>(known);
    }
    const message = `Error creating job: ${created.error.message}`;
    events.record(cron, COMPONENT, { type: 'Warning', reason: 'FailedCreate', message });
    throw new WriteFailed(created.error);
  }

  return {
    name: COMPONENT,
    watches: [
      { resource: CRON_JOBS, keys: itself },
      { resource: JOBS, keys: ownerOfKind('CronJob') },
    ],
    sync,
  };
}

/** The latest time of the schedule in (fromMs, nowMs], and how many there were. After many it jumps close to now. */
function latestDue(
  next: (afterMs: number) => number | undefined,
  fromMs: number,
  nowMs: number,
): { readonly atMs: number; readonly missed: number } | undefined {
  let missed = 0;
  let latest: number | undefined;
  for (let at = next(fromMs); at !== undefined && at <= nowMs; at = next(at)) {
    latest = at;
    missed++;
    if (missed !== MAX_MISSED + 1) continue;
    const stepMs = (at - fromMs) / missed;
    const nearMs = nowMs - 2 * stepMs;
    if (nearMs > at) at = nearMs;
  }
  return latest === undefined ? undefined : { atMs: latest, missed };
}

function referenceTo({ metadata }: Job): JsonObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    name,
    namespace: namespace ?? '',
    uid: uid ?? '',
    resourceVersion: resourceVersion ?? '',
  };
}
