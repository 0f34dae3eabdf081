import { expect, it } from 'vitest';
import type { KubeObject, ManagedFieldsEntry } from '../api/object.ts';
import { isInSync, ownedHash } from './applied-memory.ts';
import { hasDrifted } from './diff.ts';
import { cleanupPatch, replacedManagers } from './field-managers.ts';

const MANAGER = 'kustomize-controller';
const replaced = replacedManagers(MANAGER);
const rules = { manager: MANAGER, replaced, policyGroup: 'kustomize.toolkit.fluxcd.io' };

function entry(manager: string, operation: 'Apply' | 'Update', ...fields: string[]): ManagedFieldsEntry {
  const fieldsV1 = { 'f:data': Object.fromEntries(fields.map((name) => [`f:${name}`, {}])) };
  return { manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 };
}
function live(version: string, managedFields: readonly ManagedFieldsEntry[], more: object = {}): KubeObject {
  const metadata = { name: 'cm', namespace: 'd', resourceVersion: version, managedFields, ...more };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}
const own = entry(MANAGER, 'Apply', 'a', 'b');
const before = live('1', [own]);
const state = {
  ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'd', name: 'cm' },
  desired: 'h',
  resourceVersion: '1',
  owned: ownedHash(before, MANAGER),
};

it.each([
  { name: 'nothing happened', object: before, want: true },
  { name: 'somebody wrote a field of their own', object: live('2', [own, entry('hpa', 'Update', 'c')]), want: true },
  {
    name: 'somebody took one of our fields',
    object: live('2', [entry(MANAGER, 'Apply', 'a'), entry('x', 'Update', 'b')]),
    want: false,
  },
  {
    name: 'kubectl edited a field of its own',
    object: live('2', [own, entry('kubectl-edit', 'Update', 'c')]),
    want: false,
  },
  {
    name: 'our field was taken but the object is to be left alone',
    object: live('2', [], { annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'Disabled' } }),
    want: true,
  },
])('is in sync = $want when $name', ({ object, want }) => {
  expect(isInSync(object, state, rules)).toBe(want);
});

it('hands the fields of kubectl over to the applier', () => {
  const patch = cleanupPatch(
    live('3', [entry('kubectl-edit', 'Update', 'c'), entry('hpa', 'Update', 'd'), own]),
    replaced,
    MANAGER,
  );
  expect(patch).toEqual([
    {
      op: 'replace',
      path: '/metadata/managedFields',
      value: [entry('hpa', 'Update', 'd'), entry(MANAGER, 'Apply', 'a', 'b', 'c')],
    },
    { op: 'replace', path: '/metadata/resourceVersion', value: '3' },
  ]);
});

it('removes what kubectl apply left in the annotations', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
  expect(cleanupPatch(live('3', [own], { annotations }), replaced, MANAGER)).toEqual([
    { op: 'remove', path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration' },
  ]);
});

it.each([
  { name: 'status', a: { status: { x: 1 } }, want: false },
  { name: 'data', a: { data: { a: 'b' } }, want: true },
  { name: 'a label', a: { metadata: { name: 'cm', labels: { a: 'b' } } }, want: true },
  { name: 'the resource version', a: { metadata: { name: 'cm', resourceVersion: '9' } }, want: false },
])('sees a drift = $want in $name', ({ a, want }) => {
  const base = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' } };
  expect(hasDrifted(base, { ...base, ...a } as KubeObject)).toBe(want);
});
