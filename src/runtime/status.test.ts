import { describe, expect, test } from 'vitest';
import type { Condition } from '../api/condition.ts';
import { notReady, ready, reconciling, stalled, unknownReady } from '../api/condition.ts';
import type { KubeObject } from '../api/object.ts';
import type { Outcome } from '../api/outcome.ts';
import type { JsonObject } from '../base/json.ts';
import { finalStatus, mergePatch, progressStatus, type StatusRules } from './status.ts';

const RULES: StatusRules = { owned: ['Healthy'], restampsReady: false, now: '2026-01-02T00:00:00Z' };
const OLD = '2026-01-01T00:00:00Z';
const written = (condition: Condition, observedGeneration = 1): JsonObject => ({
  ...condition,
  observedGeneration,
  lastTransitionTime: OLD,
});

function object(status: JsonObject | undefined, requestedAt?: string): KubeObject {
  return {
    apiVersion: 'e.com/v1',
    kind: 'Thing',
    metadata: {
      name: 'x',
      generation: 2,
      ...(requestedAt === undefined ? {} : { annotations: { 'reconcile.fluxcd.io/requestedAt': requestedAt } }),
    },
    ...(status === undefined ? {} : { status }),
  };
}

function brief(status: JsonObject): unknown {
  const conditions = (status['conditions'] as readonly JsonObject[] | undefined) ?? [];
  return {
    ...status,
    conditions: conditions.map(
      ({ type, status, reason, observedGeneration: generation, lastTransitionTime: time }) =>
        `${[type, status].map(String).join('=')} ${[reason, `gen=${Number(generation)}`].map(String).join(' ')}${time === OLD ? '' : ' new'}`,
    ),
  };
}

describe('the status after a reconcile', () => {
  const report = (kind: 'done' | 'wait' | 'retry', conditions: readonly Condition[], status?: JsonObject): Outcome => ({
    kind,
    requeueAfterMs: 1,
    conditions,
    events: [],
    ...(status === undefined ? {} : { status }),
  });
  const initial = { observedGeneration: -1 };

  test.each<readonly [string, JsonObject, Exclude<Outcome, { kind: 'deleted' }>, unknown]>([
    [
      'ready advances observedGeneration and drops Reconciling',
      { ...initial, conditions: [written(reconciling('Progressing', 'm')), written(unknownReady('Progressing', 'm'))] },
      report('done', [reconciling('Progressing', 'm'), ready('Succeeded', 'm')], { revision: 'r' }) as never,
      { revision: 'r', observedGeneration: 2, conditions: ['Ready=True Succeeded gen=2 new'] },
    ],
    [
      'not ready leaves observedGeneration and tells of the retry',
      initial,
      report('retry', [notReady('Failed', 'm'), reconciling('Progressing', 'm')]) as never,
      {
        observedGeneration: -1,
        conditions: ['Reconciling=True ProgressingWithRetry gen=2 new', 'Ready=False Failed gen=2 new'],
      },
    ],
    [
      'what an earlier generation was doing when it failed is retried by this one',
      initial,
      report('wait', [notReady('Failed', 'm'), { ...reconciling('Progressing', 'm'), observedGeneration: 1 }]) as never,
      {
        observedGeneration: -1,
        conditions: ['Reconciling=True ProgressingWithRetry gen=2 new', 'Ready=False Failed gen=2 new'],
      },
    ],
    [
      'stalled advances observedGeneration and drops Reconciling',
      initial,
      {
        kind: 'stalled',
        conditions: [stalled('Bad', 'm'), notReady('Bad', 'm'), reconciling('Progressing', '')],
        events: [],
      },
      { observedGeneration: 2, conditions: ['Stalled=True Bad gen=2 new', 'Ready=False Bad gen=2 new'] },
    ],
    [
      'an observedGeneration in the report wins',
      initial,
      { kind: 'stalled', conditions: [notReady('AccessDenied', 'm')], events: [], status: { observedGeneration: -1 } },
      { observedGeneration: -1, conditions: ['Ready=False AccessDenied gen=2 new'] },
    ],
    [
      'Stalled goes with any other outcome; foreign conditions stay; owned ones left out go',
      {
        conditions: [
          written(stalled('Bad', 'm')),
          written({ type: 'Foreign', status: 'True', reason: 'R', message: '' }),
          written({ type: 'Healthy', status: 'True', reason: 'R', message: '' }),
        ],
      },
      report('wait', [notReady('DependencyNotReady', 'm'), stalled('Bad', 'm')]) as never,
      { conditions: ['Ready=False DependencyNotReady gen=2 new', 'Foreign=True R gen=1'] },
    ],
    [
      'an unchanged condition keeps its time and gets the generation',
      { conditions: [written(ready('Succeeded', 'm'))] },
      report('done', [ready('Succeeded', 'm')]) as never,
      { observedGeneration: 2, conditions: ['Ready=True Succeeded gen=2'] },
    ],
    [
      'fields left out of the report are removed, all are kept when it has none',
      { a: 1, b: 2 },
      report('done', [], { b: 2 }) as never,
      { b: 2, conditions: [] },
    ],
  ])('%s', (_, before, outcome, after) => {
    const status = brief(finalStatus(object(before), outcome, RULES));
    expect(status).toEqual(after);
  });

  test('of a suspended object takes the request over, and observes the generation of a ready one', () => {
    const before = { conditions: [written(ready('Succeeded', 'm'))], observedGeneration: 1, revision: 'r' };
    expect(brief(finalStatus(object(before, 't1'), { kind: 'none' }, RULES))).toEqual({
      revision: 'r',
      observedGeneration: 2,
      lastHandledReconcileAt: 't1',
      conditions: ['Ready=True Succeeded gen=1'],
    });
    expect(brief(finalStatus(object(before), { kind: 'none' }, { ...RULES, restampsReady: true }))).toMatchObject({
      conditions: ['Ready=True Succeeded gen=2'],
    });
  });

  test('of a suspended object that failed says that it is retried, of this generation', () => {
    const conditions = [
      written({ type: 'Ready', status: 'False', reason: 'R', message: 'm' }),
      written({ type: 'Reconciling', status: 'True', reason: 'Progressing', message: 'm' }),
    ];
    const before = { conditions };
    expect(brief(finalStatus(object(before), { kind: 'none' }, RULES))).toMatchObject({
      conditions: ['Ready=False R gen=1', 'Reconciling=True ProgressingWithRetry gen=2'],
    });
  });

  test('of an object created suspended is left as it was', () => {
    expect(finalStatus(object({ observedGeneration: -1 }), { kind: 'none' }, RULES)).toEqual({
      observedGeneration: -1,
    });
  });

  test('cuts messages at the cap', () => {
    const { conditions } = finalStatus(object({}), report('done', [ready('R', 'x'.repeat(20_001))]) as never, RULES);
    expect((conditions as unknown as Condition[])[0]?.message).toBe(`${'x'.repeat(20_000)}...`);
  });
});

test('progress leaves the bookkeeping fields as they are', () => {
  const before = object({ observedGeneration: 1, lastHandledReconcileAt: 'r0', inventory: { entries: [] } }, 'r1');
  const status = progressStatus(before, { conditions: [unknownReady('Progressing', 'm')] }, RULES);
  expect(brief(status)).toEqual({
    observedGeneration: 1,
    lastHandledReconcileAt: 'r0',
    inventory: { entries: [] },
    conditions: ['Ready=Unknown Progressing gen=2 new'],
  });
});

describe('a merge patch', () => {
  test.each<readonly [JsonObject | undefined, JsonObject, JsonObject | undefined]>([
    [undefined, { a: 1 }, { a: 1 }],
    [{ a: 1 }, { a: 1 }, undefined],
    [{ a: 1, b: 2 }, { a: 1 }, { b: null }],
    [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, { a: { c: 3 } }],
    [{ a: [1, 2] }, { a: [1] }, { a: [1] }],
    [{ a: 1 }, {}, { a: null }],
  ])('from %j to %j is %j', (before, after, patch) => {
    expect(mergePatch(before, after)).toEqual(patch);
  });
});
