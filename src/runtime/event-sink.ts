import type { ObjectRef } from '../api/object.ts';

/** The object an event is about. */
export interface InvolvedObject extends ObjectRef {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** An event ready to be recorded; annotations carry their group prefix. */
export interface ReadyEvent {
  readonly object: InvolvedObject;
  readonly severity: 'info' | 'error' | 'trace';
  readonly reason: string;
  readonly message: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Flux's name of the controller that tells it. */
  readonly component: string;
  readonly atMs: number;
  /** The only kind of sink that it is for; both when absent. */
  readonly only?: 'cluster' | 'subscribers';
}

/** Where events go. Must not throw. */
export interface EventSink {
  send(event: ReadyEvent, signal: AbortSignal): Promise<void>;
}
