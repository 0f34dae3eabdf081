import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Change, GroupResource, Registry } from '../registry.ts';
import type { EventRecorder } from './events.ts';
import type { Again } from './queue.ts';

/** What every controller is given. */
export interface Context {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly events: EventRecorder;
}

/** A controller: which changes concern which keys (`namespace/name`), and what to do for a key. */
export interface WorkloadController {
  readonly name: string;
  readonly watches: readonly {
    readonly resource: GroupResource;
    readonly keys: (change: Change) => readonly string[];
  }[];
  /** Keys that wait at the start, beside one per object of the watched resources. */
  readonly firstKeys?: () => readonly string[];
  /** Brings the world closer to what `key` asks for; a throw is retried with back-off. */
  readonly sync: (key: string) => Promise<Again>;
}

/** The field manager of every write by a controller. */
export const CONTROLLER_MANAGER = 'kube-controller-manager';

/** The key of a namespaced or cluster-scoped object. */
export function keyOf({
  metadata,
}: {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The changed object's own key: for the kind a controller is about. */
export function itself(change: Change): readonly string[] {
  return [keyOf(change.object)];
}

/** Keys of the controllers of `kind` that own the changed object now or owned it before. */
export function ownerOfKind(kind: string): (change: Change) => readonly string[] {
  return ({ object, previous }) => {
    const keys = new Set<string>();
    for (const one of [object, previous]) {
      const owner = one?.metadata.ownerReferences?.find(({ controller }) => controller === true);
      if (owner?.kind === kind) keys.add(`${one?.metadata.namespace ?? ''}/${owner.name}`);
    }
    return [...keys];
  };
}
