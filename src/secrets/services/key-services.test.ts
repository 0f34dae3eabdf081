import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeAws } from '../../../tests/support/cloud/aws.ts';
import { clientCertificate, FakeAzure } from '../../../tests/support/cloud/azure.ts';
import { clusterKey } from '../../../tests/support/cloud/check-jwt.ts';
import { FakeGcp } from '../../../tests/support/cloud/gcp.ts';
import { type LoopbackInternet, startInternet } from '../../../tests/support/cloud/loopback-internet.ts';
import {
  accountToken,
  CLIENT,
  createShopAccount,
  PROVIDER,
  ROLE,
  SUBJECT,
  shop,
  TENANT,
} from '../../../tests/support/cloud/shop-account.ts';
import { type TestCloudOptions, testCloud } from '../../../tests/support/cloud/test-cloud.ts';
import { FakeVault } from '../../../tests/support/cloud/vault.ts';
import { type ControlPlane, createControlPlane } from '../../cluster/control-plane.ts';
import { ENGINE, type Principal } from '../../identity/principal.ts';
import type { KubeClient } from '../../kube/client.ts';
import { createKubeClient } from '../../kube/rest-client.ts';
import type { AwsKmsKey, AzureVaultKey, GcpKmsKey, ServiceKey, VaultTransitKey } from '../sops/metadata.ts';
import { openKeyServices } from './key-services.ts';
import { type OwnCredentials, readOwnCredentials } from './own-credentials.ts';
import { readVaultLogins } from './vault-tokens.ts';

const ARN = 'arn:aws:kms:eu-west-1:1:key/k';
const SOPS_ROLE = 'arn:aws:iam::1:role/sops';
const RESOURCE = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';
const VAULT = 'https://vault.example:8200';
const dataKey = randomBytes(32);
const certificate = clientCertificate();

let home: ControlPlane;
let client: KubeClient;
let internet: LoopbackInternet;
let aws: FakeAws;
let azure: FakeAzure;
let gcp: FakeGcp;
let vault: FakeVault;

beforeAll(async () => {
  home = await createControlPlane();
  client = createKubeClient({ handler: home.handler, userAgent: 'test' });
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } });
  await createShopAccount(client);
  await client.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'engine', namespace: 'flux-system' },
  });
});
beforeEach(async () => {
  await internet?.close();
  internet = await startInternet();
  const key = await clusterKey(home);
  aws = new FakeAws(internet, {
    region: 'eu-west-1',
    trusted: { [ROLE]: SUBJECT },
    assumable: { [SOPS_ROLE]: 'arn:aws:iam::1:user/tenant' },
    clusterKey: key,
    mayDecrypt: (arn) => arn !== 'arn:aws:iam::1:user/nobody',
  });
  azure = new FakeAzure(internet, {
    tenant: TENANT,
    secrets: { 'app-s': 's3cret', engine: 's3cret' },
    certificates: { 'app-c': certificate.certificate },
    federated: { [CLIENT]: SUBJECT },
    clusterKey: key,
    managed: 'app-m',
  });
  gcp = new FakeGcp(internet, {
    pools: { [`//iam.googleapis.com/${PROVIDER}`]: SUBJECT },
    clusterKey: key,
    mayDecrypt: (who) => who !== 'nobody@shop-1.iam.gserviceaccount.com',
  });
  vault = new FakeVault(internet, {
    host: 'vault.example:8200',
    roles: { default_shop: SUBJECT, 'flux-system_engine': 'system:serviceaccount:flux-system:engine' },
    clusterKey: key,
    audience: VAULT,
  });
});
afterAll(async () => {
  await internet.close();
  await home.stop();
});

function kms(more: Partial<AwsKmsKey> = {}): AwsKmsKey {
  const { arn = ARN, context = [] } = more;
  return {
    type: 'kms',
    name: arn,
    arn,
    role: '',
    context,
    encrypted: aws.wrap(arn, dataKey, Object.fromEntries(context)),
    ...more,
  };
}
function gcpKms(more: Partial<GcpKmsKey> = {}): GcpKmsKey {
  return { type: 'gcp_kms', name: RESOURCE, resourceId: RESOURCE, encrypted: gcp.wrap(RESOURCE, dataKey), ...more };
}
function azureKv(more: Partial<AzureVaultKey> = {}): AzureVaultKey {
  const vaultUrl = 'https://shop.vault.azure.net';
  const key = { vaultUrl, keyName: 'sops', version: 'v1', encrypted: azure.wrap(dataKey), ...more };
  return { type: 'azure_kv', name: `${key.vaultUrl}/keys/${key.keyName}/${key.version}`, ...key };
}
function transit(more: Partial<VaultTransitKey> = {}): VaultTransitKey {
  const key = { address: VAULT, enginePath: 'transit', keyName: 'sops', encrypted: vault.wrap(dataKey), ...more };
  return { type: 'hc_vault', name: `${key.address}/v1/${key.enginePath}/keys/${key.keyName}`, ...key };
}

interface Setting extends TestCloudOptions {
  readonly principal?: Principal;
  /** Entries of the Secret. */
  readonly secret?: Readonly<Record<string, string | Uint8Array>>;
  /** `config.yaml` of the Vaults to log in to. */
  readonly logins?: string;
}

/** `opened`, or why not. */
async function open(
  key: ServiceKey,
  { principal = ENGINE, secret = {}, logins, ...options }: Setting,
): Promise<string> {
  const cloud = testCloud(internet, client, options);
  let own: OwnCredentials = {};
  for (const [entry, content] of Object.entries(secret)) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const read = readOwnCredentials(entry, bytes, cloud.ports);
    if (!read.ok) return read.error;
    own = { ...own, ...read.value };
  }
  const list = logins === undefined ? undefined : readVaultLogins('flux-system/vaults', logins);
  if (list?.ok === false) return list.error;
  const services = openKeyServices({ cloud, principal, own, logins: list?.value });
  const answer = await services.open(key, new AbortController().signal);
  if (!answer.ok) return answer.error;
  return Buffer.from(answer.value).equals(dataKey) ? 'opened' : 'opened to something else';
}

const awsFile = (keys: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): string =>
  `aws_access_key_id: ${keys.accessKeyId}\naws_secret_access_key: ${keys.secretAccessKey}\n${keys.sessionToken === undefined ? '' : `aws_session_token: ${keys.sessionToken}\n`}`;

it('sends no data key that is too long to be one', async () => {
  const encrypted = 'A'.repeat(20_000);
  for (const key of [kms({ encrypted }), gcpKms({ encrypted }), azureKv({ encrypted }), transit({ encrypted })]) {
    expect(await open(key, { secret: { 'sops.vault-token': 'x' } })).toContain('longer than 16384 characters');
  }
  expect(internet.requests).toEqual([]);
});

describe('a key of AWS KMS', () => {
  it('is opened with keys of the Secret, of the engine, or of a service account', async () => {
    const tenant = aws.issue('arn:aws:iam::1:user/tenant');
    expect(await open(kms(), { secret: { 'sops.aws-kms': awsFile(tenant) } })).toBe('opened');
    const session = aws.issue('arn:aws:iam::1:user/tenant', true);
    expect(await open(kms(), { secret: { 'sops.aws-kms': awsFile(session) } })).toBe('opened');
    const env = { AWS_ACCESS_KEY_ID: tenant.accessKeyId, AWS_SECRET_ACCESS_KEY: tenant.secretAccessKey };
    expect(await open(kms(), { env })).toBe('opened');
    expect(await open(kms(), { principal: shop })).toBe('opened');
  });

  it('is opened in a context, and as a role that the file names', async () => {
    const secret = { 'sops.aws-kms': awsFile(aws.issue('arn:aws:iam::1:user/tenant')) };
    const context = [['app', 'shop'] as const, ['__proto__', 'x'] as const];
    const key = kms({ context: [['app', 'shop']] });
    expect(await open(key, { secret })).toBe('opened');
    expect(await open({ ...key, context: [['app', 'other']] }, { secret })).toContain('InvalidCiphertextException');
    expect(await open({ ...key, context }, { secret })).toContain('InvalidCiphertextException');
    expect(await open(kms({ role: SOPS_ROLE }), { secret })).toBe('opened');
    expect(await open(kms({ role: 'arn:aws:iam::1:role/other' }), { secret })).toContain(
      "failed to assume role 'arn:aws:iam::1:role/other': STS AssumeRole: status 403: AccessDenied: User: arn:aws:iam::1:user/tenant",
    );
  });

  it('is told to be closed in the words of the service, without a credential', async () => {
    const nobody = aws.issue('arn:aws:iam::1:user/nobody');
    const secret = { 'sops.aws-kms': awsFile(nobody) };
    expect(await open(kms(), { secret })).toBe(
      'failed to decrypt sops data key with AWS KMS: status 400: AccessDeniedException: User: arn:aws:iam::1:user/nobody may not',
    );
    const wrong = awsFile({ ...nobody, secretAccessKey: 'guess' });
    const answer = await open(kms(), { secret: { 'sops.aws-kms': wrong } });
    expect(answer).toContain('The request signature we calculated does not match');
    expect(answer).not.toContain('guess');
    expect(await open(kms(), { secret: { 'sops.aws-kms': 'x: y' } })).toContain('lack aws_access_key_id');
    expect(await open(kms(), { secret: { 'sops.aws-kms': 'aws_secret_access_key: "abc' } })).toMatch(
      /^failed to unmarshal AWS credentials file: it is not YAML \(line \d+\)$/,
    );
  });

  it.each([
    ['arn:aws:kms:evil.example/:1:key/k', "'evil.example/' is not a region of AWS"],
    ['arn:aws:kms:x@evil.example:1:key/k', "'x@evil.example' is not a region of AWS"],
    ['arn:aws:kms:eu-west-1.evil.example:1:key/k', 'is not a region of AWS'],
    ['alias/k', "no valid ARN found in 'alias/k'"],
  ])('sends nothing for the ARN %s', async (arn, message) => {
    const secret = { 'sops.aws-kms': awsFile(aws.issue('arn:aws:iam::1:user/tenant')) };
    expect(await open(kms({ arn }), { secret })).toContain(message);
    expect(internet.requests).toEqual([]);
  });

  it('is asked for where the environment of the engine says, and only there', async () => {
    const keys = aws.issue('arn:aws:iam::1:user/tenant');
    internet.serve('kms.local', () => ({ body: JSON.stringify({ Plaintext: dataKey.toString('base64') }) }));
    const env = { AWS_ENDPOINT_URL_KMS: 'http://kms.local/', AWS_ENDPOINT_URL: 'http://other.local' };
    expect(await open(kms(), { env, secret: { 'sops.aws-kms': awsFile(keys) } })).toBe('opened');
    expect(internet.requests).toEqual(['POST http://kms.local/']);
  });
});

describe('a key of Google Cloud KMS', () => {
  it('is opened with the key file of the Secret, as the engine, or as a service account', async () => {
    const secret = { 'sops.gcp-kms': `${gcp.keyFile('tenant@shop-1.iam.gserviceaccount.com')}\n` };
    expect(await open(gcpKms(), { secret })).toBe('opened');
    expect(await open(gcpKms(), { principal: shop })).toBe('opened');
    expect(await open(gcpKms(), {})).toBe('opened');
  });

  it('is told to be closed in the words of the service', async () => {
    const secret = { 'sops.gcp-kms': gcp.keyFile('nobody@shop-1.iam.gserviceaccount.com') };
    expect(await open(gcpKms(), { secret })).toBe(
      'failed to decrypt sops data key with GCP KMS key: status 403: PERMISSION_DENIED: nobody@shop-1.iam.gserviceaccount.com may not decrypt',
    );
    expect(await open(gcpKms({ encrypted: 'ä' }), { secret })).toBe('the encrypted data key is not base64');
  });

  it.each([
    'projects/p/locations/global/keyRings/../cryptoKeys/k',
    'projects/p/locations/global/keyRings/r/cryptoKeys/k/x',
    '//evil.example/x',
  ])('sends nothing for the resource %s', async (resourceId) => {
    expect(await open(gcpKms({ resourceId }), {})).toContain(`no valid resource ID found in "${resourceId}"`);
    expect(internet.requests).toEqual([]);
  });

  it('never leaves its path by what a resource holds', async () => {
    const resourceId = 'projects/p/locations/global/keyRings/r?x=/cryptoKeys/k#y';
    await open(gcpKms({ resourceId }), {});
    expect(internet.requests.at(-1)).toContain('/keyRings/r%3Fx%3D/cryptoKeys/k%23y:decrypt');
  });
});

describe('a key of Azure Key Vault', () => {
  const secretFile = `tenantId: ${TENANT}\nclientId: app-s\nclientSecret: s3cret\n`;
  const certificateFile = JSON.stringify({
    tenantId: TENANT,
    clientId: 'app-c',
    clientCertificate: certificate.pem,
    clientCertificateSendChain: true,
  });

  it.each<readonly [string, string | Uint8Array]>([
    ['a client secret', secretFile],
    ['a client secret in UTF-16', Buffer.from(`\ufeff${secretFile}`, 'utf16le')],
    ['a client secret by its old names', `tenant: ${TENANT}\nappId: app-s\npassword: s3cret\n`],
    ['a client certificate', certificateFile],
    ['a managed identity', 'clientId: app-m'],
    ['an authority of its own', `${secretFile}authorityHost: https://login.microsoftonline.com/`],
  ])('is opened with %s of the Secret', async (_what, file) => {
    expect(await open(azureKv(), { secret: { 'sops.azure-kv': file } })).toBe('opened');
  });

  it('is opened as the engine and as a service account', async () => {
    const env = { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: 'engine', AZURE_CLIENT_SECRET: 's3cret' };
    expect(await open(azureKv(), { env })).toBe('opened');
    expect(await open(azureKv(), { principal: shop })).toBe('opened');
  });

  it.each([
    ['half a credential', 'tenantId: t', "invalid data: requires a 'clientId' field"],
    [
      'an authority without TLS',
      `${secretFile}authorityHost: http://login.example`,
      'cannot use an authority host without https',
    ],
    ['another secret', secretFile.replace('s3cret', 'guess'), 'AADSTS7000215: Invalid client secret provided'],
  ])('is closed to %s', async (_what, file, message) => {
    const answer = await open(azureKv(), { secret: { 'sops.azure-kv': file } });
    expect(answer).toContain(message);
    expect(answer).not.toContain('guess');
  });

  it.each([
    'https://evil.example',
    'https://shop.vault.azure.net.evil.example',
    'https://evil.example/.vault.azure.net',
    'https://shop.vault.azure.net:8443',
    'https://shop.vault.azure.net@evil.example',
    'http://shop.vault.azure.net',
    'https://vault.azure.net',
  ])('has no token sent to %s', async (vaultUrl) => {
    for (const host of [
      'evil.example',
      'shop.vault.azure.net.evil.example',
      'shop.vault.azure.net:8443',
      'vault.azure.net',
    ]) {
      internet.serve(host, () => ({ body: '{}' }));
    }
    const env = { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: 'engine', AZURE_CLIENT_SECRET: 's3cret' };
    expect(await open(azureKv({ vaultUrl }), { env })).toContain('which is no key vault of Azure');
    expect(internet.requests).toEqual([]);
  });

  it('is opened in a cloud of its own that the environment of the engine names', async () => {
    const local = new FakeAzure(internet, {
      tenant: TENANT,
      secrets: { 'app-s': 's3cret' },
      vaultHost: 'shop.vault.stack.example',
    });
    const file = {
      resourceManagerEndpoint: 'https://m',
      tokenAudience: 'https://m',
      keyVaultDNSSuffix: 'vault.stack.example',
    };
    const key = azureKv({ vaultUrl: 'https://shop.vault.stack.example', encrypted: local.wrap(dataKey) });
    const answer = await open(key, {
      env: { AZURE_ENVIRONMENT_FILEPATH: '/cloud.json' },
      files: { '/cloud.json': JSON.stringify(file) },
      secret: { 'sops.azure-kv': secretFile },
    });
    // The vault was asked, with a token of its own audience, which is not the public cloud's.
    expect(answer).toContain('the token is for https://vault.stack.example');
  });
});

describe('a key of Vault', () => {
  const logins = `instances:\n- address: ${VAULT}\n  loginPath: auth/kubernetes/login\n`;
  const engineToken = async (): Promise<Record<string, string>> => ({
    '/var/run/secrets/kubernetes.io/serviceaccount/token': await accountToken(client, 'flux-system', 'engine'),
  });

  it('is opened with the token of the Secret, wherever the file says', async () => {
    expect(await open(transit(), { secret: { 'sops.vault-token': ` ${vault.issue()}\n` } })).toBe('opened');
  });

  it('is opened by a login as the service account of the object, or of the engine', async () => {
    expect(await open(transit(), { principal: shop, logins })).toBe('opened');
    expect(await open(transit(), { logins, files: await engineToken() })).toBe('opened');
    expect(await open(transit(), { logins })).toContain('failed to issue Kubernetes token for Vault authentication');
  });

  it('is not logged in to where the list does not name it', async () => {
    internet.serve('evil.example', () => ({ body: '{}' }));
    const answer = await open(transit({ address: 'https://evil.example' }), { principal: shop, logins });
    expect(answer).toContain(
      "no Vault login path configured for address 'https://evil.example' in ConfigMap 'flux-system/vaults'",
    );
    expect(internet.requests).toEqual([]);
  });

  it("has the engine's own token sent only where the engine's environment says", async () => {
    const token = vault.issue();
    const stolen = new FakeVault(internet, { host: 'evil.example' });
    const evil = transit({ address: 'https://evil.example' });
    const named = { VAULT_TOKEN: token, VAULT_ADDR: `${VAULT}/` };
    expect(await open(transit(), { env: named })).toBe('opened');
    expect(await open(evil, { env: named })).toContain("the engine's own token is not sent to 'https://evil.example'");
    expect(await open(evil, { env: { VAULT_TOKEN: token } })).toContain('which is not its VAULT_ADDR');
    const listed = { VAULT_TOKEN: token, SOPS_HC_VAULT_ALLOWLIST: `https://a.example, ${VAULT}` };
    expect(await open(transit(), { env: listed })).toBe('opened');
    expect(await open(evil, { env: listed })).toContain('Allowlist does not allow https://evil.example');
    const lookAlike = transit({ address: `${VAULT}@evil.example` });
    expect(await open(lookAlike, { env: { ...named, SOPS_HC_VAULT_ALLOWLIST: VAULT } })).toContain('Allowlist');
    expect(await open(lookAlike, { env: named })).toContain('is not sent to');
    expect(stolen.seen).toEqual([]);
    expect(await open(transit(), {})).toContain(`there is no token for '${VAULT}'`);
  });

  it('tells what Vault says, without a token that Vault repeats', async () => {
    const answer = await open(transit(), { secret: { 'sops.vault-token': 'hvs.wrong' } });
    expect(answer).toBe(
      "failed to decrypt sops data key from Vault transit backend 'transit/decrypt/sops': status 403: permission denied for ***",
    );
    expect(await open(transit({ keyName: '../../sys/seal' }), { secret: { 'sops.vault-token': 'x' } })).toContain(
      "'transit/decrypt/../../sys/seal' is no path of Vault",
    );
    for (const address of ['file:///etc/passwd', 'vault', 'https://u:p@vault.example:8200', `${VAULT}?x=y`]) {
      const refused = await open(transit({ address }), { secret: { 'sops.vault-token': 'x' } });
      expect(refused).toMatch(/is not the URL of a Vault server|must be a plain URL/);
    }
  });

  it('is sent in the namespace, and checked by the authority, of the environment', async () => {
    const token = vault.issue();
    const files = { '/ca.pem': 'x' };
    const env = { VAULT_CACERT: '/gone.pem' };
    expect(await open(transit(), { env, files, secret: { 'sops.vault-token': token } })).toContain(
      'VAULT_CACERT: /gone.pem does not exist',
    );
    let seen: string | undefined;
    internet.serve('vault.example:8200', ({ headers }) => {
      seen = headers['x-vault-namespace'];
      return { body: JSON.stringify({ data: { plaintext: dataKey.toString('base64') } }) };
    });
    const namespaced = { VAULT_NAMESPACE: 'team' };
    expect(await open(transit(), { env: namespaced, secret: { 'sops.vault-token': token } })).toBe('opened');
    expect(seen).toBe('team');
  });
});
