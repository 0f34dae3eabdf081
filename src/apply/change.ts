import { type ObjectRef, printRef } from '../api/object.ts';

/** What was done with one object. */
export interface Change {
  readonly ref: ObjectRef;
  readonly action: 'created' | 'configured' | 'unchanged' | 'skipped' | 'deleted';
}

/** `Kind/namespace/name action`, a line each. */
export function printChanges(changes: readonly Change[]): string {
  return changes.map(({ ref, action }) => `${printRef(ref)} ${action}`).join('\n');
}

/** Changes that altered the cluster. */
export function altered(changes: readonly Change[]): readonly Change[] {
  return changes.filter(({ action }) => action === 'created' || action === 'configured' || action === 'deleted');
}
