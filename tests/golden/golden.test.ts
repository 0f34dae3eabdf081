import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crdOf } from '../../src/api/crd.ts';
import { kinds } from '../../src/api/kinds/all.ts';
import { type Row, run, startCluster, type TestCluster } from './harness.ts';

const here = import.meta.dirname;

async function check(row: Row, output: string): Promise<void> {
  const file = row.golden ?? row.name.replaceAll(/[^a-z0-9]+/gi, '-');
  await expect(output).toMatchFileSnapshot(join(here, 'rows', `${file}.golden`));
}

const OFFLINE: readonly Row[] = [
  { name: 'help of the root', cmd: '' },
  { name: 'help of a group', cmd: 'get sources --help' },
  { name: 'help of a command', cmd: 'create kustomization -h' },
  { name: 'version of the client', cmd: 'version --client' },
  { name: 'version as json', cmd: 'version --client -o json' },
  { name: 'version as something else', cmd: 'version --client -o xml', wantError: true },
  { name: 'unknown command', cmd: 'bogus', wantError: true },
  { name: 'mistyped command', cmd: 'instal', wantError: true },
  { name: 'unknown command of a group', cmd: 'get foo', wantError: true },
  { name: 'unknown flag', cmd: 'get ks --foo', wantError: true },
  { name: 'unknown shorthand', cmd: 'get ks -Aq', wantError: true },
  { name: 'flag without its value', cmd: 'create source git x --url', wantError: true },
  { name: 'duration that is none', cmd: 'get ks --timeout=5', wantError: true },
  { name: 'bool that is none', cmd: 'create ks x --prune=maybe', wantError: true },
  { name: 'namespace that is none', cmd: 'get ks -n Not_A_Name', wantError: true },
  { name: 'too many arguments', cmd: 'install now', wantError: true },
  { name: 'warning on the environment', cmd: 'get ks', env: { FLUX_SYSTEM_NAMESPACE: 'A/B' }, wantError: true },
  { name: 'create source git', cmd: 'create source git app --url=https://git.example/app.git --branch=main --export' },
  {
    name: 'create source git with everything',
    cmd: "create source git app --url ssh://git@git.example:/app.git --tag-semver='>=1.0.0 <2.0.0' --interval 3m --secret-ref app --label=a=b,c=d --ignore-paths=docs,*.md --recurse-submodules --fetch-timeout=2m --provider=github --proxy-secret-ref p --sparse-checkout-paths=x,y -n apps --export",
  },
  {
    name: 'create source git without a ref',
    cmd: 'create source git app --url=https://git.example/app.git --export',
    wantError: true,
  },
  {
    name: 'create source git without an address',
    cmd: 'create source git app --branch=main --export',
    wantError: true,
  },
  {
    name: 'create source git with a wrong scheme',
    cmd: 'create source git app --url=ftp://git.example/a --branch=b --export',
    wantError: true,
  },
  {
    name: 'create source git without a name',
    cmd: 'create source git --url=https://git.example/a --branch=b',
    wantError: true,
  },
  {
    name: 'create source git with a wrong name',
    cmd: 'create source git App_1 --url=https://git.example/a --branch=b',
    wantError: true,
  },
  { name: 'create kustomization', cmd: 'create ks app --source=app --path=./deploy --prune --export' },
  {
    name: 'create kustomization with everything',
    cmd: 'create kustomization app --source=ocirepository/app.flux-system --path=../deploy/./x/ --prune=true --interval=60m --depends-on=a,b/c --health-check=Deployment/x.apps --health-check-timeout=3m --service-account=sa --decryption-provider=sops --decryption-secret=keys --target-namespace=t --kubeconfig-secret-ref=k --retry-interval=2m --export -n apps',
  },
  {
    name: 'create kustomization that waits',
    cmd: 'create ks app --source=GitRepository/app --wait --health-check=Deployment/x.apps --validation=client --export',
  },
  {
    name: 'create kustomization of an unknown source kind',
    cmd: 'create ks app --source=Foo/app --export',
    wantError: true,
  },
  {
    name: 'create kustomization with a wrong health check',
    cmd: 'create ks app --source=app --health-check=Foo/x.y --export',
    wantError: true,
  },
  {
    name: 'create kustomization with a wrong label',
    cmd: 'create ks app --source=app --label=x --export',
    wantError: true,
  },
  { name: 'create tenant', cmd: 'create tenant dev-team --with-namespace=frontend --with-namespace=backend --export' },
  {
    name: 'create tenant with a role',
    cmd: 'create tenant dev-team --with-namespace=apps --cluster-role=edit --with-service-account=bot --skip-namespace --label=a=b --export',
  },
  { name: 'create tenant without a namespace', cmd: 'create tenant dev-team --export', wantError: true },
  {
    name: 'create secret git over https',
    cmd: 'create secret git app --url=https://git.example/a --username=me --password=pass --export',
  },
  {
    name: 'create secret git with a token',
    cmd: 'create secret git app --url=https://git.example/a --bearer-token=t --export -n apps',
  },
  {
    name: 'create secret git without credentials',
    cmd: 'create secret git app --url=https://git.example/a --export',
    wantError: true,
  },
  {
    name: 'create secret git with a missing key file',
    cmd: 'create secret git app --url=ssh://git@git.example/a --private-key-file=/none --export',
    wantError: true,
  },
  { name: 'create secret helm', cmd: 'create secret helm app --username=me --password=pass --export' },
  {
    name: 'create secret oci',
    cmd: 'create secret oci app --url=registry.example --username=me --password=pass --export',
  },
  {
    name: 'create secret proxy',
    cmd: 'create secret proxy app --address=https://proxy.example:3128 -u me -p pass --export',
  },
  {
    name: 'create secret receiver',
    cmd: 'create secret receiver app --type=github --token=t --hostname=hooks.example --export',
  },
  { name: 'create secret tls without files', cmd: 'create secret tls app --export', wantError: true },
  {
    name: 'install with an unknown component',
    cmd: 'install --components=source-controller,foo --export',
    wantError: true,
  },
  { name: 'install', cmd: 'install --export' },
  {
    name: 'install with options',
    cmd: 'install --components=source-controller --components-extra=image-reflector-controller -n infra --registry=registry.example/weir --image-pull-secret=pull --registry-creds=me:pass --watch-all-namespaces=false --network-policy=false --log-level=debug --cluster-domain=local.example --toleration-keys=a,b --export',
  },
  { name: 'install of another version', cmd: 'install --version=v9.9.9 --export', wantError: true },
  { name: 'envsubst', cmd: 'envsubst', stdin: 'a: ${A} ${B:=default}\n', env: { A: '1' } },
  { name: 'envsubst strict', cmd: 'envsubst --strict', stdin: 'a: ${A}\n', wantError: true },
  { name: 'completion of commands', cmd: '__complete re' },
  { name: 'completion of flags', cmd: '__complete create tenant --w' },
  { name: 'completion for bash', cmd: 'completion bash' },
];

describe('without a cluster', () => {
  test.each(OFFLINE.map((row) => [row.name, row] as const))('%s', async (_, row) => {
    const { code, output } = await run(row.cmd, {
      ...(row.env ? { env: row.env } : {}),
      ...(row.stdin ? { stdin: row.stdin } : {}),
    });
    await check(row, output);
    expect(code).toBe(row.wantError === true ? 1 : 0);
  });
});

const READING: readonly Row[] = [
  { name: 'get kustomizations', cmd: 'get kustomizations' },
  { name: 'get kustomizations of all namespaces', cmd: 'get ks -A --show-source' },
  { name: 'get kustomizations without a header', cmd: 'get ks -A --no-header' },
  { name: 'get one kustomization', cmd: 'get ks web -n apps' },
  { name: 'get ready ones', cmd: 'get ks -A --status-selector=ready=true' },
  { name: 'get ones that are not ready', cmd: 'get ks -A --status-selector=ready!=true' },
  { name: 'get with a wrong selector', cmd: 'get ks -A --status-selector=ready', wantError: true },
  { name: 'get sources git', cmd: 'get sources git' },
  { name: 'get sources by label', cmd: 'get source git -A -l team=platform' },
  { name: 'get none', cmd: 'get sources git -n apps', wantError: true },
  { name: 'get one that is missing', cmd: 'get ks none', wantError: true },
  { name: 'get all', cmd: 'get all -A' },
  { name: 'get sources all', cmd: 'get sources all' },
  { name: 'get all cannot watch', cmd: 'get all -w', wantError: true },
  { name: 'namespace of the environment', cmd: 'get ks', env: { FLUX_SYSTEM_NAMESPACE: 'apps' } },
  { name: 'export a source', cmd: 'export source git fleet' },
  { name: 'export a source with credentials', cmd: 'export source git fleet --with-credentials' },
  { name: 'export all kustomizations', cmd: 'export ks --all -n apps' },
  { name: 'export of nothing', cmd: 'export ks', wantError: true },
  { name: 'export of a missing one', cmd: 'export ks none', wantError: true },
  { name: 'tree', cmd: 'tree kustomization fleet' },
  { name: 'tree compact', cmd: 'tree ks fleet --compact' },
  { name: 'tree as json', cmd: 'tree ks fleet --compact -o json' },
  { name: 'trace a deployment', cmd: 'trace deployment web -n apps' },
  { name: 'trace by kind and version', cmd: 'trace web --kind=Deployment --api-version=apps/v1 -n apps' },
  { name: 'trace what nobody manages', cmd: 'trace cm/settings -n apps', wantError: true },
  { name: 'trace of an unknown kind', cmd: 'trace foo/bar', wantError: true },
  { name: 'stats', cmd: 'stats -A' },
  { name: 'events', cmd: 'events' },
  { name: 'events of all namespaces', cmd: 'events -A' },
  { name: 'events for a kustomization', cmd: 'events --for Kustomization/fleet --types Normal' },
  { name: 'events of none', cmd: 'events -n apps' },
  { name: 'events for an unknown kind', cmd: 'events --for Foo/bar', wantError: true },
  { name: 'events of an unknown type', cmd: 'events --types Odd', wantError: true },
  { name: 'debug status', cmd: 'debug ks fleet --show-status' },
  { name: 'debug vars', cmd: 'debug ks web -n apps --show-vars' },
  { name: 'debug of one that is ready', cmd: 'debug ks fleet' },
  { name: 'debug of one that is not healthy', cmd: 'debug ks web -n apps' },
  { name: 'debug of a new one', cmd: 'debug ks new -n apps' },
  { name: 'debug of two things', cmd: 'debug ks fleet --show-vars --show-status', wantError: true },
  { name: 'debug vars where there are none', cmd: 'debug ks fleet --show-vars', wantError: true },
  { name: 'check before an installation', cmd: 'check --pre' },
  { name: 'reconcile one that is suspended', cmd: 'reconcile source git gone', wantError: true },
  { name: 'reconcile one that is missing', cmd: 'reconcile ks none', wantError: true },
  { name: 'reconcile without a name', cmd: 'reconcile ks', wantError: true },
  { name: 'suspend one that is missing', cmd: 'suspend ks none', wantError: true },
  { name: 'suspend without a name', cmd: 'suspend ks', wantError: true },
  { name: 'delete that nobody confirms', cmd: 'delete ks fleet', wantError: true },
  { name: 'delete that is declined', cmd: 'delete ks fleet', stdin: 'n\n', wantError: true },
  { name: 'logs without an installation', cmd: 'logs -A', wantError: true },
  { name: 'completion of names', cmd: '__complete get ks f' },
];

/** Rows over the files of data/app. */
const BUILDING: readonly Row[] = [
  { name: 'build of a kustomization', cmd: 'build kustomization web -n apps --path app/deploy' },
  {
    name: 'build from a file alone',
    cmd: 'build ks web -n apps --path app/deploy --kustomization-file app/web.yaml --dry-run',
  },
  {
    name: 'build of nested ones',
    cmd: 'build ks web -n apps --path app/deploy --kustomization-file app/web.yaml --dry-run -r --local-sources GitRepository/flux-system/fleet=app',
  },
  {
    name: 'build without some paths',
    cmd: 'build ks web -n apps --path app/deploy --kustomization-file app/web.yaml --dry-run --ignore-paths=nested.yaml,encrypted.yaml',
  },
  { name: 'build without a path', cmd: 'build ks web -n apps', wantError: true },
  {
    name: 'build without a cluster or a file',
    cmd: 'build ks web -n apps --path app/deploy --dry-run',
    wantError: true,
  },
  {
    name: 'build of one that the file does not hold',
    cmd: 'build ks other -n apps --path app/deploy --kustomization-file app/web.yaml',
    wantError: true,
  },
  {
    name: 'build with variables that are missing',
    cmd: 'build ks web -n apps --path app/variables --ignore-paths=broken.yaml --strict-substitute',
    wantError: true,
  },
  {
    name: 'build with variables that become empty',
    cmd: 'build ks web -n apps --path app/variables --ignore-paths=broken.yaml',
  },
  {
    name: 'build with an expression that is none',
    cmd: 'build ks web -n apps --path app/variables --ignore-paths=config.yaml',
    wantError: true,
  },
  {
    name: 'build of nested ones without their source',
    cmd: 'build ks web -n apps --path app/deploy --kustomization-file app/web.yaml --dry-run -r',
    wantError: true,
  },
  { name: 'build of one that is missing', cmd: 'build ks none --path app/deploy', wantError: true },
  {
    name: 'build from a file that is missing',
    cmd: 'build ks web -n apps --path app/deploy --kustomization-file none.yaml --dry-run',
    wantError: true,
  },
  { name: 'diff of a kustomization', cmd: 'diff kustomization web -n apps --path app/deploy', wantError: true },
  { name: 'diff without differences', cmd: 'diff ks fleet --path app/same --kustomization-file app/same.yaml' },
];

async function loaded(): Promise<TestCluster> {
  const cluster = await startCluster();
  await cluster.create(kinds.map((kind) => crdOf(kind)));
  await cluster.load(readFileSync(join(here, 'data/cluster.yaml'), 'utf8'));
  return cluster;
}

describe('reading a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await loaded();
  });
  afterAll(() => cluster.plane.stop());

  test.each(READING.map((row) => [row.name, row] as const))('%s', async (_, row) => {
    const { code, output } = await run(row.cmd, {
      client: cluster.client,
      ...(row.env ? { env: row.env } : {}),
      ...(row.stdin ? { stdin: row.stdin } : {}),
    });
    await check(row, output);
    expect(code).toBe(row.wantError === true ? 1 : 0);
  });

  test.each(BUILDING.map((row) => [row.name, row] as const))('%s', async (_, row) => {
    const { code, output } = await run(row.cmd, { client: cluster.client, cwd: join(here, 'data') });
    await check(row, output);
    expect(code).toBe(row.wantError === true ? 1 : 0);
  });

  test.each([
    ['diff with errors tells the rest', 'diff ks fleet --path app/policies'],
    ['diff with variables that are missing', 'diff ks web -n apps --path app/variables --strict-substitute'],
    ['diff of what is not there yet', 'diff ks none --path app/same --ignore-not-found'],
  ])('%s', async (name, cmd) => {
    const { code, output } = await run(cmd, { client: cluster.client, cwd: join(here, 'data') });
    await check({ name, cmd }, output);
    expect(code).toBe(2);
  });

  test('a diff that cannot be made exits with 2', async () => {
    const { code } = await run('diff ks none --path app/deploy', { client: cluster.client, cwd: join(here, 'data') });
    expect(code).toBe(2);
  });
});
