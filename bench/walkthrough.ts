import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { KubeClient } from '../src/kube/client.ts';
import { loadClusterAccess } from '../src/kube/kubeconfig.ts';
import { createKubeClient } from '../src/kube/rest-client.ts';
import { createSocketTransport } from '../src/kube/transport-socket.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist', 'weir.mjs');
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 15_000;

/** A running `weir start`, as its own process. */
export interface Walkthrough {
  readonly readyMs: number;
  readonly client: KubeClient;
  /** Clone address of the tenant's repository, and the environment that git needs for it. */
  readonly repository: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Resident memory of the process now, in MiB. */
  rssMiB(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the walk-through on free ports of loopback. @throws when it ends or is not ready in two minutes. */
export async function startWalkthrough(dataDirectory: string, ports: Ports): Promise<Walkthrough> {
  const started = performance.now();
  const args = [
    '--data-dir',
    dataDirectory,
    '--page-port',
    ports.page,
    '--api-port',
    ports.api,
    '--git-port',
    ports.git,
  ];
  const child = spawn(process.execPath, [program, 'start', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const { line, output } = await readyLine(child);
  const readyMs = performance.now() - started;
  const [, kubeconfig = '', git = ''] = /kubeconfig=(\S+) git=(\S+)/.exec(line) ?? [];
  const ssh = /export GIT_SSH_COMMAND="(.+)"/.exec(output)?.[1];
  const access = loadClusterAccess({ env: { KUBECONFIG: kubeconfig }, home: dataDirectory });
  if (!access.ok) throw new Error(access.error.message);
  const transport = createSocketTransport(access.value);
  return {
    readyMs,
    client: createKubeClient({ handler: transport.handler, userAgent: 'weir/bench' }),
    repository: `${git}/flux-tenant.git`,
    env: { ...process.env, GIT_SSH_COMMAND: ssh },
    rssMiB: () => rssMiB(child.pid ?? 0),
    async stop() {
      await transport.close();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      const limit = setTimeout(() => {
        process.stderr.write(`weir start did not stop within ${STOP_LIMIT_MS / 1000} s: it is killed\n`);
        child.kill('SIGKILL');
      }, STOP_LIMIT_MS);
      await ended;
      clearTimeout(limit);
    },
  };
}

export interface Ports {
  readonly page: string;
  readonly api: string;
  readonly git: string;
}

export async function freePorts(): Promise<Ports> {
  let git = 30_100 + (process.pid % 2000);
  while ((await freePort(git)) === undefined) git++;
  return { page: String(await freePort(0)), api: String(await freePort(0)), git: String(git) };
}

/** Runs `weir` to its end and gives the time it took, in milliseconds. */
export async function timeOf(args: readonly string[]): Promise<number> {
  const started = performance.now();
  await promisify(execFile)(process.execPath, [program, ...args]);
  return performance.now() - started;
}

function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}

function readyLine(child: ChildProcess): Promise<{ readonly line: string; readonly output: string }> {
  return new Promise((resolve, reject) => {
    let output = '';
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`weir start is not ready\n${output}`));
    }, START_LIMIT_MS);
    const look = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      const line = /^ready .*$/m.exec(output)?.[0];
      if (line === undefined) return;
      clearTimeout(limit);
      resolve({ line, output });
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code) => {
      clearTimeout(limit);
      reject(new Error(`weir start ended with ${code}\n${output}`));
    });
  });
}

/** Linux tells it in /proc, others by ps. */
async function rssMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const fromProc = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (fromProc !== undefined) return Number(fromProc) / 1024;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) / 1024;
}
