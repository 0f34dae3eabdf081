import { expect, it } from 'vitest';
import type { KubeObject } from '../api/object.ts';
import { holdsAll } from './diff.ts';

const hpa = (apiVersion: string, spec: object, labels: Record<string, string> = { a: '1' }): KubeObject =>
  ({ apiVersion, kind: 'HorizontalPodAutoscaler', metadata: { name: 'h', labels }, spec }) as unknown as KubeObject;
const live = hpa('autoscaling/v2', {
  max: 2,
  min: 1,
  ref: { kind: 'Deployment', name: 'w' },
  list: [{ a: 1, b: 2 }],
  cpu: '1',
  memory: '1Gi',
});

it.each<[string, KubeObject, boolean]>([
  ['the same', live, true],
  ['another version of it', hpa('autoscaling/v1', { max: 2 }), true],
  ['a field that the server has filled', hpa('autoscaling/v2', { max: 2, min: 1 }), true],
  ['an empty struct that the server has not', hpa('autoscaling/v2', { max: 2, behavior: {} }), true],
  ['part of an item', hpa('autoscaling/v2', { list: [{ a: 1 }] }), true],
  ['a quantity as the server writes it', hpa('autoscaling/v2', { cpu: '1000m', memory: '1024Mi' }), true],
  ['a quantity that is written as a number', hpa('autoscaling/v2', { cpu: 1 }), true],
  ['another quantity', hpa('autoscaling/v2', { cpu: '1001m' }), false],
  ['no labels', hpa('autoscaling/v2', { max: 2 }, {}), true],
  ['another value', hpa('autoscaling/v2', { max: 3 }), false],
  ['another label', hpa('autoscaling/v2', { max: 2 }, { a: '2' }), false],
  ['one more item', hpa('autoscaling/v2', { list: [{ a: 1 }, { a: 2 }] }), false],
  ['a field that is not there', hpa('autoscaling/v2', { max: 2, other: 1 }), false],
])('the live object holds %s: %s', (_, desired, held) => {
  expect(holdsAll(live, desired)).toBe(held);
});
