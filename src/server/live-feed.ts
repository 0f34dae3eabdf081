import type { KubeObject } from '../api/object.ts';
import type { ViewEvent, ViewMessage, ViewNode } from '../api/view.ts';
import type { Clock } from '../base/clock.ts';
import type { CacheChange, Informer } from '../kube/informer.ts';
import type { InformerPool } from '../kube/informer-pool.ts';
import { DRIFT_SHOWN_MS, DriftMarks, SETTLING_MS } from './drift-marks.ts';
import type { Feed } from './http.ts';
import { inventoryOf } from './inventory.ts';
import { deltaOf, type Observed, viewEvent, viewOf } from './view-of.ts';

export interface FeedOptions {
  /** The engine's informers: what it watches anyway is not watched twice. */
  readonly pool: InformerPool;
  readonly clock: Clock;
  /** Name of the cluster, for the page's head. */
  readonly cluster: string;
  readonly sources: readonly { readonly apiVersion: string; readonly kind: string }[];
  readonly appliers: readonly { readonly apiVersion: string; readonly kind: string }[];
}

/** Changes come in bursts; the page hears of them together, this long after the first. */
const BURST_MS = 60;
const MAX_EVENTS = 200;
const OWNER_LABEL = 'kustomize.toolkit.fluxcd.io/name';

/** Follows the cluster through informers and tells the page what changed. It never writes. */
export function liveFeed(options: FeedOptions): Feed {
  const { pool, clock } = options;
  const sources = options.sources.map((kind) => pool.watch(kind));
  const appliers = options.appliers.map((kind) => pool.watch(kind));
  const owned = [
    pool.watch({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }),
    pool.watch({ apiVersion: 'v1', kind: 'Pod' }),
    pool.watch({ apiVersion: 'batch/v1', kind: 'Job' }),
  ];
  const byOwner = owned.map((informer) => informer.index(controllerUids));
  const applied = new Map<string, Informer>();
  const listeners = new Set<(message: ViewMessage) => void>();
  const events = new Map<string, ViewEvent>();
  const drift = new DriftMarks();
  let view: ReadonlyMap<string, ViewNode> = new Map();
  let freshEvents: ViewEvent[] = [];
  let scheduled = false;

  const rebuild = (): void => {
    scheduled = false;
    const observed: Observed = {
      sources: sources.flatMap((informer) => informer.list()),
      appliers: appliers.flatMap((informer) => informer.list()),
      find({ apiVersion, kind, namespace, name }) {
        const informer = applied.get(`${apiVersion} ${kind}`);
        if (informer === undefined || !informer.isSynced()) return 'unwatched';
        return informer.get(namespace === '' ? undefined : namespace, name);
      },
      ownedBy: (uid) => byOwner.flatMap((index) => index.get(uid)),
    };
    const now = clock.now();
    drift.decide(now);
    const next = new Map<string, ViewNode>();
    for (const [id, node] of viewOf(observed, now)) next.set(id, drift.mark(node, now));
    const { nodes, removed } = deltaOf(view, next);
    view = next;
    const news = freshEvents;
    freshEvents = [];
    if (nodes.length === 0 && removed.length === 0 && news.length === 0) return;
    for (const listen of listeners) listen({ type: 'delta', nodes, removed, events: news });
  };
  const changed = (): void => {
    if (scheduled) return;
    scheduled = true;
    clock.after(BURST_MS, rebuild);
  };
  const watchInventory = ({ type, object }: CacheChange): void => {
    if (type === 'DELETED') drift.forget(object);
    else drift.applier(object, clock.now());
    for (const { apiVersion, kind } of inventoryOf(object)) {
      const key = `${apiVersion} ${kind}`;
      if (applied.has(key)) continue;
      const informer = pool.watch({ apiVersion, kind, labelSelector: OWNER_LABEL });
      applied.set(key, informer);
      informer.subscribe(changed);
      void informer.synced.then(changed);
    }
    changed();
  };
  for (const informer of [...sources, ...owned]) informer.subscribe(changed);
  for (const informer of appliers) informer.subscribe(watchInventory);
  pool.watch({ apiVersion: 'v1', kind: 'Event' }).subscribe(({ type, object }) => {
    const event = type === 'DELETED' ? undefined : viewEvent(object);
    if (event === undefined) return;
    events.delete(event.id);
    events.set(event.id, event);
    for (const id of [...events.keys()].slice(0, Math.max(0, events.size - MAX_EVENTS))) events.delete(id);
    freshEvents.push(event);
    if (drift.event(object, clock.now())) {
      clock.after(SETTLING_MS, changed);
      clock.after(DRIFT_SHOWN_MS, changed);
    }
    changed();
  });

  return {
    snapshot: () => ({
      type: 'snapshot',
      cluster: options.cluster,
      nodes: [...view.values()],
      events: [...events.values()],
    }),
    subscribe(send) {
      listeners.add(send);
      return () => listeners.delete(send);
    },
  };
}

function controllerUids(object: KubeObject): readonly string[] {
  return (object.metadata.ownerReferences ?? []).filter(({ controller }) => controller === true).map(({ uid }) => uid);
}
