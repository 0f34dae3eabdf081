import { describe, expect, it } from 'vitest';
import { events, world } from '../../../tests/support/world.ts';
import type { KubeObject } from '../../api/object.ts';

const PODS = { group: '', plural: 'pods' };
const STATEFUL_SETS = { group: 'apps', plural: 'statefulsets' };
const DAEMON_SETS = { group: 'apps', plural: 'daemonsets' };
const CLAIMS = { group: '', plural: 'persistentvolumeclaims' };

function template(image: string, annotations: Record<string, string> = {}): object {
  return {
    metadata: { labels: { app: 'a' }, annotations },
    spec: { restartPolicy: 'Always', containers: [{ name: 'c', image }] },
  };
}

function statefulSet(spec: object = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 's', namespace: 'default' },
    spec: {
      replicas: 3,
      serviceName: 's',
      selector: { matchLabels: { app: 'a' } },
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      template: template('app:1'),
      ...spec,
    },
  } as KubeObject;
}

describe('a StatefulSet', () => {
  it('makes its pods one after the other, each when the one before is ready', async () => {
    const { registry, run, create } = await world();
    await create(STATEFUL_SETS, statefulSet());
    await run(100);
    expect(registry.list(PODS).map(({ metadata }) => metadata.name)).toEqual(['s-0']);
    await run(2000);
    expect(registry.list(PODS).map(({ metadata }) => metadata.name)).toEqual(['s-0', 's-1', 's-2']);
    expect(registry.get(PODS, 'default', 's-1')?.metadata.labels).toMatchObject({
      'statefulset.kubernetes.io/pod-name': 's-1',
      'apps.kubernetes.io/pod-index': '1',
    });
    const { status } = registry.get(STATEFUL_SETS, 'default', 's') ?? {};
    expect(status).toMatchObject({ replicas: 3, readyReplicas: 3, availableReplicas: 3, updatedReplicas: 3 });
    expect(status?.['currentRevision']).toBe(status?.['updateRevision']);
    expect(events(registry)).toContain('SuccessfulCreate: create Pod s-2 in StatefulSet s successful');
  });

  it('makes all pods at once when told to', async () => {
    const { registry, run, create } = await world();
    await create(STATEFUL_SETS, statefulSet({ podManagementPolicy: 'Parallel' }));
    await run(100);
    expect(registry.list(PODS)).toHaveLength(3);
  });

  it('scales down from the highest number', async () => {
    const { registry, run, create, update } = await world();
    await create(STATEFUL_SETS, statefulSet());
    await run(3000);
    const set = registry.get(STATEFUL_SETS, 'default', 's') as KubeObject;
    await update(STATEFUL_SETS, { ...set, spec: { ...set.spec, replicas: 1 } });
    await run(3000);
    expect(registry.list(PODS).map(({ metadata }) => metadata.name)).toEqual(['s-0']);
  });

  it('rolls over from the highest number down to its partition', async () => {
    const { registry, run, create, update } = await world();
    await create(STATEFUL_SETS, statefulSet());
    await run(3000);
    const set = registry.get(STATEFUL_SETS, 'default', 's') as KubeObject;
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
    const spec = statefulSet({ template: template('app:2'), updateStrategy }).spec ?? {};
    await update(STATEFUL_SETS, { ...set, spec });
    await run(5000);
    const images = ['s-0', 's-1', 's-2'].map(
      (name) =>
        (registry.get(PODS, 'default', name)?.spec?.['containers'] as { image: string }[] | undefined)?.[0]?.image,
    );
    expect(images).toEqual(['app:1', 'app:2', 'app:2']);
    const { status } = registry.get(STATEFUL_SETS, 'default', 's') ?? {};
    expect(status).toMatchObject({ updatedReplicas: 2, readyReplicas: 3 });
    expect(status?.['currentRevision']).not.toBe(status?.['updateRevision']);
  });

  it('stops a rollout at a pod that does not get ready', async () => {
    const { registry, run, create, update } = await world();
    await create(STATEFUL_SETS, statefulSet());
    await run(3000);
    const set = registry.get(STATEFUL_SETS, 'default', 's') as KubeObject;
    await update(STATEFUL_SETS, { ...set, spec: statefulSet({ template: template('app:bad') }).spec ?? {} });
    await run(60_000);
    expect(registry.get(STATEFUL_SETS, 'default', 's')?.status).toMatchObject({ readyReplicas: 2, updatedReplicas: 1 });
  });

  it('gets bound claims from the default StorageClass', async () => {
    const { registry, run, create } = await world();
    const spec = {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'standard',
      resources: { requests: { storage: '1Gi' } },
    };
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec }];
    await create(STATEFUL_SETS, statefulSet({ replicas: 1, volumeClaimTemplates }));
    await run(2000);
    expect(registry.get(CLAIMS, 'default', 'data-s-0')?.status).toEqual({
      phase: 'Bound',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
    });
    expect(registry.get(PODS, 'default', 's-0')?.status).toMatchObject({ phase: 'Running' });
  });
});

describe('a DaemonSet', () => {
  const daemonSet: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'd', namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: 'a' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      template: template('app:1') as never,
    },
  };
  const tolerating = {
    ...daemonSet,
    spec: {
      ...daemonSet.spec,
      template: {
        metadata: { labels: { app: 'a' } },
        spec: { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'c', image: 'app:1' }] },
      },
    },
  } as KubeObject;

  it('runs on the nodes that its pods tolerate', async () => {
    const { registry, run, create } = await world();
    await create(DAEMON_SETS, daemonSet);
    await run(2000);
    expect(registry.list(PODS).map(({ spec }) => spec?.['nodeName'])).toEqual(['weir-worker']);
    expect(registry.get(DAEMON_SETS, 'default', 'd')?.status).toEqual({
      currentNumberScheduled: 1,
      numberMisscheduled: 0,
      desiredNumberScheduled: 1,
      numberReady: 1,
      observedGeneration: 1,
      updatedNumberScheduled: 1,
      numberAvailable: 1,
    });
  });

  it('replaces its pods one at a time', async () => {
    const { registry, run, create, update } = await world();
    await create(DAEMON_SETS, tolerating);
    await run(2000);
    expect(registry.list(PODS)).toHaveLength(2);
    const set = registry.get(DAEMON_SETS, 'default', 'd') as KubeObject;
    const containers = [{ name: 'c', image: 'app:2' }];
    const spec = { metadata: { labels: { app: 'a' } }, spec: { tolerations: [{ operator: 'Exists' }], containers } };
    await update(DAEMON_SETS, { ...set, spec: { ...set.spec, template: spec } });
    let fewest = 2;
    for (let step = 0; step < 40; step++) {
      await run(100);
      fewest = Math.min(fewest, Number(registry.get(DAEMON_SETS, 'default', 'd')?.status?.['numberAvailable'] ?? 0));
    }
    expect(fewest).toBe(1);
    expect(registry.get(DAEMON_SETS, 'default', 'd')?.status).toMatchObject({
      updatedNumberScheduled: 2,
      numberReady: 2,
    });
  });

  it('wants no pods where there are no nodes', async () => {
    const { registry, run, create } = await world({ kubelet: false, scheduler: false });
    await create(DAEMON_SETS, daemonSet);
    await run(100);
    expect(registry.get(DAEMON_SETS, 'default', 'd')?.status).toMatchObject({ desiredNumberScheduled: 0 });
  });
});
