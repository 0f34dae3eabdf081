import { describe, expect, it } from 'vitest';
import { checkHistory, checkWatchers, type Operation, type Seen } from './history.ts';

const wrote = (
  kind: 'create' | 'update',
  value: string,
  version: number,
  at: number,
  expected?: number,
): Operation => ({
  kind,
  key: 'k',
  value,
  startMs: at,
  endMs: at + 1,
  outcome: { kind: 'written', version },
  ...(expected === undefined ? {} : { expected }),
});
const read = (value: string, version: number, at: number): Operation => ({
  kind: 'get',
  key: 'k',
  startMs: at,
  endMs: at + 1,
  outcome: { kind: 'read', version, value },
});
const told = (kind: Operation['kind'], outcome: 'absent' | 'refused', at: number, expected?: number): Operation => ({
  kind,
  key: 'k',
  startMs: at,
  endMs: at + 1,
  outcome: { kind: outcome },
  ...(kind === 'create' ? { value: `refused-${at}` } : {}),
  ...(expected === undefined ? {} : { expected }),
});
const seen = (type: Seen['type'], version: number, value = ''): Seen => ({ type, version, key: 'k', value });
const remove = (expected: number, at: number, endMs = at + 1): Operation => ({
  kind: 'delete',
  key: 'k',
  expected,
  startMs: at,
  endMs,
  outcome: endMs === Number.POSITIVE_INFINITY ? { kind: 'unknown' } : { kind: 'written', version: undefined },
});

const WRITES = [wrote('create', 'a', 1, 0), wrote('update', 'b', 2, 10, 1), remove(2, 20)];
const EVENTS = [seen('ADDED', 1, 'a'), seen('MODIFIED', 2, 'b'), seen('DELETED', 3)];

describe('a history', () => {
  it('is right when every answer fits a moment between question and answer', () => {
    const others = [
      read('a', 1, 5),
      read('a', 1, 9.5),
      read('b', 2, 10),
      told('update', 'refused', 12, 1),
      told('create', 'refused', 15),
      told('get', 'absent', 20.5),
      told('update', 'absent', 30, 2),
    ];
    expect(checkHistory([...WRITES, ...others], EVENTS)).toEqual([]);
  });

  it.each<[string, readonly Operation[], readonly Seen[], RegExp]>([
    ['an acknowledged write that is lost', WRITES, EVENTS.slice(0, 1), /an acknowledged update is lost/],
    ['a version that nobody wrote', [], [seen('ADDED', 1, 'x')], /nobody asked for this ADDED/],
    ['a stale read', [...WRITES, read('a', 1, 12)], EVENTS, /1 was read after 2 was acknowledged/],
    ['a read of the future', [...WRITES, read('b', 2, 5)], EVENTS, /read before it was asked for/],
    ['a read of what never was', [...WRITES, read('z', 2, 12)], EVENTS, /never written/],
    ['an object found missing', [...WRITES, told('get', 'absent', 5)], EVENTS, /found nothing while there was/],
    ['a conflict without a reason', [...WRITES, told('update', 'refused', 5, 1)], EVENTS, /nothing stood against/],
    [
      'two updates of one version',
      [wrote('create', 'a', 1, 0), wrote('update', 'b', 2, 10, 1), wrote('update', 'c', 3, 10, 1)],
      [seen('ADDED', 1, 'a'), seen('MODIFIED', 2, 'b'), seen('MODIFIED', 3, 'c')],
      /replaced 2, and was to replace 1/,
    ],
    [
      'versions against the order of time',
      [wrote('create', 'a', 2, 0), { ...wrote('create', 'b', 1, 10), key: 'l' }],
      [{ ...seen('ADDED', 1, 'b'), key: 'l' }, seen('ADDED', 2, 'a')],
      /acknowledged before an earlier version/,
    ],
    ['a write done twice', WRITES.slice(0, 1), [seen('ADDED', 1, 'a'), seen('MODIFIED', 2, 'a')], /written twice/],
    [
      'a refused write that was done',
      [told('create', 'refused', 0)],
      [seen('ADDED', 1, 'refused-0')],
      /refused, and done/,
    ],
  ])('is wrong with %s', (_what, operations, events, fault) => {
    expect(checkHistory(operations, events).join('\n')).toMatch(fault);
  });

  it('lets a write without an answer happen, or not', () => {
    const lost = remove(2, 20, Number.POSITIVE_INFINITY);
    expect(checkHistory([...WRITES.slice(0, 2), lost], EVENTS)).toEqual([]);
    expect(checkHistory([...WRITES.slice(0, 2), lost], EVENTS.slice(0, 2))).toEqual([]);
  });
});

describe('watchers', () => {
  it('agree from where the last began', () => {
    expect(checkWatchers([EVENTS, EVENTS.slice(1), [...EVENTS, seen('BOOKMARK', 9)]])).toEqual([]);
  });

  it.each<[string, readonly (readonly Seen[])[]]>([
    ['a gap', [EVENTS, [EVENTS[0] as Seen, EVENTS[2] as Seen]]],
    ['a duplicate', [[EVENTS[0] as Seen, EVENTS[0] as Seen]]],
    ['a step back', [[EVENTS[1] as Seen, EVENTS[0] as Seen]]],
    ['a bookmark ahead of its events', [[seen('BOOKMARK', 2), EVENTS[1] as Seen]]],
    ['another value', [EVENTS, [EVENTS[0] as Seen, seen('MODIFIED', 2, 'other'), EVENTS[2] as Seen]]],
  ])('do not with %s', (_what, watchers) => {
    expect(checkWatchers(watchers)).not.toEqual([]);
  });
});
