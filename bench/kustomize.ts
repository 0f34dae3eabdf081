import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { memoryFiles } from '../src/base/files.ts';
import { buildKustomization } from '../src/engine/kustomize/build.ts';
import { KustomizeCache } from '../src/engine/kustomize/cache.ts';
import { fileOf50Mb, overlay, overlays, small, type Tree } from './kustomize-trees.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** How often the memory of a running process is read; the peak that the kernel keeps is its own. */
const SAMPLE_MS = 5;
/** The peer is stopped after this long, and the row says so. */
const LIMIT_MS = 60_000;

interface Case {
  readonly name: string;
  readonly tree: Tree;
  readonly rounds: number;
  /** Whether kustomize needs minutes for it, so that it isn't asked. */
  readonly weirOnly?: boolean;
}

interface Measured {
  readonly ms: number;
  readonly mib: number;
  readonly output: string;
}

const CASES: readonly Case[] = [
  { name: 'a small overlay', tree: small(), rounds: 7 },
  { name: '1,000 resources, 50 patches', tree: overlay(1000), rounds: 5 },
  { name: '2,000 resources, 50 patches', tree: overlay(2000), rounds: 2 },
  { name: '10,000 resources, 50 patches', tree: overlay(10_000), rounds: 1, weirOnly: true },
  { name: '200 overlays side by side', tree: overlays(200, 'wide'), rounds: 3 },
  { name: '200 overlays in one another', tree: overlays(200, 'deep'), rounds: 3 },
  { name: '200 that rename, side by side', tree: overlays(200, 'wide', true), rounds: 3 },
  { name: '200 that rename, in one another', tree: overlays(200, 'deep', true), rounds: 3 },
  { name: 'a file of 50 MB', tree: fileOf50Mb(), rounds: 1 },
];

/**
 * `npm run bench:kustomize -- [--kustomize PATH] [--only TEXT] [--rounds N]`: kustomize and Weir build the same trees, one after the other, as
 * whole processes; then Weir rebuilds in process after one change. Prints tables; asserts only that outputs are equal.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { kustomize: { type: 'string' }, only: { type: 'string' }, rounds: { type: 'string' } },
  });
  const most = Number(values.rounds ?? '100');
  const peer = values.kustomize ?? onPath('kustomize');
  const launcher = join(ROOT, 'bin/weir');
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const rows: string[][] = [];
  try {
    // The first run builds what is stale.
    execFileSync(launcher, ['version', '--client'], { stdio: ['ignore', 'ignore', 'inherit'] });
    for (const [index, one] of CASES.entries()) {
      if (values.only !== undefined && !one.name.includes(values.only)) continue;
      const rounds = Math.min(most, one.rounds);
      const place = join(folder, String(index));
      writeTree(place, one.tree);
      const weir = await best(rounds, [launcher, 'kustomize', 'build', place], folder);
      const direct = await best(
        rounds,
        [process.execPath, join(ROOT, 'dist/weir.mjs'), 'kustomize', 'build', place],
        folder,
      );
      if (weir === undefined || direct === undefined)
        throw new Error(`${one.name}: weir needed more than ${LIMIT_MS} ms`);
      const theirs =
        peer === undefined || one.weirOnly === true ? undefined : await best(rounds, [peer, 'build', place], folder);
      if (theirs !== undefined && theirs.output !== weir.output) throw new Error(`${one.name}: the outputs differ`);
      const theirText =
        theirs !== undefined
          ? seconds(theirs.ms)
          : peer === undefined
            ? 'absent'
            : one.weirOnly === true
              ? 'minutes'
              : `> ${LIMIT_MS / 1000} s`;
      rows.push([
        one.name,
        theirText,
        seconds(weir.ms),
        seconds(direct.ms),
        theirs === undefined ? '-' : `${(theirs.ms / weir.ms).toFixed(2)}x`,
        theirs === undefined ? '-' : `${theirs.mib.toFixed(0)} MiB`,
        `${weir.mib.toFixed(0)} MiB`,
      ]);
      process.stderr.write(`${rows.at(-1)?.join('  ')}\n`);
      rmSync(place, { recursive: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const version =
    peer === undefined
      ? 'kustomize is not installed'
      : `kustomize ${execFileSync(peer, ['version'], { encoding: 'utf8' }).trim()}`;
  console.log(`${version}, node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})\n`);
  table([
    ['whole process, best of its rounds', 'kustomize', 'bin/weir', 'dist/weir.mjs', 'faster', 'peak', 'weir peak'],
    ...rows,
  ]);
  if (values.only === undefined || values.only === 'rebuild') inProcess();
}

/** The shortest of some runs; undefined when one needed more than the limit. */
async function best(rounds: number, argv: readonly string[], folder: string): Promise<Measured | undefined> {
  let found: Measured | undefined;
  for (let round = 0; round < rounds; round++) {
    const measured = await run(argv, folder);
    if (measured === undefined) return undefined;
    if (found === undefined || measured.ms < found.ms) found = measured;
  }
  return found;
}

async function run([program, ...args]: readonly string[], folder: string): Promise<Measured | undefined> {
  const output = join(folder, 'output');
  const began = performance.now();
  const child = spawn(program as string, args, { stdio: ['ignore', openSync(output, 'w'), 'inherit'] });
  let peak = 0;
  const sample = setInterval(() => {
    peak = Math.max(peak, peakKib(child));
  }, SAMPLE_MS);
  const stop = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const code = await new Promise<number | null>((done, failed) => child.once('error', failed).once('exit', done));
  const ms = performance.now() - began;
  clearInterval(sample);
  clearTimeout(stop);
  if (code === null) return undefined;
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit code ${code}`);
  const digest = createHash('sha256').update(readFileSync(output)).digest('hex');
  return { ms, mib: peak / 1024, output: digest };
}

/** Peak resident memory of a running process, from Linux; 0 elsewhere. */
function peakKib({ pid }: ChildProcess): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Builds again after one file changed, with what an earlier build left in the cache. */
function inProcess(): void {
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const rows = [['in process', 'first build', 'rebuild, no cache', 'rebuild after a change, median of 20']];
  for (const [name, tree, changed] of [
    ['a small overlay', small(), 'base/config.yaml'],
    ['200 overlays side by side', overlays(200, 'wide'), 'overlay-7/kustomization.yaml'],
    ['200 overlays side by side, the one above', overlays(200, 'wide'), 'kustomization.yaml'],
    ['200 overlays in one another', overlays(200, 'deep'), 'overlay-7/own.yaml'],
    ['200 overlays in one another, the last', overlays(200, 'deep'), 'kustomization.yaml'],
    ['1,000 resources, 50 patches, a file each', overlay(1000, true), 'r7.yaml'],
    ['5,000 resources, 50 patches, a file each', overlay(5000, true), 'r7.yaml'],
  ] as const) {
    const cache = new KustomizeCache();
    const time = (files: Tree, useCache: boolean): number => {
      const began = performance.now();
      const result = buildKustomization(memoryFiles(files), '', { sha256, ...(useCache && { cache }) });
      if (!result.ok) throw new Error(result.error.message);
      return performance.now() - began;
    };
    const first = time(tree, true);
    const rounds = Array.from({ length: 20 }, (_, round) =>
      time({ ...tree, [changed]: changedText(tree[changed] ?? '', changed, round) }, true),
    );
    const without = Array.from({ length: 5 }, () => time(tree, false));
    rows.push([name, milliseconds(first), milliseconds(median(without)), milliseconds(median(rounds))]);
  }
  console.log('');
  table(rows);
}

/** The commonest changes: the tag of an image in a kustomization, anything in a manifest. */
function changedText(text: string, path: string, round: number): string {
  if (!path.endsWith('kustomization.yaml')) return `${text}# ${round}\n`;
  return `${text.trimEnd()}\nimages: [{name: nginx, newTag: "1.${round}"}]\n`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function writeTree(folder: string, tree: Tree): void {
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function onPath(program: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = resolve(folder, program);
    try {
      execFileSync(path, ['version'], { stdio: 'ignore' });
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

await main();
