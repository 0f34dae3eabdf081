/** A release that the real helm installed, as `diff kustomization --with-helm-releases` sees it. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silent } from '../../src/base/log.ts';
import { kubeconfigFor } from '../../src/cli/cluster/kubeconfig.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { type Box, startBox } from '../../src/wiring-box.ts';
import { run } from '../golden/harness.ts';

const exec = promisify(execFile);
const helm = fileURLToPath(new URL('../../.cache/tools/helm', import.meta.url));
const chart = fileURLToPath(new URL('../golden/data/releases/charts/shop', import.meta.url));
const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'helmreleases.helm.toolkit.fluxcd.io' },
  spec: {
    group: 'helm.toolkit.fluxcd.io',
    scope: 'Namespaced',
    names: { kind: 'HelmRelease', plural: 'helmreleases', singular: 'helmrelease' },
    versions: [
      {
        name: 'v2',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
} as const;
const release = (values: string): string => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: apps}
spec:
  interval: 5m
  chart: {spec: {chart: ./shop, sourceRef: {kind: GitRepository, name: fleet, namespace: flux-system}}}
  values: ${values}
  upgrade: {crds: CreateReplace}
`;

let box: Box;
let client: KubeClient;
let folder: string;

async function diff(values: string): Promise<{ readonly code: number; readonly output: string }> {
  await writeFile(join(folder, 'apps/shop.yaml'), release(values));
  const cmd = 'diff ks apps -n flux-system --path apps --kustomization-file ks.yaml --ignore-not-found';
  return run(`${cmd} --with-helm-releases`, { client, cwd: folder });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-release-'));
  box = await startBox({ port: 0, log: silent });
  client = box.client;
  const access = { url: box.url, authority: box.authority, ...box.admin };
  await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfigFor('weir', access)), { mode: 0o600 });
  await cp(chart, join(folder, 'shop'), { recursive: true });
  await mkdir(join(folder, 'apps'));
  await writeFile(
    join(folder, 'ks.yaml'),
    'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}\n',
  );
  const env = { PATH: '/usr/bin:/bin', HOME: folder, KUBECONFIG: join(folder, 'kubeconfig') };
  const install = ['install', 'shop', './shop', '-n', 'apps', '--create-namespace', '--set', 'replicas=2'];
  await exec(helm, install, { cwd: folder, env });
  const created = await client.create(CRD as never);
  if (!created.ok) throw new Error(created.error.message);
  const live = await client.create({
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name: 'shop', namespace: 'apps' },
    spec: {
      chart: {
        spec: { chart: './shop', sourceRef: { kind: 'GitRepository', name: 'fleet', namespace: 'flux-system' } },
      },
      values: { replicas: 2 },
    },
  });
  if (!live.ok) throw new Error(live.error.message);
});
afterAll(async () => {
  await box?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('renders what helm applied: only the marks of the controller come', async () => {
  const { code, output } = await diff('{replicas: 2}');
  expect(code).toBe(1);
  const told = output.split('\n').filter((line) => /^► (Deployment|ConfigMap|Secret)\//.test(line));
  expect(told.every((line) => line.endsWith(' drifted'))).toBe(true);
  expect(told).toHaveLength(3);
  expect(output).not.toContain('spec.replicas');
  expect(output).not.toContain('deleted');
  expect(output).toContain('helm.toolkit.fluxcd.io/name: shop');
});

it('finds what goes in the release that helm stored', async () => {
  const { output } = await diff('{replicas: 5, cache: {enabled: false}}');
  expect(output).toContain('► ConfigMap/apps/shop-cache deleted\n');
  expect(output).toMatch(/spec\.replicas\n± value change\n- 2\n\+ 5\n/);
});
