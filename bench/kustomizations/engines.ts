import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeObject } from '../../src/api/object.ts';
import { parseYamlDocuments } from '../../src/engine/yaml/parse.ts';
import { freePort, waitForMetrics } from '../engine-process.ts';
import { cpuSeconds, peakMiB } from '../process-cost.ts';

const program = fileURLToPath(new URL('../../dist/weir.mjs', import.meta.url));

/** What an engine has cost so far. */
export interface Cost {
  readonly cpuS: number;
  /** API requests by method. */
  readonly requests: ReadonlyMap<string, number>;
}

/** The engine that is measured, in processes of its own. */
export class Engine {
  readonly name: string;
  /** It sees drift by watch; others are asked for a reconciliation. */
  readonly seesDrift: boolean;
  readonly #processes: readonly { readonly child: ChildProcess; readonly metricsPort: number }[];

  private constructor(
    name: string,
    seesDrift: boolean,
    processes: readonly { readonly child: ChildProcess; readonly metricsPort: number }[],
  ) {
    this.name = name;
    this.seesDrift = seesDrift;
    this.#processes = processes;
  }

  /** `weir run`, as built. `WEIR_BENCH_FLAGS` adds flags. */
  static async weir(folder: string, kubeconfig: string): Promise<Engine> {
    const flags = ['--storage-addr=127.0.0.1:0', `--storage-path=${join(folder, 'storage')}`, '--log-level=error'];
    const more = (process.env['WEIR_BENCH_FLAGS'] ?? '').split(' ').filter(Boolean);
    const started = await start(process.execPath, [program, 'run', ...flags, ...more], folder, kubeconfig);
    return new Engine('weir', true, [started]);
  }

  /** The controllers that a folder holds, with the defaults of their release. */
  static async flux(folder: string, kubeconfig: string, programs: string): Promise<Engine> {
    const storage = join(folder, 'storage');
    await mkdir(storage);
    const address = `127.0.0.1:${await freePort()}`;
    const source = [`--storage-path=${storage}`, `--storage-addr=${address}`, `--storage-adv-addr=${address}`];
    const processes = [];
    for (const [name, flags] of [
      ['source-controller', source],
      ['kustomize-controller', []],
      ['helm-controller', []],
    ] as const) {
      const file = join(programs, name);
      if (existsSync(file)) processes.push(await start(file, [...flags, '--log-level=error'], folder, kubeconfig));
    }
    return new Engine(`flux (${processes.length} controllers)`, false, processes);
  }

  async cost(): Promise<Cost> {
    const requests = new Map<string, number>();
    let cpuS = 0;
    for (const { child, metricsPort } of this.#processes) {
      cpuS += await cpuSeconds(child.pid ?? 0);
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      for (const [, labels = '', value = ''] of text.matchAll(/^rest_client_requests_total\{([^}]*)\} (\S+)$/gm)) {
        const method = /method="([^"]*)"/.exec(labels)?.[1] ?? '';
        requests.set(method, (requests.get(method) ?? 0) + Number(value));
      }
    }
    return { cpuS, requests };
  }

  /** Highest resident memory so far, all processes together. */
  async peakMiB(): Promise<number> {
    const peaks = await Promise.all(this.#processes.map(({ child }) => peakMiB(child.pid ?? 0)));
    return peaks.reduce((sum, peak) => sum + peak, 0);
  }

  async stop(): Promise<void> {
    for (const { child } of this.#processes) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    }
  }
}

async function start(
  file: string,
  args: readonly string[],
  folder: string,
  kubeconfig: string,
): Promise<{ readonly child: ChildProcess; readonly metricsPort: number }> {
  const [metricsPort, healthPort] = [await freePort(), await freePort()];
  const addresses = [`--metrics-addr=127.0.0.1:${metricsPort}`, `--health-addr=127.0.0.1:${healthPort}`];
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder, RUNTIME_NAMESPACE: 'flux-system' };
  const child = spawn(file, [...args, ...addresses, '--events-addr='], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  await waitForMetrics(metricsPort, child);
  return { child, metricsPort };
}

/** The definitions of kinds that lie beside the controllers: they need those of all kinds that they serve. */
export async function fluxDefinitions(programs: string): Promise<readonly KubeObject[]> {
  const files = readdirSync(programs).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(files.map((name) => readFile(join(programs, name), 'utf8')));
  return texts.flatMap((text) => {
    const documents = parseYamlDocuments(text);
    if (!documents.ok) throw new Error(documents.error.message);
    return documents.value as unknown as readonly KubeObject[];
  });
}
