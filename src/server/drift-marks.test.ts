import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import type { ViewNode } from '../api/view.ts';
import { DRIFT_SHOWN_MS, DriftMarks, SETTLING_MS } from './drift-marks.ts';

const applier = (revision: string, ready = 'True'): KubeObject => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'team' },
  status: { lastAppliedRevision: revision, conditions: [{ type: 'Ready', status: ready }] },
});
const progressing = (message: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e' },
    involvedObject: {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      namespace: 'team',
      name: 'app',
    },
    reason: 'Progressing',
    message,
  }) as unknown as KubeObject;
const node: ViewNode = {
  id: 'apps/Deployment/shop/web',
  kind: 'Deployment',
  apiVersion: 'apps/v1',
  namespace: 'shop',
  name: 'web',
  tier: 'object',
  state: 'Ready',
  message: 'fine',
  parents: ['kustomize.toolkit.fluxcd.io/Kustomization/team/app'],
  dependsOn: [],
  facts: [],
};
const CHANGED = 'Service/shop/web configured\nDeployment/shop/web configured';

describe('drift marks', () => {
  let marks: DriftMarks;
  const tell = (message: string, atMs: number): boolean => marks.event(progressing(message), atMs);
  beforeEach(() => {
    marks = new DriftMarks();
    marks.applier(applier('main@sha1:1'), 0);
  });

  it('show an object that was put back while the revision stayed', () => {
    expect(tell(CHANGED, 60_000)).toBe(true);
    marks.decide(60_000 + SETTLING_MS);
    expect(marks.mark(node, 62_000)).toMatchObject({ state: 'Drifted', message: expect.stringContaining('00:01:00') });
  });

  it('go back to the state after a while, and stay among the facts with their count', () => {
    tell(CHANGED, 60_000);
    tell(CHANGED, 120_000);
    marks.decide(130_000);
    expect(marks.mark(node, 120_000 + DRIFT_SHOWN_MS)).toMatchObject({
      state: 'Ready',
      facts: [{ name: 'drift', value: 'put back 2 times, last at 00:02:00 UTC' }],
    });
  });

  const others: readonly (readonly [title: string, happens: () => void])[] = [
    [
      'a new revision whose event comes before its status',
      () => {
        tell(CHANGED, 60_000);
        marks.applier(applier('main@sha1:2'), 60_500);
      },
    ],
    [
      'a new revision whose event comes after its status',
      () => {
        marks.applier(applier('main@sha1:2'), 60_000);
        tell(CHANGED, 60_500);
      },
    ],
    [
      'a new revision that waits for health',
      () => {
        tell(CHANGED, 60_000);
        marks.applier(applier('main@sha1:1', 'Unknown'), 60_100);
      },
    ],
    ['health checks', () => tell('Health check passed in 10ms', 60_000)],
    [
      'a Kustomization that is gone',
      () => {
        tell(CHANGED, 60_000);
        marks.forget(applier('main@sha1:1'));
      },
    ],
  ];
  it.each(others)('are not made by %s', (_title, happens) => {
    happens();
    marks.decide(70_000);
    expect(marks.mark(node, 70_000)).toBe(node);
  });
});
