import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import type { ViewNode } from '../api/view.ts';
import { DRIFT_SHOWN_MS, DriftMarks } from './drift-marks.ts';

const applier = (revision: string, ready = 'True'): KubeObject => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'team' },
  status: { lastAppliedRevision: revision, conditions: [{ type: 'Ready', status: ready }] },
});
const progressing = (revision: string, message: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', annotations: { 'kustomize.toolkit.fluxcd.io/revision': revision } },
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
  beforeEach(() => {
    marks = new DriftMarks();
    marks.applier(applier('main@sha1:1'), 0);
  });

  it('show an object that was put back at a revision that was in', () => {
    expect(marks.event(progressing('main@sha1:1', CHANGED), 60_000)).toBe(true);
    expect(marks.mark(node, 60_000)).toMatchObject({ state: 'Drifted', message: expect.stringContaining('00:01:00') });
  });

  it('go back to the state after a while, and stay among the facts with their count', () => {
    marks.event(progressing('main@sha1:1', CHANGED), 60_000);
    marks.event(progressing('main@sha1:1', CHANGED), 120_000);
    expect(marks.mark(node, 120_000 + DRIFT_SHOWN_MS)).toMatchObject({
      state: 'Ready',
      facts: [{ name: 'drift', value: 'put back 2 times, last at 00:02:00 UTC' }],
    });
  });

  const others: readonly (readonly [string, KubeObject, number])[] = [
    ['a new revision', progressing('main@sha1:2', CHANGED), 60_000],
    ['the pass that brought the revision', progressing('main@sha1:1', CHANGED), 500],
    ['health checks', progressing('main@sha1:1', 'Health check passed in 10ms'), 60_000],
  ];
  it.each(others)('are not made by %s', (_title, event, nowMs) => {
    expect(marks.event(event, nowMs)).toBe(false);
    expect(marks.mark(node, nowMs)).toBe(node);
  });
});
