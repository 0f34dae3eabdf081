import { type Context, itself, splitKey, type WorkloadController } from './context.ts';
import type { Again } from './queue.ts';
import { EVENTS } from './resources.ts';
import { timeMs } from './times.ts';
import { deleteObject } from './writes.ts';

/** How long an Event is kept: kube-apiserver's --event-ttl. */
const EVENT_TTL_MS = 3_600_000;

/** Deletes Events an hour after they were last written. */
export function eventExpiryController({ registry, clock }: Context): WorkloadController {
  return {
    name: 'event-expiry',
    watches: [{ resource: EVENTS, keys: (change) => (change.type === 'DELETED' ? [] : itself(change)) }],
    async sync(key): Promise<Again> {
      const { namespace, name } = splitKey(key);
      const event = registry.get(EVENTS, namespace, name);
      if (event === undefined) return undefined;
      const { lastTimestamp, eventTime, series } = event as unknown as {
        readonly lastTimestamp?: string | null;
        readonly eventTime?: string | null;
        readonly series?: { readonly lastObservedTime?: string } | null;
      };
      const last = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? event.metadata.creationTimestamp;
      const leftMs = Math.max(timeMs(last), timeMs(event.metadata.creationTimestamp)) + EVENT_TTL_MS - clock.now();
      if (leftMs > 0) return { againInMs: leftMs };
      await deleteObject(registry, EVENTS, event);
      return undefined;
    },
  };
}
