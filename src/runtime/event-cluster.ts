import type { KubeObject } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import type { EventSink, ReadyEvent } from './event-sink.ts';
import { timestamp } from './timestamp.ts';

export interface ClusterEventsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of the process (pod), in `source.host` and `reportingInstance`. */
  readonly instance: string;
}

/** Events remembered for joining; the oldest are forgotten. Source: client-go@0.34 tools/record events_cache.go. */
const MAX_REMEMBERED = 4096;
/** Per object and component: this many at once, then one each 5 minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
/** More different messages with one reason than this within 10 minutes are joined into one event. */
const MAX_SIMILAR = 10;
const SIMILAR_MS = 600_000;

interface Written {
  readonly name: string;
  readonly count: number;
}
interface Similar {
  readonly messages: Set<string>;
  readonly atMs: number;
}

/**
 * Writes events into the cluster. The same event again raises the count of the first one, whose annotations stay; too many of one
 * object are joined or dropped. Source: client-go@0.34 tools/record EventCorrelator.
 */
export function clusterEvents({ client, clock, log, instance }: ClusterEventsOptions): EventSink {
  const written = new Remembered<Written>(MAX_REMEMBERED);
  const similar = new Remembered<Similar>(MAX_REMEMBERED);
  const budgets = new Remembered<{ readonly tokens: number; readonly atMs: number }>(MAX_REMEMBERED);
  let lastSuffix = 0n;

  function mayWrite(event: ReadyEvent): boolean {
    const { object, component } = event;
    const key = JSON.stringify([component, object.kind, object.namespace, object.name, object.uid, object.apiVersion]);
    const now = clock.now();
    const budget = budgets.get(key) ?? { tokens: BURST, atMs: now };
    const tokens = Math.min(BURST, budget.tokens + (now - budget.atMs) / REFILL_MS);
    budgets.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, atMs: now });
    return tokens >= 1;
  }

  /** The message to write under: one for all once there are too many like it. */
  function aggregate(event: ReadyEvent): { readonly key: string; readonly message: string } {
    const { object, component, reason, severity, message } = event;
    const about = [
      component,
      object.kind,
      object.namespace,
      object.name,
      object.uid,
      object.apiVersion,
      severity,
      reason,
    ];
    const groupKey = JSON.stringify(about);
    const now = clock.now();
    const known = similar.get(groupKey);
    const messages = known !== undefined && now - known.atMs < SIMILAR_MS ? known.messages : new Set<string>();
    messages.add(message);
    similar.set(groupKey, { messages, atMs: now });
    if (messages.size < MAX_SIMILAR) return { key: JSON.stringify([...about, message]), message };
    messages.delete(messages.values().next().value as string);
    return { key: groupKey, message: `(combined from similar events): ${message}` };
  }

  async function create(event: ReadyEvent, message: string, signal: AbortSignal): Promise<Written | undefined> {
    const suffix = BigInt(Math.round(event.atMs)) * 1_000_000n;
    lastSuffix = suffix > lastSuffix ? suffix : lastSuffix + 1n;
    const at = timestamp(event.atMs);
    const { object, component, reason } = event;
    const namespace = object.namespace ?? 'default';
    const name = `${object.name}.${lastSuffix.toString(16)}`;
    const body: KubeObject & Record<string, unknown> = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace, annotations: event.annotations },
      involvedObject: object,
      reason,
      message,
      source: { component, host: instance },
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
      type: event.severity === 'error' ? 'Warning' : 'Normal',
      eventTime: null,
      reportingComponent: component,
      reportingInstance: instance,
    };
    const created = await client.create(body, { fieldManager: component, signal });
    if (created.ok) return { name, count: 1 };
    // A namespace on its way out takes no new events.
    log.debug('event not written', { name: object.name, reason, error: created.error.message });
    return undefined;
  }

  return {
    async send(event, signal) {
      if (event.only === 'subscribers') return;
      const { key, message } = aggregate(event);
      if (!mayWrite(event)) return;
      const before = written.get(key);
      if (before !== undefined) {
        const ref = {
          apiVersion: 'v1',
          kind: 'Event',
          namespace: event.object.namespace ?? 'default',
          name: before.name,
        };
        const count = before.count + 1;
        const patched = await client.patch(
          ref,
          { count, lastTimestamp: timestamp(event.atMs), message },
          { type: 'merge', fieldManager: event.component, signal },
        );
        if (patched.ok) {
          written.set(key, { name: before.name, count });
          return;
        }
        if (!isNotFound(patched.error)) return;
      }
      const made = await create(event, message, signal);
      if (made !== undefined) written.set(key, made);
    },
  };
}

/** A map that forgets what was set longest ago. */
class Remembered<T> {
  readonly #limit: number;
  readonly #entries = new Map<string, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: T): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value as string);
  }
}
