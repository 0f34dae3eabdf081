/** The HelmReleases inside of `build` and `diff kustomization`, with a cluster in process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
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
});
