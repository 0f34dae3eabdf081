import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import type { State } from '../api/view.ts';
import { describeFlux, describeMissing, describeObject } from './describe.ts';

const SINCE = '2026-01-01T00:00:00Z';
type Row = readonly [type: string, status: string, reason: string, message: string];

function kustomization(conditions: readonly Row[], spec: object = {}, status: object = {}): KubeObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'team', creationTimestamp: SINCE },
    spec: { ...spec },
    status: {
      ...status,
      conditions: conditions.map(([type, state, reason, message]) => ({
        type,
        status: state,
        reason,
        message,
        lastTransitionTime: SINCE,
      })),
    },
  };
}

describe('the state of a Flux object', () => {
  const rows: readonly (readonly [title: string, conditions: readonly Row[], spec: object, state: State])[] = [
    ['is Unknown before its first reconciliation', [], {}, 'Unknown'],
    ['is Ready', [['Ready', 'True', 'ReconciliationSucceeded', 'fine']], {}, 'Ready'],
    ['is Failed when Ready is False', [['Ready', 'False', 'BuildFailed', 'broken']], {}, 'Failed'],
    [
      'is Failed also while it tries again',
      [
        ['Ready', 'False', 'BuildFailed', 'broken'],
        ['Reconciling', 'True', 'ProgressingWithRetry', 'again'],
      ],
      {},
      'Failed',
    ],
    [
      'is Reconciling while Ready is Unknown',
      [
        ['Ready', 'Unknown', 'Progressing', 'in progress'],
        ['Reconciling', 'True', 'Progressing', 'building'],
      ],
      {},
      'Reconciling',
    ],
    ['is Waiting for a dependency', [['Ready', 'False', 'DependencyNotReady', "'a' is not ready"]], {}, 'Waiting'],
    [
      'is Waiting for the first artifact of its source',
      [['Ready', 'False', 'ArtifactFailed', 'Source artifact not found, retrying in 30s']],
      {},
      'Waiting',
    ],
    [
      'is Failed when an artifact cannot be used',
      [['Ready', 'False', 'ArtifactFailed', 'kustomization path not found']],
      {},
      'Failed',
    ],
    ['is Suspended whatever it was', [['Ready', 'False', 'BuildFailed', 'broken']], { suspend: true }, 'Suspended'],
  ];
  it.each(rows)('%s', (_title, conditions, spec, state) => {
    expect(describeFlux(kustomization(conditions, spec), 'applier').state).toBe(state);
  });

  it('comes with its message, since when, and the revision that is applied', () => {
    const object = kustomization(
      [['Ready', 'False', 'BuildFailed', 'broken']],
      {},
      { lastAppliedRevision: 'main@sha1:1' },
    );
    expect(describeFlux(object, 'applier')).toMatchObject({
      id: 'kustomize.toolkit.fluxcd.io/Kustomization/team/app',
      message: 'broken',
      since: SINCE,
      createdAt: SINCE,
      revision: 'main@sha1:1',
    });
  });

  it('bounds what a message may hold', () => {
    const object = kustomization([['Ready', 'False', 'BuildFailed', 'x'.repeat(100_000)]]);
    expect(describeFlux(object, 'applier').message).toHaveLength(2000);
  });
});

it('links a Kustomization with its source and with what it depends on', () => {
  const spec = {
    sourceRef: { kind: 'GitRepository', name: 'repo' },
    dependsOn: [{ name: 'a' }, { name: 'b', namespace: 'other' }],
  };
  expect(describeFlux(kustomization([], spec), 'applier')).toMatchObject({
    parents: ['source.toolkit.fluxcd.io/GitRepository/team/repo'],
    dependsOn: [
      'kustomize.toolkit.fluxcd.io/Kustomization/team/a',
      'kustomize.toolkit.fluxcd.io/Kustomization/other/b',
    ],
  });
});

describe('an applied object', () => {
  const deployment = (status: object): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: { replicas: 2, template: { spec: { containers: [{ name: 'web', image: 'web:v1' }] } } },
    status: { ...status },
  });
  const current = {
    observedGeneration: 1,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
    conditions: [{ type: 'Available', status: 'True' }],
  };

  it('has its image and its replicas for all to see', () => {
    expect(describeObject(deployment(current), 'object', ['p'], 0, 'main@sha1:1')).toMatchObject({
      state: 'Ready',
      parents: ['p'],
      revision: 'main@sha1:1',
      facts: [
        { name: 'image', value: 'web:v1' },
        { name: 'ready', value: '2/2' },
      ],
    });
  });

  it('is Reconciling while it rolls out', () => {
    expect(
      describeObject(deployment({ ...current, readyReplicas: 1, availableReplicas: 1 }), 'object', [], 0),
    ).toMatchObject({
      state: 'Reconciling',
    });
  });

  it('never shows what a Secret holds', () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'shop', annotations: { note: 'hunter2' } },
      data: { password: 'hunter2' },
      stringData: { password: 'hunter2' },
    } as KubeObject;
    expect(JSON.stringify(describeObject(secret, 'object', [], 0))).not.toContain('hunter2');
  });

  it('that is gone is Failed', () => {
    expect(describeMissing('apps/Deployment/shop/web', ['p'])).toMatchObject({ state: 'Failed', kind: 'Deployment' });
  });
});
