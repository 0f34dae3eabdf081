import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine, fluxDefinitions } from './kustomizations/engines.ts';
import { type Figure, installKinds, play } from './kustomizations/phases.ts';
import { BenchRepository } from './kustomizations/repository.ts';
import { openCluster } from './kustomizations/servers.ts';

/**
 * Many Kustomizations of five objects from one repository over HTTP: what it takes to make them, to look at them again, and to bring
 * a commit; each engine on a new cluster of its own. `WEIR_BENCH_SHAPES` (default `100,1000,100:mono`) says what is run.
 * `WEIR_PEER_FLUX_CONTROLLERS` names a folder with Flux's controllers and the definitions of their kinds: then they do the same in
 * the same run. `WEIR_PEER_ETCD` and `WEIR_PEER_KUBE_APISERVER` name programs to use in place of a cluster in the box. Nothing is asserted.
 */
const SHAPES = (process.env['WEIR_BENCH_SHAPES'] ?? '100,1000,100:mono').split(',');
const FLUX = process.env['WEIR_PEER_FLUX_CONTROLLERS'];
const lines: string[] = [];
/** What is to be ended, the last first; also when the run is interrupted. */
const stops: (() => Promise<void>)[] = [];

function line(text: string): void {
  lines.push(text);
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<void> {
  for (const shape of SHAPES) {
    const [count = '', mono] = shape.split(':');
    const weir = await measure(Number(count), mono === 'mono', undefined);
    if (FLUX === undefined) continue;
    const flux = await measure(Number(count), mono === 'mono', FLUX);
    compare(shape, weir, flux);
  }
  if (FLUX === undefined) line('Flux did not run: WEIR_PEER_FLUX_CONTROLLERS names no folder');
  console.log(
    `\nnode ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})\n${lines.join('\n')}`,
  );
}

/** Plays a shape on Weir, or on the controllers of a folder. */
async function measure(count: number, mono: boolean, programs: string | undefined): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const figures: Figure[] = [];
  try {
    const cluster = await openCluster(folder);
    stops.push(() => cluster.stop());
    await installKinds(cluster, programs === undefined ? [] : await fluxDefinitions(programs));
    const repository = await BenchRepository.open(folder, mono);
    stops.push(() => repository.close());
    const engine = await (programs === undefined
      ? Engine.weir(folder, cluster.kubeconfig)
      : Engine.flux(folder, cluster.kubeconfig, programs));
    stops.push(() => engine.stop());
    line(
      `--- ${engine.name}, ${cluster.name}: ${count} Kustomizations${mono ? ' of a repository of 600 files more' : ''}`,
    );
    const tell = (figure: Figure): void => {
      figures.push(figure);
      line(`${figure.what}: ${print(figure)}`);
    };
    await play({ cluster, repository, engine, count, tell });
  } finally {
    await stopAll();
  }
  return figures;
}

async function stopAll(): Promise<void> {
  for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
}

/** What Weir took for each part of what Flux took. */
function compare(shape: string, weir: readonly Figure[], flux: readonly Figure[]): void {
  line(`--- ${shape}: weir / flux`);
  for (const [index, figure] of weir.entries()) {
    const other = flux[index];
    if (other === undefined || other.value === 0) continue;
    const what = figure.what.replace('weir itself', 'engine');
    line(`${what}: ${print(figure)} / ${print(other)} = ${(figure.value / other.value).toFixed(3)}`);
  }
}

function print({ value, unit }: Figure): string {
  return `${value.toFixed(unit === 'ms' || unit === 'MiB' ? 0 : 2)} ${unit}`;
}

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => void stopAll().finally(() => process.exit(130)));
}
main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
