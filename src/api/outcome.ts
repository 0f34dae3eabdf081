import type { JsonObject } from '../base/json.ts';
import type { Condition } from './condition.ts';
import type { ObjectRef } from './object.ts';

/** One event about the object under reconciliation. `trace` events are recorded as Normal and never sent out. */
export interface EventRecord {
  readonly severity: 'info' | 'error' | 'trace';
  readonly reason: string;
  readonly message: string;
  /** Event annotations, without the group prefix (`revision`, `digest`, `commit_status`, ...): the runtime adds it. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Another object that the event is about, beside whose events it is then shown; subscribers are not told of it. */
  readonly about?: ObjectRef & { readonly uid?: string };
  /** Sent to subscribers (the notification controller), but not recorded in the cluster. */
  readonly unrecorded?: boolean;
}

export interface Report {
  /**
   * The whole set of conditions that the controller owns after this reconcile: types it owns and leaves out are removed.
   * The runtime keeps the transition time where the status did not change.
   */
  readonly conditions: readonly Condition[];
  readonly events: readonly EventRecord[];
  /** The kind's own status fields after this reconcile; a field left out is removed. Conditions and bookkeeping are added by the runtime. */
  readonly status?: JsonObject;
}

/** What one reconcile came to. Only the runtime turns it into a status patch, events and a requeue. */
export type Outcome =
  | { readonly kind: 'none' } // suspended: nothing to report
  | { readonly kind: 'deleted'; readonly events?: readonly EventRecord[] } // the finalizer may go
  | ({ readonly kind: 'done' | 'wait' | 'retry'; readonly requeueAfterMs: number } & Report)
  | ({ readonly kind: 'backoff'; readonly atMostMs?: number } & Report) // retried with exponential back-off
  | ({ readonly kind: 'stalled' } & Report); // no requeue until the spec changes
