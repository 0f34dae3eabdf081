import type { KubeObject, ObjectRef } from '../api/object.ts';

/** What watches already know of live objects, so that nobody has to ask the server. */
export interface LiveObjects {
  /**
   * The object as the watch last showed it. `unwatched`: no watch covers it, or it is not in step yet. `absent`: a watch in step
   * does not hold it; it may still exist without the labels that the watch selects by.
   */
  get(ref: ObjectRef): KubeObject | 'absent' | 'unwatched';
  /** Calls `listen` after each change of a watched object of the kind; the returned function ends it. */
  subscribe(kind: Pick<ObjectRef, 'apiVersion' | 'kind'>, listen: (ref: ObjectRef) => void): () => void;
}

/** Knows nothing: every read goes to the server. */
export const unwatched: LiveObjects = {
  get: () => 'unwatched',
  subscribe: () => () => undefined,
};
