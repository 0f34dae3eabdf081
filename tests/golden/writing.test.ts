import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silent } from '../../src/base/log.ts';
import { startWorkloads, type Workloads } from '../../src/cluster/workloads/start-workloads.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { systemClock } from '../../src/kube/system-clock.ts';
import { playControllers } from './controller.ts';
import { type Row, run, startCluster, type TestCluster } from './harness.ts';

const here = import.meta.dirname;

/** A story: every row finds what those before it left. */
const STORY: readonly Row[] = [
  { name: 'check before anything is there', cmd: 'check', wantError: true },
  { name: 'install into a cluster', cmd: 'install' },
  { name: 'install again', cmd: 'install' },
  { name: 'check after an installation', cmd: 'check' },
  { name: 'version with the cluster', cmd: 'version' },
  { name: 'create a source', cmd: 'create source git app --url=https://git.example/app.git --branch=main' },
  {
    name: 'create a source that breaks',
    cmd: 'create source git broken --url=https://git.example/b.git --branch=main',
    wantError: true,
  },
  {
    name: 'update a source',
    cmd: 'create source git app --url=https://git.example/app.git --branch=main --username=me --password=pass --interval=5m',
  },
  { name: 'create a kustomization', cmd: 'create kustomization app --source=app --path=./deploy --prune' },
  { name: 'reconcile a source', cmd: 'reconcile source git app' },
  { name: 'reconcile a broken source', cmd: 'reconcile source git broken', wantError: true },
  { name: 'reconcile with source', cmd: 'reconcile ks app --with-source' },
  { name: 'suspend', cmd: 'suspend ks app app none', wantError: true },
  { name: 'suspended is told', cmd: 'get ks' },
  { name: 'reconcile while suspended', cmd: 'reconcile ks app', wantError: true },
  { name: 'resume', cmd: 'resume ks app' },
  { name: 'suspend all', cmd: 'suspend source git --all --reason=maintenance' },
  { name: 'resume all', cmd: 'resume source git --all --wait', wantError: true },
  { name: 'create a tenant', cmd: 'create tenant dev-team --with-namespace=frontend --cluster-role=edit' },
  { name: 'give a tenant another role', cmd: 'create tenant dev-team --with-namespace=frontend --cluster-role=view' },
  { name: 'create a secret', cmd: 'create secret oci pull --url=registry.example --username=me --password=pass' },
  { name: 'delete with an answer', cmd: 'delete source git broken', stdin: 'y\n' },
  { name: 'delete silently', cmd: 'delete ks app -s' },
  { name: 'create one to keep', cmd: 'create ks kept --source=app --prune' },
  { name: 'uninstall as a dry run', cmd: 'uninstall --dry-run' },
  { name: 'uninstall', cmd: 'uninstall -s' },
  { name: 'get after the uninstallation', cmd: 'get ks', wantError: true },
];

/** What the cluster must hold after a row, beside what the row printed. */
const AFTER: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'update a source': { 'Secret/flux-system/app': 'present', 'GitRepository/flux-system/app': 'present' },
  suspend: { 'Kustomization/flux-system/app': 'suspended' },
  resume: { 'Kustomization/flux-system/app': 'present' },
  'suspend all': { 'GitRepository/flux-system/app': 'suspended' },
  'delete silently': { 'Kustomization/flux-system/app': 'absent' },
  'uninstall as a dry run': { 'Kustomization/flux-system/kept': 'present', 'Deployment/flux-system/weir': 'present' },
  uninstall: { 'Deployment/flux-system/weir': 'absent', 'ServiceAccount/frontend/dev-team': 'present' },
};

const VERSIONS: Readonly<Record<string, string>> = {
  Secret: 'v1',
  ServiceAccount: 'v1',
  Deployment: 'apps/v1',
  GitRepository: 'source.toolkit.fluxcd.io/v1',
  Kustomization: 'kustomize.toolkit.fluxcd.io/v1',
};

async function states(row: Row, client: KubeClient): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const id of Object.keys(AFTER[row.name] ?? {})) {
    const [kind = '', namespace = '', name = ''] = id.split('/');
    const object = await client.get({ apiVersion: VERSIONS[kind] ?? '', kind, namespace, name });
    const suspended = object.ok && object.value.spec?.['suspend'] === true;
    found[id] = object.ok ? (suspended ? 'suspended' : 'present') : 'absent';
  }
  return found;
}

describe('the life of an installation', () => {
  let cluster: TestCluster;
  let workloads: Workloads;
  const stop = new AbortController();
  beforeAll(async () => {
    cluster = await startCluster();
    const { registry } = cluster.plane;
    workloads = startWorkloads({
      registry,
      clock: systemClock,
      log: silent,
      random: () => 0.5,
      caPem: 'none',
      kubelet: true,
      scheduler: true,
    });
  });
  afterAll(async () => {
    stop.abort();
    workloads.stop();
    await cluster.plane.stop();
  });

  test('is told as Flux tells it', async () => {
    for (const row of STORY) {
      const { client } = cluster;
      const { code, output } = await run(`${row.cmd} --timeout=20s`, {
        client,
        ...(row.stdin ? { stdin: row.stdin } : {}),
      });
      const file = join(here, 'rows', `${row.name.replaceAll(/[^a-z0-9]+/gi, '-')}.golden`);
      await expect(output).toMatchFileSnapshot(file);
      expect(`${row.name}: ${code}`).toBe(`${row.name}: ${row.wantError === true ? 1 : 0}`);
      if (row.name === 'install into a cluster') playControllers(client, stop.signal);
      await expect(states(row, client)).resolves.toEqual(AFTER[row.name] ?? {});
    }
  });
});
