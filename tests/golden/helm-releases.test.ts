/** The HelmReleases inside of `build` and `diff kustomization`, with a cluster in process. */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { crdOf } from '../../src/api/crd.ts';
import { kinds } from '../../src/api/kinds/all.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { refOf } from '../../src/api/object.ts';
import type { Json } from '../../src/base/json.ts';
import { parseYamlDocuments } from '../../src/engine/yaml/parse.ts';
import { run, startCluster, type TestCluster } from './harness.ts';

const cwd = join(import.meta.dirname, 'data/releases');
const BUILD = 'build ks apps -n flux-system --path apps --kustomization-file ks.yaml';
const DIFF =
  'diff ks apps -n flux-system --path apps --kustomization-file ks.yaml --ignore-not-found --with-helm-releases';
const CRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: helmreleases.helm.toolkit.fluxcd.io}
spec:
  group: helm.toolkit.fluxcd.io
  scope: Namespaced
  names: {kind: HelmRelease, plural: helmreleases, singular: helmrelease}
  versions:
    - name: v2
      served: true
      storage: true
      subresources: {status: {}}
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;

function kustomization(name: string, path: string, source: string): string {
  return `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: ${name}, namespace: flux-system}\nspec: {interval: 5m, prune: true, path: ${path}, sourceRef: {kind: GitRepository, name: ${source}}}\n`;
}

function releaseOf(chart: string, source: string): string {
  return `apiVersion: helm.toolkit.fluxcd.io/v2beta1\nkind: HelmRelease\nmetadata: {name: app, namespace: flux-system}\nspec: {interval: 5m, chart: {spec: {chart: ${chart}, sourceRef: {kind: GitRepository, name: ${source}}}}}\n`;
}

function golden(output: string, name: string): Promise<void> {
  return expect(output).toMatchFileSnapshot(join(import.meta.dirname, `rows/${name}.golden`));
}

/** Applies what helm-controller would have applied. */
async function applyAll(cluster: TestCluster, yaml: string): Promise<void> {
  const documents = parseYamlDocuments(yaml);
  for (const document of documents.ok ? documents.value : []) {
    const object = document as unknown as KubeObject;
    const applied = await cluster.client.apply(object, { fieldManager: 'helm-controller', force: true });
    if (!applied.ok) throw new Error(`${object.kind}/${object.metadata.name}: ${applied.error.message}`);
    if (object.kind !== 'HelmRelease') continue;
    const status = { status: object.status ?? {} } as unknown as Json;
    await cluster.client.patch(refOf(object), status, { type: 'merge', subresource: 'status' });
  }
}

describe('build with releases', () => {
  test('shows what each release renders behind it, without secrets', async () => {
    const { code, output } = await run(`${BUILD} --dry-run --with-helm-releases`, { cwd });
    await golden(output, 'build-with-helm-releases');
    expect(code).toBe(0);
    const rendered = output.slice(0, output.indexOf('name: shop-secrets\n  namespace'));
    expect(rendered).not.toContain('correct-horse');
  });

  test('shows only the release itself without the flag', async () => {
    const { code, stdout } = await run(`${BUILD} --dry-run`, { cwd });
    expect(code).toBe(0);
    expect(stdout).not.toContain('# Source');
    expect(stdout.split('---\n').length).toBe(4);
  });

  test('names release, chart and source of a chart that is not at hand', async () => {
    const elsewhere = `${BUILD} --dry-run --with-helm-releases --local-sources=GitRepository/flux-system/fleet=apps`;
    const { code, stderr } = await run(elsewhere, { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain("HelmRelease/apps/shop: chart './charts/shop' of GitRepository/flux-system/fleet: ");
  });
});

describe('sources of charts', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-build-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
  }

  const FLEET: Readonly<Record<string, string>> = {
    'ks.yaml': kustomization('apps', './apps', 'fleet'),
    'apps/nested.yaml': kustomization('nested', './deploy', 'other'),
    'other/deploy/release.yaml': releaseOf('./charts/app', 'other'),
    'other/charts/app/Chart.yaml':
      'apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies: [{name: part, version: 0.x, repository: "file://../part"}]\n',
    'other/charts/app/values.yaml': 'part: {size: 7}\n',
    'other/charts/part/Chart.yaml': 'apiVersion: v2\nname: part\nversion: 0.3.0\n',
    'other/charts/part/templates/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: part}\ndata: {size: "{{ .Values.size }}"}\n',
  };

  test('are local ones of nested Kustomizations, with dependencies beside the chart', async () => {
    await write(FLEET);
    const cmd = `${BUILD} --dry-run --with-helm-releases -r --local-sources=GitRepository/flux-system/other=other`;
    const { code, stdout } = await run(cmd, { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toContain('# Source: HelmRelease/flux-system/app app/charts/part/templates/a.yaml');
    expect(stdout).toContain('size: "7"');
  });

  test.each([
    ['../../charts/app', 'the path leads out of the source'],
    ['./charts/none', 'unable to detect chart at charts/none'],
    ['./charts/broken', 'Chart.yaml file is missing'],
  ])('at %s are refused', async (chart, why) => {
    await write({
      ...FLEET,
      'other/deploy/release.yaml': releaseOf(chart, 'other'),
      'other/charts/broken/.helmignore': '!x',
      'other/charts/broken/Chart.yaml': 'name: x',
    });
    const cmd = `${BUILD} --dry-run --with-helm-releases -r --local-sources=GitRepository/flux-system/other=other`;
    const { code, stderr } = await run(cmd, { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain(`HelmRelease/flux-system/app: chart '${chart}' of GitRepository/flux-system/other: `);
    expect(stderr).toContain(why);
  });

  test('that are not local are asked for by name', async () => {
    await write({ ...FLEET, 'apps/release.yaml': releaseOf('./c', 'third') });
    const { code, stderr } = await run(`${BUILD} --dry-run --with-helm-releases`, { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toContain('tell where they are with --local-sources=GitRepository/flux-system/third=PATH');
  });
});

describe('diff with releases', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.load(CRD);
  });

  test('shows all of a new release as created', async () => {
    const namespaces =
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n';
    await applyAll(cluster, namespaces);
    const { code, output } = await run(DIFF, { client: cluster.client, cwd });
    await golden(output, 'diff-with-new-helm-releases');
    expect(code).toBe(1);
  });

  test('shows what an upgrade changes and deletes, and no secret', async () => {
    await applyAll(cluster, readFileSync(join(cwd, 'live.yaml'), 'utf8'));
    const { code, output } = await run(DIFF, { client: cluster.client, cwd });
    await golden(output, 'diff-with-helm-releases');
    expect(code).toBe(1);
    for (const secret of ['correct-horse', 'tok-0123456789', Buffer.from('correct-horse').toString('base64')]) {
      expect(output).not.toContain(secret);
    }
  });

  test('shows what goes with a release that is deleted', async () => {
    for (const kind of kinds) {
      if (kind.kind === 'Kustomization') await cluster.client.create(crdOf(kind));
    }
    const ks = kustomization('apps', './apps', 'fleet').trimEnd();
    const status = 'status: {inventory: {entries: [{id: apps_shop_helm.toolkit.fluxcd.io_HelmRelease, v: v2}]}}';
    await applyAll(cluster, 'apiVersion: v1\nkind: Namespace\nmetadata: {name: flux-system}\n');
    await cluster.load(`${ks}\n${status}\n`);
    const empty = await mkdtemp(join(tmpdir(), 'weir-empty-'));
    await writeFile(join(empty, 'ks.yaml'), `${ks}\n`);
    await mkdir(join(empty, 'apps'));
    await writeFile(
      join(empty, 'apps/cm.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: apps}\n',
    );
    const { code, stdout } = await run(DIFF, { client: cluster.client, cwd: empty });
    await rm(empty, { recursive: true, force: true });
    expect(code).toBe(1);
    expect(stdout).toBe(
      '► ConfigMap/apps/new created\n► HelmRelease/apps/shop deleted\n► Deployment/web/web-shop deleted\n► Secret/web/web-shop deleted\n► ConfigMap/web/web-shop-old deleted\n',
    );
  });
});
