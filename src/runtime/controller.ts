import type { ObjectRef } from '../api/object.ts';
import type { Outcome, Report } from '../api/outcome.ts';
import type { JsonObject } from '../base/json.ts';

/** What a reconciler may do while it works, beside its ports. */
export interface ReconcileContext {
  /** Aborted when the engine stops and its time for finishing is over: everything the reconcile awaits takes it. */
  readonly signal: AbortSignal;
  /**
   * Aborted as soon as this work is out of date; the object is reconciled again right after. For waits that may be cut short
   * (health checks); a write begun is finished. `reason` is a {@link Superseded}.
   */
  readonly superseded: AbortSignal;
  /**
   * Writes conditions (and status fields) before the end, for a long-running step; the runtime drops no-op writes.
   * False: the server has not taken it.
   */
  readonly progress: (report: Omit<Report, 'events'> & { readonly events?: Report['events'] }) => Promise<boolean>;
}

/** Why a running reconcile is out of date. `by` names what changed, as `Kind/namespace/name`. */
export interface Superseded {
  readonly cause: 'generation' | 'requested' | 'deleted' | 'watch' | 'stop';
  readonly by: string;
}

export interface Reconciler<T> {
  /** A throw means a bug or an outage: the runtime logs it, counts it and requeues with back-off. */
  reconcile(object: T, context: ReconcileContext): Promise<Outcome>;
}

/** Objects another way than by watching its own kind: changes outside the cluster call `enqueue` with `namespace/name`. */
export interface Trigger {
  subscribe(enqueue: (key: string, by: string) => void): () => void;
}

/** A watch on another kind; `map` names the objects (`namespace/name`) of the controller's own kind to reconcile. */
export interface Watch {
  readonly apiVersion: string;
  readonly kind: string;
  readonly labelSelector?: string;
  map(event: {
    readonly object: import('../api/object.ts').KubeObject;
    readonly previous?: import('../api/object.ts').KubeObject;
  }): readonly string[];
  /**
   * Tells `found` of those that the change matters to, where there are more than are worked on at once: each begins when it is told of,
   * before all that waits.
   */
  first?(
    keys: readonly string[],
    object: import('../api/object.ts').KubeObject,
    found: (key: string) => void,
  ): Promise<void>;
}

export interface Controller<T> {
  /** Flux's controller name: field manager, event component, `reportingController` (`kustomize-controller`). */
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly watches: readonly Watch[];
  /** Other causes to reconcile (drift seen by the applier's watches, for one). */
  readonly triggers?: readonly Trigger[];
  /** Condition types this controller owns. */
  readonly conditions: readonly string[];
  readonly finalizer: string;
  /** Field manager of finalizer and status writes, where it is not `name` (`gotk-kustomize-controller`). */
  readonly statusManager?: string;
  /**
   * Whether every pass stamps Ready with the current generation, also one that reports `none`: source-controller's
   * summariser does (source-controller@1.9 internal/reconcile/summarize), kustomize-controller does not.
   */
  readonly restampsReady?: boolean;
  /** The object that is looked at before this one when the engine starts, if one of its controllers does so, and soon enough. */
  readonly after?: (object: T) => ObjectRef;
  /** The status that an object is left with when the engine ends, where it is not the one that it has. */
  readonly leave?: (object: T) => JsonObject | undefined;
  readonly reconciler: Reconciler<T>;
}

export function defineController<T>(controller: Controller<T>): Controller<T> {
  return controller;
}
