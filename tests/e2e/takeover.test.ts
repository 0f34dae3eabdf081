import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, expect, it } from 'vitest';
import type { KubeObject } from '../../src/api/object.ts';
import { at, type Json } from '../../src/base/json.ts';
import { printYaml } from '../../src/engine/yaml/print.ts';
import { commitFiles, type GitHttp, serveGit } from '../support/git-http.ts';
import { sealedSecret } from '../support/sops-fixtures.ts';
import { type TakenOver, takeOver } from '../support/taken-over.ts';

const work = mkdtempSync(join(tmpdir(), 'weir-e2e-takeover-'));
let git: GitHttp | undefined;
let cluster: TakenOver | undefined;

afterEach(async () => {
  await cluster?.stop();
  await git?.close();
  rmSync(work, { recursive: true, force: true });
});

const OWNER = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': 'team' };

function owned(manager: string, operation: string, fieldsV1: Json, subresource?: string): Json {
  const time = '2026-01-01T00:00:00Z';
  return {
    manager,
    operation,
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
    time,
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** An object as some cluster had it for a long time. */
function old(object: Json, uid: number, managedFields: readonly Json[] = []): KubeObject {
  const { metadata, ...rest } = object as unknown as KubeObject;
  return {
    ...rest,
    metadata: {
      ...metadata,
      uid: `00000000-0000-4000-8000-${String(uid).padStart(12, '0')}`,
      resourceVersion: String(1000 + uid),
      creationTimestamp: '2026-01-01T00:00:00Z',
      managedFields,
    },
  } as unknown as KubeObject;
}

function source(url: string, revision?: string): KubeObject {
  const artifact = {
    digest: `sha256:${'0'.repeat(64)}`,
    lastUpdateTime: '2026-01-01T00:00:00Z',
    path: 'p',
    revision: revision ?? '',
    size: 1,
    url: 'http://127.0.0.1:1/p',
  };
  return old(
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'app', namespace: 'team', generation: 1, finalizers: ['finalizers.fluxcd.io'] },
      spec: { interval: '1h', url: `${url}/app.git`, ref: { branch: 'main' }, timeout: '60s' },
      ...(revision === undefined ? {} : { status: { observedGeneration: 1, artifact } }),
    },
    2,
  );
}

function kustomization(spec: Json, status: Json = {}): KubeObject {
  return old(
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'app', namespace: 'team', generation: 1, finalizers: ['finalizers.fluxcd.io'] },
      spec: {
        interval: '1h',
        retryInterval: '1h',
        prune: true,
        force: false,
        sourceRef: { kind: 'GitRepository', name: 'app' },
        ...(spec as object),
      },
      status,
    } as Json,
    3,
  );
}

const namespace = old(
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team', labels: { 'kubernetes.io/metadata.name': 'team' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  },
  1,
);

it('leaves what another engine applied untouched, field managers of others included', async () => {
  git = await serveGit(work);
  const files = {
    'cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n  namespace: team\ndata:\n  a: "1"\n',
    'svc.yaml':
      'apiVersion: v1\nkind: Service\nmetadata:\n  name: app\n  namespace: team\nspec:\n  ports:\n  - port: 80\n',
  };
  const revision = `main@sha1:${commitFiles(join(work, 'app.git'), 'first', files)}`;
  const labels = {
    'f:labels': { 'f:kustomize.toolkit.fluxcd.io/name': {}, 'f:kustomize.toolkit.fluxcd.io/namespace': {} },
  };
  const config = old(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'app', namespace: 'team', labels: OWNER },
      data: { a: '1', b: 'by hand' },
    },
    4,
    [
      owned('kustomize-controller', 'Apply', { 'f:data': { 'f:a': {} }, 'f:metadata': labels }),
      owned('dashboard', 'Update', { 'f:data': { 'f:b': {} } }),
    ],
  );
  const service = old(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'app', namespace: 'team', labels: OWNER },
      spec: {
        clusterIP: '10.96.0.50',
        clusterIPs: ['10.96.0.50'],
        internalTrafficPolicy: 'Cluster',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        sessionAffinity: 'None',
        type: 'ClusterIP',
      },
      status: { loadBalancer: {} },
    },
    5,
    [
      owned('kustomize-controller', 'Apply', {
        'f:metadata': labels,
        'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} } } },
      }),
    ],
  );
  const inventory = {
    entries: [
      { id: 'team_app__ConfigMap', v: 'v1' },
      { id: 'team_app__Service', v: 'v1' },
    ],
  };
  const before = kustomization(
    { path: './' },
    { observedGeneration: 1, inventory, lastAppliedRevision: revision, lastAttemptedRevision: revision },
  );
  cluster = await takeOver([namespace, source(git.url, revision), before, config, service]);

  await cluster.run((objects) => at(objects.get('Kustomization/team/app')?.status, 'history') !== undefined);

  const objects = cluster.objects();
  expect(objects.get('ConfigMap/team/app')).toEqual(config);
  expect(objects.get('Service/team/app')).toEqual(service);
  expect(objects.get('Kustomization/team/app')?.status).toMatchObject({ inventory, lastAppliedRevision: revision });
  expect(cluster.writes.filter((write) => !/\/status$|\/events(\/|$)/.test(write))).toEqual([]);
});

it('applies what git has in a version that Flux no longer serves, and goes on with what was stored in one', async () => {
  git = await serveGit(work);
  const child = [
    'apiVersion: kustomize.toolkit.fluxcd.io/v1beta2',
    'kind: Kustomization',
    'metadata: {name: child, namespace: team}',
    'spec:',
    '  interval: 1h',
    '  prune: true',
    '  path: ./child',
    '  validation: client',
    '  sourceRef: {kind: GitRepository, name: app}',
    '  patchesStrategicMerge:',
    '  - {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: team}, data: {patched: "yes"}}',
  ];
  const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  namespace: team\ndata:\n  a: b\n';
  commitFiles(join(work, 'app.git'), 'first', { 'top/child.yaml': child.join('\n'), 'child/c.yaml': config });
  const stored = {
    ...kustomization({ path: './top', validation: 'server' }),
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1beta1',
  };
  cluster = await takeOver([namespace, { ...source(git.url), apiVersion: 'source.toolkit.fluxcd.io/v1beta2' }, stored]);

  await cluster.run((objects) => objects.has('ConfigMap/team/c'));

  const made = cluster.objects().get('ConfigMap/team/c') as unknown as Json;
  expect(at(made, 'data')).toEqual({ a: 'b', patched: 'yes' });
  const applied = cluster.objects().get('Kustomization/team/app') as KubeObject;
  expect(applied.apiVersion).toBe('kustomize.toolkit.fluxcd.io/v1');
  const entries = [{ id: 'team_child_kustomize.toolkit.fluxcd.io_Kustomization', v: 'v1' }];
  expect(at(applied.status, 'inventory', 'entries')).toEqual(entries);
});

it('E01: tells a decrypted value to the API server alone, whatever goes wrong', async () => {
  git = await serveGit(work);
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const canaries = { good: 'canary-good-7f3a', broken: 'canary-broken-91c2' };
  const secret = async (name: string, value: string) => printYaml(await sealedSecret(name, { value }, [recipient]));
  commitFiles(join(work, 'app.git'), 'first', {
    'good/s.yaml': await secret('good', canaries.good),
    // The API server refuses the name: its answer must not carry the object on.
    'broken/s.yaml': (await secret('broken', canaries.broken)).replace('name: broken', 'name: Not_A_Name'),
  });
  const keys = old(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: 'team' },
      data: { 'k.agekey': Buffer.from(identity).toString('base64') },
    },
    6,
  );
  const decryption = { provider: 'sops', secretRef: { name: 'keys' } };
  const good = kustomization({ path: './good', targetNamespace: 'team', decryption });
  const broken = { ...kustomization({ path: './broken', targetNamespace: 'team', decryption }) };
  const other = { ...broken, metadata: { ...broken.metadata, name: 'broken', uid: 'u-9', resourceVersion: '1009' } };
  cluster = await takeOver([namespace, source(git.url), good, other, keys]);

  let onDisk: readonly string[] = [];
  await cluster.run((objects, directory) => {
    const failed = at(objects.get('Kustomization/team/broken')?.status, 'history') !== undefined;
    if (objects.get('Secret/team/good') === undefined || !failed) return false;
    onDisk = filesWith(directory, Object.values(canaries));
    return true;
  });

  const value = at(cluster.objects().get('Secret/team/good') as unknown as Json, 'data', 'value');
  expect(Buffer.from(value as string, 'base64').toString()).toBe(canaries.good);
  expect(onDisk).toEqual([]);
  const events = await cluster.client.list({ apiVersion: 'v1', kind: 'Event' });
  const told = [
    ...cluster.lines,
    JSON.stringify(events),
    ...[...cluster.objects()]
      .filter(([key]) => key.startsWith('Kustomization/'))
      .map(([, object]) => JSON.stringify(object)),
  ].join('\n');
  expect(told).toContain('Not_A_Name');
  for (const canary of [...Object.values(canaries), identity]) {
    for (const form of [canary, Buffer.from(canary).toString('base64').slice(0, -4)]) expect(told).not.toContain(form);
  }
});

function filesWith(directory: string, texts: readonly string[]): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(directory, name);
    if (!statSync(path).isFile()) return false;
    const content = readFileSync(path);
    return texts.some(
      (text) => content.includes(text) || content.includes(Buffer.from(text).toString('base64').slice(0, -4)),
    );
  });
}
