import { groupOf, type KubeObject } from '../api/object.ts';
import type { JsonObject } from '../base/json.ts';
import { computeStatus } from '../engine/kstatus/compute.ts';
import { conditionsOf, type Status } from '../engine/kstatus/status.ts';

/** The health of one object. `Unknown` comes with the reason why it could not be judged. */
export interface Verdict {
  readonly status: Status | 'Unknown' | 'NotFound';
  readonly message?: string;
}

/** A rule that replaces kstatus for some kinds; undefined: not its kind. */
export type HealthRule = (object: KubeObject) => Verdict | undefined;

/** Judges a live object: by the first rule that knows its kind, else by kstatus. */
export function judge(object: KubeObject, rules: readonly HealthRule[], nowMs: number): Verdict {
  for (const rule of rules) {
    const verdict = rule(object);
    if (verdict !== undefined) return verdict;
  }
  const result = computeStatus(object as unknown as JsonObject, nowMs);
  return result.ok ? result.value : { status: 'Unknown', message: result.error };
}

/**
 * A Job is done only when it is complete: kstatus would call a running one healthy.
 * Source: fluxcd/pkg@e2cfd1a runtime/statusreaders/job.go.
 */
export const jobRule: HealthRule = (object) => {
  if (object.kind !== 'Job' || groupOf(object.apiVersion) !== 'batch') return undefined;
  const general = computeStatus(object as unknown as JsonObject, 0);
  if (general.ok && general.value.status === 'Terminating') return general.value;
  for (const { type, status } of conditionsOf(object as unknown as JsonObject)) {
    if (status !== 'True') continue;
    if (type === 'Complete') return { status: 'Current' };
    if (type === 'Failed') return { status: 'Failed' };
    if (type === 'Suspended') return { status: 'Current' };
  }
  return { status: 'InProgress' };
};
