import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';

/** An API server to measure, in processes of its own. */
export interface Server {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A client's connections; nothing is shared between two. */
  agent(connections: number): Agent;
  readonly pids: readonly number[];
  /** Resident memory of all its processes. */
  rssMiB(): number;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const START_LIMIT_MS = 60_000;

/** `weir cluster run`, durable, as it is built; resolves when it says that it is ready. */
export async function startWeir(directory: string): Promise<Server> {
  const program = join(root, 'dist', 'weir.mjs');
  const args = [program, 'cluster', 'run', '--data-dir', directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    let seen = '';
    child.stderr.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes('is ready at')) resolve();
    });
    child.once('exit', () => reject(new Error(seen)));
  });
  const state = JSON.parse(readFileSync(join(directory, 'cluster.json'), 'utf8')) as Record<string, string>;
  const { url = '', authority = '', certificate = '', key = '' } = state;
  return {
    name: 'weir',
    url,
    headers: {},
    agent: (connections) =>
      new Agent({ connect: { ca: authority, cert: certificate, key }, connections, bodyTimeout: 0 }),
    pids: pidsOf([child]),
    rssMiB: () => rss([child]),
    stop: () => end([child]),
  };
}

/** etcd and kube-apiserver, the latter with `flags` besides; resolves when /readyz answers. */
export async function startPeer(
  etcd: string,
  apiserver: string,
  directory: string,
  flags: readonly string[] = [],
): Promise<Server> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const [clientPort, peerPort, port] = await freePorts();
  const token = 'bench';
  writeFileSync(join(directory, 'tokens'), `${token},admin,1,system:masters\n`, { mode: 0o600 });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = join(directory, 'sa.key');
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const store = `http://127.0.0.1:${clientPort}`;
  const peers = `http://127.0.0.1:${peerPort}`;
  const children = [
    spawn(
      etcd,
      [
        `--data-dir=${join(directory, 'etcd')}`,
        `--listen-client-urls=${store}`,
        `--advertise-client-urls=${store}`,
        `--listen-peer-urls=${peers}`,
        `--initial-advertise-peer-urls=${peers}`,
        `--initial-cluster=default=${peers}`,
      ],
      { stdio: 'ignore' },
    ),
    spawn(
      apiserver,
      [
        `--etcd-servers=${store}`,
        `--secure-port=${port}`,
        '--bind-address=127.0.0.1',
        `--cert-dir=${join(directory, 'certificates')}`,
        `--token-auth-file=${join(directory, 'tokens')}`,
        `--service-account-key-file=${key}`,
        `--service-account-signing-key-file=${key}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        '--authorization-mode=Node,RBAC',
        '--service-cluster-ip-range=10.96.0.0/12',
        ...flags,
      ],
      { stdio: 'ignore' },
    ),
  ];
  const url = `https://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${token}` };
  const agent = (connections: number): Agent =>
    new Agent({ connect: { rejectUnauthorized: false }, connections, bodyTimeout: 0 });
  const probe = agent(1);
  for (const limit = performance.now() + START_LIMIT_MS; ; ) {
    const ready = await request(`${url}/readyz`, { dispatcher: probe, headers }).catch(() => undefined);
    await ready?.body.dump();
    if (ready?.statusCode === 200) break;
    if (performance.now() > limit) throw new Error('kube-apiserver did not become ready');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await probe.close();
  return {
    name: 'etcd + kube-apiserver',
    url,
    headers,
    agent,
    pids: pidsOf(children),
    rssMiB: () => rss(children),
    stop: () => end(children.toReversed()),
  };
}

function pidsOf(children: readonly ChildProcess[]): readonly number[] {
  return children.map(({ pid }) => pid ?? 0);
}

function rss(children: readonly ChildProcess[]): number {
  let kibibytes = 0;
  for (const { pid } of children)
    kibibytes += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN);
  return kibibytes / 1024;
}

async function end(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode !== null) continue;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  }
}

async function freePorts(): Promise<readonly [number, number, number]> {
  const servers = [0, 1, 2].map(() => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
        ),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as unknown as readonly [number, number, number];
}
