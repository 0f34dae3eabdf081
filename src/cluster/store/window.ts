import type { KubeObject } from '../../api/object.ts';

export interface StoreEvent {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly key: string;
  /** After a deletion: the last state, with the deletion's resourceVersion. */
  readonly object: KubeObject;
  readonly previous?: KubeObject;
  /** Length of the object as JSON. */
  readonly bytes: number;
}

/** Events of one resource in order, with those at the front already forgotten. */
interface Lane {
  events: StoreEvent[];
  first: number;
}

/** Kubernetes' own watch cache holds less; etcd keeps five minutes. Both bounds count, so that memory stays bounded too. */
const MAX_EVENTS = 120_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** The recent history of the store: what a watch may still start from. */
export class Window {
  readonly #lanes = new Map<string, Lane>();
  #order: { readonly lane: Lane; readonly bytes: number }[] = [];
  #orderFirst = 0;
  #bytes = 0;
  #oldest: number;

  constructor(oldestRevision: number) {
    this.#oldest = oldestRevision;
  }

  /** Watches may start at this revision or later: events after it are all here. */
  get oldest(): number {
    return this.#oldest;
  }

  /** `supersededBytes` is what only the window keeps alive of the event. */
  add(event: StoreEvent, supersededBytes: number): void {
    let lane = this.#lanes.get(event.resource);
    if (lane === undefined) {
      lane = { events: [], first: 0 };
      this.#lanes.set(event.resource, lane);
    }
    lane.events.push(event);
    this.#order.push({ lane, bytes: supersededBytes });
    this.#bytes += supersededBytes;
    while (this.#order.length - this.#orderFirst > MAX_EVENTS || this.#bytes > MAX_BYTES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const oldest = this.#order[this.#orderFirst++];
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes;
    const { lane } = oldest;
    const event = lane.events[lane.first];
    if (event !== undefined) this.#oldest = event.revision;
    lane.events[lane.first] = undefined as never;
    lane.first++;
    if (lane.first > 1024 && lane.first * 2 > lane.events.length) {
      lane.events = lane.events.slice(lane.first);
      lane.first = 0;
    }
    if (this.#orderFirst > 4096 && this.#orderFirst * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#orderFirst);
      this.#orderFirst = 0;
    }
  }

  /** Events of `resource` after `revision`, oldest first; undefined when some of them are forgotten. At most `limit`. */
  after(resource: string, revision: number, limit: number): readonly StoreEvent[] | undefined {
    if (revision < this.#oldest) return undefined;
    const lane = this.#lanes.get(resource);
    if (lane === undefined) return [];
    const start = firstAfter(lane, revision);
    return lane.events.slice(start, Math.min(lane.events.length, start + limit));
  }

  /** Events of `resource` after `revision`, newest first, for reading the past. */
  undo(resource: string, revision: number): readonly StoreEvent[] | undefined {
    const events = this.after(resource, revision, Number.POSITIVE_INFINITY);
    return events === undefined ? undefined : [...events].reverse();
  }
}

function firstAfter(lane: Lane, revision: number): number {
  let low = lane.first;
  let high = lane.events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((lane.events[middle] as StoreEvent).revision > revision) high = middle;
    else low = middle + 1;
  }
  return low;
}
