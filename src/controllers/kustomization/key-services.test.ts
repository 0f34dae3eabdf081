import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeAws } from '../../../tests/support/cloud/aws.ts';
import { clusterKey } from '../../../tests/support/cloud/check-jwt.ts';
import { type LoopbackInternet, startInternet } from '../../../tests/support/cloud/loopback-internet.ts';
import { testCloud } from '../../../tests/support/cloud/test-cloud.ts';
import { FakeVault } from '../../../tests/support/cloud/vault.ts';
import { startTestEngine, type TestEngine } from '../../../tests/support/kustomization-engine.ts';
import { secretSealedWith } from '../../../tests/support/sops-fixtures.ts';
import type { KubeObject } from '../../api/object.ts';
import { at, type Json, type JsonObject } from '../../base/json.ts';
import { printYaml } from '../../engine/yaml/print.ts';
import type { KustomizationOptions } from './ports.ts';

const ARN = 'arn:aws:kms:eu-west-1:1:key/k';
const ROLE = 'arn:aws:iam::1:role/shop';
const VAULT = 'https://vault.example';
const app = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', namespace: 'default', name: 'app' };
const secret = { apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 's' };

let internet: LoopbackInternet;
let engine: TestEngine;
let aws: FakeAws;
let vault: FakeVault;
let dataKey: Uint8Array;

beforeEach(async () => {
  internet = await startInternet();
  dataKey = randomBytes(32);
});
afterEach(async () => {
  await engine.stop();
  await internet.close();
});

/** `env` is the engine's environment, made once there are keys for it. */
async function start(
  options: KustomizationOptions = {},
  env: () => Record<string, string> = () => ({}),
): Promise<void> {
  engine = await startTestEngine(options, {
    cloud: async (client, controlPlane) => {
      const key = await clusterKey(controlPlane);
      const subject = 'system:serviceaccount:default:shop';
      aws = new FakeAws(internet, { region: 'eu-west-1', trusted: { [ROLE]: subject }, clusterKey: key });
      const login = { roles: { default_shop: subject }, clusterKey: key, audience: VAULT };
      vault = new FakeVault(internet, { host: 'vault.example', ...login });
      const objectLevel = options.objectLevelWorkloadIdentity ?? false;
      return testCloud(internet, client, { env: env(), objectLevel });
    },
  });
  const annotations = { 'eks.amazonaws.com/role-arn': ROLE };
  await engine.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'shop', annotations } } as never);
}

async function publish(keys: JsonObject, value = 'open'): Promise<void> {
  const file = printYaml(secretSealedWith('s', { value }, dataKey, keys));
  await engine.publish('repo', `main@sha1:${value}`, { 's.yaml': file });
}
const kms = (): JsonObject => ({ kms: [{ arn: ARN, enc: aws.wrap(ARN, dataKey) }] });
const transit = (address = VAULT): JsonObject => ({
  hc_vault: [{ vault_address: address, engine_path: 'transit', key_name: 'sops', enc: vault.wrap(dataKey) }],
});

async function apply(decryption: Json): Promise<void> {
  const spec = { interval: '1h', retryInterval: '1h', prune: true, path: './', targetNamespace: 'default' };
  const sourceRef = { kind: 'GitRepository', name: 'repo' };
  const { apiVersion, kind } = app;
  await engine.apply({ apiVersion, kind, metadata: { name: 'app' }, spec: { ...spec, sourceRef, decryption } });
}

async function putKeys(data: Readonly<Record<string, string>>): Promise<void> {
  const metadata = { name: 'keys', labels: { 'reconcile.fluxcd.io/watch': 'Enabled' } };
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  await engine.apply({ apiVersion: 'v1', kind: 'Secret', metadata, data: Object.fromEntries(encoded) } as never);
}

function ready(object: KubeObject | undefined): { status?: string; reason?: string; message?: string } {
  const conditions = (object?.status?.['conditions'] ?? []) as { type: string; status: string }[];
  return conditions.find(({ type }) => type === 'Ready') ?? {};
}
const settled = (status: string) => engine.until(app, (object) => ready(object).status === status).then(ready);
async function value(): Promise<string> {
  const found = await engine.until(secret, () => true);
  return Buffer.from(at(found as unknown as Json, 'data', 'value') as string, 'base64').toString();
}

describe('a Kustomization whose files need keys of services', () => {
  it('opens them with credentials of its Secret, and again as soon as those are mended', async () => {
    await start();
    await publish(kms());
    const keys = aws.issue('arn:aws:iam::1:user/tenant');
    const file = (secretAccessKey: string) =>
      `aws_access_key_id: ${keys.accessKeyId}\naws_secret_access_key: ${secretAccessKey}\n`;
    await putKeys({ 'sops.aws-kms': file('guess') });
    await apply({ provider: 'sops', secretRef: { name: 'keys' } });
    const { message, reason } = await settled('False');
    expect(reason).toBe('BuildFailed');
    expect(message).toContain("decryption failed for 'Secret.v1.[noGrp]/s'");
    expect(message).toContain(`${ARN}: FAILED`);
    expect(message).toContain('InvalidSignatureException');
    for (const text of ['guess', keys.accessKeyId, keys.secretAccessKey]) expect(message).not.toContain(text);
    expect(JSON.stringify(engine.events)).not.toContain('guess');
    await putKeys({ 'sops.aws-kms': file(keys.secretAccessKey) });
    await settled('True');
    expect(await value()).toBe('open');
  });

  it('opens them as the engine, where it names nobody', async () => {
    await start({}, () => {
      const { accessKeyId, secretAccessKey } = aws.issue('arn:aws:iam::1:user/engine');
      return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    });
    await publish(kms());
    await apply({ provider: 'sops' });
    await settled('True');
    expect(await value()).toBe('open');
    const asked = internet.requests.length;
    await publish(kms(), 'changed');
    await engine.until(secret, (object) => at(object as unknown as Json, 'data', 'value') === 'Y2hhbmdlZA==');
    expect(internet.requests.length).toBe(asked + 1);
  });

  it.each([
    ['names', { provider: 'sops', serviceAccountName: 'shop' }, {}],
    ['is given by a flag', { provider: 'sops' }, { defaultDecryptionServiceAccount: 'shop' }],
  ])('opens them as the service account that it %s', async (_how, decryption, more) => {
    await start({ objectLevelWorkloadIdentity: true, ...more });
    await publish(kms());
    await apply(decryption);
    await settled('True');
    expect(await value()).toBe('open');
    expect(internet.requests).toContain('POST https://sts.eu-west-1.amazonaws.com/');
  });

  it('stalls without the feature gate where it names a service account', async () => {
    await start();
    await publish(kms());
    await apply({ provider: 'sops', serviceAccountName: 'shop' });
    expect(await settled('False')).toMatchObject({
      reason: 'FeatureGateDisabled',
      message:
        'to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller',
    });
    expect(internet.requests).toEqual([]);
  });

  it('logs in to the Vaults of the ConfigMap, and to no other', async () => {
    await start({
      objectLevelWorkloadIdentity: true,
      sopsVaultConfigMap: 'vaults',
      runtimeNamespace: 'default',
    });
    const config = `instances:\n- address: ${VAULT}\n  loginPath: auth/kubernetes/login\n`;
    await engine.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'vaults' },
      data: { 'config.yaml': config },
    } as never);
    await publish(transit('https://evil.example'));
    await apply({ provider: 'sops', serviceAccountName: 'shop' });
    expect((await settled('False')).message).toMatch(
      /no Vault login path configured for\s+\| address 'https:\/\/evil\.example' in ConfigMap 'default\/vaults'/,
    );
    await publish(transit(), 'allowed');
    await settled('True');
    expect(await value()).toBe('allowed');
  });

  it.each([
    [
      { 'sops.azure-kv': 'tenantId: t' },
      "failed to import 'sops.azure-kv' data from sops decryption Secret 'default/keys': invalid data",
    ],
    [
      { 'sops.gcp-kms': '{"type":"external_account"}' },
      "credentials of type 'external_account' are not supported here",
    ],
    [{ 'sops.aws-kms': '[]' }, "failed to import 'sops.aws-kms' data from sops decryption Secret 'default/keys'"],
  ])('says what is wrong with credentials of %j', async (data, message) => {
    await start();
    await putKeys(data as Record<string, string>);
    await publish(kms());
    await apply({ provider: 'sops', secretRef: { name: 'keys' } });
    expect((await settled('False')).message).toContain(message);
  });
});
