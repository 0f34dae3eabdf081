import { describe, expect, it } from 'vitest';
import type { ManagedFieldsEntry } from '../../api/object.ts';
import { parentManagers, scaleManagers } from './scale-managers.ts';

const pathOf = (version: string): readonly string[] | undefined =>
  version === 'apps/v1' ? ['spec', 'replicas'] : undefined;
const entry = (manager: string, fields: object, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager,
  operation: 'Apply',
  apiVersion: 'apps/v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: fields as never,
  ...more,
});
const REPLICAS = { 'f:spec': { 'f:replicas': {} } };
const scaled = (manager: string): ManagedFieldsEntry =>
  entry(manager, REPLICAS, { apiVersion: 'autoscaling/v1', subresource: 'scale' });

describe('owners of a scale', () => {
  it('are those of the replicas, whatever else they own', () => {
    const owners = [
      entry('a', { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } }),
      entry('b', { 'f:spec': { 'f:paused': {} } }),
      entry('c', REPLICAS, { apiVersion: 'apps/v9' }),
    ];
    expect(scaleManagers(owners, pathOf)).toEqual([entry('a', REPLICAS, { apiVersion: 'autoscaling/v1' })]);
  });

  it.each<[string, readonly ManagedFieldsEntry[], readonly ManagedFieldsEntry[], readonly ManagedFieldsEntry[]]>([
    [
      'lose the replicas to one who took them, and come without a time',
      [entry('a', { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } })],
      [scaled('b')],
      [
        (({ time: _none, ...rest }) => rest)(entry('b', REPLICAS, { subresource: 'scale' })),
        entry('a', { 'f:spec': { 'f:paused': {} } }),
      ],
    ],
    ['are gone when nothing is left to them', [entry('a', REPLICAS)], [], []],
    [
      'stay as they are when they still own the scale',
      [entry('a', REPLICAS)],
      [entry('a', REPLICAS, { apiVersion: 'autoscaling/v1' })],
      [entry('a', REPLICAS)],
    ],
    ['are dropped with a version that is gone', [entry('a', {}, { apiVersion: 'apps/v9' })], [], []],
  ])('%s', (_, owners, scale, want) => {
    expect(parentManagers(owners, scale, 'apps/v1', pathOf)).toEqual(want);
  });
});
