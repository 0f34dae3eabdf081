import { describe, expect, it } from 'vitest';
import { conditions, world } from '../../../../tests/support/world.ts';
import type { KubeObject } from '../../../api/object.ts';
import type { Registry } from '../../registry.ts';

const PODS = { group: '', plural: 'pods' };
const JOBS = { group: 'batch', plural: 'jobs' };
const CONTROLLERS = { group: '', plural: 'replicationcontrollers' };

/** Status as kube-controller-manager 1.34 wrote it for the same pods' ends, which nobody ran there either. */
async function play(spec: object, ends: Readonly<Record<string, object>>): Promise<KubeObject | undefined> {
  const { registry, run, create } = await world({ kubelet: false, scheduler: false });
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } };
  await create(JOBS, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'x', namespace: 'default' },
    spec: { completionMode: 'Indexed', completions: 3, parallelism: 3, template, ...spec },
  } as unknown as KubeObject);
  await run(1000);
  for (const [index, status] of Object.entries(ends)) {
    await setStatus(registry, index, status);
    await run(20_000);
  }
  return registry.get(JOBS, 'default', 'x');
}

async function setStatus(registry: Registry, index: string, status: object): Promise<void> {
  const pod = registry.list(PODS, 'default').find(({ metadata, status: now }) => {
    const own = metadata.labels?.['batch.kubernetes.io/job-completion-index'];
    return own === index && now?.['phase'] === 'Pending' && metadata.deletionTimestamp === undefined;
  });
  if (pod === undefined) throw new Error(`no pod of index ${index} waits`);
  await registry.update(PODS, { ...pod, status: { ...pod.status, ...status } } as KubeObject, 'kubelet', 'status');
}

const FAILED = { phase: 'Failed' };
const DONE = { phase: 'Succeeded' };

describe('an Indexed Job', () => {
  it('goes on without an index that failed too often, and fails above the limit of those', async () => {
    const one = await play({ backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, { 0: FAILED });
    expect(one?.status).toMatchObject({ active: 2, failed: 1, failedIndexes: '0' });
    const two = await play({ backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, { 0: FAILED, 1: FAILED });
    expect(two?.status).toMatchObject({ failed: 3, failedIndexes: '0,1' });
    expect(two?.status).not.toHaveProperty('active');
    expect(conditions(two)).toEqual([
      'FailureTarget=True MaxFailedIndexesExceeded',
      'Failed=True MaxFailedIndexesExceeded',
    ]);
  });

  it('fails when every index has ended and one has failed', async () => {
    const job = await play({ completions: 2, parallelism: 2, backoffLimitPerIndex: 0 }, { 0: FAILED, 1: DONE });
    expect(job?.status).toMatchObject({ succeeded: 1, failed: 1, completedIndexes: '1', failedIndexes: '0' });
    expect(conditions(job)).toEqual(['FailureTarget=True FailedIndexes', 'Failed=True FailedIndexes']);
  });

  it('tries an index again within its limit', async () => {
    const job = await play({ completions: 1, parallelism: 1, backoffLimitPerIndex: 1 }, { 0: FAILED });
    expect(job?.status).toMatchObject({ active: 1, failed: 1, failedIndexes: '' });
  });

  it('is complete when a rule of its success policy is met', async () => {
    const successPolicy = { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] };
    const job = await play({ successPolicy }, { 0: DONE });
    expect(job?.status).toMatchObject({ succeeded: 1, completedIndexes: '0' });
    expect(conditions(job)).toEqual(['SuccessCriteriaMet=True SuccessPolicy', 'Complete=True SuccessPolicy']);
    expect(job?.status?.['conditions']).toMatchObject([{ message: 'Matched rules at index 0' }, {}]);
  });
});

describe('a ReplicationController', () => {
  it('keeps its pods and counts them', async () => {
    const { registry, run, create } = await world();
    await create(CONTROLLERS, {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'r', namespace: 'default' },
      spec: {
        replicas: 2,
        selector: { app: 'r' },
        template: { metadata: { labels: { app: 'r' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    } as unknown as KubeObject);
    await run(2000);
    expect(registry.list(PODS, 'default').map(({ metadata }) => metadata.ownerReferences?.[0]?.kind)).toEqual([
      'ReplicationController',
      'ReplicationController',
    ]);
    expect(registry.get(CONTROLLERS, 'default', 'r')?.status).toMatchObject({
      replicas: 2,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
    });
  });
});
