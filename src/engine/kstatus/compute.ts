import { type JsonObject, stringAt } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { builtinStatus } from './builtin.ts';
import { conditionsOf, current, failed, inProgress, optionalInteger, type StatusOutcome } from './status.ts';

/**
 * Judges a live object (with its status) by kstatus' rules.
 * `nowMs` decides how long a Pod may stay unschedulable. Errors: a Pod phase that does not exist.
 * Source: fluxcd/cli-utils@1.2.2 pkg/kstatus/status/status.go `Compute`.
 */
export function computeStatus(object: JsonObject, nowMs: number): StatusOutcome {
  const general = generalStatus(object);
  if (general !== undefined) return general;
  const builtin = builtinStatus(object, nowMs);
  if (builtin !== undefined) return builtin;
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (type !== 'Ready') continue;
    if (status === 'True') return current('Resource is Ready');
    if (status === 'False' || status === 'Unknown') return inProgress(reason, message);
  }
  // No signal at all: most kinds have no status, so that absence means done.
  return current('Resource is current');
}

/** What any kind may say: being deleted, an unseen generation, the two standard conditions. */
function generalStatus(object: JsonObject): StatusOutcome | undefined {
  if ((stringAt(object, 'metadata', 'deletionTimestamp') ?? '') !== '') {
    return ok({ status: 'Terminating', message: 'Resource scheduled for deletion', conditions: [] });
  }
  const generation = optionalInteger(object, 'metadata', 'generation');
  const observed = optionalInteger(object, 'status', 'observedGeneration');
  if (generation !== undefined && observed !== undefined && generation !== observed) {
    const kind = stringAt(object, 'kind') ?? '';
    const message = `${kind} generation is ${generation}, but latest observed generation is ${observed}`;
    return inProgress('LatestGenerationNotObserved', message);
  }
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (status !== 'True') continue;
    if (type === 'Reconciling') return inProgress(reason, message);
    if (type === 'Stalled') return failed(reason, message);
  }
  return undefined;
}
