/** Charts from a Helm repository and from a registry (Debian's docker-registry), put there by the real helm. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { sign, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hashSync } from 'bcryptjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { templateCrypto } from '../../src/build/helm/template-crypto.ts';
import { pullArtifact, pullChart } from '../../src/source/oci/pull-chart.ts';
import { run } from '../golden/harness.ts';

const exec = promisify(execFile);
const helm = fileURLToPath(new URL('../../.cache/tools/helm', import.meta.url));
const shop = fileURLToPath(new URL('../golden/data/releases/charts/shop', import.meta.url));
const PASSWORD = 'hunter22';

let folder: string;
let registry: ChildProcess;
let registryHost: string;
let repository: Server;
let repositoryUrl: string;
let asked: (string | undefined)[] = [];

function runHelm(...args: readonly string[]): Promise<unknown> {
  const env = { PATH: '/usr/bin:/bin', HOME: folder, HELM_REGISTRY_CONFIG: join(folder, 'registry.json') };
  return exec(helm, [...args], { cwd: folder, env });
}

async function freePort(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => setTimeout(() => resolve(false), 50));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
  }
  throw new Error('docker-registry does not answer');
}

async function startRegistry(): Promise<void> {
  const port = await freePort();
  await writeFile(join(folder, 'htpasswd'), `me:${hashSync(PASSWORD, 4)}\n`);
  await writeFile(
    join(folder, 'registry.yml'),
    `version: 0.1
log: {level: error}
storage: {inmemory: {}}
http: {addr: "127.0.0.1:${port}"}
auth: {htpasswd: {realm: test, path: ${join(folder, 'htpasswd')}}}
`,
  );
  registry = spawn('docker-registry', ['serve', join(folder, 'registry.yml')], { stdio: 'ignore' });
  registry.on('error', () => {
    throw new Error('docker-registry is missing: run node tools/test-tools.mjs');
  });
  registryHost = `127.0.0.1:${port}`;
  await answers(port);
}

async function startRepository(): Promise<void> {
  repository = createServer((request, response) => {
    asked.push(request.headers.authorization);
    const known = Buffer.from(`me:${PASSWORD}`).toString('base64');
    if (request.headers.authorization !== `Basic ${known}`) response.writeHead(401).end();
    else {
      const file = readFile(join(folder, 'repo', request.url ?? ''));
      file.then(
        (bytes) => response.writeHead(200).end(bytes),
        () => response.writeHead(404).end(),
      );
    }
  });
  await new Promise<void>((resolve) => repository.listen(0, '127.0.0.1', resolve));
  repositoryUrl = `http://127.0.0.1:${(repository.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-sources-'));
  await mkdir(join(folder, 'repo'));
  for (const version of ['1.2.0', '1.3.0+build.5', '2.0.0-rc.1']) {
    await runHelm('package', shop, '--version', version, '-d', 'repo');
  }
  await runHelm('repo', 'index', 'repo');
  await Promise.all([startRegistry(), startRepository()]);
  await runHelm('registry', 'login', registryHost, '-u', 'me', '-p', PASSWORD, '--plain-http');
  for (const version of ['1.2.0', '1.3.0+build.5', '2.0.0-rc.1']) {
    await runHelm('push', `repo/shop-${version}.tgz`, `oci://${registryHost}/team/charts`, '--plain-http');
  }
});
afterAll(async () => {
  registry.kill();
  repository.close();
  await rm(folder, { recursive: true, force: true });
});

/** Builds a release whose chart comes from `source`, and tells the chart's version or the error. */
async function chartOf(source: string, chart: string): Promise<string> {
  const release = (spec: string): string =>
    `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop, namespace: apps}\nspec:\n  ${spec}\n`;
  await mkdir(join(folder, 'apps'), { recursive: true });
  await writeFile(join(folder, 'apps/all.yaml'), `${source}\n---\n${release(chart)}`);
  await writeFile(
    join(folder, 'ks.yaml'),
    'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec: {path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}\n',
  );
  const cmd = 'build ks apps -n flux-system --path apps --kustomization-file ks.yaml --dry-run --with-helm-releases';
  const { code, stdout, stderr } = await run(cmd, { cwd: folder });
  expect(stdout + stderr).not.toContain(code === 0 ? `***${PASSWORD}` : PASSWORD);
  return code === 0 ? (/helm.sh\/chart: (\S+)/.exec(stdout)?.[1] ?? '') : stderr.trim();
}

function inNamespace(kind: string, spec: string): string {
  return `apiVersion: source.toolkit.fluxcd.io/v1\nkind: ${kind}\nmetadata: {name: charts, namespace: apps}\nspec: ${spec}`;
}

const secret = (data: string): string =>
  `---\napiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: apps}\nstringData: ${data}`;
const LOGIN = secret(`{username: me, password: ${PASSWORD}}`);
const fromCharts = (version: string): string =>
  `chart: {spec: {chart: shop, version: "${version}", sourceRef: {kind: HelmRepository, name: charts}}}`;

describe('a Helm repository', () => {
  const source = (more = ', secretRef: {name: login}'): string =>
    inNamespace('HelmRepository', `{url: "${repositoryUrl}"${more}}`);

  it.each([
    ['*', 'shop-1.3.0+build.5'],
    ['1.2.0', 'shop-1.2.0'],
    ['>=1.0.0-0', 'shop-2.0.0-rc.1'],
  ])('gives the chart for %s', async (version, chart) => {
    expect(await chartOf(`${source()}\n${LOGIN}`, fromCharts(version))).toBe(chart);
  });

  it('is told by a clear error when it has no such version', async () => {
    expect(await chartOf(`${source()}\n${LOGIN}`, fromCharts('9.x'))).toContain(
      "HelmRelease/apps/shop: chart 'shop' 9.x of HelmRepository/apps/charts: no 'shop' chart with version matching '9.x' found",
    );
  });

  it('refuses without a login, with the wrong one, and when the Secret is not there', async () => {
    asked = [];
    expect(await chartOf(source(''), fromCharts('*'))).toContain('the server answered 401');
    expect(asked).toEqual([undefined]);
    expect(await chartOf(source(), fromCharts('*'))).toContain('Secret/apps/login of its secretRef is not there');
  });

  it('gives no chart whose digest is another than the index says', async () => {
    const file = join(folder, 'repo/index.yaml');
    const index = await readFile(file, 'utf8');
    await writeFile(file, index.replace(/digest: [0-9a-f]{64}/g, `digest: ${'f'.repeat(64)}`));
    const error = await chartOf(`${source()}\n${LOGIN}`, fromCharts('1.2.0'));
    await writeFile(file, index);
    expect(error).toMatch(/the chart has the digest [0-9a-f]{64}, but the index says f{64}/);
  });
});

describe('a registry', () => {
  const config = (): string =>
    secret(
      `{.dockerconfigjson: '{"auths":{"${registryHost}":{"auth":"${Buffer.from(`me:${PASSWORD}`).toString('base64')}"}}}'}`,
    );
  const repositoryOf = (): string =>
    inNamespace(
      'HelmRepository',
      `{type: oci, insecure: true, url: "oci://${registryHost}/team/charts", secretRef: {name: login}}`,
    );

  it.each([
    ['*', 'shop-1.3.0+build.5'],
    ['1.3.0+build.5', 'shop-1.3.0+build.5'],
    ['~1.2', 'shop-1.2.0'],
  ])('gives the chart for %s', async (version, chart) => {
    expect(await chartOf(`${repositoryOf()}\n${config()}`, fromCharts(version))).toBe(chart);
  });

  it('gives an OCIRepository its chart, whose version ends in the digest', async () => {
    const source = inNamespace(
      'OCIRepository',
      `{insecure: true, url: "oci://${registryHost}/team/charts/shop", ref: {semver: 1.2.x}, secretRef: {name: login}}`,
    );
    const found = await chartOf(`${source}\n${config()}`, 'chartRef: {kind: OCIRepository, name: charts}');
    expect(found).toMatch(/^shop-1\.2\.0\+[0-9a-f]{12}$/);
  });

  it('refuses a wrong login, an unknown chart, and a reference that is none', async () => {
    const signal = AbortSignal.timeout(20_000);
    const place = { registry: registryHost, repository: 'team/charts/shop' };
    const access = { plainHttp: true, signal, credentials: { username: 'me', password: PASSWORD } };
    const wrong = { ...access, credentials: { username: 'me', password: 'no' } };
    const errorOf = (result: { readonly ok: boolean; readonly error?: string }): string => result.error ?? '';
    expect(errorOf(await pullChart(place, '1.2.0', wrong))).toContain('the registry answered 401 (UNAUTHORIZED)');
    expect(errorOf(await pullChart({ ...place, repository: 'no/such' }, '1.0.0', access))).toContain('404');
    const ref = { tag: '../../x', semver: undefined, digest: undefined };
    expect(errorOf(await pullArtifact(place, ref, undefined, access))).toContain("'../../x' is neither tag nor digest");
    const byDigest = { tag: '', semver: undefined, digest: `sha256:${'0'.repeat(64)}` };
    expect(errorOf(await pullArtifact(place, byDigest, undefined, access))).toContain('404');
  });
});

describe('a registry that wants tokens', () => {
  const repositoryName = 'team/charts/shop';
  let tokens: Server;
  let strict: ChildProcess;
  let host: string;
  const granted: string[] = [];

  beforeAll(async () => {
    const key = templateCrypto.generateKey('rsa2048');
    const certificate = templateCrypto.issueCertificate({
      commonName: 'tokens',
      addresses: [],
      dnsNames: [],
      notBeforeMs: Date.now() - 60_000,
      notAfterMs: Date.now() + 3_600_000,
      isAuthority: true,
      key,
    });
    tokens = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://tokens');
      const known = Buffer.from(`me:${PASSWORD}`).toString('base64');
      if (request.headers.authorization !== `Basic ${known}`) response.writeHead(401).end('{}');
      else {
        const scopes = url.searchParams.getAll('scope');
        granted.push(...scopes);
        response.end(JSON.stringify({ token: signedToken(key, certificate, scopes) }));
      }
    });
    await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
    const realm = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`;
    const port = await freePort();
    await writeFile(join(folder, 'root.pem'), certificate);
    await writeFile(
      join(folder, 'strict.yml'),
      `version: 0.1
log: {level: error}
storage: {inmemory: {}}
http: {addr: "127.0.0.1:${port}"}
auth: {token: {realm: "${realm}", service: charts, issuer: weir, rootcertbundle: ${join(folder, 'root.pem')}}}
`,
    );
    strict = spawn('docker-registry', ['serve', join(folder, 'strict.yml')], { stdio: 'ignore' });
    host = `127.0.0.1:${port}`;
    await answers(port);
    await runHelm('registry', 'login', host, '-u', 'me', '-p', PASSWORD, '--plain-http');
    await runHelm('push', 'repo/shop-1.2.0.tgz', `oci://${host}/team/charts`, '--plain-http');
  });
  afterAll(() => {
    strict.kill();
    tokens.close();
  });

  it('gives the chart for a token that is asked for pulling alone', async () => {
    granted.length = 0;
    const access = {
      plainHttp: true,
      signal: AbortSignal.timeout(20_000),
      credentials: { username: 'me', password: PASSWORD },
    };
    const pulled = await pullChart({ registry: host, repository: repositoryName }, '1.x', access);
    expect(pulled.ok ? pulled.value.length : pulled.error).toBeGreaterThan(500);
    expect(granted).toEqual([`repository:${repositoryName}:pull`]);
  });

  it('refuses without a login', async () => {
    const access = { plainHttp: true, signal: AbortSignal.timeout(20_000) };
    const pulled = await pullChart({ registry: host, repository: repositoryName }, '1.2.0', access);
    expect(pulled).toEqual({ ok: false, error: 'the token server answered 401' });
  });
});

/** A token as the registry wants it. Source: distribution@2.8 docs/spec/auth/jwt.md. */
function signedToken(key: string, certificate: string, scopes: readonly string[]): string {
  const chain = [new X509Certificate(certificate).raw.toString('base64')];
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [type, name, actions = ''] = scope.split(':');
    return { type, name, actions: actions.split(',') };
  });
  const claims = {
    iss: 'weir',
    sub: 'me',
    aud: 'charts',
    exp: now + 300,
    nbf: now - 60,
    iat: now,
    jti: `${now}`,
    access,
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ typ: 'JWT', alg: 'RS256', x5c: chain })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
