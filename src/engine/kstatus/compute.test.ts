import { expect, it } from 'vitest';
import type { JsonObject } from '../../base/json.ts';
import { computeStatus } from './compute.ts';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);
interface Case {
  readonly name: string;
  readonly object: JsonObject;
  readonly want: object | string;
}
const ready = (status: string, more: JsonObject = {}): JsonObject => ({
  conditions: [{ type: 'Ready', status, ...more }],
});
const pending = (creationTimestamp: string): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', creationTimestamp },
  status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
});

const cases: readonly Case[] = [
  {
    name: 'is terminating once it is being deleted, whatever else it says',
    object: {
      apiVersion: 'a/v1',
      kind: 'Foo',
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
      status: ready('True'),
    },
    want: { status: 'Terminating', message: 'Resource scheduled for deletion' },
  },
  {
    name: 'is in progress while its generation is unseen',
    object: { apiVersion: 'a/v1', kind: 'Foo', metadata: { generation: 3 }, status: { observedGeneration: 2 } },
    want: { status: 'InProgress', message: 'Foo generation is 3, but latest observed generation is 2' },
  },
  {
    name: 'is failed when stalled',
    object: {
      apiVersion: 'a/v1',
      kind: 'Foo',
      status: { conditions: [{ type: 'Stalled', status: 'True', reason: 'R', message: 'm' }] },
    },
    want: { status: 'Failed', conditions: [{ type: 'Stalled', status: 'True', reason: 'R', message: 'm' }] },
  },
  {
    name: 'waits for a custom resource that is not ready',
    object: { apiVersion: 'a/v1', kind: 'Foo', status: ready('False', { reason: 'R', message: 'm' }) },
    want: { status: 'InProgress', message: 'm' },
  },
  {
    name: 'is current without any signal',
    object: { apiVersion: 'a/v1', kind: 'Foo' },
    want: { status: 'Current', message: 'Resource is current' },
  },
  {
    name: 'fails a deployment past its deadline with the reason kept',
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      status: {
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'late' }],
      },
    },
    want: { status: 'Failed', message: 'Progress deadline exceeded', conditions: [{ message: 'late' }] },
  },
  {
    name: 'gives a young pod time to be scheduled',
    object: pending('2026-01-01T11:59:50Z'),
    want: { status: 'InProgress', message: 'Pod has not been scheduled' },
  },
  {
    name: 'fails a pod that stays unschedulable',
    object: pending('2026-01-01T11:59:40Z'),
    want: { status: 'Failed', message: 'Pod could not be scheduled' },
  },
  {
    name: 'refuses a phase that does not exist',
    object: { apiVersion: 'v1', kind: 'Pod', status: { phase: 'Odd' } },
    want: 'unknown phase Odd',
  },
];

it.each(cases)('$name', ({ object, want }) => {
  const expected = typeof want === 'string' ? { ok: false, error: want } : { ok: true, value: want };
  expect(computeStatus(object, NOW)).toMatchObject(expected);
});
