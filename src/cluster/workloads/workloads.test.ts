import { describe, expect, it } from 'vitest';
import { conditions, events, world } from '../../../tests/support/world.ts';
import type { KubeObject } from '../../api/object.ts';
import type { Registry } from '../registry.ts';

const PODS = { group: '', plural: 'pods' };
const CONFIG_MAPS = { group: '', plural: 'configmaps' };
const DEPLOYMENTS = { group: 'apps', plural: 'deployments' };
const REPLICA_SETS = { group: 'apps', plural: 'replicasets' };
const NAMESPACES = { group: '', plural: 'namespaces' };

function deployment(replicas: number, image = 'app:1', annotations: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'a' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      template: { metadata: { labels: { app: 'a' }, annotations }, spec: { containers: [{ name: 'c', image }] } },
    },
  };
}

describe('a Deployment', () => {
  it('comes up through a ReplicaSet and ready pods', async () => {
    const { registry, run, create } = await world();
    await create(DEPLOYMENTS, deployment(2));
    await run(1000);
    const stored = registry.get(DEPLOYMENTS, 'default', 'd');
    expect(stored?.status).toMatchObject({
      observedGeneration: 1,
      replicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
    });
    expect(conditions(stored)).toEqual([
      'Available=True MinimumReplicasAvailable',
      'Progressing=True NewReplicaSetAvailable',
    ]);
    expect(stored?.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
    const pods = registry.list(PODS);
    expect(pods.map(({ spec }) => spec?.['nodeName'])).toEqual(['weir-worker', 'weir-worker']);
    expect(new Set(pods.map(({ status }) => status?.['podIP']))).toEqual(new Set(['10.244.128.2', '10.244.128.3']));
    const set = registry.list(REPLICA_SETS)[0]?.metadata.name ?? '';
    expect(events(registry)).toEqual(
      expect.arrayContaining([
        `ScalingReplicaSet: Scaled up replica set ${set} from 0 to 2`,
        `SuccessfulCreate: Created pod: ${pods[0]?.metadata.name}`,
        `Scheduled: Successfully assigned default/${pods[0]?.metadata.name} to weir-worker`,
        'Started: Started container c',
      ]),
    );
  });

  it('is complete with no replicas where nothing runs', async () => {
    const { registry, run, create } = await world({ kubelet: false, scheduler: false });
    await create(DEPLOYMENTS, deployment(0));
    await run(100);
    expect(conditions(registry.get(DEPLOYMENTS, 'default', 'd'))).toEqual([
      'Available=True MinimumReplicasAvailable',
      'Progressing=True NewReplicaSetAvailable',
    ]);
    expect(registry.list(REPLICA_SETS)[0]?.metadata.annotations).toEqual({
      'deployment.kubernetes.io/desired-replicas': '0',
      'deployment.kubernetes.io/max-replicas': '0',
      'deployment.kubernetes.io/revision': '1',
    });
  });

  it('keeps its pods unavailable where no kubelet runs', async () => {
    const { registry, run, create } = await world({ kubelet: false, scheduler: false });
    await create(DEPLOYMENTS, deployment(2));
    await run(100);
    const status = registry.get(DEPLOYMENTS, 'default', 'd')?.status;
    expect(status).toMatchObject({ replicas: 2, updatedReplicas: 2, unavailableReplicas: 2 });
    expect(status).not.toHaveProperty('readyReplicas');
  });

  it('rolls over to a new template and keeps the old set', async () => {
    const { registry, run, create, update } = await world();
    await create(DEPLOYMENTS, deployment(4));
    await run(1000);
    const before = registry.get(DEPLOYMENTS, 'default', 'd') as KubeObject;
    await update(DEPLOYMENTS, { ...before, spec: deployment(4, 'app:2').spec ?? {} });
    await run(5000);
    const after = registry.get(DEPLOYMENTS, 'default', 'd');
    expect(after?.status).toMatchObject({ replicas: 4, updatedReplicas: 4, availableReplicas: 4 });
    expect(after?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('2');
    const sets = registry.list(REPLICA_SETS);
    expect(sets.map(({ spec }) => spec?.['replicas'])).toEqual([0, 4]);
    expect(registry.list(PODS)).toHaveLength(4);
  });

  it('runs out of time with an image that cannot be pulled, and keeps three quarters of the old pods', async () => {
    const { registry, run, create, update } = await world();
    await create(DEPLOYMENTS, deployment(4));
    await run(1000);
    const before = registry.get(DEPLOYMENTS, 'default', 'd') as KubeObject;
    await update(DEPLOYMENTS, { ...before, spec: deployment(4, 'app:bad').spec ?? {} });
    await run(620_000);
    const after = registry.get(DEPLOYMENTS, 'default', 'd');
    expect(conditions(after)).toEqual([
      'Available=True MinimumReplicasAvailable',
      'Progressing=False ProgressDeadlineExceeded',
    ]);
    expect(after?.status).toMatchObject({ availableReplicas: 3, updatedReplicas: 2, unavailableReplicas: 2 });
    expect(events(registry)).toContain('Failed: Error: ImagePullBackOff');
  });

  it('takes its set and pods along when it is deleted', async () => {
    const { registry, run, create } = await world();
    await create(DEPLOYMENTS, deployment(2));
    await run(1000);
    await registry.delete(DEPLOYMENTS, 'default', 'd');
    await run(1000);
    expect(registry.list(REPLICA_SETS)).toEqual([]);
    expect(registry.list(PODS)).toEqual([]);
  });
});

describe('a pod', () => {
  it.each([
    ['crash-loop', 60_000, 'CrashLoopBackOff', 'Running'],
    ['oom', 60_000, 'CrashLoopBackOff', 'Running'],
    ['image-pull-backoff', 60_000, 'ImagePullBackOff', 'Pending'],
  ])('with the fault %s is not ready', async (fault, ms, reason, phase) => {
    const { registry, run, create } = await world();
    await create(DEPLOYMENTS, deployment(1, 'app:1', { 'sim.weir.dev/fault': fault }));
    await run(ms);
    const pod = registry.list(PODS)[0];
    expect(pod?.status?.['phase']).toBe(phase);
    expect(pod?.status?.['containerStatuses']).toMatchObject([{ ready: false, state: { waiting: { reason } } }]);
    expect(registry.get(DEPLOYMENTS, 'default', 'd')?.status).not.toHaveProperty('readyReplicas');
  });

  it('with a slow start is ready later', async () => {
    const { registry, run, create } = await world();
    await create(DEPLOYMENTS, deployment(1, 'app:1', { 'sim.weir.dev/ready-after': '20s' }));
    await run(15_000);
    expect(registry.get(DEPLOYMENTS, 'default', 'd')?.status).toMatchObject({ unavailableReplicas: 1 });
    await run(10_000);
    expect(registry.get(DEPLOYMENTS, 'default', 'd')?.status).toMatchObject({ availableReplicas: 1 });
  });
});

describe('a namespace', () => {
  const namespace: KubeObject = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'n' },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };

  it('gets its ServiceAccount and the CA', async () => {
    const { registry, run, create } = await world();
    await create(NAMESPACES, namespace);
    await run(10);
    expect(registry.get({ group: '', plural: 'serviceaccounts' }, 'n', 'default')).toBeDefined();
    expect(registry.get(CONFIG_MAPS, 'n', 'kube-root-ca.crt')).toMatchObject({ data: { 'ca.crt': 'PEM' } });
  });

  it('waits for finalizers of its content, says so, and then goes', async () => {
    const { registry, run, create, update } = await world();
    await create(NAMESPACES, namespace);
    const metadata = { name: 'a', namespace: 'n', finalizers: ['e.com/f'] };
    await create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    await run(10);
    await registry.delete(NAMESPACES, undefined, 'n');
    await run(1000);
    expect(conditions(registry.get(NAMESPACES, undefined, 'n'))).toEqual([
      'NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered',
      'NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions',
      'NamespaceDeletionContentFailure=False ContentDeleted',
      'NamespaceContentRemaining=True SomeResourcesRemain',
      'NamespaceFinalizersRemaining=True SomeFinalizersRemain',
    ]);
    const map = registry.get(CONFIG_MAPS, 'n', 'a') as KubeObject;
    await update(CONFIG_MAPS, { ...map, metadata: { ...map.metadata, finalizers: [] } });
    await run(1000);
    expect(registry.get(NAMESPACES, undefined, 'n')).toBeUndefined();
  });
});

describe('the garbage collector', () => {
  const owned = (name: string, owners: readonly KubeObject[], blocks = false): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: owners.map(({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        name: metadata.name,
        uid: metadata.uid ?? 'none',
        blockOwnerDeletion: blocks,
      })),
    },
  });
  const maps = (registry: Registry): string[] =>
    registry
      .list(CONFIG_MAPS, 'default')
      .map(({ metadata }) => metadata.name)
      .filter((name) => name !== 'kube-root-ca.crt')
      .sort((a, b) => (a < b ? -1 : 1));

  it('deletes what has no owner left', async () => {
    const { registry, run, create } = await world();
    const owner = await create(CONFIG_MAPS, owned('owner', []));
    await create(CONFIG_MAPS, owned('kid', [owner]));
    await create(CONFIG_MAPS, owned('orphan', [{ ...owner, metadata: { name: 'owner', uid: 'other' } }]));
    await run(10);
    expect(maps(registry)).toEqual(['kid', 'owner']);
    await registry.delete(CONFIG_MAPS, 'default', 'owner');
    await run(10);
    expect(maps(registry)).toEqual([]);
  });

  it('keeps what another owner holds', async () => {
    const { registry, run, create } = await world();
    const owners = [await create(CONFIG_MAPS, owned('one', [])), await create(CONFIG_MAPS, owned('two', []))];
    await create(CONFIG_MAPS, owned('kid', owners));
    await registry.delete(CONFIG_MAPS, 'default', 'one');
    await run(10);
    expect(registry.get(CONFIG_MAPS, 'default', 'kid')?.metadata.ownerReferences).toMatchObject([{ name: 'two' }]);
  });

  it('keeps dependents of an orphaning deletion', async () => {
    const { registry, run, create } = await world();
    const owner = await create(CONFIG_MAPS, owned('owner', []));
    await create(CONFIG_MAPS, owned('kid', [owner]));
    await registry.delete(CONFIG_MAPS, 'default', 'owner', { propagation: 'Orphan' });
    await run(10);
    expect(registry.get(CONFIG_MAPS, 'default', 'owner')).toBeUndefined();
    expect(registry.get(CONFIG_MAPS, 'default', 'kid')?.metadata.ownerReferences ?? []).toEqual([]);
  });

  it('keeps the owner of a foreground deletion until blocking dependents are gone', async () => {
    const { registry, run, create, update } = await world();
    const owner = await create(CONFIG_MAPS, owned('owner', []));
    const kid = await create(CONFIG_MAPS, owned('kid', [owner], true));
    const held = { ...kid, metadata: { ...kid.metadata, finalizers: ['e.com/f'] } };
    await update(CONFIG_MAPS, held);
    await registry.delete(CONFIG_MAPS, 'default', 'owner', { propagation: 'Foreground' });
    await run(10);
    const waiting = registry.get(CONFIG_MAPS, 'default', 'kid') as KubeObject;
    expect(waiting.metadata.deletionTimestamp).toBeDefined();
    expect(registry.get(CONFIG_MAPS, 'default', 'owner')).toBeDefined();
    await update(CONFIG_MAPS, { ...waiting, metadata: { ...waiting.metadata, finalizers: [] } });
    await run(10);
    expect(maps(registry)).toEqual([]);
  });

  it('ends circles of owners', async () => {
    const { registry, run, create, update } = await world();
    const one = await create(CONFIG_MAPS, owned('one', []));
    const two = await create(CONFIG_MAPS, owned('two', [one], true));
    const references = owned('x', [two], true).metadata.ownerReferences ?? [];
    await update(CONFIG_MAPS, { ...one, metadata: { ...one.metadata, ownerReferences: references } });
    await registry.delete(CONFIG_MAPS, 'default', 'one', { propagation: 'Foreground' });
    await run(1000);
    expect(maps(registry)).toEqual([]);
  });
});
