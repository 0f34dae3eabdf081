import { afterEach, beforeEach, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';

let engine: TestEngine;
beforeEach(async () => {
  engine = await startTestEngine();
});
afterEach(() => engine.stop());

const app = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'default', name: 'app' };

function readyMessage(object: KubeObject | undefined): string {
  const conditions = (object?.status?.['conditions'] ?? []) as { type: string; status: string; message: string }[];
  const ready = conditions.find(({ type, status }) => type === 'Ready' && status === 'False');
  return ready?.message ?? '';
}

it.each<readonly [string, Json, string, string]>([
  ['Secret', { secretRef: { name: 'away' } }, 'secrets "away" not found', "does not contain a 'value' key"],
  ['ConfigMap', { configMapRef: { name: 'away' } }, 'configmaps "away" not found', "provider 'nobody'"],
])('looks again for its cluster as soon as the %s that names it is there', async (kind, kubeConfig, before, after) => {
  await engine.publish('repo', 'main@sha1:a', { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' });
  const spec = { interval: '1h', retryInterval: '1h', prune: true, path: './', kubeConfig };
  const { apiVersion, kind: own } = app;
  const sourceRef = { kind: 'GitRepository', name: 'repo' };
  await engine.apply({ apiVersion, kind: own, metadata: { name: 'app' }, spec: { ...spec, sourceRef } });
  await engine.until(app, (object) => readyMessage(object).includes(before));
  const metadata = { name: 'away', labels: { 'reconcile.fluxcd.io/watch': 'Enabled' } };
  const data: Record<string, string> = kind === 'Secret' ? { other: 'eA==' } : { provider: 'nobody' };
  await engine.apply({ apiVersion: 'v1', kind, metadata, data } as never);
  const found = await engine.until(app, (object) => !readyMessage(object).includes(before));
  expect(readyMessage(found)).toContain(after);
});
