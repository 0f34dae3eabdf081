import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clientCertificate, FakeAzure } from '../../../tests/support/cloud/azure.ts';
import { clusterKey } from '../../../tests/support/cloud/check-jwt.ts';
import { type LoopbackInternet, startInternet } from '../../../tests/support/cloud/loopback-internet.ts';
import {
  accountToken,
  CLIENT,
  createAccount,
  createShopAccount,
  SUBJECT,
  shop,
  TENANT,
} from '../../../tests/support/cloud/shop-account.ts';
import { type TestCloudOptions, testCloud } from '../../../tests/support/cloud/test-cloud.ts';
import { type ControlPlane, createControlPlane } from '../../cluster/control-plane.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import { ENGINE, type Principal } from '../principal.ts';
import type { AzureCredential } from './azure-identity.ts';
import { certificateProof } from './token-request.ts';

const VAULT = 'https://vault.azure.net';
const own = clientCertificate();

let home: ControlPlane;
let client: KubeClient;
let internet: LoopbackInternet;
let azure: FakeAzure;

beforeAll(async () => {
  home = await createControlPlane();
  client = createKubeClient({ handler: home.handler, userAgent: 'test' });
  const both = { 'azure.workload.identity/tenant-id': TENANT, 'azure.workload.identity/client-id': CLIENT };
  await createShopAccount(client);
  await createAccount(client, 'other', both);
  await createAccount(client, 'bare', {});
  await createAccount(client, 'half', { 'azure.workload.identity/tenant-id': TENANT });
  await createAccount(client, 'path', { ...both, 'azure.workload.identity/tenant-id': '../../evil' });
});
beforeEach(async () => {
  await internet?.close();
  internet = await startInternet();
  azure = new FakeAzure(internet, {
    tenant: TENANT,
    secrets: { 'app-s': 's3cret' },
    certificates: { 'app-c': own.certificate },
    federated: { [CLIENT]: SUBJECT },
    clusterKey: await clusterKey(home),
    managed: 'app-m',
  });
});
afterAll(async () => {
  await internet.close();
  await home.stop();
});

async function holder(principal: Principal | AzureCredential, options: TestCloudOptions = {}): Promise<string> {
  const identity = testCloud(internet, client, options).azure;
  const scope = `${VAULT}/.default`;
  const token = await ('kind' in principal && (principal.kind === 'application' || principal.kind === 'managed')
    ? identity.tokenOf(principal, scope)
    : identity.token(principal as Principal, scope));
  return token.ok ? azure.holderOf(token.value, VAULT) : token.error;
}

const ids = { AZURE_TENANT_ID: TENANT };
const token = () => accountToken(client, 'default', 'shop', ['api://AzureADTokenExchange']);

describe('the engine towards Azure', () => {
  it('is who its secret, its certificate, its token file or its machine says', async () => {
    expect(await holder(ENGINE, { env: { ...ids, AZURE_CLIENT_ID: 'app-s', AZURE_CLIENT_SECRET: 's3cret' } })).toBe(
      'app-s',
    );
    const certificate = { ...ids, AZURE_CLIENT_ID: 'app-c', AZURE_CLIENT_CERTIFICATE_PATH: '/c' };
    expect(await holder(ENGINE, { env: certificate, files: { '/c': own.pem } })).toBe('app-c');
    const federated = {
      ...ids,
      AZURE_CLIENT_ID: 'app-f',
      AZURE_FEDERATED_TOKEN_FILE: '/t',
      AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com',
    };
    expect(await holder(ENGINE, { env: federated, files: { '/t': await token() } })).toBe('app-f');
    expect(await holder(ENGINE)).toBe('app-m');
    expect(await holder(ENGINE, { env: { AZURE_CLIENT_ID: 'app-m' } })).toBe('app-m');
  });

  it.each([
    [
      { ...ids, AZURE_CLIENT_ID: 'app-s', AZURE_CLIENT_SECRET: 'wrong' },
      'Azure refused a token to client app-s of tenant 11111111-2222-3333-4444-555555555555: status 401: refused: AADSTS7000215',
    ],
    [{ ...ids, AZURE_CLIENT_ID: 'app-c', AZURE_CLIENT_CERTIFICATE_PATH: '/gone' }, '/gone does not exist'],
    [{ AZURE_CLIENT_ID: 'app-x' }, 'Azure refused a token to the managed identity app-x'],
    [
      { ...ids, AZURE_CLIENT_ID: 'app-s', AZURE_CLIENT_SECRET: 's', AZURE_AUTHORITY_HOST: 'http://login.example' },
      'cannot use an authority host without https',
    ],
  ])('is nobody with %j', async (env, message) => {
    const answer = await holder(ENGINE, { env: env as Record<string, string> });
    expect(answer).toContain(message);
    expect(answer).not.toContain('wrong');
  });
});

describe('an object towards Azure', () => {
  it('is who its own credentials say', async () => {
    const application = { authority: 'https://login.microsoftonline.com/', tenantId: TENANT };
    const proof = certificateProof(own.pem, '', true);
    if (!proof.ok) throw new Error(proof.error);
    const secret = { kind: 'secret', secret: 's3cret' } as const;
    expect(
      await holder({ kind: 'application', application: { ...application, clientId: 'app-s', proof: secret } }),
    ).toBe('app-s');
    expect(
      await holder({ kind: 'application', application: { ...application, clientId: 'app-c', proof: proof.value } }),
    ).toBe('app-c');
    expect(await holder({ kind: 'managed', clientId: 'app-m' })).toBe('app-m');
  });

  it('is not taken for who has another secret of the same client', async () => {
    const identity = testCloud(internet, client).azure;
    const ask = (secret: string) =>
      identity.tokenOf(
        {
          kind: 'application',
          application: {
            authority: 'https://login.microsoftonline.com/',
            tenantId: TENANT,
            clientId: 'app-s',
            proof: { kind: 'secret', secret },
          },
        },
        `${VAULT}/.default`,
      );
    expect(await ask('s3cret')).toMatchObject({ ok: true });
    expect(await ask('guess')).toMatchObject({ ok: false });
  });

  it('is the application that trusts its service account', async () => {
    expect(await holder(shop)).toBe('app-f');
  });

  it.each([
    ['other', 'AADSTS70021'],
    ['bare', 'azure tenant ID is not set in the service account annotation azure.workload.identity/tenant-id'],
    ['half', 'azure client ID is not set in the service account annotation azure.workload.identity/client-id'],
    ['path', "'../../evil' is not a tenant of Azure"],
  ])('is refused as service account %s', async (name, message) => {
    expect(await holder({ ...shop, name } as Principal)).toContain(message);
  });

  it('needs the feature gate for a service account', async () => {
    expect(await holder(shop, { objectLevel: false })).toBe('ObjectLevelWorkloadIdentity feature gate is not enabled');
  });
});

it.each([
  ['nothing', '', 'found no certificate'],
  ['no key', own.certificate, 'found no private key'],
  [
    'a key of another certificate',
    clientCertificate().pem.split('-----BEGIN CERT')[0] + own.certificate,
    'belongs to none',
  ],
  [
    'garbage as a key',
    `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${own.certificate}`,
    'cannot be read',
  ],
])('refuses %s as a client certificate', (_what, pem, message) => {
  expect(certificateProof(pem, '', false)).toMatchObject({ ok: false, error: expect.stringContaining(message) });
});
