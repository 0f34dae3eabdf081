import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeAws } from '../../../tests/support/cloud/aws.ts';
import { clusterKey } from '../../../tests/support/cloud/check-jwt.ts';
import { type LoopbackInternet, startInternet } from '../../../tests/support/cloud/loopback-internet.ts';
import {
  accountToken,
  createAccount,
  createShopAccount,
  ROLE,
  SUBJECT,
  shop,
} from '../../../tests/support/cloud/shop-account.ts';
import { type TestCloudOptions, testCloud } from '../../../tests/support/cloud/test-cloud.ts';
import { type ControlPlane, createControlPlane } from '../../cluster/control-plane.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import { ENGINE, type Principal } from '../principal.ts';

const REGION = 'eu-west-1';

let home: ControlPlane;
let client: KubeClient;
let internet: LoopbackInternet;
let aws: FakeAws;

beforeAll(async () => {
  home = await createControlPlane();
  client = createKubeClient({ handler: home.handler, userAgent: 'test' });
  await createShopAccount(client);
  await createAccount(client, 'other', { 'eks.amazonaws.com/role-arn': ROLE });
  await createAccount(client, 'bare', {});
});
beforeEach(async () => {
  await internet?.close();
  internet = await startInternet();
  const trusted = { [ROLE]: SUBJECT };
  aws = new FakeAws(internet, { region: REGION, trusted, clusterKey: await clusterKey(home) });
});
afterAll(async () => {
  await internet.close();
  await home.stop();
});

const cloudOf = (options?: TestCloudOptions) => testCloud(internet, client, options).aws;

/** Whose the credentials are, by a request that they sign. */
async function callerWith(options: TestCloudOptions, principal: Principal): Promise<string> {
  const cloud = testCloud(internet, client, options);
  const cluster = `arn:aws:eks:${REGION}:1:cluster/c`;
  const given = await cloud.aws.credentials(principal, REGION);
  if (!given.ok) throw new Error(given.error);
  internet.serve(`eks.${REGION}.amazonaws.com`, () => ({
    body: JSON.stringify({ cluster: { endpoint: 'https://c.example', certificateAuthority: { data: 'eA==' } } }),
  }));
  const request = { principal, cluster, address: '', ca: '', audiences: [] };
  const login = await cloud.clusters.aws.login(request);
  const token = login.ok ? await login.value.token() : login;
  if (!token.ok) throw new Error(token.error);
  return aws.callerOf(token.value, 'c');
}

describe('the engine towards AWS', () => {
  it('is who the keys of the environment say', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = aws.issue('arn:aws:iam::1:user/engine', true);
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken ?? '',
    };
    expect(await callerWith({ env }, ENGINE)).toBe('arn:aws:iam::1:user/engine');
  });

  it('takes on the role of the token file (IRSA)', async () => {
    const token = await accountToken(client, 'default', 'shop', ['sts.amazonaws.com']);
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE: '/token', AWS_ROLE_ARN: ROLE };
    expect(await callerWith({ env, files: { '/token': `${token}\n` } }, ENGINE)).toBe(ROLE);
  });

  it('is who the container is (EKS Pod Identity)', async () => {
    const keys = aws.issue('arn:aws:iam::1:role/pod', true);
    internet.serve('169.254.170.23', ({ headers, url }) =>
      url.pathname === '/v1/credentials' && headers['authorization'] === 'pod-token'
        ? {
            body: JSON.stringify({
              AccessKeyId: keys.accessKeyId,
              SecretAccessKey: keys.secretAccessKey,
              Token: keys.sessionToken,
              Expiration: new Date(Date.now() + 3_600_000).toISOString(),
            }),
          }
        : { status: 403, body: '' },
    );
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/pod',
    };
    expect(await callerWith({ env, files: { '/pod': 'pod-token' } }, ENGINE)).toBe('arn:aws:iam::1:role/pod');
  });

  it('is who the machine is (IMDS version 2)', async () => {
    const keys = aws.issue('arn:aws:iam::1:role/node', true);
    internet.serve('169.254.169.254', ({ method, headers, url }) => {
      if (method === 'PUT' && url.pathname === '/latest/api/token') return { body: 'session' };
      if (headers['x-aws-ec2-metadata-token'] !== 'session') return { status: 401, body: '' };
      if (url.pathname === '/latest/meta-data/iam/security-credentials/') return { body: 'node' };
      return {
        body: JSON.stringify({
          AccessKeyId: keys.accessKeyId,
          SecretAccessKey: keys.secretAccessKey,
          Token: keys.sessionToken,
          Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        }),
      };
    });
    expect(await callerWith({}, ENGINE)).toBe('arn:aws:iam::1:role/node');
  });

  it.each([
    [{ AWS_WEB_IDENTITY_TOKEN_FILE: '/t', AWS_ROLE_ARN: ROLE }, 'AWS_WEB_IDENTITY_TOKEN_FILE: /t does not exist'],
    [{ AWS_WEB_IDENTITY_TOKEN_FILE: '/t' }, 'AWS_ROLE_ARN is not'],
    [{ AWS_EC2_METADATA_DISABLED: 'true' }, 'has no credentials of AWS'],
    [{ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.com/x' }, 'example.com may not be asked without TLS'],
  ])('is nobody with %j', async (env, message) => {
    expect(await cloudOf({ env: env as Record<string, string> }).credentials(ENGINE, REGION)).toMatchObject({
      ok: false,
      error: expect.stringContaining(message),
    });
  });
});

describe('a service account towards AWS', () => {
  it('takes on the role of its annotation, once for as long as that lasts', async () => {
    const cloud = cloudOf();
    const first = await cloud.credentials(shop, REGION);
    expect(first).toMatchObject({ ok: true });
    expect(await cloud.credentials(shop, REGION)).toEqual(first);
    expect(internet.requests).toEqual([`POST https://sts.${REGION}.amazonaws.com/`]);
    expect(await callerWith({}, shop)).toBe(ROLE);
  });

  it.each([
    ['other', 'status 403: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'],
    ['bare', "invalid eks.amazonaws.com/role-arn annotation: ''. must match ^arn:aws"],
    ['gone', `failed to get service account 'default/gone': serviceaccounts "gone" not found`],
  ])('%s is refused', async (name, message) => {
    const answer = await cloudOf().credentials({ ...shop, name }, REGION);
    expect(answer).toMatchObject({ ok: false, error: expect.stringContaining(message) });
  });

  it('is not used without the feature gate, nor as a default that does not exist', async () => {
    const closed = cloudOf({ objectLevel: false });
    expect(await closed.credentials(shop, REGION)).toEqual({
      ok: false,
      error: 'ObjectLevelWorkloadIdentity feature gate is not enabled',
    });
    expect(await cloudOf().credentials({ ...shop, name: 'gone', isDefault: true }, REGION)).toMatchObject({
      error: expect.stringContaining('multi-tenant workload identity lockdown'),
    });
    expect(internet.requests).toEqual([]);
  });

  it.each(['evil.example/', 'eu-west-1.evil.example', 'eu-west-1@evil.example', '', '-', 'EU-WEST-1'])(
    'goes nowhere for a region %j',
    async (region) => {
      expect(await cloudOf().credentials(shop, region)).toMatchObject({
        error: expect.stringContaining(`'${region}' is not a region of AWS`),
      });
      expect(internet.requests).toEqual([]);
    },
  );
});
