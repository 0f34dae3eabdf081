import { at, field, isArray, type JsonObject, stringAt } from '../../base/json.ts';
import { ok, type Result } from '../../base/result.ts';

/** How far an object is from what its spec asks for. Names: kstatus. */
export type Status = 'Current' | 'InProgress' | 'Failed' | 'Terminating';

/** A condition in kstatus' abnormal-true convention, derived from the object. */
export interface StatusCondition {
  readonly type: 'Reconciling' | 'Stalled';
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
}

export interface StatusResult {
  readonly status: Status;
  readonly message: string;
  readonly conditions: readonly StatusCondition[];
}

export type StatusOutcome = Result<StatusResult, string>;

export interface LiveCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export function current(message: string): StatusOutcome {
  return ok({ status: 'Current', message, conditions: [] });
}

export function inProgress(reason: string, message: string): StatusOutcome {
  return ok({ status: 'InProgress', message, conditions: [{ type: 'Reconciling', status: 'True', reason, message }] });
}

export function failed(reason: string, message: string, conditionMessage: string = message): StatusOutcome {
  const condition: StatusCondition = { type: 'Stalled', status: 'True', reason, message: conditionMessage };
  return ok({ status: 'Failed', message, conditions: [condition] });
}

/** The entries of `status.conditions`; missing texts are ''. */
export function conditionsOf(object: JsonObject): readonly LiveCondition[] {
  const list = at(object, 'status', 'conditions');
  if (!isArray(list)) return [];
  return list.map((item) => ({
    type: stringAt(item, 'type') ?? '',
    status: stringAt(item, 'status') ?? '',
    reason: stringAt(item, 'reason') ?? '',
    message: stringAt(item, 'message') ?? '',
  }));
}

/** The whole number at `path`, or `fallback` when there is none. */
export function integerAt(object: JsonObject, fallback: number, ...path: readonly string[]): number {
  const value = at(object, ...path);
  return typeof value === 'number' || typeof value === 'bigint' ? Math.trunc(Number(value)) : fallback;
}

/** `metadata.generation` or the like as a number; undefined when missing. */
export function optionalInteger(object: JsonObject, parent: string, key: string): number | undefined {
  const value = field(field(object, parent), key);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}
