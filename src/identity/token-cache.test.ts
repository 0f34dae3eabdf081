import { expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { err, ok } from '../base/result.ts';
import { TokenCache } from './token-cache.ts';

const HOUR = 3_600_000;

function cacheOf(options: { readonly maxEntries?: number; readonly maxAgeMs?: number } = {}) {
  const clock = new ManualClock(0);
  const cache = new TokenCache<string>({ clock, maxEntries: 10, maxAgeMs: HOUR, ...options });
  let made = 0;
  const get = (key: string, lifeMs = 1000) =>
    cache.get(key, () => Promise.resolve(ok({ value: `${key}${++made}`, expiresAtMs: clock.now() + lifeMs })));
  return { clock, cache, get };
}

it('keeps a token for four fifths of its life', async () => {
  const { clock, get } = cacheOf();
  expect(await get('a')).toEqual(ok('a1'));
  clock.advance(799);
  expect(await get('a')).toEqual(ok('a1'));
  clock.advance(1);
  expect(await get('a')).toEqual(ok('a2'));
});

it('keeps no token longer than it is told to', async () => {
  const { clock, get } = cacheOf({ maxAgeMs: 100 });
  await get('a');
  clock.advance(100);
  expect(await get('a')).toEqual(ok('a2'));
});

it('makes a token once for all who ask meanwhile, and one for each key', async () => {
  const { get } = cacheOf();
  expect(await Promise.all([get('a'), get('a'), get('b')])).toEqual([ok('a1'), ok('a1'), ok('b2')]);
});

it('drops what it has kept longest', async () => {
  const { get } = cacheOf({ maxEntries: 2 });
  for (const key of ['a', 'b', 'c']) await get(key);
  expect(await get('b')).toEqual(ok('b2'));
  expect(await get('a')).toEqual(ok('a4'));
});

it.each([
  ['where it may keep nothing', { maxEntries: 0 }, 1000],
  ['of a token that has ended', {}, 0],
])('keeps nothing %s', async (_when, options, lifeMs) => {
  const { get } = cacheOf(options);
  await get('a', lifeMs);
  expect(await get('a', lifeMs)).toEqual(ok('a2'));
});

it('keeps no failure', async () => {
  const { cache, get } = cacheOf();
  expect(await cache.get('a', () => Promise.resolve(err('no')))).toEqual(err('no'));
  expect(await get('a')).toEqual(ok('a1'));
});
