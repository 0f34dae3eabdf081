import { crdOf } from '../../src/api/crd.ts';
import { gitRepository } from '../../src/api/kinds/git-repository.ts';
import { kustomization as kustomizationKind } from '../../src/api/kinds/kustomization.ts';
import type { KubeObject } from '../../src/api/object.ts';
import { stringAt } from '../../src/base/json.ts';
import { cpuSeconds } from '../process-cost.ts';
import type { Cost, Engine } from './engines.ts';
import {
  configFile,
  dataOf,
  folderFiles,
  isApplied,
  KUSTOMIZATION,
  kustomization,
  NAMESPACE,
  OWNED,
  REPOSITORY,
  repository,
} from './objects.ts';
import { annotate, apply, pause, poke, seen, seenObject } from './observe.ts';
import type { BenchRepository, PushTimes } from './repository.ts';
import type { BenchCluster } from './servers.ts';

/** How often each latency is measured. */
const ROUNDS = 20;
/** The engine repairs this often at once (src/controllers/kustomization/drift.ts). */
const FREE_REPAIRS = 3;

/** An annotation that asks for nothing. */
const TOUCHED = 'bench/touched';

/** One figure, and what it came of; `value` is what two engines are compared by. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: 's' | 'ms' | 'CPU s' | 'requests' | 'MiB';
}

export interface Surroundings {
  readonly cluster: BenchCluster;
  readonly repository: BenchRepository;
  readonly engine: Engine;
  /** Kustomizations. */
  readonly count: number;
  readonly tell: (figure: Figure) => void;
}

/** Defines the kinds, ours and what else the engine needs, and waits until they are served. */
export async function installKinds({ client }: BenchCluster, others: readonly KubeObject[]): Promise<void> {
  for (const definition of others) await apply(client, definition);
  for (const kind of [gitRepository, kustomizationKind]) await apply(client, crdOf(kind as never) as KubeObject);
  for (let left = 100; ; left--) {
    const [a, b] = await Promise.all([client.list(REPOSITORY), client.list(KUSTOMIZATION)]);
    if (a.ok && b.ok) return;
    if (left === 0) throw new Error('the kinds are not served');
    await pause(100);
  }
}

/** Plays everything on an engine that has just started. */
export async function play(bench: Surroundings): Promise<void> {
  const { count, engine, tell } = bench;
  const { client } = bench.cluster;
  const names = Array.from({ length: count }, (_, index) => `ks-${String(index).padStart(4, '0')}`);
  await apply(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await apply(client, repository(bench.repository.url));
  const first = await bench.repository.revision();
  await phase(bench, 'create to all Ready', async () => {
    const all = seen(client, names, ({ status }) => isApplied(status, first));
    for (const name of names) await apply(client, kustomization(name, 'shared'));
    await all;
  });
  const round = await phase(bench, 'no-op round of all', async () => {
    const token = `round-${Date.now()}`;
    const all = seen(client, names, ({ status }) => stringAt(status, 'lastHandledReconcileAt') === token);
    for (const name of names) await poke(client, { ...KUSTOMIZATION, namespace: NAMESPACE, name }, token);
    await all;
  });
  const patches = await phase(bench, "the round's patches under a name that nobody acts on", async () => {
    const all = seen(client, names, ({ metadata }) => metadata.annotations?.[TOUCHED] !== undefined);
    const annotations = { [TOUCHED]: `round-${Date.now()}` };
    for (const name of names) await annotate(client, { ...KUSTOMIZATION, namespace: NAMESPACE, name }, annotations);
    await all;
  });
  const own = round.allS - (patches.allS - patches.cpuS);
  tell({
    what: "no-op round of all: with the server, less its share of the bench's patches",
    value: own,
    unit: 'CPU s',
  });
  await apply(client, kustomization('one', 'one'));
  await seen(client, ['one'], ({ status }) => isApplied(status, first));
  const everyone = [...names, 'one'];
  for (const [what, path, files] of [
    ['commit that changes another path', 'one', configFile('a')],
    ['commit that changes one object of each', 'shared', configFile('a')],
    ['commit that changes all objects of each', 'shared', folderFiles('b')],
  ] as const) {
    await phase(bench, what, async () => {
      await commit(bench, path, files, what);
      const revision = await bench.repository.revision();
      await seen(client, everyone, ({ status }) => isApplied(status, revision));
    });
  }
  await pushes(bench, names);
  await drifts(bench, names);
  await phase(bench, 'delete to pruned', async () => {
    for (const name of everyone) await client.delete({ ...KUSTOMIZATION, namespace: NAMESPACE, name });
    for (let left = count; left > 0; await pause(50)) {
      const [kustomizations, configs] = await Promise.all([
        client.list(KUSTOMIZATION, { namespace: NAMESPACE }),
        client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: NAMESPACE, labelSelector: OWNED }),
      ]);
      if (kustomizations.ok && configs.ok) left = kustomizations.value.items.length + configs.value.items.length;
    }
  });
  tell({ what: 'peak memory', value: await engine.peakMiB(), unit: 'MiB' });
}

async function commit(
  { repository: git, cluster }: Surroundings,
  path: string,
  files: Readonly<Record<string, string>>,
  message: string,
): Promise<PushTimes> {
  const times = await git.commit(path, files, message);
  await poke(cluster.client, { ...REPOSITORY, namespace: NAMESPACE, name: 'repo' }, `${Date.now()}`);
  return times;
}

/** Pushes a change of one ConfigMap and asks for the source, as a webhook does; applied is when a watch shows the ConfigMap. */
async function pushes(bench: Surroundings, names: readonly string[]): Promise<void> {
  const fromPush: number[] = [];
  const fromReturn: number[] = [];
  const { client } = bench.cluster;
  for (let round = 0; round < ROUNDS; round++) {
    const value = `push-${round}`;
    const place = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: 'one-config' };
    const applied = seenObject(client, place, (object) => dataOf(object, 'note') === value);
    const times = await commit(bench, 'one', configFile(value), value);
    const at = await applied;
    fromPush.push(at - times.begun);
    fromReturn.push(at - times.returned);
    // All the others report the revision, too, before the next one comes.
    const revision = await bench.repository.revision();
    await seen(client, names, ({ status }) => isApplied(status, revision));
  }
  spread(bench, 'push begun to applied', fromPush);
  spread(bench, 'push returned to applied', fromReturn);
}

async function drifts(bench: Surroundings, names: readonly string[]): Promise<void> {
  const times: number[] = [];
  const { client } = bench.cluster;
  for (let round = 0; round < Math.min(ROUNDS, names.length * FREE_REPAIRS); round++) {
    const owner = names[Math.floor(round / FREE_REPAIRS) % names.length] ?? '';
    const place = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: `${owner}-config` };
    let drifted = false;
    const corrected = seenObject(client, place, (object) => {
      drifted ||= dataOf(object, 'name') === 'drifted';
      return drifted && dataOf(object, 'name') !== 'drifted';
    });
    const begun = performance.now();
    const patched = await client.patch(place, { data: { name: 'drifted' } }, { type: 'merge', fieldManager: 'bench' });
    if (!patched.ok) throw new Error(patched.error.message);
    if (!bench.engine.seesDrift) {
      await poke(client, { ...KUSTOMIZATION, namespace: NAMESPACE, name: owner }, `drift-${round}`);
    }
    times.push((await corrected) - begun);
    await pause(50);
  }
  spread(bench, 'drift to corrected', times);
}

/** CPU of a phase, in seconds. */
interface PhaseCost {
  readonly cpuS: number;
  /** With the server. */
  readonly allS: number;
}

/** Runs `work` and tells what it cost: time, CPU of engine and server, requests of the engine for each Kustomization. */
async function phase(bench: Surroundings, what: string, work: () => Promise<void>): Promise<PhaseCost> {
  const { count, engine, tell } = bench;
  await pause();
  const before = await costs(bench);
  const begun = performance.now();
  await work();
  tell({ what, value: (performance.now() - begun) / 1000, unit: 's' });
  // Events go out behind.
  await pause();
  const after = await costs(bench);
  const cost = { cpuS: after.cpuS - before.cpuS, allS: after.allS - before.allS };
  tell({ what: `${what}: ${engine.name.split(' ')[0]} itself`, value: cost.cpuS, unit: 'CPU s' });
  tell({ what: `${what}: with the server`, value: cost.allS, unit: 'CPU s' });
  tell({ what: `${what}: for each`, value: (total(after) - total(before)) / count, unit: 'requests' });
  return cost;
}

async function costs({ engine, cluster }: Surroundings): Promise<Cost & PhaseCost> {
  const cost = await engine.cost();
  const servers = await Promise.all(cluster.pids.map(cpuSeconds));
  return { ...cost, allS: servers.reduce((sum, own) => sum + own, cost.cpuS) };
}

function total({ requests }: Cost): number {
  return [...requests.values()].reduce((sum, count) => sum + count, 0);
}

function spread({ tell }: Surroundings, what: string, values: readonly number[]): void {
  const sorted = [...values].sort((a, b) => a - b);
  for (const percent of [50, 95]) {
    const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
    tell({ what: `${what}, p${percent} of ${values.length}`, value, unit: 'ms' });
  }
}
