import { describe, expect, it } from 'vitest';
import { conditions, events, world } from '../../../tests/support/world.ts';
import type { KubeObject } from '../../api/object.ts';
import { parseSchedule } from './cron-schedule.ts';
import { formatIndexes, parseIndexes } from './job/indexes.ts';

const PODS = { group: '', plural: 'pods' };
const JOBS = { group: 'batch', plural: 'jobs' };
const CRON_JOBS = { group: 'batch', plural: 'cronjobs' };

function jobSpec(spec: object = {}, annotations: Record<string, string> = {}): object {
  return {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    template: {
      metadata: { labels: { job: 'j' }, annotations },
      spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'job:1' }] },
    },
    ...spec,
  };
}

function job(spec: object = {}, annotations: Record<string, string> = {}): KubeObject {
  const metadata = { name: 'j', namespace: 'default' };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: jobSpec(spec, annotations) } as KubeObject;
}

describe('a Job', () => {
  it('completes when its pod has', async () => {
    const { registry, run, create } = await world();
    await create(JOBS, job());
    await run(500);
    expect(registry.get(JOBS, 'default', 'j')?.status).toMatchObject({ active: 1, ready: 1, terminating: 0 });
    await run(2000);
    const stored = registry.get(JOBS, 'default', 'j');
    expect(conditions(stored)).toEqual([
      'SuccessCriteriaMet=True CompletionsReached',
      'Complete=True CompletionsReached',
    ]);
    expect(stored?.status).toMatchObject({ succeeded: 1, ready: 0, completionTime: '2026-01-01T00:00:01Z' });
    expect(stored?.status).not.toHaveProperty('active');
    expect(registry.list(PODS)[0]?.metadata.finalizers ?? []).toEqual([]);
    expect(events(registry)).toContain('Completed: Job completed');
  });

  it('never completes where no kubelet runs', async () => {
    const { registry, run, create } = await world({ kubelet: false, scheduler: false });
    await create(JOBS, job());
    await run(3_600_000);
    expect(registry.get(JOBS, 'default', 'j')?.status).toEqual({
      active: 1,
      ready: 0,
      startTime: '2026-01-01T00:00:00Z',
      terminating: 0,
      uncountedTerminatedPods: {},
    });
  });

  it('fails when its pods have failed too often, with pauses between them', async () => {
    const { registry, run, create } = await world();
    await create(JOBS, job({ backoffLimit: 2 }, { 'sim.weir.dev/fault': 'fail' }));
    await run(10_000);
    expect(registry.get(JOBS, 'default', 'j')?.status).toMatchObject({ failed: 1 });
    await run(60_000);
    const stored = registry.get(JOBS, 'default', 'j');
    expect(conditions(stored)).toEqual(['FailureTarget=True BackoffLimitExceeded', 'Failed=True BackoffLimitExceeded']);
    expect(stored?.status).toMatchObject({ failed: 3 });
    expect(registry.list(PODS)).toHaveLength(3);
  });

  it('fails at its deadline and takes its pods away', async () => {
    const { registry, run, create } = await world();
    await create(JOBS, job({ activeDeadlineSeconds: 30 }, { 'sim.weir.dev/run-for': '1h' }));
    await run(40_000);
    expect(conditions(registry.get(JOBS, 'default', 'j'))).toContain('Failed=True DeadlineExceeded');
    expect(registry.list(PODS)).toEqual([]);
  });

  it('runs as many pods at once as it may until all have completed', async () => {
    const { registry, run, create } = await world();
    await create(JOBS, job({ parallelism: 2, completions: 5 }));
    await run(500);
    expect(registry.list(PODS)).toHaveLength(2);
    await run(10_000);
    expect(registry.get(JOBS, 'default', 'j')?.status).toMatchObject({ succeeded: 5 });
    expect(registry.list(PODS)).toHaveLength(5);
  });

  it('completes each index once', async () => {
    const { registry, run, create } = await world();
    await create(JOBS, job({ parallelism: 3, completions: 4, completionMode: 'Indexed' }));
    await run(10_000);
    expect(registry.get(JOBS, 'default', 'j')?.status).toMatchObject({ succeeded: 4, completedIndexes: '0-3' });
    const indexes = registry
      .list(PODS)
      .map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/job-completion-index']);
    expect(new Set(indexes)).toEqual(new Set(['0', '1', '2', '3']));
    expect(indexes).toHaveLength(4);
  });

  it('waits while it is suspended', async () => {
    const { registry, run, create, update } = await world();
    await create(JOBS, job({ suspend: true }));
    await run(1000);
    expect(registry.list(PODS)).toEqual([]);
    const stored = registry.get(JOBS, 'default', 'j') as KubeObject;
    expect(conditions(stored)).toEqual(['Suspended=True JobSuspended']);
    await update(JOBS, { ...stored, spec: { ...stored.spec, suspend: false } });
    await run(5000);
    expect(conditions(registry.get(JOBS, 'default', 'j'))).toContain('Complete=True CompletionsReached');
  });

  it('goes with its pods when its time is over', async () => {
    const { registry, run, create } = await world();
    await create(JOBS, job({ ttlSecondsAfterFinished: 60 }));
    await run(30_000);
    expect(registry.list(JOBS)).toHaveLength(1);
    await run(60_000);
    expect(registry.list(JOBS)).toEqual([]);
    expect(registry.list(PODS)).toEqual([]);
  });

  it('fails at once when its failure policy says so', async () => {
    const { registry, run, create } = await world();
    const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }];
    const annotations = { 'sim.weir.dev/fault': 'fail', 'sim.weir.dev/exit-code': '42' };
    await create(JOBS, job({ podFailurePolicy: { rules } }, annotations));
    await run(5000);
    expect(conditions(registry.get(JOBS, 'default', 'j'))).toContain('Failed=True PodFailurePolicy');
  });

  it.each([
    ['', ''],
    ['1', '1'],
    ['1,2', '1,2'],
    ['1-3', '1-3'],
    ['5,1,2,3,9-12', '1-3,5,9-12'],
  ])('reads and writes the indexes %j', (text, wanted) => {
    expect(formatIndexes(parseIndexes(text))).toBe(wanted);
  });
});

describe('a CronJob', () => {
  function cronJob(spec: object = {}, annotations: Record<string, string> = {}): KubeObject {
    const jobTemplate = { spec: jobSpec({}, annotations) };
    return {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'c', namespace: 'default' },
      spec: {
        schedule: '*/5 * * * *',
        concurrencyPolicy: 'Allow',
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 1,
        jobTemplate,
        ...spec,
      },
    } as KubeObject;
  }

  it('makes a Job at each time of its schedule and keeps the last three', async () => {
    const { registry, run, create } = await world();
    await create(CRON_JOBS, cronJob());
    await run(3_600_000);
    const stored = registry.get(CRON_JOBS, 'default', 'c');
    expect(stored?.status).toMatchObject({ lastScheduleTime: '2026-01-01T01:00:00Z' });
    await run(10_000);
    expect(registry.list(JOBS).map(({ metadata }) => metadata.name)).toEqual([
      'c-29453810',
      'c-29453815',
      'c-29453820',
    ]);
    expect(registry.get(CRON_JOBS, 'default', 'c')?.status).toMatchObject({
      lastSuccessfulTime: '2026-01-01T01:00:01Z',
    });
  });

  it.each([
    ['Allow', 3],
    ['Forbid', 1],
    ['Replace', 1],
  ])('with the policy %s has %i of the long Jobs running', async (concurrencyPolicy, count) => {
    const { registry, run, create } = await world();
    await create(CRON_JOBS, cronJob({ concurrencyPolicy }, { 'sim.weir.dev/run-for': '2h' }));
    await run(16 * 60_000);
    expect(registry.list(JOBS)).toHaveLength(count);
    expect(registry.get(CRON_JOBS, 'default', 'c')?.status?.['active']).toHaveLength(count);
  });

  it('rests while it is suspended', async () => {
    const { registry, run, create } = await world();
    await create(CRON_JOBS, cronJob({ suspend: true }));
    await run(3_600_000);
    expect(registry.list(JOBS)).toEqual([]);
  });
});

describe('a schedule', () => {
  const from = Date.UTC(2026, 0, 31, 23, 59, 30);
  it.each([
    ['* * * * *', 'UTC', '2026-02-01T00:00:00.000Z'],
    ['30 4 * * *', 'UTC', '2026-02-01T04:30:00.000Z'],
    ['0 0 29 2 *', 'UTC', '2028-02-29T00:00:00.000Z'],
    ['0 0 13 * 5', 'UTC', '2026-02-06T00:00:00.000Z'],
    ['0 9 * * mon-fri', 'UTC', '2026-02-02T09:00:00.000Z'],
    ['@monthly', 'UTC', '2026-02-01T00:00:00.000Z'],
    ['0 9 * * *', 'America/New_York', '2026-02-01T14:00:00.000Z'],
    ['30 2 29 3 *', 'Europe/Berlin', '2027-03-29T00:30:00.000Z'],
    ['TZ=Asia/Tokyo 0 9 * * *', 'UTC', '2026-02-01T00:00:00.000Z'],
    ['10-50/20 */6 1,15 * *', 'UTC', '2026-02-01T00:10:00.000Z'],
  ])('%s in %s comes next at %s', (text, zone, wanted) => {
    const parsed = parseSchedule(text, zone);
    expect(parsed.ok && new Date(parsed.value.next(from) ?? 0).toISOString()).toBe(wanted);
  });

  it.each(['', '* * * *', '60 * * * *', '* * 0 * *', '5-1 * * * *', 'a * * * *', '*/0 * * * *'])(
    'refuses %j',
    (text) => {
      expect(parseSchedule(text).ok).toBe(false);
    },
  );
});
