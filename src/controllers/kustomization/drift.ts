import type { KubeObject } from '../../api/object.ts';
import { type ObjectRef, printRef, refOf } from '../../api/object.ts';
import { type AppliedMemory, isInSync, type SyncRules } from '../../apply/applied-memory.ts';
import { identityOf, inventoryId } from '../../apply/inventory.ts';
import type { Clock } from '../../base/clock.ts';
import { at } from '../../base/json.ts';
import { conditionsOf } from '../../engine/kstatus/status.ts';
import type { LiveObjects } from '../../health/live-objects.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { CacheChange, Informer } from '../../kube/informer.ts';
import type { InformerPool } from '../../kube/informer-pool.ts';
import type { Trigger } from '../../runtime/controller.ts';

/** Repairs at once before they are slowed down: somebody else insists on another state. */
const FREE_REPAIRS = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** After this long without drift the count begins anew. */
const CALM_MS = 60_000;

interface Tracked {
  readonly memory: AppliedMemory;
  readonly drifted: Set<string>;
  /** Objects that changed while a pass was running: they are judged when it is over. */
  readonly dirty: Set<string>;
  active: boolean;
  repairs: number;
  lastRepairMs: number;
  cancel: (() => void) | undefined;
  /** Puts back what drifted while the pass only waits; undefined: another pass does. */
  repair: (() => void) | undefined;
}

export interface DriftOptions {
  readonly informers: InformerPool;
  readonly clock: Clock;
  readonly rules: SyncRules;
}

/** Watches what was applied, by its owner labels: knows the live objects, and asks for a pass when one drifts. */
export class DriftTracker implements LiveObjects {
  /** Asks for a pass over the owner of a drifted object. */
  readonly trigger: Trigger = {
    subscribe: (enqueue) => {
      this.#enqueue.add(enqueue);
      return () => this.#enqueue.delete(enqueue);
    },
  };
  readonly #options: DriftOptions;
  readonly #kinds = new Map<string, Informer>();
  readonly #owners = new Map<string, Tracked>();
  readonly #enqueue = new Set<(key: string, by: string) => void>();
  readonly #listeners = new Map<string, Set<(ref: ObjectRef) => void>>();

  constructor(options: DriftOptions) {
    this.#options = options;
  }

  subscribe(kind: Pick<ObjectRef, 'apiVersion' | 'kind'>, listen: (ref: ObjectRef) => void): () => void {
    const listeners = this.#listeners.get(kindKey(kind)) ?? new Set();
    this.#listeners.set(kindKey(kind), listeners);
    listeners.add(listen);
    return () => listeners.delete(listen);
  }

  get(ref: ObjectRef): KubeObject | 'absent' | 'unwatched' {
    const informer = this.#kinds.get(kindKey(ref));
    if (informer === undefined || !informer.isSynced()) return 'unwatched';
    return informer.get(ref.namespace, ref.name) ?? 'absent';
  }

  /** Watches the kinds of these objects from now on, as far as the cluster has them: whatever a repository names is no cause to ask for ever. */
  async watch(objects: readonly KubeObject[], client: KubeClient): Promise<void> {
    const unknown = new Set<string>();
    for (const { apiVersion, kind } of objects) {
      const key = kindKey({ apiVersion, kind });
      if (this.#kinds.has(key) || unknown.has(key)) continue;
      if (!(await client.resource({ apiVersion, kind })).ok) {
        unknown.add(key);
        continue;
      }
      if (this.#kinds.has(key)) continue;
      const labelSelector = `${this.#options.rules.policyGroup}/name`;
      const informer = this.#options.informers.watch({ apiVersion, kind, labelSelector });
      this.#kinds.set(key, informer);
      informer.subscribe((change) => this.#changed(key, change));
    }
  }

  /** What is remembered of an owner (`namespace/name`), and its drifted objects by inventory id. */
  of(owner: string, memory: () => AppliedMemory): Tracked {
    let tracked = this.#owners.get(owner);
    if (tracked === undefined) {
      tracked = {
        memory: memory(),
        drifted: new Set(),
        dirty: new Set(),
        active: false,
        repairs: 0,
        lastRepairMs: 0,
        cancel: undefined,
        repair: undefined,
      };
      this.#owners.set(owner, tracked);
    }
    return tracked;
  }

  drifted(owner: string): ReadonlySet<string> {
    return this.#owners.get(owner)?.drifted ?? new Set();
  }

  /** A pass of the owner has begun and will look at what drifted: until {@link end}, nothing is a cause for another one. */
  hold(owner: string): void {
    const tracked = this.#owners.get(owner);
    if (tracked === undefined) return;
    tracked.active = true;
    tracked.cancel?.();
    tracked.cancel = undefined;
  }

  /** A pass over the owner's objects begins: until {@link end}, their changes are its own. */
  begin(owner: string): void {
    this.hold(owner);
    this.#owners.get(owner)?.drifted.clear();
  }

  end(owner: string): void {
    const tracked = this.#owners.get(owner);
    if (tracked === undefined) return;
    tracked.active = false;
    const dirty = [...tracked.dirty];
    tracked.dirty.clear();
    for (const id of dirty) {
      const ref = tracked.memory.get(id)?.ref;
      if (ref === undefined) continue;
      const live = this.get(ref);
      if (live !== 'unwatched') this.#judge(owner, tracked, id, live === 'absent' ? undefined : live, ref);
    }
  }

  /**
   * Does `wait` for a pass over the owner's objects. What drifts meanwhile is given to `repair`, so that the wait need not begin anew;
   * if that fails, another pass is asked for.
   */
  async whileWaiting<T>(
    owner: string,
    repair: (ids: readonly string[]) => Promise<boolean>,
    wait: () => Promise<T>,
  ): Promise<T> {
    const tracked = this.#owners.get(owner);
    if (tracked === undefined) return wait();
    let running = Promise.resolve();
    const repairNow = async (): Promise<void> => {
      const ids = [...tracked.drifted];
      this.begin(owner);
      const done = await repair(ids).catch(() => false);
      this.end(owner);
      if (!done) this.#enqueueAll(owner, 'drift');
    };
    tracked.repair = () => {
      running = running.then(repairNow);
    };
    this.end(owner);
    try {
      return await wait();
    } finally {
      tracked.repair = undefined;
      await running;
    }
  }

  forget(owner: string): void {
    this.#owners.get(owner)?.cancel?.();
    this.#owners.delete(owner);
  }

  #changed(key: string, { type, object, previous }: CacheChange): void {
    const ref = refOf(object);
    for (const listen of this.#listeners.get(key) ?? []) listen(ref);
    const before = previous === undefined ? undefined : this.#ownerOf(previous);
    // Who takes an owner's label away has not made the object another's.
    const owner = type === 'DELETED' ? (before ?? this.#ownerOf(object)) : (this.#ownerOf(object) ?? before);
    const tracked = owner === undefined ? undefined : this.#owners.get(owner);
    if (owner === undefined || tracked === undefined) return;
    const id = inventoryId(identityOf(object));
    if (type === 'DELETED' && hasRun(previous ?? object)) return;
    // What a pass applies is noted when the answer comes, which may be after the watch has shown what became of it.
    if (tracked.active) tracked.dirty.add(id);
    else this.#judge(owner, tracked, id, type === 'DELETED' ? undefined : object, ref);
  }

  #ownerOf({ metadata: { labels = {} } }: KubeObject): string | undefined {
    const { policyGroup } = this.#options.rules;
    const name = labels[`${policyGroup}/name`];
    const namespace = labels[`${policyGroup}/namespace`];
    return name === undefined || namespace === undefined ? undefined : `${namespace}/${name}`;
  }

  #judge(owner: string, tracked: Tracked, id: string, live: KubeObject | undefined, ref: ObjectRef): void {
    const state = tracked.memory.get(id);
    if (state === undefined) return;
    if (live !== undefined) {
      if (live.metadata.deletionTimestamp !== undefined) return;
      // Another owner has taken it over: to take it back would be a fight without end.
      const now = this.#ownerOf(live);
      if (now !== undefined && now !== owner) return;
      if (isInSync(live, state, this.#options.rules)) {
        tracked.drifted.delete(id);
        return;
      }
    }
    tracked.drifted.add(id);
    this.#ask(owner, tracked, printRef(ref));
  }

  #ask(owner: string, tracked: Tracked, by: string): void {
    if (tracked.cancel !== undefined) return;
    const { clock } = this.#options;
    if (clock.now() - tracked.lastRepairMs > CALM_MS + pauseMs(tracked.repairs)) tracked.repairs = 0;
    tracked.cancel = clock.after(pauseMs(tracked.repairs), () => {
      tracked.cancel = undefined;
      if (tracked.drifted.size === 0) return;
      tracked.repairs += 1;
      tracked.lastRepairMs = clock.now();
      if (tracked.repair === undefined) this.#enqueueAll(owner, by);
      else tracked.repair();
    });
  }

  #enqueueAll(owner: string, by: string): void {
    for (const enqueue of this.#enqueue) enqueue(owner, by);
  }
}

/** A Job that has ended and that its own time to live removes: it is run again when a pass is due, not because it went. */
function hasRun({ apiVersion, kind, spec, status }: KubeObject): boolean {
  if (kind !== 'Job' || apiVersion !== 'batch/v1' || at(spec, 'ttlSecondsAfterFinished') === undefined) return false;
  const ended = (type: string): boolean =>
    conditionsOf({ status: status ?? {} }).some((condition) => condition.type === type && condition.status === 'True');
  return ended('Complete') || ended('Failed');
}

/** Pause before the next repair after `repairs` of them. */
function pauseMs(repairs: number): number {
  return repairs < FREE_REPAIRS ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (repairs - FREE_REPAIRS), LONGEST_PAUSE_MS);
}

function kindKey({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): string {
  return `${apiVersion}|${kind}`;
}
