import { describe, expect, test } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import { WorkQueue } from './queue.ts';

/** A queue whose work ends when the test says so. */
function queueOf(concurrency = 2): {
  queue: WorkQueue;
  clock: ManualClock;
  started: string[];
  finish: (key: string) => Promise<void>;
} {
  const clock = new ManualClock(0);
  const started: string[] = [];
  const open = new Map<string, () => void>();
  const queue = new WorkQueue({
    clock,
    concurrency,
    minRetryMs: 750,
    maxRetryMs: 900_000,
    work: (key) => {
      started.push(key);
      return new Promise((resolve) => open.set(key, resolve));
    },
  });
  const finish = async (key: string): Promise<void> => {
    open.get(key)?.();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { queue, clock, started, finish };
}

describe('a work queue', () => {
  test('works in the order of arrival, on so many keys at a time', async () => {
    const { queue, started, finish } = queueOf(2);
    for (const key of ['a', 'b', 'c', 'b', 'd']) queue.add(key);
    expect(started).toEqual(['a', 'b']);
    await finish('a');
    expect(started).toEqual(['a', 'b', 'c']);
  });

  test('takes those first that are urgent, also where they waited already', async () => {
    const { queue, started, finish } = queueOf(1);
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    queue.addFirst('d');
    queue.addFirst('e');
    for (const key of ['a', 'd', 'e', 'b', 'c']) await finish(key);
    expect(started).toEqual(['a', 'd', 'e', 'b', 'c']);
  });

  test('begins nothing else beside what is urgent, until that is done or has had its head start', async () => {
    const { queue, clock, started, finish } = queueOf(3);
    queue.addFirst('changed');
    for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key);
    expect(started).toEqual(['changed']);
    // One that waits already becomes urgent: it has a worker at once.
    queue.addFirst('b');
    expect(started).toEqual(['changed', 'b']);
    await finish('b');
    expect(started).toEqual(['changed', 'b']);
    clock.advance(249);
    expect(started).toEqual(['changed', 'b']);
    clock.advance(1);
    expect(started).toEqual(['changed', 'b', 'a', 'c']);
    queue.addFirst('late');
    await finish('a');
    await finish('c');
    expect(started).toEqual(['changed', 'b', 'a', 'c', 'late']);
    await finish('late');
    expect(started).toEqual(['changed', 'b', 'a', 'c', 'late', 'd', 'e']);
  });

  test('holds nobody up for longer than a head start, however much is urgent', async () => {
    const { queue, clock, started, finish } = queueOf(2);
    for (const key of ['u1', 'u2', 'u3', 'u4', 'u5']) queue.addFirst(key);
    queue.add('a');
    queue.add('b');
    clock.advance(250);
    await finish('u1');
    await finish('u2');
    expect(started).toEqual(['u1', 'u2', 'a', 'u3']);
    clock.advance(250);
    await finish('u3');
    await finish('a');
    expect(started).toEqual(['u1', 'u2', 'a', 'u3', 'b', 'u4']);
    // With nobody held up, what is urgent begins at once, after the end of a head start, too.
    clock.advance(250);
    await finish('b');
    await finish('u4');
    queue.addFirst('u6');
    expect(started.slice(6)).toEqual(['u5', 'u6']);
  });

  test('takes first again what became urgent while it ran', async () => {
    const { queue, started, finish } = queueOf(1);
    for (const key of ['a', 'b', 'c']) queue.add(key);
    queue.addFirst('a');
    queue.add('a');
    await finish('a');
    expect(started).toEqual(['a', 'a']);
    await finish('a');
    expect(started).toEqual(['a', 'a', 'b']);
  });

  test('never works on a key twice at once, and again when it was added meanwhile', async () => {
    const { queue, started, finish } = queueOf(2);
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect(started).toEqual(['a']);
    await finish('a');
    expect(started).toEqual(['a', 'a']);
    await finish('a');
    expect(started).toEqual(['a', 'a']);
  });

  test('keeps the earlier of two delayed adds, and an add takes the place of both', async () => {
    const { queue, clock, started, finish } = queueOf();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 5000);
    clock.advance(999);
    expect(started).toEqual([]);
    clock.advance(1);
    expect(started).toEqual(['a']);
    await finish('a');
    queue.addAfter('a', 1000);
    queue.add('a');
    await finish('a');
    clock.advance(10_000);
    expect(started).toEqual(['a', 'a']);
  });

  test('doubles the pause of failures up to the longest, until they are forgotten', () => {
    const { queue } = queueOf();
    const pauses = Array.from({ length: 13 }, () => queue.addRateLimited('a'));
    expect(pauses.slice(0, 4)).toEqual([750, 1500, 3000, 6000]);
    expect(pauses.at(-1)).toBe(900_000);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(750);
    expect(queue.addRateLimited('a', 1000)).toBe(1000);
  });

  test('drops what is planned for a key', () => {
    const { queue, clock, started } = queueOf(1);
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    queue.drop('b');
    queue.drop('c');
    clock.advance(10);
    expect(started).toEqual(['a']);
  });

  test('stops when the running work is done, and takes nothing more up', async () => {
    const { queue, clock, started, finish } = queueOf(1);
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    let stopped = false;
    const stopping = queue.stop().then(() => {
      stopped = true;
    });
    clock.advance(10);
    await Promise.resolve();
    expect(stopped).toBe(false);
    await finish('a');
    await stopping;
    expect(started).toEqual(['a']);
  });
});
