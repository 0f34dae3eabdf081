import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crdOf } from '../../src/api/crd.ts';
import { kinds } from '../../src/api/kinds/all.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { anyKind, named, owned } from '../peers/flux-diff-objects.ts';
import { DIFFS } from '../peers/flux-diffs.ts';
import { run, startCluster, type TestCluster } from './harness.ts';

let root = '';
let cluster: TestCluster;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'weir-diffs-'));
  cluster = await startCluster();
  const apply = async (object: KubeObject): Promise<void> => {
    const applied = await cluster.client.apply(object, { fieldManager: 'kustomize-controller', force: true });
    if (!applied.ok) throw new Error(applied.error.message);
  };
  for (const object of [...kinds.map((kind) => crdOf(kind)), anyKind('example.com', 'v1', 'Widget')])
    await apply(object);
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'apps' } });
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  await apply({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'fleet', namespace: 'flux-system' },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'fleet' } },
  });
  for (const [name, { before, after }] of Object.entries(DIFFS)) {
    await apply(owned(name, before));
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'a.yaml'), JSON.stringify(named(name, after)));
  }
});
afterAll(async () => {
  await cluster.plane.stop();
  rmSync(root, { recursive: true, force: true });
});

/** What the real flux prints of the same changes is compared in tests/peers/flux-cli.test.ts. */
test('every sort of change', async () => {
  let all = '';
  for (const name of Object.keys(DIFFS)) {
    const { code, stdout } = await run(`diff ks fleet --path=${name}`, { client: cluster.client, cwd: root });
    expect(code, name).toBe(1);
    all += stdout;
  }
  await expect(all).toMatchFileSnapshot(join(import.meta.dirname, 'rows', 'diffs.golden'));
});
