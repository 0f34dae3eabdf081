import { printRef } from '../../api/object.ts';
import type { Outcome } from '../../api/outcome.ts';
import { printChanges } from '../../apply/change.ts';
import { entryRef } from '../../apply/inventory.ts';
import { compareRefs } from '../../apply/order.ts';
import { prune, waitForTermination } from '../../apply/prune.ts';
import type { Clock } from '../../base/clock.ts';
import type { LiveObjects } from '../../health/live-objects.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { Pass } from './pass.ts';
import { deletesObjects, GROUP } from './plan.ts';
import { guardedOf } from './prune-stale.ts';

/** Source: kustomize-controller@1.9 finalize. */
const TERMINATION_POLL_MS = 2_000;

export interface FinalizePorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly live: LiveObjects;
  readonly signal: AbortSignal;
  /** Service account to act as; undefined: none. */
  readonly serviceAccount: string | undefined;
  /** The client that deletes. */
  readonly acting: KubeClient;
}

/** Deletes what a Kustomization applied, as its deletion policy says, before it goes itself. */
export async function finalize(pass: Pass, ports: FinalizePorts): Promise<Outcome> {
  const { object, status } = pass;
  const { namespace = '', name } = object.metadata;
  if (!deletesObjects(object)) return { kind: 'deleted' };
  pass.revision = status.lastAppliedRevision ?? '';
  pass.originRevision = status.lastAppliedOriginRevision;
  // What the guard holds outlives the Kustomization: to let it go, it is allowed before the deletion.
  const { entries } = guardedOf(pass, status.inventory?.entries ?? []);
  if (ports.serviceAccount !== undefined && !(await accountExists(ports, namespace, ports.serviceAccount))) {
    const refs = entries.map(entryRef).filter((ref) => ref !== undefined);
    const list = refs.sort(compareRefs).map((ref) => printRef(ref));
    pass.event('error', `unable to prune objects: \n${list.join('\n')}`);
    return { kind: 'deleted', events: pass.end().events };
  }
  const pruned = await prune(
    entries,
    { group: GROUP, namespace, name },
    { client: ports.acting, live: ports.live, signal: ports.signal },
  );
  if (!pruned.ok) {
    pass.event('error', 'pruning for deleted resource failed');
    return { kind: 'backoff', ...pass.end() };
  }
  if (pruned.value.length > 0) {
    pass.event('info', printChanges(pruned.value));
    if (object.spec.deletionPolicy === 'WaitForTermination') {
      const gone = await waitForTermination(
        pruned.value.filter(({ action }) => action === 'deleted').map(({ ref }) => ref),
        { ...ports, client: ports.acting, timeoutMs: pass.times.timeoutMs, pollMs: TERMINATION_POLL_MS },
      );
      if (!gone) pass.event('error', 'failed to wait for resources termination');
    }
  }
  return { kind: 'deleted', events: pass.end().events };
}

async function accountExists({ client }: FinalizePorts, namespace: string, name: string): Promise<boolean> {
  const found = await client.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name });
  return found.ok || !isNotFound(found.error);
}
