import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeAws } from '../../../tests/support/cloud/aws.ts';
import { FakeAzure } from '../../../tests/support/cloud/azure.ts';
import { clusterKey } from '../../../tests/support/cloud/check-jwt.ts';
import { FakeGcp } from '../../../tests/support/cloud/gcp.ts';
import { type LoopbackInternet, startInternet } from '../../../tests/support/cloud/loopback-internet.ts';
import {
  CLIENT,
  createShopAccount,
  PROVIDER,
  ROLE,
  SUBJECT,
  shop,
  TENANT,
} from '../../../tests/support/cloud/shop-account.ts';
import { testCloud } from '../../../tests/support/cloud/test-cloud.ts';
import { type ControlPlane, createControlPlane } from '../../cluster/control-plane.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import { ENGINE } from '../principal.ts';
import { type ClusterRequest, canonicalAddress } from './login.ts';

const EKS = 'arn:aws:eks:eu-west-1:1:cluster/main';
const AKS =
  '/subscriptions/12345678-1234-1234-1234-123456789012/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/main';
const GKE = 'projects/shop-1/locations/europe-west1/clusters/main';
const AKS_SERVER = '6dae42f8-4368-4678-94ff-3960e28e3630';

let home: ControlPlane;
let client: KubeClient;
let internet: LoopbackInternet;
/** PEM of the cluster's authority, and of another. */
let ca = '';
let otherCa = '';
let env: Record<string, string> = {};
/** Who a token says that its holder is, by provider; throws for a token that the cluster would not take. */
let holders: Record<'aws' | 'azure' | 'gcp', (token: string) => string>;

beforeAll(async () => {
  home = await createControlPlane();
  client = createKubeClient({ handler: home.handler, userAgent: 'test' });
  await createShopAccount(client);
});
beforeEach(async () => {
  await internet?.close();
  internet = await startInternet();
  ca = internet.authority;
  const other = await startInternet();
  otherCa = other.authority;
  await other.close();
  const key = await clusterKey(home);
  const aws = new FakeAws(internet, {
    region: 'eu-west-1',
    trusted: { [ROLE]: SUBJECT },
    clusterKey: key,
    cluster: { name: 'main', endpoint: 'https://public.eks.example', ca },
  });
  const kubeconfigs = ['https://public.aks.example:443', 'https://private.aks.example:443'].map((server) =>
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
      users: [{ name: 'u', user: { exec: { command: 'kubelogin', apiVersion: 'client.authentication.k8s.io/v1' } } }],
    }),
  );
  const azure = new FakeAzure(internet, {
    tenant: TENANT,
    secrets: { engine: 's3cret' },
    federated: { [CLIENT]: SUBJECT },
    clusterKey: key,
    cluster: { id: AKS, kubeconfigs },
  });
  const gcp = new FakeGcp(internet, {
    pools: { [`//iam.googleapis.com/${PROVIDER}`]: SUBJECT },
    clusterKey: key,
    cluster: {
      name: GKE,
      body: {
        endpoint: 'public.gke.example',
        privateClusterConfig: { privateEndpoint: 'private.gke.example', publicEndpoint: 'public.gke.example' },
        masterAuth: { clusterCaCertificate: Buffer.from(ca).toString('base64') },
      },
    },
  });
  const keys = aws.issue('arn:aws:iam::1:user/engine');
  env = {
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: 'engine',
    AZURE_CLIENT_SECRET: 's3cret',
  };
  holders = {
    aws: (token) => aws.callerOf(token, 'main'),
    azure: (token) => azure.holderOf(token, AKS_SERVER),
    gcp: (token) => gcp.holderOf(token),
  };
});
afterAll(async () => {
  await internet.close();
  await home.stop();
});

const CLUSTERS = { aws: EKS, azure: AKS, gcp: GKE } as const;
type Provider = keyof typeof CLUSTERS;

async function login(provider: Provider, more: Partial<ClusterRequest> = {}) {
  const cloud = testCloud(internet, client, { env });
  const request = { principal: ENGINE, cluster: CLUSTERS[provider], address: '', ca: '', audiences: [], ...more };
  return cloud.clusters[provider].login(request);
}

async function told(provider: Provider, more: Partial<ClusterRequest> = {}) {
  const found = await login(provider, more);
  if (!found.ok) return found.error;
  const token = await found.value.token();
  return {
    server: found.value.server,
    ca: found.value.ca,
    who: token.ok ? holders[provider](token.value) : token.error,
  };
}

describe.each([
  ['aws', 'https://public.eks.example:443', 'arn:aws:iam::1:user/engine', ROLE],
  ['azure', 'https://public.aks.example:443', 'engine', 'app-f'],
  ['gcp', 'https://public.gke.example:443', 'the machine', `federated ${SUBJECT}`],
] as const)('a cluster of provider %s', (provider, server, engine, account) => {
  it('is found by its name, as the engine and as a service account', async () => {
    expect(await told(provider)).toEqual({ server, ca, who: engine });
    expect(await told(provider, { principal: shop })).toEqual({ server, ca, who: account });
  });

  it('is reached where a service account says, without being looked up', async () => {
    const more = { principal: shop, address: 'https://own.example', ca: otherCa };
    expect(await told(provider, more)).toEqual({ server: 'https://own.example:443', ca: otherCa, who: account });
    expect(internet.requests.filter((line) => /eks|management|container/.test(line))).toEqual([]);
  });

  it("never has the engine's own token sent to an address that the cloud does not name", async () => {
    for (const more of [
      { address: 'https://evil.example', ca: otherCa },
      { address: 'https://evil.example' },
      { address: `${server.replace(':443', '')}.evil.example` },
      { address: server, ca: otherCa },
      { ca: otherCa },
    ]) {
      expect(await told(provider, more)).toMatch(
        /the engine's own token is not sent there|matching the specified address/,
      );
    }
    expect(await told(provider, { address: server, ca })).toEqual({ server, ca, who: engine });
  });

  it('is looked up once, and its token made once, for as long as they hold', async () => {
    const cloud = testCloud(internet, client, { env });
    const request = { principal: shop, cluster: CLUSTERS[provider], address: '', ca: '', audiences: [] };
    for (let round = 0; round < 3; round++) {
      const found = await cloud.clusters[provider].login(request);
      expect(found.ok && (await found.value.token())).toMatchObject({ ok: true });
    }
    expect(new Set(internet.requests).size).toBe(internet.requests.length - (provider === 'azure' ? 1 : 0));
  });

  it('must have a name of that cloud', async () => {
    for (const cluster of ['main', `${CLUSTERS[provider]}/../other`, `${CLUSTERS[provider]}?x=y`]) {
      const answer = await login(provider, { cluster });
      expect(answer).toMatchObject({ ok: false, error: expect.stringMatching(/^invalid (EKS|AKS|GKE) cluster/) });
    }
  });
});

it('picks the address of AKS that is wished for', async () => {
  expect(await told('azure', { address: 'private.aks.example' })).toMatchObject({
    server: 'https://private.aks.example:443',
    who: 'engine',
  });
});

it('says of a cluster of AKS without Entra ID that it cannot be used', async () => {
  new FakeAzure(internet, {
    tenant: TENANT,
    secrets: { engine: 's3cret' },
    cluster: { id: AKS, kubeconfigs: [], hasEntra: false },
  });
  expect(await told('azure')).toContain('does not have Microsoft Entra ID integration enabled');
});

it.each([
  ['https://Main.Example', 'https://main.example:443'],
  ['main.example:6443', 'https://main.example:6443'],
  ['10.0.0.1', 'https://10.0.0.1:443'],
  ['https://[::1]:6443/path', 'https://[::1]:6443'],
])('takes %s for %s', (address, canonical) => {
  expect(canonicalAddress(address)).toEqual({ ok: true, value: canonical });
});

it.each(['', 'http://main.example', 'https://user:pw@main.example', 'https://'])(
  'refuses the address %j',
  (address) => {
    expect(canonicalAddress(address)).toMatchObject({ ok: false });
  },
);
