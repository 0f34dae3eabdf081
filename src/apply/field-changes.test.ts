import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { fieldChanges, printFieldChanges } from './field-changes.ts';

const fields = (manager: string, fieldsV1: object, time = '2026-01-01T00:00:00Z') => ({
  manager,
  operation: 'Update' as const,
  apiVersion: 'apps/v1',
  time,
  fieldsType: 'FieldsV1' as const,
  fieldsV1: fieldsV1 as never,
});

describe('the fields that drifted', () => {
  it.each<[string, Partial<KubeObject> & object, object, string]>([
    [
      'a number, with the manager that wrote it',
      {
        metadata: { name: 'a', managedFields: [fields('kubectl-scale', { 'f:spec': { 'f:replicas': {} } })] },
        spec: { replicas: 3 },
      },
      { spec: { replicas: 1 } },
      '.spec.replicas: 3 (by kubectl-scale) -> 1',
    ],
    [
      'an item of a list that is known by its key',
      {
        metadata: {
          name: 'a',
          managedFields: [
            fields('someone', { 'f:spec': { 'f:containers': { 'k:{"name":"b"}': { '.': {}, 'f:image': {} } } } }),
          ],
        },
        spec: {
          containers: [
            { name: 'a', image: 'x' },
            { name: 'b', image: 'evil' },
          ],
        },
      },
      {
        spec: {
          containers: [
            { name: 'a', image: 'x' },
            { name: 'b', image: 'good' },
          ],
        },
      },
      '.spec.containers[1].image: "evil" (by someone) -> "good"',
    ],
    [
      'a label that is gone, with who wrote last',
      {
        metadata: {
          name: 'a',
          managedFields: [fields('early', {}), fields('late', { 'f:spec': {} }, '2026-02-01T00:00:00Z')],
        },
      },
      { metadata: { name: 'a', labels: { 'x/y': 'z' } } },
      '.metadata.labels["x/y"]: absent (by late) -> "z"',
    ],
    [
      'nothing of a Secret’s values',
      {
        kind: 'Secret',
        apiVersion: 'v1',
        metadata: {
          name: 'a',
          annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":"hunter2"}' },
        },
        data: { password: 'aHVudGVyMg==' },
      } as never,
      { kind: 'Secret', apiVersion: 'v1', data: { password: 'b3RoZXI=' } },
      '.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]: *** -> absent\n.data.password: *** -> ***',
    ],
    [
      'a list of another length as a whole, shortened',
      { spec: { args: ['a'.repeat(200)] } },
      { spec: { args: [] } },
      `.spec.args: ["${'a'.repeat(118)}... -> []`,
    ],
  ])('shows %s', (_, live, wanted, text) => {
    const base = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } };
    const changes = fieldChanges({ ...base, ...live }, { ...base, ...wanted } as KubeObject, 'kustomize-controller');
    expect(printFieldChanges(changes)).toBe(text);
  });
});
