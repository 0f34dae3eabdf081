import { describe, expect, it } from 'vitest';
import { conditions, world } from '../../tests/support/world.ts';
import type { KubeObject } from '../api/object.ts';
import { parseJson, stringAt, stringifyJson } from '../base/json.ts';
import { createControlPlane } from './control-plane.ts';
import { SteppedTime } from './stepped-time.ts';

const DEPLOYMENTS = { group: 'apps', plural: 'deployments' };
const PODS = { group: '', plural: 'pods' };
const JOBS = { group: 'batch', plural: 'jobs' };
const CRON_JOBS = { group: 'batch', plural: 'cronjobs' };
const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 1);

function deployment(annotations: Record<string, string>): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'd' } },
      template: {
        metadata: { labels: { app: 'd' }, annotations },
        spec: { containers: [{ name: 'c', image: 'app:1' }] },
      },
    },
  } as unknown as KubeObject;
}

const cronJob = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'c', namespace: 'default' },
  spec: {
    schedule: '30 * * * *',
    successfulJobsHistoryLimit: 30,
    jobTemplate: {
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'job:1' }] } } },
    },
  },
} as unknown as KubeObject;

/** All that controllers wrote, without what is random by nature. */
function written(objects: readonly KubeObject[]): string[] {
  return objects
    .map(({ kind, status, spec }) =>
      stringifyJson({ kind, status: (status ?? null) as never, node: stringAt(spec, 'nodeName') ?? '' }),
    )
    .toSorted();
}

describe('time that is moved', () => {
  it('fails a rollout that makes no progress within its deadline, in no time', async () => {
    const { registry, run, create } = await world();
    await create(DEPLOYMENTS, deployment({ 'sim.weir.dev/fault': 'image-pull-backoff' }));
    await run(599_000);
    expect(conditions(registry.get(DEPLOYMENTS, 'default', 'd'))).toContain('Progressing=True ReplicaSetUpdated');
    await run(HOUR_MS);
    expect(conditions(registry.get(DEPLOYMENTS, 'default', 'd'))).toContain(
      'Progressing=False ProgressDeadlineExceeded',
    );
  });

  it('backs off from a container that crashes, up to five minutes', async () => {
    const { registry, run, create } = await world();
    await create(DEPLOYMENTS, deployment({ 'sim.weir.dev/fault': 'crash-loop' }));
    const restarts = (): number => {
      const statuses = registry.list(PODS)[0]?.status?.['containerStatuses'] as readonly { restartCount: number }[];
      return statuses[0]?.restartCount ?? 0;
    };
    await run(10 * 60_000);
    const early = restarts();
    await run(HOUR_MS);
    const late = restarts();
    expect(early).toBeGreaterThanOrEqual(5);
    // At most every five minutes once the back-off is at its longest.
    expect(late - early).toBeGreaterThanOrEqual(10);
    expect(late - early).toBeLessThanOrEqual(13);
  });

  it('runs every hour of a CronJob', async () => {
    const { registry, run, create } = await world();
    await create(CRON_JOBS, cronJob);
    await run(6 * HOUR_MS);
    expect(registry.list(JOBS)).toHaveLength(6);
    expect(registry.get(CRON_JOBS, 'default', 'c')?.status?.['lastScheduleTime']).toBe('2026-01-01T05:30:00Z');
  });

  it('leads to the same states each time', async () => {
    const play = async (): Promise<string[]> => {
      const { registry, run, create } = await world();
      await create(DEPLOYMENTS, deployment({ 'sim.weir.dev/fault': 'crash-loop' }));
      await create(CRON_JOBS, cronJob);
      await run(3 * HOUR_MS);
      return written([...registry.list(PODS), ...registry.list(JOBS), ...registry.list(CRON_JOBS)]).map((text) =>
        text.replace(
          /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z]-[a-z0-9]{9,10}(?:-[a-z0-9]{5})?|c-\d+(?:-[a-z0-9]{5})?|containerd:\/\/[0-9a-f]+|[0-9a-f]{64}|10\.\d+\.\d+\.\d+/g,
          '*',
        ),
      );
    };
    expect(await play()).toEqual(await play());
  });

  it('moves for one after the other', async () => {
    const time = new SteppedTime(START);
    expect(await Promise.all([time.advance(1000), time.advance(2000)])).toEqual([START + 1000, START + 3000]);
  });
});

describe('the clock over the wire', () => {
  const ask = async (
    options: Parameters<typeof createControlPlane>[0],
    method: string,
    body: string,
    path = '/weir/clock/advance',
  ): Promise<{ readonly status: number; readonly body: string }> => {
    const plane = await createControlPlane(options);
    const answer = await plane.handler({ method, path, headers: {}, body: new TextEncoder().encode(body) });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) chunks.push(chunk);
    await plane.stop();
    return { status: answer.status, body: Buffer.concat(chunks).toString() };
  };
  const stopped = (): { time: SteppedTime } => ({ time: new SteppedTime(START) });

  it('is moved by an administrator', async () => {
    const { status, body } = await ask(stopped(), 'POST', '{"by": "1h30m"}');
    expect([status, parseJson(body)]).toEqual([200, { now: '2026-01-01T01:30:00.000Z', manual: true }]);
    expect((await ask(stopped(), 'GET', '', '/weir/clock')).body).toContain('2026-01-01T00:00:00.000Z');
  });

  it.each([
    [
      'someone else',
      { ...stopped(), identity: { name: 'jane', uid: '', groups: ['system:authenticated'], extra: {} } },
      'POST',
      '{"by":"1h"}',
      403,
      'forbidden',
    ],
    ['a cluster on the clock of its machine', {}, 'POST', '{"by":"1h"}', 409, '--clock=manual'],
    ['a step back', stopped(), 'POST', '{"by":"-1h"}', 400, 'backwards'],
    ['more than a year', stopped(), 'POST', '{"by":"9000h"}', 400, 'at most a year'],
    ['no duration', stopped(), 'POST', '{"by":"soon"}', 400, 'invalid duration'],
    ['another body', stopped(), 'POST', 'x', 400, 'no JSON'],
    ['another method', stopped(), 'DELETE', '', 405, 'POST'],
  ])('is not moved: %s', async (_, options, method, sent, status, message) => {
    const answer = await ask(options as never, method, sent);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(message);
  });
});
