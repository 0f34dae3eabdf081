import { expect, it } from 'vitest';
import { entryRef, inventoryId, mergeEntries, parseInventoryId, staleEntries } from './inventory.ts';

const cases = [
  { id: 'apps_web_apps_Deployment', identity: { namespace: 'apps', name: 'web', group: 'apps', kind: 'Deployment' } },
  { id: 'apps_cm__ConfigMap', identity: { namespace: 'apps', name: 'cm', group: '', kind: 'ConfigMap' } },
  { id: '_apps__Namespace', identity: { namespace: '', name: 'apps', group: '', kind: 'Namespace' } },
  {
    id: '_system__node__x_rbac.authorization.k8s.io_ClusterRole',
    identity: { namespace: '', name: 'system:node:x', group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' },
  },
];
it.each(cases)('writes and reads $id', ({ id, identity }) => {
  expect(inventoryId(identity)).toBe(id);
  expect(parseInventoryId(id)).toEqual(identity);
});

it.each(['', 'a', 'a_b', 'a_b_c', 'a__c_'])('takes %j for no id', (id) => {
  expect(parseInventoryId(id)).toBeUndefined();
});

it('names the object of an entry by group and version', () => {
  expect(entryRef({ id: 'apps_web_apps_Deployment', v: 'v1' })).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'apps',
    name: 'web',
  });
});

it('tells what is no longer there, and merges without doubles', () => {
  const a = { id: 'n_a__ConfigMap', v: 'v1' };
  const b = { id: 'n_b__ConfigMap', v: 'v1' };
  expect(staleEntries([a, b], [b])).toEqual([a]);
  expect(mergeEntries([b], [a, b])).toEqual([b, a]);
});
