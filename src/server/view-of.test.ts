import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { deltaOf, type Observed, viewEvent, viewOf } from './view-of.ts';

const K = 'kustomize.toolkit.fluxcd.io/v1';
const S = 'source.toolkit.fluxcd.io/v1';

function object(apiVersion: string, kind: string, name: string, more: Partial<KubeObject> = {}): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: 'n', uid: `uid-${kind}-${name}` }, ...more };
}
function applier(name: string, entries: readonly (readonly [id: string, version: string])[]): KubeObject {
  return object(K, 'Kustomization', name, {
    spec: { sourceRef: { kind: 'GitRepository', name: 'repo' } },
    status: {
      lastAppliedRevision: 'main@sha1:1',
      inventory: { entries: entries.map(([id, v]) => ({ id, v })) },
    },
  });
}
const source = object(S, 'GitRepository', 'repo');
const deployment = object('apps/v1', 'Deployment', 'web', { spec: { replicas: 1 } });
const replicaSet = object('apps/v1', 'ReplicaSet', 'web-1', { spec: { replicas: 1 } });
const oldSet = object('apps/v1', 'ReplicaSet', 'web-0', { spec: { replicas: 0 } });
const pod = object('v1', 'Pod', 'web-1-x');
const DEPLOYMENT = ['n_web_apps_Deployment', 'v1'] as const;

function observed(more: Partial<Observed>): Observed {
  return { sources: [source], appliers: [], find: () => undefined, ownedBy: () => [], ...more };
}
const edges = (view: ReturnType<typeof viewOf>) =>
  [...view.values()].map(({ id, tier, parents }) => `${tier} ${id} <- ${parents.join(', ')}`);

describe('the view', () => {
  it('goes from the source down to the pods, without the replica sets between', () => {
    const owned: Readonly<Record<string, readonly KubeObject[]>> = {
      'uid-Deployment-web': [replicaSet, oldSet],
      'uid-ReplicaSet-web-1': [pod],
    };
    const view = viewOf(
      observed({
        appliers: [applier('app', [DEPLOYMENT])],
        find: () => deployment,
        ownedBy: (uid) => owned[uid] ?? [],
      }),
      0,
    );
    expect(edges(view)).toEqual([
      'source source.toolkit.fluxcd.io/GitRepository/n/repo <- ',
      'applier kustomize.toolkit.fluxcd.io/Kustomization/n/app <- source.toolkit.fluxcd.io/GitRepository/n/repo',
      'object apps/Deployment/n/web <- kustomize.toolkit.fluxcd.io/Kustomization/n/app',
      'pod /Pod/n/web-1-x <- apps/Deployment/n/web',
    ]);
    expect(view.get('apps/Deployment/n/web')?.revision).toBe('main@sha1:1');
  });

  it('shows a Kustomization that another one applies once, with both origins', () => {
    const parent = applier('parent', [['n_child_kustomize.toolkit.fluxcd.io_Kustomization', 'v1']]);
    const child = applier('child', []);
    const view = viewOf(observed({ appliers: [parent, child], find: () => child }), 0);
    expect(view.get('kustomize.toolkit.fluxcd.io/Kustomization/n/child')).toMatchObject({
      tier: 'applier',
      parents: ['source.toolkit.fluxcd.io/GitRepository/n/repo', 'kustomize.toolkit.fluxcd.io/Kustomization/n/parent'],
    });
  });

  it('does not make a Kustomization that applies itself its own parent', () => {
    const self = applier('self', [['n_self_kustomize.toolkit.fluxcd.io_Kustomization', 'v1']]);
    expect(viewOf(observed({ appliers: [self], find: () => self }), 0).size).toBe(2);
  });

  it('says when an object of the inventory is gone, and nothing while its kind is not read yet', () => {
    const appliers = [applier('app', [DEPLOYMENT])];
    expect(viewOf(observed({ appliers }), 0).get('apps/Deployment/n/web')?.state).toBe('Failed');
    expect(viewOf(observed({ appliers, find: () => 'unwatched' }), 0).has('apps/Deployment/n/web')).toBe(false);
  });

  it('ends at owners that own each other', () => {
    const view = viewOf(
      observed({ appliers: [applier('app', [DEPLOYMENT])], find: () => deployment, ownedBy: () => [pod] }),
      0,
    );
    expect(view.size).toBe(4);
  });

  it('reads names with a colon as the inventory writes them', () => {
    const role = object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'a:b');
    const asked: string[] = [];
    const appliers = [applier('app', [['_a__b_rbac.authorization.k8s.io_ClusterRole', 'v1']])];
    viewOf(observed({ appliers, find: ({ name }) => (asked.push(name), role) }), 0);
    expect(asked).toEqual(['a:b']);
  });
});

it('a delta holds what came, changed and went, and nothing else', () => {
  const before = viewOf(observed({ appliers: [applier('a', []), applier('b', [])] }), 0);
  const suspended = { ...applier('b', []), spec: { ...applier('b', []).spec, suspend: true } };
  const after = viewOf(observed({ sources: [], appliers: [suspended, applier('c', [])] }), 0);
  const { nodes, removed } = deltaOf(before, after);
  expect(nodes.map(({ name }) => name)).toEqual(['b', 'c']);
  expect(removed).toEqual([
    'source.toolkit.fluxcd.io/GitRepository/n/repo',
    'kustomize.toolkit.fluxcd.io/Kustomization/n/a',
  ]);
  expect(deltaOf(after, after)).toEqual({ nodes: [], removed: [] });
});

describe('an event', () => {
  const event = {
    ...object('v1', 'Event', 'e'),
    involvedObject: { apiVersion: K, kind: 'Kustomization', namespace: 'n', name: 'app' },
    type: 'Warning',
    reason: 'BuildFailed',
    message: 'broken',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 3,
  } as unknown as KubeObject;

  it('is about a node', () => {
    expect(viewEvent(event)).toEqual({
      id: 'uid-Event-e',
      at: '2026-01-01T00:00:00Z',
      about: 'kustomize.toolkit.fluxcd.io/Kustomization/n/app',
      severity: 'error',
      reason: 'BuildFailed',
      message: 'broken',
      count: 3,
    });
  });
  it('about nothing is none', () => {
    expect(viewEvent(object('v1', 'Event', 'e'))).toBeUndefined();
  });
});
