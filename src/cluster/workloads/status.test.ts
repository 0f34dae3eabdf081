import { describe, expect, it } from 'vitest';
import { conditions, type World, world } from '../../../tests/support/world.ts';
import type { KubeObject } from '../../api/object.ts';
import {
  AUTOSCALERS,
  CLAIMS,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  DEPLOYMENTS,
  DISRUPTION_BUDGETS,
  ENDPOINT_SLICES,
  ENDPOINTS,
  EVENTS,
  PODS,
  RESOURCE_QUOTAS,
  SERVICES,
  VOLUMES,
} from './resources.ts';

const metadata = { name: 'x', namespace: 'default' };

function deployment(replicas: number, annotations: Record<string, string> = {}): KubeObject {
  const containers = [{ name: 'c', image: 'app:1', ports: [{ name: 'http', containerPort: 8080 }] }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: { app: 'a' } },
      template: { metadata: { labels: { app: 'a' }, annotations }, spec: { containers } },
    },
  };
}

function service(spec: object): KubeObject {
  const ports = [{ port: 80, targetPort: 'http' }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: { app: 'a' }, ports, ...spec },
  } as KubeObject;
}

async function withPods(replicas: number, annotations: Record<string, string> = {}): Promise<World> {
  const made = await world();
  await made.create(DEPLOYMENTS, deployment(replicas, annotations));
  await made.run(1000);
  return made;
}

describe('a Service', () => {
  it('lists its ready pods with the numbers of named ports', async () => {
    const { registry, create, run } = await withPods(2);
    await create(SERVICES, service({}));
    await run(100);
    const slice = registry
      .list(ENDPOINT_SLICES, 'default')
      .find(({ metadata: { labels } }) => labels?.['kubernetes.io/service-name'] === 'x');
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      endpoints: [{ conditions: { ready: true } }, { conditions: { ready: true } }],
    });
    const { subsets } = registry.get(ENDPOINTS, 'default', 'x') as unknown as { subsets: { addresses: unknown[] }[] };
    expect(subsets[0]?.addresses).toHaveLength(2);
  });

  it('keeps pods that are not ready apart', async () => {
    const { registry, create, run } = await withPods(1, { 'sim.weir.dev/fault': 'not-ready' });
    await create(SERVICES, service({}));
    await run(100);
    const { subsets } = registry.get(ENDPOINTS, 'default', 'x') as unknown as { subsets: object[] };
    expect(subsets).toMatchObject([{ notReadyAddresses: [{ nodeName: 'weir-worker' }] }]);
    expect(subsets[0]).not.toHaveProperty('addresses');
  });

  it('of type LoadBalancer gets the loopback address', async () => {
    const { registry, create, run } = await withPods(0);
    await create(SERVICES, service({ type: 'LoadBalancer' }));
    await run(100);
    expect(registry.get(SERVICES, 'default', 'x')?.status).toEqual({
      loadBalancer: { ingress: [{ ip: '127.0.0.1', ipMode: 'VIP' }] },
    });
  });
});

describe('a PodDisruptionBudget', () => {
  it.each([
    [{ minAvailable: 2 }, 1, 2],
    [{ minAvailable: '50%' }, 1, 2],
    [{ maxUnavailable: 1 }, 1, 2],
    [{ maxUnavailable: 0 }, 0, 3],
  ])('of %j allows %i of three pods to go', async (wish, disruptionsAllowed, desiredHealthy) => {
    const { registry, create, run } = await withPods(3);
    const spec = { selector: { matchLabels: { app: 'a' } }, ...wish };
    await create(DISRUPTION_BUDGETS, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec });
    await run(100);
    const status = registry.get(DISRUPTION_BUDGETS, 'default', 'x')?.status;
    expect(status).toMatchObject({ disruptionsAllowed, desiredHealthy, currentHealthy: 3, expectedPods: 3 });
  });
});

describe('a HorizontalPodAutoscaler', () => {
  it('says that there are no metrics', async () => {
    const { registry, create, run } = await withPods(2);
    const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 5 };
    await create(AUTOSCALERS, { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata, spec });
    await run(100);
    const stored = registry.get(AUTOSCALERS, 'default', 'x');
    expect(conditions(stored)).toEqual([
      'AbleToScale=True SucceededGetScale',
      'ScalingActive=False FailedGetResourceMetric',
    ]);
    expect(stored?.status).toMatchObject({ currentReplicas: 2 });
  });
});

describe('a ResourceQuota', () => {
  it('counts objects and what pods ask for, also when they go', async () => {
    const { registry, create, run } = await world();
    const hard = { 'count/configmaps': '10', pods: '5', 'requests.cpu': '2', 'requests.memory': '1Gi' };
    await create(RESOURCE_QUOTAS, { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } });
    await create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    const requests = { cpu: '250m', memory: '64Mi' };
    for (const name of ['p', 'q']) {
      const spec = { containers: [{ name: 'c', image: 'app:1', resources: { requests } }] };
      await create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name }, spec });
    }
    await run(1000);
    const used = (): unknown => registry.get(RESOURCE_QUOTAS, 'default', 'x')?.status?.['used'];
    const both = { 'count/configmaps': '2', pods: '2', 'requests.cpu': '500m', 'requests.memory': '128Mi' };
    expect(used()).toEqual(both);
    await registry.delete(PODS, 'default', 'p');
    await run(1000);
    expect(used()).toEqual({ ...both, pods: '1', 'requests.cpu': '250m', 'requests.memory': '64Mi' });
  });
});

describe('a PersistentVolumeClaim', () => {
  const claim = (spec: object): KubeObject =>
    ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
    }) as KubeObject;

  it('gets a volume of its own, which goes with it', async () => {
    const { registry, create, run } = await world();
    await create(CLAIMS, claim({ storageClassName: 'standard' }));
    await run(100);
    expect(registry.list(VOLUMES)).toMatchObject([{ status: { phase: 'Bound' } }]);
    await registry.delete(CLAIMS, 'default', 'x');
    await run(100);
    expect(registry.list(VOLUMES).filter((volume) => volume.metadata.deletionTimestamp === undefined)).toEqual([]);
  });

  it('takes the smallest volume that is large enough', async () => {
    const { registry, create, run } = await world();
    for (const storage of ['5Gi', '2Gi', '500Mi']) {
      const spec = { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } };
      const name = storage.toLowerCase();
      await create(VOLUMES, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec });
    }
    await create(CLAIMS, claim({ storageClassName: '' }));
    await run(100);
    expect(registry.get(CLAIMS, 'default', 'x')?.spec).toMatchObject({ volumeName: '2gi' });
  });

  it('waits for a class that does not exist, and its pod with it', async () => {
    const { registry, create, run } = await world();
    await create(CLAIMS, claim({ storageClassName: 'fast' }));
    const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'x' } }];
    const spec = { containers: [{ name: 'c', image: 'app:1' }], volumes };
    await create(PODS, { apiVersion: 'v1', kind: 'Pod', metadata, spec });
    await run(1000);
    expect(registry.get(CLAIMS, 'default', 'x')?.status).toMatchObject({ phase: 'Pending' });
    expect(conditions(registry.get(PODS, 'default', 'x'))).toEqual(['PodScheduled=False Unschedulable']);
  });
});

describe('an aggregated ClusterRole', () => {
  it('holds the rules of those it selects', async () => {
    const { registry, create, run } = await world();
    const role = (name: string, rest: object): KubeObject =>
      ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, ...rest }) as KubeObject;
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { agg: 'yes' } }] };
    await create(CLUSTER_ROLES, role('all', { aggregationRule, rules: null }));
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    const labelled = role('one', { rules });
    await create(CLUSTER_ROLES, { ...labelled, metadata: { name: 'one', labels: { agg: 'yes' } } });
    await run(100);
    expect(registry.get(CLUSTER_ROLES, undefined, 'all')).toMatchObject({ rules });
  });
});

describe('an Event', () => {
  it('counts its repeats and is forgotten an hour after the last', async () => {
    const { registry, run } = await withPods(1, { 'sim.weir.dev/fault': 'crash-loop' });
    const backOffs = (): readonly KubeObject[] =>
      registry.list(EVENTS, 'default').filter((event) => (event as unknown as { reason: string }).reason === 'BackOff');
    await run(600_000);
    expect(backOffs()).toHaveLength(1);
    expect((backOffs()[0] as unknown as { count: number }).count).toBeGreaterThan(3);
    await registry.delete(DEPLOYMENTS, 'default', 'x');
    await run(3_000_000);
    expect(backOffs()).toHaveLength(1);
    await run(900_000);
    expect(backOffs()).toEqual([]);
  });
});
