import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clusterKey } from '../../../tests/support/cloud/check-jwt.ts';
import { FakeGcp } from '../../../tests/support/cloud/gcp.ts';
import { type LoopbackInternet, startInternet } from '../../../tests/support/cloud/loopback-internet.ts';
import { accountToken, createAccount, PROVIDER } from '../../../tests/support/cloud/shop-account.ts';
import { type TestCloudOptions, testCloud } from '../../../tests/support/cloud/test-cloud.ts';
import { type ControlPlane, createControlPlane } from '../../cluster/control-plane.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import { ENGINE, type Principal } from '../principal.ts';
import { readCredentialFile } from './credential-file.ts';

const GKE =
  'identitynamespace:shop-1.svc.id.goog:https://container.googleapis.com/v1/projects/shop-1/locations/europe-west1/clusters/main';
const SUBJECT = 'system:serviceaccount:default';

let home: ControlPlane;
let client: KubeClient;
let internet: LoopbackInternet;
let gcp: FakeGcp;

beforeAll(async () => {
  home = await createControlPlane();
  client = createKubeClient({ handler: home.handler, userAgent: 'test' });
  await createAccount(client, 'gke', {});
  await createAccount(client, 'pool', {
    'gcp.auth.fluxcd.io/workload-identity-provider': PROVIDER,
    'iam.gke.io/gcp-service-account': 'shop@shop-1.iam.gserviceaccount.com',
  });
  await createAccount(client, 'stranger', { 'gcp.auth.fluxcd.io/workload-identity-provider': PROVIDER });
  await createAccount(client, 'email', {
    'iam.gke.io/gcp-service-account': 'x/../../y@shop-1.iam.gserviceaccount.com',
  });
  await createAccount(client, 'provider', { 'gcp.auth.fluxcd.io/workload-identity-provider': 'projects/x' });
});
beforeEach(async () => {
  await internet?.close();
  internet = await startInternet();
  gcp = new FakeGcp(internet, {
    clusterKey: await clusterKey(home),
    pools: { [GKE]: `${SUBJECT}:gke`, [`//iam.googleapis.com/${PROVIDER}`]: `${SUBJECT}:pool` },
    tokenAudience: { [GKE]: 'shop-1.svc.id.goog' },
  });
});
afterAll(async () => {
  await internet.close();
  await home.stop();
});

async function holder(principal: Principal, options: TestCloudOptions = {}): Promise<string> {
  const token = await testCloud(internet, client, options).gcp.token(principal);
  return token.ok ? gcp.holderOf(token.value) : token.error;
}
const account = (name: string): Principal => ({ kind: 'account', namespace: 'default', name, isDefault: false });

describe('the engine towards Google Cloud', () => {
  const env = { GOOGLE_APPLICATION_CREDENTIALS: '/key' };

  it('is who its key file says, or its machine', async () => {
    const file = gcp.keyFile('engine@shop-1.iam.gserviceaccount.com');
    expect(await holder(ENGINE, { env, files: { '/key': file } })).toBe('engine@shop-1.iam.gserviceaccount.com');
    expect(await holder(ENGINE)).toBe('the machine');
  });

  it('is a federated identity by a token file', async () => {
    const token = await accountToken(client, 'default', 'pool', [`//iam.googleapis.com/${PROVIDER}`]);
    const file = {
      type: 'external_account',
      audience: `//iam.googleapis.com/${PROVIDER}`,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: 'https://sts.googleapis.com/v1/token',
      credential_source: { file: '/token', format: { type: 'json', subject_token_field_name: 'jwt' } },
    };
    const files = { '/key': JSON.stringify(file), '/token': JSON.stringify({ jwt: token }) };
    expect(await holder(ENGINE, { env, files })).toBe(`federated ${SUBJECT}:pool`);
  });

  it.each([
    ['{', 'the credentials are not JSON'],
    ['{"type":"gdch_service_account"}', "credentials of type 'gdch_service_account' are not supported here"],
    ['{"type":"service_account","client_email":"a@b","private_key":"secret"}', 'the private key cannot be read'],
  ])('is nobody with the key file %s', async (text, message) => {
    const answer = await holder(ENGINE, { env, files: { '/key': text } });
    expect(answer).toContain(message);
    expect(answer).not.toContain('secret');
  });
});

describe('an object towards Google Cloud', () => {
  it('is a service account of GKE, or of a pool, perhaps in the place of one of Google', async () => {
    expect(await holder(account('gke'))).toBe(`federated ${SUBJECT}:gke`);
    expect(await holder(account('pool'))).toBe('shop@shop-1.iam.gserviceaccount.com');
  });

  it.each([
    ['stranger', 'The given credential is rejected by the attribute condition'],
    ['email', 'invalid iam.gke.io/gcp-service-account annotation'],
    ['provider', 'invalid gcp.auth.fluxcd.io/workload-identity-provider annotation'],
  ])('is refused as service account %s', async (name, message) => {
    expect(await holder(account(name))).toContain(message);
  });

  it('may bring a key of its own, but nothing that reads files of the engine or sends elsewhere', async () => {
    const identity = testCloud(internet, client).gcp;
    const own = readCredentialFile(gcp.keyFile('own@shop-1.iam.gserviceaccount.com'), 'tenant');
    const token = own.ok ? await identity.tokenOf(own.value) : own;
    expect(token.ok && gcp.holderOf(token.value)).toBe('own@shop-1.iam.gserviceaccount.com');
    const external = {
      type: 'external_account',
      credential_source: { file: '/etc/passwd' },
      token_url: 'https://evil',
    };
    expect(readCredentialFile(JSON.stringify(external), 'tenant')).toMatchObject({ ok: false });
    internet.serve('evil.example', () => ({ body: JSON.stringify({ access_token: 'x', expires_in: 1 }) }));
    for (const url of [
      'https://evil.example/token',
      'http://oauth2.googleapis.com/token',
      'https://x.googleapis.com:1/',
    ]) {
      const file = readCredentialFile(gcp.keyFile('own@x', { token_uri: url }), 'tenant');
      expect(file.ok && (await identity.tokenOf(file.value))).toEqual({
        ok: false,
        error: "token_uri of 'own@x' is not an address of Google",
      });
    }
    expect(internet.requests).toEqual(['POST https://oauth2.googleapis.com/token']);
  });
});
