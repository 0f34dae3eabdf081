import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { ownedHash } from './applied-memory.ts';
import { fieldChanges } from './field-changes.ts';
import { cleanupPatch, replacedManagers } from './field-managers.ts';

const SELF = 'kustomize-controller';
/** As the server writes them; `omitempty` leaves out what is empty. Source: kubernetes@1.34 apimachinery meta/v1 ManagedFieldsEntry. */
const object = (value: string, ...managedFields: readonly object[]): KubeObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', managedFields }, data: { key: value } }) as never;

describe('an entry of managedFields', () => {
  it('without a name is nobody’s whose fields are taken over, and is told as such', () => {
    const nameless = { operation: 'Update', fieldsV1: { 'f:data': { 'f:key': {} } } };
    const live = object('evil', nameless);
    expect(cleanupPatch(live, replacedManagers(SELF), SELF)).toEqual([]);
    expect(fieldChanges(live, object('one'), SELF)).toMatchObject([{ managers: ['an unnamed manager'] }]);
  });

  it('without fields owns nothing', () => {
    const own = { manager: SELF, operation: 'Apply' };
    const live = object('evil', own, { manager: 'kubectl-edit', operation: 'Update' });
    const managedFields = [{ ...own, fieldsV1: {} }];
    expect(cleanupPatch(live, replacedManagers(SELF), SELF)).toEqual([
      { op: 'replace', path: '/metadata/managedFields', value: managedFields },
    ]);
    expect(fieldChanges(live, object('one'), SELF)).toMatchObject([{ managers: [] }]);
    expect(ownedHash(live, SELF)).toBe(ownedHash(object('evil', { ...own, fieldsV1: {} }), SELF));
  });

  it('of ours is another one when an apply has changed something since', () => {
    const at = (time: string) => object('one', { manager: SELF, operation: 'Apply', time, fieldsV1: { 'f:data': {} } });
    expect(ownedHash(at('2026-01-01T00:00:00Z'), SELF)).not.toBe(ownedHash(at('2026-01-01T00:00:01Z'), SELF));
  });
});
