import type { KubeObject } from '../api/object.ts';
import { type ViewNode, viewId } from '../api/view.ts';
import { at, isArray, type Json, stringAt } from '../base/json.ts';

/** How long a correction stays in sight. */
export const DRIFT_SHOWN_MS = 20_000;
/** An event and the status of the same pass come within this time of each other. */
export const SETTLING_MS = 1500;
/** A line of the event that lists what was applied: `Deployment/backend/web configured`. */
const CHANGE = /^(\S+) (?:created|configured)$/;

interface Correction {
  readonly atMs: number;
  readonly count: number;
}

/** What is known of a Kustomization. */
interface Applier {
  readonly revision: string;
  /** Since when this revision is known to be in. */
  readonly sinceMs: number;
  readonly ready: boolean;
}

/** Objects that a pass changed, until it is known whether it brought a revision. */
interface Candidate {
  readonly applier: string;
  readonly objects: readonly string[];
  readonly atMs: number;
}

/**
 * Finds corrections of drift in the engine's events: objects that a Kustomization changed (`Progressing`) while the revision
 * that is in stayed the same. (The event's own revision does not tell: repeated events keep their first annotations.)
 * What is not seen by events is not claimed.
 */
export class DriftMarks {
  readonly #appliers = new Map<string, Applier>();
  #candidates: readonly Candidate[] = [];
  /** By Kustomization and object: the last correction. */
  readonly #corrections = new Map<string, Correction>();

  /** Takes note of a Kustomization's state. */
  applier(object: KubeObject, nowMs: number): void {
    const id = viewId(object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name);
    const revision = stringAt(object.status, 'lastAppliedRevision') ?? '';
    const conditions = at(object.status, 'conditions');
    const ready =
      isArray(conditions) &&
      conditions.some((item) => stringAt(item, 'type') === 'Ready' && stringAt(item, 'status') === 'True');
    const known = this.#appliers.get(id);
    this.#appliers.set(id, { revision, ready, sinceMs: known?.revision === revision ? known.sinceMs : nowMs });
  }

  /** Takes note that a Kustomization is gone. */
  forget({ apiVersion, kind, metadata }: KubeObject): void {
    const id = viewId(apiVersion, kind, metadata.namespace, metadata.name);
    this.#appliers.delete(id);
    for (const key of this.#corrections.keys()) if (key.startsWith(`${id} `)) this.#corrections.delete(key);
  }

  /** Takes an event; true when it may tell of a correction: {@link decide} knows it {@link SETTLING_MS} later. */
  event(event: KubeObject, nowMs: number): boolean {
    const raw = event as unknown as Json;
    if (stringAt(raw, 'reason') !== 'Progressing') return false;
    const involved = (key: string): string => stringAt(raw, 'involvedObject', key) ?? '';
    const applier = viewId(involved('apiVersion'), involved('kind'), involved('namespace'), involved('name'));
    const known = this.#appliers.get(applier);
    if (known === undefined || nowMs - known.sinceMs < SETTLING_MS) return false;
    const lines = (stringAt(raw, 'message') ?? '').split('\n');
    const objects = lines.flatMap((line) => CHANGE.exec(line)?.[1] ?? []);
    if (objects.length === 0) return false;
    this.#candidates = [...this.#candidates, { applier, objects, atMs: nowMs }];
    return true;
  }

  /** Judges the events that are old enough: a pass that ended Ready and brought no revision has put things back. */
  decide(nowMs: number): void {
    const due = this.#candidates.filter(({ atMs }) => nowMs - atMs >= SETTLING_MS);
    this.#candidates = this.#candidates.filter((candidate) => !due.includes(candidate));
    for (const { applier, objects, atMs } of due) {
      const known = this.#appliers.get(applier);
      if (known?.ready !== true || known.sinceMs > atMs) continue;
      for (const object of objects) {
        const key = `${applier} ${object}`;
        this.#corrections.set(key, { atMs, count: (this.#corrections.get(key)?.count ?? 0) + 1 });
      }
    }
  }

  /** The node with what is known of its drift: for a while as its state, then among its facts. */
  mark(node: ViewNode, nowMs: number): ViewNode {
    if (this.#corrections.size === 0 || node.tier !== 'object') return node;
    const path = [node.kind, node.namespace, node.name].filter((part) => part !== '').join('/');
    const correction = node.parents
      .map((parent) => this.#corrections.get(`${parent} ${path}`))
      .find((found) => found !== undefined);
    if (correction === undefined) return node;
    const { atMs, count } = correction;
    const when = new Date(atMs).toISOString().slice(11, 19);
    const value = count === 1 ? `put back at ${when} UTC` : `put back ${count} times, last at ${when} UTC`;
    const marked = { ...node, facts: [...node.facts, { name: 'drift', value }] };
    if (nowMs - atMs >= DRIFT_SHOWN_MS || node.state === 'Failed') return marked;
    const message = `changed in the cluster, put back to what git says at ${when} UTC`;
    return { ...marked, state: 'Drifted', message, since: new Date(atMs).toISOString() };
  }
}
