import { createHash } from 'node:crypto';
import type { KubeObject, ObjectRef } from '../api/object.ts';
import { stringifyJson } from '../base/json.ts';
import { cleanupPatch, fieldsOf, type ManagerPattern } from './field-managers.ts';
import { policiesOf } from './policy.ts';

/** What was last seen of an object that was applied: with the same content wanted, it needs no request while it stays so. */
export interface AppliedState {
  readonly ref: ObjectRef;
  /** Hash of the object as it was wanted. */
  readonly desired: string;
  /** Version of the live object that was found equal to it, or that applying it made. */
  readonly resourceVersion: string;
  /** Hash of the fields that the server then noted as ours: a change of one by anybody else takes it from us. */
  readonly owned: string;
}

/** Remembers the state of each object of one owner, by inventory id. Lost on restart: then everything is compared once. */
export class AppliedMemory {
  readonly #states = new Map<string, AppliedState>();

  get(id: string): AppliedState | undefined {
    return this.#states.get(id);
  }

  set(id: string, state: AppliedState): void {
    this.#states.set(id, state);
  }

  /** Forgets what is not among `ids`. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#states.keys()) if (!ids.has(id)) this.#states.delete(id);
  }
}

export interface SyncRules {
  readonly manager: string;
  readonly replaced: readonly ManagerPattern[];
  readonly policyGroup: string;
}

/**
 * Whether a live object is still as it was left, as far as it is ours: the same fields are owned by `manager`, and no manager has
 * appeared whose fields are to be taken over. Needs no request.
 */
export function isInSync(live: KubeObject, state: AppliedState, rules: SyncRules): boolean {
  const policies = policiesOf(live, rules.policyGroup);
  if (policies.ignored) return true;
  if (live.metadata.resourceVersion === state.resourceVersion) return true;
  if (ownedHash(live, rules.manager) !== state.owned) return false;
  return policies.merge || cleanupPatch(live, rules.replaced, rules.manager).length === 0;
}

/**
 * Hash of the fields that a manager has applied, and of when an apply of it last changed something: another program of its name may
 * have given the same fields other values. '' when there are none.
 */
export function ownedHash(live: KubeObject, manager: string): string {
  const entry = live.metadata.managedFields?.find(
    (candidate) => candidate.manager === manager && candidate.operation === 'Apply' && !candidate.subresource,
  );
  return entry === undefined ? '' : contentHash([entry.time ?? null, fieldsOf(entry)]);
}

/** A short hash of a JSON value; equal values with another order of keys may differ. */
export function contentHash(value: Parameters<typeof stringifyJson>[0]): string {
  return createHash('sha1').update(stringifyJson(value)).digest('base64');
}
