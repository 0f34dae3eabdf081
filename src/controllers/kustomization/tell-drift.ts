import { unknownReady } from '../../api/condition.ts';
import type { Applied } from '../../apply/apply.ts';
import { altered, printChanges } from '../../apply/change.ts';
import { printFieldChanges } from '../../apply/field-changes.ts';
import type { Pass } from './pass.ts';

/** Drift of more objects at once is one cause's: their own events would not tell more. */
const MAX_DRIFT_EVENTS = 100;

/** What was put back outside of a whole pass: events of the objects, and Flux's of the Kustomization, which stays as ready as it was. */
export function tellRepair(pass: Pass, applied: readonly Applied[]): void {
  const done = altered(applied);
  tellDrift(pass, done);
  if (done.length === 0) return;
  const before = pass.conditions;
  pass.mark(unknownReady('Progressing', 'Reconciliation in progress'));
  pass.event('info', printChanges(done));
  pass.conditions = before;
}

/** What somebody changed, as events of the objects. */
export function tellDrift(pass: Pass, applied: readonly Applied[]): void {
  const { namespace = '', name } = pass.object.metadata;
  for (const { ref, uid, action, drift } of applied.slice(0, MAX_DRIFT_EVENTS)) {
    if (drift === undefined) continue;
    const what = action === 'created' ? 'it was deleted, and is created anew' : printFieldChanges(drift);
    const message = `put back as Kustomization ${namespace}/${name} has it:\n${what}`;
    const about = { ...ref, ...(uid === undefined ? {} : { uid }) };
    pass.event('info', message, {}, { reason: 'DriftCorrected', about });
  }
}
