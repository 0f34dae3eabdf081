import type { Outcome, Report } from '../api/outcome.ts';

/** What a reconciler may do while it works, beside its ports. */
export interface ReconcileContext {
  /** Aborted when the engine stops, or the object is deleted or superseded. */
  readonly signal: AbortSignal;
  /** Writes conditions (and status fields) before the end, for a long-running step; the runtime drops no-op writes. */
  progress(report: Omit<Report, 'events'> & { readonly events?: Report['events'] }): Promise<void>;
}

export interface Reconciler<T> {
  /** A throw means a bug or an outage: the runtime logs it, counts it and requeues with back-off. */
  reconcile(object: T, context: ReconcileContext): Promise<Outcome>;
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
}

export interface Controller<T> {
  /** Flux's controller name: field manager, event component, `reportingController` (`kustomize-controller`). */
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly watches: readonly Watch[];
  /** Condition types this controller owns. */
  readonly conditions: readonly string[];
  readonly finalizer: string;
  readonly reconciler: Reconciler<T>;
}

export function defineController<T>(controller: Controller<T>): Controller<T> {
  return controller;
}
