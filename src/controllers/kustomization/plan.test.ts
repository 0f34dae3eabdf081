import { expect, it } from 'vitest';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import { deletesObjects, type Memory, mark, plan, recordHistory, timesOf, unmark } from './plan.ts';

const NOW = 10_000_000;
function kustomization(spec: object = {}, metadata: object = {}, status: object = {}): Kustomization {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'd', generation: 1, ...metadata },
    spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: 'r' }, ...spec },
    status: { conditions: [{ type: 'Ready', status: 'True', reason: 'x', message: 'y' }], ...status },
  } as unknown as Kustomization;
}
const last = { generation: 1, requested: undefined, revision: 'r1', atMs: NOW - 1000 };
const drifted: Memory = { lastFull: last, drifted: true };

it.each([
  {
    name: 'finalizes also when suspended',
    object: kustomization({ suspend: true }, { deletionTimestamp: 't' }),
    want: 'finalize',
  },
  { name: 'does nothing while suspended', object: kustomization({ suspend: true }), want: 'suspended' },
  { name: 'repairs drift between two passes', object: kustomization(), want: 'repair' },
  { name: 'does everything for a new generation', object: kustomization({}, { generation: 2 }), want: 'full' },
  { name: 'does everything for a new revision', object: kustomization(), revision: 'r2', want: 'full' },
  {
    name: 'does everything when asked',
    object: kustomization({}, { annotations: { 'reconcile.fluxcd.io/requestedAt': 'x' } }),
    want: 'full',
  },
  { name: 'does everything when the interval is over', object: kustomization({ interval: '1s' }), want: 'full' },
  { name: 'does everything when not ready', object: kustomization({}, {}, { conditions: [] }), want: 'full' },
  {
    name: 'does everything after a start',
    object: kustomization(),
    memory: { lastFull: undefined, drifted: true },
    want: 'full',
  },
])('$name', ({ object, revision = 'r1', memory = drifted, want }) => {
  expect(plan(object, memory, revision, NOW)).toBe(want);
});

it.each([
  { spec: { interval: '10m' }, want: { intervalMs: 600_000, retryMs: 600_000, timeoutMs: 570_000 } },
  { spec: { interval: '10s' }, want: { intervalMs: 10_000, retryMs: 10_000, timeoutMs: 30_000 } },
  {
    spec: { interval: '1h', retryInterval: '2m', timeout: '1m' },
    want: { intervalMs: 3_600_000, retryMs: 120_000, timeoutMs: 60_000 },
  },
])('reads the times of $spec', ({ spec, want }) => {
  expect(timesOf(kustomization(spec).spec)).toEqual(want);
});

const inventory = { entries: [{ id: 'd_a__ConfigMap', v: 'v1' }] };
it.each([
  { spec: {}, status: { inventory }, want: true },
  { spec: { prune: false }, status: { inventory }, want: false },
  { spec: { prune: false, deletionPolicy: 'Delete' }, status: { inventory }, want: true },
  { spec: { deletionPolicy: 'Orphan' }, status: { inventory }, want: false },
  { spec: { suspend: true }, status: { inventory }, want: false },
  { spec: {}, status: {}, want: false },
])('deletes objects = $want for $spec', ({ spec, status, want }) => {
  expect(deletesObjects(kustomization(spec, {}, status))).toBe(want);
});

it('counts passes of one digest and result together, the newest first, five at most', () => {
  const pass = (digest: string, status = 'ok') => ({
    digest,
    status,
    now: 't',
    durationMs: 1,
    metadata: { revision: 'r' },
  });
  let history = ['a', 'b', 'c', 'd', 'e', 'f'].reduce<ReturnType<typeof recordHistory>>(
    (all, digest) => recordHistory(all, pass(digest)),
    [],
  );
  history = recordHistory(history, pass('c'));
  history = recordHistory(history, pass('c', 'bad'));
  expect(history.map((entry) => [entry.digest, entry.lastReconciledStatus, entry.totalReconciliations])).toEqual([
    ['c', 'bad', 1],
    ['c', 'ok', 2],
    ['f', 'ok', 1],
    ['e', 'ok', 1],
    ['d', 'ok', 1],
  ]);
});

it('ends a stall when work begins, and the work when it stalls', () => {
  const stalled = { type: 'Stalled', status: 'True', reason: 'r', message: 'm' } as const;
  const working = { type: 'Reconciling', status: 'True', reason: 'r', message: 'm' } as const;
  expect([...mark(new Map([['Stalled', stalled]]), working).keys()]).toEqual(['Reconciling']);
  expect([...unmark(mark(new Map([['Reconciling', working]]), stalled), 'Ready').keys()]).toEqual(['Stalled']);
});
