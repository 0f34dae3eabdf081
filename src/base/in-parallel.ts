/**
 * Does the work of all items, up to `limit` of them at a time, begun in their order. After a throw no lane of it goes on; the first one is
 * thrown when all work that had begun is over.
 */
export async function inParallel<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const lanes = Array.from({ length: Math.max(1, limit) }, async () => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value);
  });
  const ended = await Promise.allSettled(lanes);
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
}
