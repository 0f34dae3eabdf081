import type { KubeObject } from '../api/object.ts';
import { type ViewNode, viewId } from '../api/view.ts';
import { at, isArray, type Json, stringAt } from '../base/json.ts';

/** How long a correction stays in sight. */
export const DRIFT_SHOWN_MS = 20_000;
/** Events of the pass that brought a revision may come a little after its status. */
const SETTLING_MS = 1500;
const REVISION = 'kustomize.toolkit.fluxcd.io/revision';
/** A line of the event that lists what was applied: `Deployment/backend/web configured`. */
const CHANGE = /^(\S+) (?:created|configured)$/;

interface Correction {
  readonly atMs: number;
  readonly count: number;
}

/**
 * Finds corrections of drift in the engine's events: objects that a Kustomization changed (`Progressing`) at a revision
 * that it had brought in before. What is not seen by events is not claimed.
 */
export class DriftMarks {
  /** By Kustomization: the revision that is in, and since when it is known. */
  readonly #settled = new Map<string, { readonly revision: string; readonly atMs: number }>();
  /** By Kustomization and object: the last correction. */
  readonly #corrections = new Map<string, Correction>();

  /** Takes note of a Kustomization's state. */
  applier(object: KubeObject, nowMs: number): void {
    const id = viewId(object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name);
    const revision = stringAt(object.status, 'lastAppliedRevision');
    const conditions = at(object.status, 'conditions');
    const isReady =
      isArray(conditions) &&
      conditions.some((item) => stringAt(item, 'type') === 'Ready' && stringAt(item, 'status') === 'True');
    if (revision === undefined || !isReady || this.#settled.get(id)?.revision === revision) return;
    this.#settled.set(id, { revision, atMs: nowMs });
  }

  /** Takes note that a Kustomization is gone. */
  forget({ apiVersion, kind, metadata }: KubeObject): void {
    const id = viewId(apiVersion, kind, metadata.namespace, metadata.name);
    this.#settled.delete(id);
    for (const key of this.#corrections.keys()) if (key.startsWith(`${id} `)) this.#corrections.delete(key);
  }

  /** Takes an event; true when it tells of a correction. */
  event(event: KubeObject, nowMs: number): boolean {
    const raw = event as unknown as Json;
    if (stringAt(raw, 'reason') !== 'Progressing') return false;
    const involved = (key: string): string => stringAt(raw, 'involvedObject', key) ?? '';
    const id = viewId(involved('apiVersion'), involved('kind'), involved('namespace'), involved('name'));
    const settled = this.#settled.get(id);
    if (settled === undefined || settled.revision !== event.metadata.annotations?.[REVISION]) return false;
    if (nowMs - settled.atMs < SETTLING_MS) return false;
    let found = false;
    for (const line of (stringAt(raw, 'message') ?? '').split('\n')) {
      const object = CHANGE.exec(line)?.[1];
      if (object === undefined) continue;
      const key = `${id} ${object}`;
      this.#corrections.set(key, { atMs: nowMs, count: (this.#corrections.get(key)?.count ?? 0) + 1 });
      found = true;
    }
    return found;
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
