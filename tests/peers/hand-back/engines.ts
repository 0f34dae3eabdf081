import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, waitForMetrics } from '../../../bench/engine-process.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/runtime/engine-config.ts';
import { startEngine } from '../../../src/wiring.ts';
import type { AuditedCluster } from './audited-cluster.ts';

/** An engine at work. */
export interface Engine {
  /** What Weir logged as an error; Flux logs as one what is none of its own. */
  readonly errors: readonly string[];
  /** Ends it as a Deployment that is scaled down does: SIGTERM. */
  stop(): Promise<void>;
  /** Ends it as a node that fails does. */
  kill(): Promise<void>;
}

export interface Storage {
  /** Where artifacts are kept. */
  readonly directory: string;
  /** `host:port` at which they are served, and said to be. */
  readonly address: string;
}

/** Each link of a chain of dependencies takes as long as this, 30 s by default. WEIR_PEER_FLUX_FLAGS takes its place. */
const IMPATIENT = '--requeue-dependency=5s';

/** The real source-controller and kustomize-controller, started at the same time. */
export async function startFlux(
  programs: string,
  { kubeconfig }: AuditedCluster,
  folder: string,
  { directory, address }: Storage,
): Promise<Engine> {
  mkdirSync(directory, { recursive: true });
  const home = mkdtempSync(join(folder, 'flux-'));
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home, TMPDIR: home, RUNTIME_NAMESPACE: 'flux-system' };
  const source = [`--storage-path=${directory}`, `--storage-addr=${address}`, `--storage-adv-addr=${address}`];
  const start = async (name: string, flags: readonly string[]): Promise<ChildProcess> => {
    const [metricsPort, healthPort] = [await freePort(), await freePort()];
    const own = [`--metrics-addr=127.0.0.1:${metricsPort}`, `--health-addr=127.0.0.1:${healthPort}`, '--events-addr='];
    const stdio = ['ignore', 'ignore', 'pipe'] as const;
    const child = spawn(join(programs, name), [...flags, ...own, '--log-level=error'], { env, stdio: [...stdio] });
    await waitForMetrics(metricsPort, child);
    return child;
  };
  const children = await Promise.all([
    start('source-controller', source),
    start('kustomize-controller', (process.env['WEIR_PEER_FLUX_FLAGS'] ?? IMPATIENT).split(' ').filter(Boolean)),
  ]);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null) return;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill(signal);
        await ended;
      }),
    );
  };
  return { errors: [], stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

export async function startWeir(cluster: AuditedCluster, folder: string, storage: Storage): Promise<Engine> {
  mkdirSync(storage.directory, { recursive: true });
  const stop = new AbortController();
  let isCut = false;
  const errors: string[] = [];
  const engine = await startEngine(
    {
      ...DEFAULT_ENGINE_CONFIG,
      storagePath: storage.directory,
      storageAddr: storage.address,
      storageAdvAddr: storage.address,
      metricsAddr: '127.0.0.1:0',
      healthAddr: '127.0.0.1:0',
      gracefulShutdownTimeoutMs: 5_000,
      logLevel: 'error',
    },
    cluster.clientFor('weir', () => isCut),
    stop.signal,
    {
      line: (text) => errors.push(text),
      searchPath: process.env['PATH'] ?? '',
      env: {},
      temporaryDirectory: mkdtempSync(join(folder, 'weir-')),
    },
  );
  const end = async (): Promise<void> => {
    stop.abort();
    await engine.stopped;
  };
  return {
    errors,
    stop: end,
    async kill() {
      isCut = true;
      await end().catch(() => {});
    },
  };
}
