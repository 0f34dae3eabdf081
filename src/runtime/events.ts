import type { KubeObject } from '../api/object.ts';
import { groupOf, refOf } from '../api/object.ts';
import type { EventRecord } from '../api/outcome.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { EventSink, ReadyEvent } from './event-sink.ts';

/** Records what controllers tell about an object. Returns at once; the sending is done behind. */
export interface EventRecorder {
  record(component: string, object: KubeObject, event: EventRecord): void;
  /** Sends what is waiting; resolves when it is out or `timeoutMs` have passed. */
  close(timeoutMs: number): Promise<void>;
}

export interface EventRecorderOptions {
  readonly sinks: readonly EventSink[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Events waiting per sink; more are dropped, so that a sink that hangs holds up nothing else. One commit can bring some for each object. */
const MAX_WAITING = 10_000;
/** Events sent to one sink at a time; those about one object go one after the other. */
const SENT_AT_ONCE = 4;
/** Flux cuts event messages here. */
const MAX_EVENT_MESSAGE = 39_000;
/** Annotations of the object under this prefix are told with each of its events. */
const OBJECT_PREFIX = 'event.toolkit.fluxcd.io/';

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const stop = new AbortController();
  const lanes = options.sinks.map((sink) => new Lane(sink, options.log, stop.signal));
  return {
    record(component, object, event) {
      const ready = prepare(component, object, event, options.clock.now());
      for (const lane of lanes) lane.push(ready);
    },
    async close(timeoutMs) {
      const cancel = options.clock.after(timeoutMs, () => stop.abort());
      await Promise.all(lanes.map((lane) => lane.drained()));
      cancel();
      stop.abort();
    },
  };
}

function prepare(component: string, object: KubeObject, event: EventRecord, atMs: number): ReadyEvent {
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries(object.metadata.annotations ?? {})) {
    if (key.startsWith(OBJECT_PREFIX)) annotations[key] = value;
  }
  const group = groupOf(object.apiVersion);
  for (const [key, value] of Object.entries(event.metadata ?? {})) {
    annotations[key.includes('/') ? key : `${group}/${key}`] = value;
  }
  const { uid, resourceVersion } = object.metadata;
  const { message } = event;
  return {
    object: event.about ?? {
      ...refOf(object),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    severity: event.severity,
    reason: event.reason,
    message: message.length > MAX_EVENT_MESSAGE ? `${message.slice(0, MAX_EVENT_MESSAGE)}...` : message,
    annotations,
    component,
    atMs,
    ...(event.about !== undefined && { only: 'cluster' }),
    ...(event.unrecorded === true && { only: 'subscribers' }),
  };
}

/** One sink's events. Those about one object keep their order. */
class Lane {
  readonly #sink: EventSink;
  readonly #log: Log;
  readonly #signal: AbortSignal;
  readonly #waiting: ReadyEvent[] = [];
  /** Objects of which an event is being sent. */
  readonly #busy = new Set<string>();
  readonly #running = new Set<Promise<void>>();

  constructor(sink: EventSink, log: Log, signal: AbortSignal) {
    this.#sink = sink;
    this.#log = log;
    this.#signal = signal;
  }

  push(event: ReadyEvent): void {
    if (this.#signal.aborted) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#log.error('event dropped: too many are waiting', { reason: event.reason, name: event.object.name });
      return;
    }
    this.#waiting.push(event);
    if (this.#running.size >= SENT_AT_ONCE) return;
    const running = this.#run().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #run(): Promise<void> {
    // Later than the record call itself, so that a burst is one turn of the loop away from the reconcile.
    await Promise.resolve();
    while (!this.#signal.aborted) {
      const event = this.#next();
      if (event === undefined) return;
      const about = keyOf(event);
      this.#busy.add(about);
      await this.#sink.send(event, this.#signal).catch((cause: unknown) => {
        if (!this.#signal.aborted) this.#log.error('unable to record event', { error: String(cause) });
      });
      this.#busy.delete(about);
    }
  }

  /** The first one whose object has none under way: whoever sends that one goes on with the next. */
  #next(): ReadyEvent | undefined {
    const index = this.#waiting.findIndex((event) => !this.#busy.has(keyOf(event)));
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }
}

function keyOf({ object: { kind, namespace = '', name } }: ReadyEvent): string {
  return `${kind}/${namespace}/${name}`;
}
