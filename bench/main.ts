import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject } from '../src/api/object.ts';
import { at, isArray, stringAt } from '../src/base/json.ts';
import type { KubeClient } from '../src/kube/client.ts';
import { freePorts, startWalkthrough, timeOf, type Walkthrough } from './walkthrough.ts';

/** How often each latency is measured. */
const ROUNDS = 20;
const ROUND_LIMIT_MS = 60_000;
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'backend', name: 'nginx-test' } as const;
const run = promisify(execFile);

const rows: (readonly [what: string, value: string])[] = [];
const row = (what: string, value: string): void => {
  rows.push([what, value]);
  process.stderr.write(`${what}: ${value}\n`);
};
const milliseconds = (value: number): string => `${Math.round(value)} ms`;
const seconds = (value: number): string => `${(value / 1000).toFixed(2)} s`;
const mebibytes = (value: number): string => `${Math.round(value)} MiB`;

/** Measures what people wait for, on the walk-through, and prints a table. Nothing is asserted. */
async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  try {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) times.push(await timeOf(['version', '--client']));
    row('weir version --client, median of 5', milliseconds(percentile(times, 50)));

    const ports = await freePorts();
    const data = join(folder, 'data');
    const fresh = await startWalkthrough(data, ports);
    row('weir start, fresh, to ready', seconds(fresh.readyMs));
    try {
      await measure(fresh, folder);
    } finally {
      await fresh.stop();
    }
    const again = await startWalkthrough(data, ports);
    row('weir start, second time, to ready', seconds(again.readyMs));
    await again.stop();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, value]) => `${what.padEnd(width)}  ${value}`);
  console.log(
    `\nnode ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})\n${lines.join('\n')}`,
  );
}

async function measure(walkthrough: Walkthrough, folder: string): Promise<void> {
  row('memory, idle', mebibytes(await walkthrough.rssMiB()));
  let peak = 0;
  const sample = setInterval(() => {
    void walkthrough.rssMiB().then((now) => {
      peak = Math.max(peak, now);
    });
  }, 200);
  try {
    const { pushed, applied } = await pushes(walkthrough, join(folder, 'clone'));
    row(`git push itself, over SSH, p50 / p95 of ${ROUNDS}`, spread(pushed));
    row(`push begun to applied, p50 / p95 of ${ROUNDS}`, spread(applied));
    row(`drift to corrected, p50 / p95 of ${ROUNDS}`, spread(await drifts(walkthrough.client)));
  } finally {
    clearInterval(sample);
  }
  row('memory, highest under this load', mebibytes(peak));
}

/** Changes the Deployment's image in git; applied is when a watch of the cluster shows it. */
async function pushes(
  { client, repository, env }: Walkthrough,
  clone: string,
): Promise<{ readonly pushed: readonly number[]; readonly applied: readonly number[] }> {
  const git = (...args: readonly string[]) =>
    run('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args], { cwd: clone, env });
  await run('git', ['clone', '--quiet', repository, clone], { env });
  const manifest = join(clone, 'backend', 'nginx-deployment.yaml');
  const pushed: number[] = [];
  const applied: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const image = `local-test:bench-${round}`;
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(/local-test:\S+/, image));
    await git('commit', '--quiet', '--all', '--message', `Use ${image}`);
    const { seen } = await watchFor(client, DEPLOYMENT, (object) =>
      JSON.stringify(object.spec?.['template']).includes(`"${image}"`),
    );
    const begun = performance.now();
    await git('push', '--quiet');
    pushed.push(performance.now() - begun);
    applied.push((await seen) - begun);
  }
  return { pushed, applied };
}

/** The engine repairs this often at once; then it slows down, as somebody else insists (src/controllers/kustomization/drift.ts). */
const FREE_REPAIRS = 3;

/**
 * Changes the number of replicas in the cluster; corrected is when a watch shows what git says. Copies of the application
 * share the rounds, so that no Kustomization comes to the point where repairs slow down.
 */
async function drifts(client: KubeClient): Promise<readonly number[]> {
  const corrected: number[] = [];
  for (let copy = 0; corrected.length < ROUNDS; copy++) {
    const deployment = { ...DEPLOYMENT, namespace: `drift-${copy}` };
    await addCopy(client, deployment);
    for (let repair = 0; repair < FREE_REPAIRS && corrected.length < ROUNDS; repair++) {
      let drifted = false;
      const { seen } = await watchFor(client, deployment, ({ spec }) => {
        const replicas = at(spec, 'replicas');
        if (replicas === 3) drifted = true;
        return drifted && replicas === 1;
      });
      const begun = performance.now();
      const spec = { replicas: 3 };
      const written = await client.patch(deployment, { spec }, { type: 'merge', fieldManager: 'bench' });
      if (!written.ok) throw new Error(written.error.message);
      corrected.push((await seen) - begun);
    }
  }
  return corrected;
}

/** The walk-through's application once more, in a namespace of its own; resolves when it runs. */
async function addCopy(client: KubeClient, deployment: Place): Promise<void> {
  const { namespace } = deployment;
  const spec = {
    interval: '10m',
    path: './backend',
    prune: true,
    wait: true,
    sourceRef: { kind: 'GitRepository', name: 'flux-tenant' },
    targetNamespace: namespace,
  };
  const kustomization = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
  for (const object of [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { ...kustomization, metadata: { name: namespace, namespace: 'flux-cluster' }, spec },
  ]) {
    const applied = await client.apply(object, { fieldManager: 'bench' });
    if (!applied.ok) throw new Error(applied.error.message);
  }
  const place = { ...kustomization, namespace: 'flux-cluster', name: namespace };
  const { seen } = await watchFor(client, place, ({ status }) => {
    const conditions = at(status, 'conditions');
    if (!isArray(conditions)) return false;
    return conditions.some((item) => stringAt(item, 'type') === 'Ready' && stringAt(item, 'status') === 'True');
  });
  await seen;
}

interface Place {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Begins to watch an object, and tells at which performance.now() it was seen so that `holds`. */
async function watchFor(
  client: KubeClient,
  place: Place,
  holds: (object: KubeObject) => boolean,
): Promise<{ readonly seen: Promise<number> }> {
  const { namespace, name } = place;
  const listed = await client.list(place, { namespace });
  if (!listed.ok) throw new Error(listed.error.message);
  const { items, resourceVersion } = listed.value;
  const look = async (): Promise<number> => {
    if (items.some((object) => object.metadata.name === name && holds(object))) return performance.now();
    const signal = AbortSignal.timeout(ROUND_LIMIT_MS);
    for await (const event of client.watch(place, { namespace, resourceVersion, signal })) {
      if (event.type === 'ERROR') throw new Error(event.error.message);
      if (event.type === 'BOOKMARK' || event.object.metadata.name !== name) continue;
      if (holds(event.object)) return performance.now();
    }
    throw new Error(`${place.kind} ${namespace}/${name}: not seen within ${ROUND_LIMIT_MS / 1000} s`);
  };
  const seen = look();
  // A failure is reported where it is awaited, which may be a little later.
  seen.catch(() => undefined);
  return { seen };
}

function spread(values: readonly number[]): string {
  return `${milliseconds(percentile(values, 50))} / ${milliseconds(percentile(values, 95))}`;
}

/** The nearest-rank percentile. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
