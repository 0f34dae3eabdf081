import type { KubeObject, ObjectRef } from '../api/object.ts';
import { refOf } from '../api/object.ts';
import type { EventRecord, Outcome, Report } from '../api/outcome.ts';
import type { Clock } from '../base/clock.ts';
import type { Json, JsonObject } from '../base/json.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient, KubeError, KubeResult } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import type { Controller, Reconciler } from './controller.ts';
import type { EventRecorder } from './events.ts';
import { finalStatus, mergePatch, progressStatus, type StatusRules } from './status.ts';
import { timestamp } from './timestamp.ts';

export interface ReconcilePorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly events: EventRecorder;
}

export interface ReconcileRun {
  readonly object: KubeObject;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly superseded: AbortSignal;
  /** Told of the object after each of our own writes, so that the next reconcile does not begin with an older one. */
  readonly wrote: (object: KubeObject) => void;
}

/** What is left to do after a reconcile. `failed` is a write that did not succeed: again with back-off. */
export type Conclusion =
  | { readonly kind: 'requeue'; readonly afterMs: number; readonly jitter: boolean }
  | { readonly kind: 'backoff'; readonly error: string; readonly atMostMs?: number }
  | { readonly kind: 'rest' };

/** An object is worked on no more often than this by its own interval, whatever that is: `0s` and `1ns` are durations, too. */
const SHORTEST_INTERVAL_MS = 1_000;
/** Finalizer writes begun anew after somebody else changed the object. */
const MAX_CONFLICTS = 5;

/**
 * Takes one object through finalizer, reconciler and status. Throws what the reconciler throws (a bug or an outage).
 * Effects: patches metadata.finalizers and status of the object, records events.
 */
export async function reconcileOne(
  controller: Controller<never>,
  ports: ReconcilePorts,
  run: ReconcileRun,
): Promise<Conclusion> {
  const manager = controller.statusManager ?? controller.name;
  const held = run.object.metadata.finalizers?.includes(controller.finalizer) === true;
  const deleting = run.object.metadata.deletionTimestamp !== undefined;
  if (deleting && !held) return { kind: 'rest' };

  let object = run.object;
  if (!held) {
    const added = await changeFinalizers(ports.client, object, manager, (finalizers) =>
      finalizers.includes(controller.finalizer) ? finalizers : [...finalizers, controller.finalizer],
    );
    if (!added.ok) return writeFailure('add the finalizer', added.error);
    if (added.value === undefined) return { kind: 'rest' };
    object = added.value;
    run.wrote(object);
  }

  const writer = new StatusWriter(controller, ports, object, manager, run.wrote);
  const record = (events: readonly EventRecord[]): void => {
    for (const event of events) {
      ports.events.record(controller.name, writer.latest, event);
      // Failures are told once, by whoever decides what follows from them.
      if (event.severity === 'info') run.log.info(event.message, { ...event.metadata });
    }
  };
  const context = {
    signal: run.signal,
    superseded: run.superseded,
    async progress(report: Omit<Report, 'events'> & { readonly events?: Report['events'] }): Promise<boolean> {
      const failure = await writer.write((latest) => progressStatus(latest, report, writer.rules()));
      record(report.events ?? []);
      return failure === undefined;
    },
  };
  const outcome = await (controller.reconciler as Reconciler<unknown>).reconcile(object, context);

  if (outcome.kind === 'deleted') {
    await writer.settled();
    record(outcome.events ?? []);
    const removed = await changeFinalizers(ports.client, writer.latest, manager, (finalizers) =>
      finalizers.filter((name) => name !== controller.finalizer),
    );
    if (removed.ok) return { kind: 'rest' };
    return writeFailure('remove the finalizer', removed.error);
  }
  // Judged by the object as it was when the reconcile began: what changed since then is for the next one.
  const failure = await writer.write(({ status }) => {
    const basis: KubeObject = { ...object, ...(status === undefined ? {} : { status }) };
    return finalStatus(basis, outcome, writer.rules());
  });
  if (outcome.kind !== 'none') record(outcome.events);
  if (failure !== undefined) return writeFailure('update the status', failure);
  return conclude(outcome);
}

/** Writes the status that a controller leaves an object with when it ends, unless somebody writes at the same time. */
export async function leaveOne(
  controller: Controller<never>,
  client: KubeClient,
  known: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const { leave } = controller as Controller<unknown>;
  if (leave?.(known) === undefined) return;
  const ref = refOf(known);
  const read = await client.get(ref, signal);
  const status = read.ok ? leave(read.value) : undefined;
  if (!read.ok || status === undefined) return;
  const { uid, resourceVersion } = read.value.metadata;
  const change = mergePatch(read.value.status, status);
  if (change === undefined || uid === undefined || resourceVersion === undefined) return;
  const fieldManager = controller.statusManager ?? controller.name;
  const body: Json = { metadata: { uid, resourceVersion }, status: change };
  await client.patch(ref, body, { type: 'merge', subresource: 'status', fieldManager, signal });
}

function conclude(outcome: Exclude<Outcome, { readonly kind: 'deleted' }>): Conclusion {
  switch (outcome.kind) {
    case 'none':
    case 'stalled':
      return { kind: 'rest' };
    case 'done':
      return { kind: 'requeue', afterMs: atLeast(outcome.requeueAfterMs, SHORTEST_INTERVAL_MS), jitter: true };
    case 'retry':
      return { kind: 'requeue', afterMs: atLeast(outcome.requeueAfterMs, SHORTEST_INTERVAL_MS), jitter: false };
    case 'wait':
      return { kind: 'requeue', afterMs: atLeast(outcome.requeueAfterMs, 0), jitter: false };
    case 'backoff':
      return {
        kind: 'backoff',
        error: outcome.conditions.find(({ type }) => type === 'Ready')?.message ?? 'not ready',
        ...(outcome.atMostMs === undefined ? {} : { atMostMs: atLeast(outcome.atMostMs, SHORTEST_INTERVAL_MS) }),
      };
  }
}

/** What is no number counts as the least. */
function atLeast(delayMs: number, leastMs: number): number {
  return delayMs >= leastMs ? delayMs : leastMs;
}

/** The object is gone: nothing is left to do. Else the whole reconcile is done again. */
function writeFailure(step: string, error: KubeError): Conclusion {
  return isNotFound(error) ? { kind: 'rest' } : { kind: 'backoff', error: `failed to ${step}: ${error.message}` };
}

/** Undefined: the object does not exist any more (or another one has its name). */
async function changeFinalizers(
  client: KubeClient,
  object: KubeObject,
  manager: string,
  change: (finalizers: readonly string[]) => readonly string[],
): Promise<KubeResult<KubeObject | undefined>> {
  const ref = refOf(object);
  let current = object;
  for (let attempt = 0; ; attempt++) {
    const { finalizers = [], resourceVersion } = current.metadata;
    const wanted = change(finalizers);
    if (wanted === finalizers || (wanted.length === finalizers.length && wanted.every((f, i) => f === finalizers[i]))) {
      return { ok: true, value: current };
    }
    const body: Json = {
      metadata: {
        finalizers: wanted.length === 0 ? null : wanted,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
    };
    const patched = await client.patch(ref, body, { type: 'merge', fieldManager: manager });
    if (patched.ok || !isConflict(patched.error) || attempt >= MAX_CONFLICTS) {
      return !patched.ok && isNotFound(patched.error) ? { ok: true, value: undefined } : patched;
    }
    const read = await client.get(ref);
    if (!read.ok) return isNotFound(read.error) ? { ok: true, value: undefined } : read;
    if (read.value.metadata.uid !== object.metadata.uid) return { ok: true, value: undefined };
    current = read.value;
  }
}

/** Writes a status when it differs from the last known one; writes of one reconcile come one after the other. */
class StatusWriter {
  latest: KubeObject;
  readonly #controller: Controller<never>;
  readonly #ports: ReconcilePorts;
  readonly #ref: ObjectRef;
  readonly #manager: string;
  readonly #wrote: (object: KubeObject) => void;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    controller: Controller<never>,
    ports: ReconcilePorts,
    object: KubeObject,
    manager: string,
    wrote: (object: KubeObject) => void,
  ) {
    this.#controller = controller;
    this.#ports = ports;
    this.#ref = refOf(object);
    this.#manager = manager;
    this.#wrote = wrote;
    this.latest = object;
  }

  rules(): StatusRules {
    return {
      owned: this.#controller.conditions,
      restampsReady: this.#controller.restampsReady === true,
      now: timestamp(this.#ports.clock.now()),
    };
  }

  /** `statusFrom` is given the object as the write before has left it. */
  write(statusFrom: (latest: KubeObject) => JsonObject): Promise<KubeError | undefined> {
    const next = this.#last.then(() => this.#patch(statusFrom(this.latest)));
    this.#last = next;
    return next;
  }

  /** Resolves when all writes begun are done. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #patch(status: JsonObject): Promise<KubeError | undefined> {
    const change = mergePatch(this.latest.status, status);
    if (change === undefined) return undefined;
    const { uid } = this.latest.metadata;
    // The uid makes it a conflict when the object was deleted and made again under the same name.
    const body: Json = { ...(uid === undefined ? {} : { metadata: { uid } }), status: change };
    const patched = await this.#ports.client.patch(this.#ref, body, {
      type: 'merge',
      subresource: 'status',
      fieldManager: this.#manager,
    });
    if (!patched.ok) return patched.error;
    this.latest = patched.value;
    this.#wrote(patched.value);
    return undefined;
  }
}
