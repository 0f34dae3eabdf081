import { expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { stages } from './order.ts';

function object(apiVersion: string, kind: string, name: string, namespace?: string): KubeObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}
const objects = [
  object('v1', 'Service', 'web', 'b'),
  object('v1', 'Service', 'web', 'a'),
  object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'w'),
  object('example.com/v1', 'Widget', 'x', 'a'),
  object('apps/v1', 'Deployment', 'web', 'a'),
  object('storage.k8s.io/v1', 'StorageClass', 'fast'),
  object('v1', 'Namespace', 'a'),
  object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'widgets.example.com'),
  object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'r'),
];
const names = (parts: readonly (readonly KubeObject[])[]): readonly string[] =>
  parts.map((stage) => stage.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}`).join(', '));

it('applies definitions, then classes, then the rest, each by rank of kind', () => {
  expect(names(stages(objects))).toEqual([
    'CustomResourceDefinition -, Namespace -, ClusterRole -',
    'StorageClass -',
    'Service a, Service b, Deployment a, Widget a, ValidatingWebhookConfiguration -',
  ]);
});

it('gives kinds named by the user a stage of their own', () => {
  expect(names(stages(objects, new Set(['example.com/Widget'])))[2]).toBe('Widget a');
});
