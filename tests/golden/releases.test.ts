import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crdOf } from '../../src/api/crd.ts';
import { kinds } from '../../src/api/kinds/all.ts';
import { anyKind } from '../peers/flux-diff-objects.ts';
import { run, startCluster, type TestCluster } from './harness.ts';

const MANIFEST = `# Source: podinfo/templates/all.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: podinfo}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: podinfo}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: inner, namespace: other}
`;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster();
  await cluster.create([
    ...kinds.map((kind) => crdOf(kind)),
    anyKind('helm.toolkit.fluxcd.io', 'v2', 'HelmRelease'),
    anyKind('source.toolkit.fluxcd.io', 'v1', 'HelmRepository', 'helmrepositories'),
    anyKind('source.toolkit.fluxcd.io', 'v1', 'HelmChart'),
  ]);
  await cluster.load(readFileSync(join(import.meta.dirname, 'data/releases.yaml'), 'utf8'));
  const release = Buffer.from(gzipSync(JSON.stringify({ name: 'podinfo', manifest: MANIFEST }))).toString('base64');
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sh.helm.release.v1.podinfo.v2', namespace: 'apps' },
    data: { release: Buffer.from(release).toString('base64') },
  };
  await cluster.create([secret]);
});
afterAll(() => cluster.plane.stop());

test.each([
  ['tree through a release', 'tree ks releases', 0],
  ['tree through a release compact', 'tree ks releases --compact', 0],
  ['trace of what a release installed', 'trace cm podinfo -n apps', 0],
  ['trace of a release', 'trace helmrelease podinfo -n apps', 0],
  ['trace of what nobody manages', 'trace cm nobodys -n apps', 1],
  ['stats of other kinds', 'stats -n apps', 0],
  ['events for a release', 'events --for helmrelease/podinfo -n apps', 0],
])('%s', async (name, cmd, wanted) => {
  const { code, output } = await run(cmd, { client: cluster.client });
  await expect(output).toMatchFileSnapshot(join(import.meta.dirname, 'rows', `${name.replaceAll(' ', '-')}.golden`));
  expect(code).toBe(wanted);
});
