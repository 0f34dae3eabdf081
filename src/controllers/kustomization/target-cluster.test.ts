import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeAws } from '../../../tests/support/cloud/aws.ts';
import { type LoopbackInternet, startInternet } from '../../../tests/support/cloud/loopback-internet.ts';
import { testCloud } from '../../../tests/support/cloud/test-cloud.ts';
import type { Kustomization } from '../../api/kinds/kustomization.ts';
import type { Json } from '../../base/json.ts';
import { type ControlPlane, createControlPlane } from '../../cluster/control-plane.ts';
import { unwatched } from '../../health/live-objects.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import { createSocketTransport } from '../../kube/transport-socket.ts';
import { TargetClusters, type TargetSettings } from './target-cluster.ts';

let internet: LoopbackInternet;
let home: ControlPlane;
let away: ControlPlane;
let client: KubeClient;
let kubeconfig = '';
let authority = '';
let address = '';

beforeAll(async () => {
  internet = await startInternet();
  home = await createControlPlane();
  away = await createControlPlane();
  client = createKubeClient({ handler: home.handler, userAgent: 'test' });
  const { url, pki } = await away.listen({ port: 0 });
  address = url;
  authority = pki.authority;
  const data = (text: string) => Buffer.from(text).toString('base64');
  kubeconfig = JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': data(pki.authority) } }],
    users: [
      {
        name: 'u',
        user: { 'client-certificate-data': data(pki.admin.certificate), 'client-key-data': data(pki.admin.key) },
      },
    ],
  });
  const awayClient = createKubeClient({ handler: away.handler, userAgent: 'test' });
  await awayClient.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'there', namespace: 'default' } });
});

afterAll(async () => {
  await home.stop();
  await away.stop();
  await internet.close();
});

function targets(settings: Partial<TargetSettings> = {}, cloud = testCloud(internet, client)): TargetClusters {
  return new TargetClusters(
    {
      client,
      live: unwatched,
      cloud,
      connect: (access, token) => {
        const transport = createSocketTransport(access, token === undefined ? {} : { token });
        return {
          client: createKubeClient({ handler: transport.handler, userAgent: 'test' }),
          close: () => void transport.close(),
        };
      },
    },
    {
      defaultServiceAccount: '',
      defaultKubeConfigServiceAccount: '',
      insecureKubeconfigExec: false,
      insecureKubeconfigTls: false,
      ...settings,
    },
  );
}

async function put(kind: 'Secret' | 'ConfigMap', name: string, data: Record<string, string>): Promise<void> {
  const values = Object.entries(data).map(([key, text]) => [
    key,
    kind === 'Secret' ? Buffer.from(text).toString('base64') : text,
  ]);
  const object = { apiVersion: 'v1', kind, metadata: { name, namespace: 'default' }, data: Object.fromEntries(values) };
  const made = await client.apply(object as never, { fieldManager: 'test', force: true });
  if (!made.ok) throw new Error(made.error.message);
}

function object(kubeConfig: Json | undefined, more: Record<string, Json> = {}): Kustomization {
  return {
    metadata: { name: 'app', namespace: 'default' },
    spec: { ...more, ...(kubeConfig === undefined ? {} : { kubeConfig }) },
  } as unknown as Kustomization;
}

const there = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'there' };

describe('the cluster that a Kustomization is applied to', () => {
  it('is its own, as the service account that it names', async () => {
    const target = await targets().of(object(undefined, { serviceAccountName: 'nobody' }));
    expect(target).toMatchObject({ ok: true, value: { isRemote: false } });
    const denied = target.ok ? await target.value.client.get(there) : undefined;
    expect(denied).toMatchObject({ ok: false, error: { code: 403 } });
  });

  it('is told as one that is gone, and found again when it is there', async () => {
    const clusters = targets();
    await put('Secret', 'gone', { value: kubeconfig.replaceAll(address, 'https://127.0.0.1:1') });
    const ref = { secretRef: { name: 'gone' } };
    expect(await clusters.of(object(ref))).toMatchObject({
      ok: false,
      error: expect.stringContaining('the server could not be reached'),
    });
    await put('Secret', 'gone', { value: kubeconfig });
    expect(await clusters.of(object(ref))).toMatchObject({ ok: true, value: { isRemote: true } });
    clusters.forget('default/app');
  });

  it.each([
    ['value', { secretRef: { name: 'k' } }],
    ['value.yaml', { secretRef: { name: 'k' } }],
    ['other', { secretRef: { name: 'k', key: 'other' } }],
  ])('is another one by the key %s of a Secret', async (key, ref) => {
    await client.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'k' });
    await put('Secret', 'k', { [key]: kubeconfig });
    const clusters = targets();
    const target = await clusters.of(object(ref));
    expect(target).toMatchObject({ ok: true, value: { isRemote: true } });
    expect(target.ok && (await target.value.client.get(there))).toMatchObject({ ok: true });
    clusters.forget('default/app');
  });

  it('acts there as the service account of there', async () => {
    await put('Secret', 'k', { value: kubeconfig });
    const clusters = targets();
    const target = await clusters.of(object({ secretRef: { name: 'k' } }, { serviceAccountName: 'nobody' }));
    expect(target.ok && (await target.value.client.get(there))).toMatchObject({ ok: false, error: { code: 403 } });
    clusters.forget('default/app');
  });

  it('is reached with a token of a service account by a ConfigMap of provider generic', async () => {
    await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'sa', namespace: 'default' } });
    await put('ConfigMap', 'k', { provider: 'generic', address, 'ca.crt': authority, serviceAccountName: 'sa' });
    const clusters = targets();
    const target = await clusters.of(object({ configMapRef: { name: 'k' } }));
    // The other cluster does not trust this one's tokens: it was reached, over a checked connection, and said so.
    expect(target.ok && (await target.value.client.get(there))).toMatchObject({ ok: false, error: { code: 401 } });
    clusters.forget('default/app');
  });

  it('is asked without the feature gate for no token of a service account', async () => {
    await put('ConfigMap', 'k', { provider: 'generic', address, 'ca.crt': authority, serviceAccountName: 'sa' });
    const clusters = targets({}, testCloud(internet, client, { objectLevel: false }));
    expect(await clusters.of(object({ configMapRef: { name: 'k' } }))).toEqual({
      ok: false,
      error: "KubeConfig ConfigMap 'default/k': ObjectLevelWorkloadIdentity feature gate is not enabled",
    });
  });

  it("is never given a token of the engine's own account by provider generic", async () => {
    await put('ConfigMap', 'k', { provider: 'generic', address, 'ca.crt': authority });
    expect(await targets().of(object({ configMapRef: { name: 'k' } }))).toEqual({
      ok: false,
      error:
        "KubeConfig ConfigMap 'default/k': it names no 'serviceAccountName', and the engine's own is not used here",
    });
    const clusters = targets({ defaultKubeConfigServiceAccount: 'sa' });
    expect(await clusters.of(object({ configMapRef: { name: 'k' } }))).toMatchObject({ ok: true });
    clusters.forget('default/app');
  });

  it('is found and reached by a ConfigMap of provider aws, over one connection', async () => {
    const region = 'eu-west-1';
    const cluster = { name: 'main', endpoint: address, ca: authority };
    const aws = new FakeAws(internet, { region, cluster });
    const { accessKeyId, secretAccessKey } = aws.issue('arn:aws:iam::1:user/engine');
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    await put('ConfigMap', 'k', { provider: 'aws', cluster: `arn:aws:eks:${region}:1:cluster/main` });
    const clusters = targets({}, testCloud(internet, client, { env }));
    const target = await clusters.of(object({ configMapRef: { name: 'k' } }));
    expect(target).toMatchObject({ ok: true, value: { isRemote: true } });
    // The other cluster knows no roles of AWS: it was reached, over a checked connection, and said so.
    expect(target.ok && (await target.value.client.get(there))).toMatchObject({ ok: false, error: { code: 401 } });
    const again = await clusters.of(object({ configMapRef: { name: 'k' } }));
    expect(again.ok && target.ok && again.value.client === target.value.client).toBe(true);
    await put('ConfigMap', 'k', {
      provider: 'aws',
      cluster: `arn:aws:eks:${region}:1:cluster/main`,
      address: 'https://evil.example',
    });
    expect(await clusters.of(object({ configMapRef: { name: 'k' } }))).toMatchObject({
      error: expect.stringContaining("the engine's own token is not sent there, name a service account"),
    });
    clusters.forget('default/app');
  });

  it.each([
    [
      { secretRef: { name: 'nope' } },
      `unable to read KubeConfig secret 'default/nope' error: secrets "nope" not found`,
    ],
    [
      { secretRef: { name: 'empty' } },
      "KubeConfig secret 'default/empty' does not contain a 'value' key with a kubeconfig",
    ],
    [
      { secretRef: { name: 'empty', key: 'k' } },
      "KubeConfig secret 'default/empty' does not contain a 'k' key with a kubeconfig",
    ],
    [
      { configMapRef: { name: 'cloud' } },
      "KubeConfig ConfigMap 'default/cloud': invalid EKS cluster ARN: 'c'. must match ^arn:aws[\\w-]*:eks:([^:]{1,100}):[0-9]{1,30}:cluster\\/([0-9A-Za-z][\\w-]{0,199})$",
    ],
    [
      { configMapRef: { name: 'other' } },
      "provider 'ibm' of KubeConfig ConfigMap 'default/other' is not one of aws, azure, gcp, generic",
    ],
    [
      { configMapRef: { name: 'plain' } },
      "KubeConfig ConfigMap 'default/plain': failed to parse cluster address http://127.0.0.1:1: the Kubernetes API server address 'http://127.0.0.1:1' must use https scheme",
    ],
  ])('is told to be unknown for %j', async (ref, message) => {
    await put('Secret', 'empty', { x: 'y' });
    await put('ConfigMap', 'cloud', { provider: 'aws', cluster: 'c' });
    await put('ConfigMap', 'other', { provider: 'ibm' });
    await put('ConfigMap', 'plain', { provider: 'generic', address: 'http://127.0.0.1:1' });
    expect(await targets().of(object(ref))).toEqual({ ok: false, error: message });
  });

  it.each([
    [
      'exec',
      (config: string) =>
        withUser(config, { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/sh' } }),
    ],
    ['auth-provider', (config: string) => withUser(config, { 'auth-provider': { name: 'gcp' } })],
    [
      'tokenFile',
      (config: string) => withUser(config, { tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' }),
    ],
    [
      'client-certificate',
      (config: string) => withUser(config, { 'client-certificate': '/etc/c', 'client-key': '/etc/k' }),
    ],
    ['proxy-url', (config: string) => withCluster(config, { 'proxy-url': 'http://169.254.169.254' })],
    ['insecure-skip-tls-verify', (config: string) => withCluster(config, { 'insecure-skip-tls-verify': true })],
    ['certificate-authority', (config: string) => withCluster(config, { 'certificate-authority': '/etc/ca' })],
  ])('D13: is refused for a kubeconfig with %s', async (what, change) => {
    await put('Secret', 'bad', { value: change(kubeconfig) });
    const target = await targets().of(object({ secretRef: { name: 'bad' } }));
    expect(target).toMatchObject({ ok: false, error: expect.stringContaining(what) });
    expect(JSON.stringify(target)).not.toContain('PRIVATE KEY');
  });
});

type Config = { clusters: { cluster: Record<string, Json> }[]; users: { user: Record<string, Json> }[] };

function withUser(text: string, user: Record<string, Json>): string {
  const config = JSON.parse(text) as Config;
  return JSON.stringify({ ...config, users: [{ name: 'u', user }] });
}

function withCluster(text: string, more: Record<string, Json>): string {
  const config = JSON.parse(text) as Config;
  return JSON.stringify({ ...config, clusters: [{ name: 'c', cluster: { ...config.clusters[0]?.cluster, ...more } }] });
}
