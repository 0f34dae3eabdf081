import { ready } from '../../api/condition.ts';
import type { Outcome } from '../../api/outcome.ts';
import { formatDuration } from '../../base/duration.ts';
import type { Remembered } from './memory.ts';
import type { Pass } from './pass.ts';
import { conditionOf, requestOf } from './plan.ts';

/** The end of a pass that did everything: Ready at the revision, which is remembered as done until the interval is over. */
export function succeed(pass: Pass, remembered: Remembered, hasChanged: boolean): Outcome {
  const { object, originRevision, revision } = pass;
  const isQuiet =
    !hasChanged &&
    conditionOf(object, 'Ready')?.status === 'True' &&
    object.status?.lastAppliedRevision === revision &&
    object.status.observedGeneration === object.metadata.generation;
  const { lastAppliedOriginRevision: _, ...status } = pass.status;
  pass.status = {
    ...status,
    lastAppliedRevision: revision,
    ...(originRevision === undefined ? {} : { lastAppliedOriginRevision: originRevision }),
  };
  pass.mark(ready('ReconciliationSucceeded', `Applied revision: ${revision}`));
  pass.unmark('Reconciling');
  pass.record('ReconciliationSucceeded');
  const finished = `Reconciliation finished in ${pass.elapsed()}, next run in ${formatDuration(pass.times.intervalMs)}`;
  // The cluster has this event of this revision: one more for each quiet pass would be half of what such a pass costs.
  pass.event('info', finished, { commit_status: 'update' }, { unrecorded: isQuiet });
  remembered.lastFull = {
    generation: object.metadata.generation ?? 0,
    requested: requestOf(object),
    revision,
    atMs: pass.startMs,
  };
  return pass.done(pass.times.intervalMs);
}
