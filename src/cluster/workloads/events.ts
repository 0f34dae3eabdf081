import type { KubeObject } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Registry } from '../registry.ts';
import type { Activity } from './queue.ts';
import { EVENTS } from './resources.ts';
import type { Stored } from './shapes.ts';
import { timeText } from './times.ts';

/** How many series are remembered for counting repeats, as client-go's event correlator remembers 4096. */
const MAX_SERIES = 4096;

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Part of the object, such as `spec.containers{app}`. */
  readonly fieldPath?: string;
}

/** Writes core/v1 Events; a repeat of the same event raises the count of the first one. */
export class EventRecorder {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #activity: Activity;
  readonly #series = new Map<string, string>();
  #tail: Promise<void> = Promise.resolve();
  #serial = 0;

  constructor(registry: Registry, clock: Clock, log: Log, activity: Activity) {
    this.#registry = registry;
    this.#clock = clock;
    this.#log = log;
    this.#activity = activity;
  }

  /** Queues an event about `about`; `component` is the source (`deployment-controller`), `host` the node of a kubelet. */
  record(about: KubeObject | Stored<unknown, unknown>, component: string, event: EventText, host?: string): void {
    this.#activity.begin();
    const nowMs = this.#clock.now();
    this.#tail = this.#tail
      .then(() => this.#write(about, component, event, nowMs, host))
      .catch((error: unknown) => this.#log.error('event not recorded', { reason: event.reason, error: String(error) }))
      .finally(() => this.#activity.end());
  }

  async #write(
    about: KubeObject | Stored<unknown, unknown>,
    component: string,
    event: EventText,
    nowMs: number,
    host: string | undefined,
  ): Promise<void> {
    const { metadata } = about;
    const namespace = metadata.namespace ?? 'default';
    const now = timeText(nowMs);
    const { type, reason, message, fieldPath } = event;
    const series = [namespace, metadata.uid, component, host, type, reason, message, fieldPath].join('\n');
    const manager = component === 'kubelet' ? 'kubelet' : managerOf(component);
    const known = this.#series.get(series);
    const earlier = known === undefined ? undefined : this.#registry.get(EVENTS, namespace, known);
    if (earlier !== undefined) {
      const count = Number((earlier as { count?: number }).count ?? 1) + 1;
      const repeated = { ...earlier, count, lastTimestamp: now };
      await this.#registry.update(EVENTS, repeated, manager);
      return;
    }
    // client-go: the object's name, a dot and the nanoseconds in hexadecimal; the serial keeps names of one millisecond apart.
    const nanoseconds = BigInt(nowMs) * 1_000_000n + BigInt(this.#serial++ % 1_000_000);
    const name = `${metadata.name}.${nanoseconds.toString(16)}`;
    const source = host === undefined ? { component } : { component, host };
    const object = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: {
        kind: about.kind,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        name: metadata.name,
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
        apiVersion: about.apiVersion,
        ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
        ...(fieldPath === undefined ? {} : { fieldPath }),
      },
      reason,
      message,
      source,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: host ?? '',
    };
    const created = await this.#registry.create(EVENTS, object as KubeObject, manager);
    // A namespace that is going away takes no more events: nobody is left to read them.
    if (!created.ok) return;
    this.#series.delete(series);
    this.#series.set(series, name);
    if (this.#series.size > MAX_SERIES) this.#series.delete(this.#series.keys().next().value as string);
  }
}

function managerOf(component: string): string {
  return component === 'default-scheduler' ? 'kube-scheduler' : 'kube-controller-manager';
}
