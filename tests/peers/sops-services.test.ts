/**
 * Files that the real sops encrypts for key services, decrypted here: for AWS KMS with moto, a peer that answers for STS and EKS too, and
 * for Vault with a transit engine of this repository. WEIR_PEER_SOPS and WEIR_PEER_MOTO name the programs (`sops`, `moto_server`).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AwsV4Signer } from 'aws4fetch';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryFiles } from '../../src/base/files.ts';
import { build } from '../../src/build/build.ts';
import { buildWithServices } from '../../src/build/build-with-services.ts';
import { createCloudIdentity } from '../../src/identity/cloud-identity.ts';
import { ENGINE } from '../../src/identity/principal.ts';
import { createWeb } from '../../src/identity/web.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { systemClock } from '../../src/kube/system-clock.ts';
import { NO_KEYS } from '../../src/secrets/keys.ts';
import { openKeyServices } from '../../src/secrets/services/key-services.ts';
import { type LoopbackInternet, startInternet } from '../support/cloud/loopback-internet.ts';
import { FakeVault } from '../support/cloud/vault.ts';

const exec = promisify(execFile);
const sops = process.env['WEIR_PEER_SOPS'];
const moto = process.env['WEIR_PEER_MOTO'];
if (sops === undefined) console.log('sops did not run: WEIR_PEER_SOPS does not name its program');
if (moto === undefined) console.log('moto did not run: WEIR_PEER_MOTO does not name its program');

const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: correct horse\n';
const REGION = 'eu-west-1';
const KEYS = { AWS_ACCESS_KEY_ID: 'engine', AWS_SECRET_ACCESS_KEY: 'secret' };

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-sops-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function encrypted(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const file = join(directory, 's.yaml');
  await writeFile(file, SECRET);
  const all = ['encrypt', '--encrypted-regex', '^stringData$', ...args, file];
  const { stdout } = await exec(sops ?? '', all, { env: { PATH: process.env['PATH'] ?? '', HOME: directory, ...env } });
  return stdout;
}

/** What an engine with that environment makes of the file. */
async function decrypted(
  text: string,
  env: Readonly<Record<string, string>>,
  own: { readonly vaultToken?: string } = {},
  kustomization = 'resources: [s.yaml]\n',
): Promise<string> {
  const client = undefined as unknown as KubeClient;
  const web = createWeb({ env, clock: systemClock });
  const tokens = { maxEntries: 10, maxAgeMs: 60_000 };
  const ports = { web, clock: systemClock, env, readFile: () => undefined, hostname: 'engine-0', tokens };
  const cloud = createCloudIdentity(ports, client, false);
  const services = openKeyServices({ cloud, principal: ENGINE, own, logins: undefined });
  const tree = memoryFiles({
    'kustomization.yaml': kustomization,
    [/^sops_mac=/m.test(text) ? 's.env' : 's.yaml']: text,
  });
  const builder = {
    build: (_: string, wanted: Parameters<typeof build>[1]) => build(tree, wanted),
    close: async () => undefined,
  };
  const wanted = { path: '', rootPath: '/tmp/k', spec: {}, decryption: NO_KEYS };
  const built = await buildWithServices(builder, '', wanted, services, new AbortController().signal);
  return built.ok ? built.value.yaml : built.error.message;
}

describe.skipIf(sops === undefined)('a file that sops encrypted for Vault', () => {
  let internet: LoopbackInternet;
  let vault: FakeVault;
  let address = '';
  beforeAll(async () => {
    internet = await startInternet();
    vault = new FakeVault(internet, { host: 'vault' });
    address = await internet.plainAddress('vault');
  });
  afterAll(() => internet.close());

  it('is decrypted with the token of the object, and with no other', async () => {
    const token = vault.issue();
    const text = await encrypted(['--hc-vault-transit', `${address}/v1/transit/keys/sops`], { VAULT_TOKEN: token });
    expect(text).toContain('vault:v1:');
    expect(await decrypted(text, {}, { vaultToken: token })).toContain('password: correct horse');
    expect(await decrypted(text, {}, { vaultToken: 'hvs.other' })).toContain('permission denied');
    expect(await decrypted(text, { VAULT_TOKEN: token })).toContain('which is not its VAULT_ADDR');
    expect(await decrypted(text, { VAULT_TOKEN: token, VAULT_ADDR: address })).toContain('password: correct horse');
  });
});

describe.skipIf(sops === undefined || moto === undefined)('a file that sops encrypted for AWS KMS', () => {
  let server: ChildProcess | undefined;
  let env: Record<string, string> = {};
  const arns: string[] = [];

  beforeAll(async () => {
    const port = await freePort();
    server = spawn(moto ?? '', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    env = { ...KEYS, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, AWS_REGION: REGION };
    await untilItAnswers(env['AWS_ENDPOINT_URL'] ?? '');
    for (let count = 0; count < 2; count++) {
      const { KeyMetadata } = (await ask('kms', 'TrentService.CreateKey', {})) as { KeyMetadata: { Arn: string } };
      arns.push(KeyMetadata.Arn);
    }
  });
  afterAll(() => void server?.kill());

  /** Sends a signed request of our own to moto. */
  async function ask(service: string, target: string, body: object): Promise<unknown> {
    const { url, headers } = await new AwsV4Signer({
      method: 'POST',
      url: `${env['AWS_ENDPOINT_URL']}/`,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      body: JSON.stringify(body),
      accessKeyId: KEYS.AWS_ACCESS_KEY_ID,
      secretAccessKey: KEYS.AWS_SECRET_ACCESS_KEY,
      service,
      region: REGION,
    }).sign();
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  }

  it.each([
    ['', (arn: string) => ['--kms', arn]],
    [' in a context', (arn: string) => ['--kms', arn, '--encryption-context', 'app:shop,team:one']],
    [' as a role', (arn: string) => ['--kms', `${arn}+arn:aws:iam::123456789012:role/sops`]],
  ])('is decrypted%s', async (_how, args) => {
    const text = await encrypted(args(arns[0] ?? ''), env);
    expect(text).not.toContain('correct horse');
    expect(await decrypted(text, env)).toContain('password: correct horse');
  });

  it('is decrypted in a form whose metadata are flat', async () => {
    const file = join(directory, 's.env');
    await writeFile(file, 'PASSWORD=correct horse\n');
    const args = ['encrypt', '--kms', arns[0] ?? '', '--encryption-context', 'app:shop,team:one', file];
    const { stdout } = await exec(sops ?? '', args, {
      env: { PATH: process.env['PATH'] ?? '', HOME: directory, ...env },
    });
    expect(stdout).toContain('map_context__map_app=shop');
    const built = await decrypted(stdout, env, {}, 'secretGenerator: [{name: g, envs: [s.env]}]\n');
    expect(built).toContain(`PASSWORD: ${Buffer.from('correct horse').toString('base64')}`);
  });

  it('is decrypted with the second of two keys, and not with a context that was changed', async () => {
    const text = await encrypted(['--kms', arns.join(','), '--encryption-context', 'app:shop'], env);
    const broken = text.replace(/enc: \S+/, 'enc: AAAA');
    expect(broken).not.toBe(text);
    expect(await decrypted(broken, env)).toContain('password: correct horse');
    const moved = text.replaceAll('app: shop', 'app: other');
    expect(moved).not.toBe(text);
    expect(await decrypted(moved, env)).toContain('failed to decrypt sops data key with AWS KMS');
  });

  it('logs in to a cluster of EKS that moto describes', async () => {
    const made = await fetch(`${env['AWS_ENDPOINT_URL']}/clusters`, {
      method: 'POST',
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=engine/20260101/${REGION}/eks/aws4_request, SignedHeaders=host, Signature=x`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        name: 'main',
        roleArn: 'arn:aws:iam::123456789012:role/eks',
        resourcesVpcConfig: { subnetIds: [] },
      }),
    });
    const { cluster } = (await made.json()) as { cluster: { arn: string; endpoint: string } };
    const ports = {
      web: createWeb({ env, clock: systemClock }),
      clock: systemClock,
      env,
      readFile: () => undefined,
      hostname: 'engine-0',
      tokens: { maxEntries: 10, maxAgeMs: 60_000 },
    };
    const cloud = createCloudIdentity(ports, undefined as unknown as KubeClient, false);
    const wanted = { principal: ENGINE, cluster: cluster.arn, address: '', ca: '', audiences: [] };
    const login = await cloud.clusters.aws.login(wanted);
    if (!login.ok) throw new Error(login.error);
    expect(new URL(login.value.server).hostname).toBe(new URL(cluster.endpoint).hostname);
    const token = await login.value.token();
    const url = Buffer.from(token.ok ? token.value.replace('k8s-aws-v1.', '') : '', 'base64url').toString();
    // What the cluster does with the token: it sends the request that the token is.
    // moto checks no signatures, and finds the service by this header alone.
    const authorization = `AWS4-HMAC-SHA256 Credential=engine/20260101/${REGION}/sts/aws4_request, SignedHeaders=host, Signature=x`;
    const headers = { authorization, 'x-k8s-aws-id': 'main' };
    const caller = await request(url, { headers });
    expect(await caller.body.text()).toContain('<GetCallerIdentityResult>');
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function untilItAnswers(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(`${url}/moto-api/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
