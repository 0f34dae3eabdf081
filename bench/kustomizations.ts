import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { KubeObject } from '../src/api/object.ts';
import { at, type Json, stringAt } from '../src/base/json.ts';
import type { KubeClient } from '../src/kube/client.ts';
import { loadClusterAccess } from '../src/kube/kubeconfig.ts';
import { createKubeClient } from '../src/kube/rest-client.ts';
import { createSocketTransport } from '../src/kube/transport-socket.ts';
import { serveGit } from '../tests/support/git-http.ts';
import { freePort, waitForMetrics } from './engine-process.ts';
import { cpuSeconds, peakMiB } from './process-cost.ts';

/**
 * Many Kustomizations of five objects from one repository over HTTP: what it takes to make them, to look at them again, and to bring
 * a commit. `WEIR_BENCH_KUBECONFIG` names a cluster to use (empty, and for this alone); without it an embedded one is started as a
 * process of its own. `WEIR_BENCH_SERVER_PIDS` (comma-separated) are the processes of that cluster, whose CPU is then shown too.
 * `WEIR_BENCH_SHAPES` (default `100,1000,100:mono`) says what is run; `WEIR_BENCH_FLAGS` adds flags to `weir run`.
 */
const SHAPES = (process.env['WEIR_BENCH_SHAPES'] ?? '100,1000,100:mono').split(',');
const ROUNDS = 20;
const MONO_FILES = 600;
const LIMIT_MS = 600_000;
const NAMESPACE = 'bench';
const OWNED = 'kustomize.toolkit.fluxcd.io/name';
const KUSTOMIZATION = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' } as const;
const REPOSITORY = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' } as const;
/** The engine repairs this often at once (src/controllers/kustomization/drift.ts). */
const FREE_REPAIRS = 3;

const root = fileURLToPath(new URL('..', import.meta.url));
const program = join(root, 'dist', 'weir.mjs');
const run = promisify(execFile);
const rows: string[] = [];
const row = (text: string): void => {
  rows.push(text);
  process.stderr.write(`${text}\n`);
};

async function main(): Promise<void> {
  for (const shape of SHAPES) {
    const [count = '', mono] = shape.split(':');
    await measure(Number(count), mono === 'mono');
  }
  console.log(
    `\nnode ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})\n${rows.join('\n')}`,
  );
}

interface Bench {
  readonly client: KubeClient;
  readonly clone: string;
  readonly gitEnv: NodeJS.ProcessEnv;
  readonly count: number;
  readonly metricsPort: number;
  readonly enginePid: number;
  readonly serverPids: readonly number[];
}

async function measure(count: number, mono: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  const stops: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    row(`--- ${count} Kustomizations${mono ? `, repository of ${MONO_FILES} files more` : ''}`);
    const cluster = await openCluster(folder, stops);
    await installKinds(cluster.client);
    const { clone, gitEnv, url } = await openRepository(folder, mono, stops);
    const { metricsPort, pid } = await startEngine(folder, cluster.kubeconfig, stops);
    const bench: Bench = { ...cluster, clone, gitEnv, count, metricsPort, enginePid: pid };
    await phases(bench, url);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function phases(bench: Bench, url: string): Promise<void> {
  const { client, count } = bench;
  const names = Array.from({ length: count }, (_, index) => `ks-${String(index).padStart(4, '0')}`);
  await apply(client, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await apply(client, {
    ...REPOSITORY,
    metadata: { name: 'repo', namespace: NAMESPACE },
    spec: { interval: '60m', url: `${url}/bench.git`, ref: { branch: 'main' } },
  });
  const first = await head(bench);
  await phase(bench, 'create to all Ready', count, async () => {
    const all = seen(client, names, ({ status }) => isApplied(status, first));
    for (const name of names) await apply(client, kustomization(name, 'shared'));
    await all;
  });
  await pause();
  await phase(bench, 'no-op round of all', count, async () => {
    const token = `round-${Date.now()}`;
    const all = seen(client, names, ({ status }) => stringAt(status, 'lastHandledReconcileAt') === token);
    for (const name of names) await request(client, { ...KUSTOMIZATION, namespace: NAMESPACE, name }, token);
    await all;
  });
  await apply(client, kustomization('one', 'one'));
  await seen(client, ['one'], ({ status }) => isApplied(status, first));
  await pause();
  await phase(bench, 'commit that changes another path', count, async () => {
    const revision = await commit(bench, 'one', 'a');
    await seen(client, [...names, 'one'], ({ status }) => isApplied(status, revision));
  });
  await pause();
  await phase(bench, 'commit that changes one object of each', count, async () => {
    const revision = await commit(bench, 'shared', 'a');
    await seen(client, [...names, 'one'], ({ status }) => isApplied(status, revision));
  });
  await pause();
  await pushes(bench, names);
  await drifts(bench, names);
  await phase(bench, 'delete to pruned', count, async () => {
    for (const name of [...names, 'one']) await client.delete({ ...KUSTOMIZATION, namespace: NAMESPACE, name });
    for (let left = count; left > 0; await pause(50)) {
      const [kustomizations, configs] = await Promise.all([
        client.list(KUSTOMIZATION, { namespace: NAMESPACE }),
        client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: NAMESPACE, labelSelector: OWNED }),
      ]);
      if (kustomizations.ok && configs.ok) left = kustomizations.value.items.length + configs.value.items.length;
    }
  });
  await client.delete({ ...REPOSITORY, namespace: NAMESPACE, name: 'repo' });
  row(`engine, peak memory: ${Math.round(await peakMiB(bench.enginePid))} MiB`);
}

/** Pushes a change of one ConfigMap and asks for the source, as a webhook does; applied is when a watch shows the ConfigMap. */
async function pushes(bench: Bench, names: readonly string[]): Promise<void> {
  const fromPush: number[] = [];
  const fromReturn: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const value = `push-${round}`;
    const place = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: 'one-config' };
    const applied = seenObject(bench.client, place, (object) => dataOf(object, 'note') === value);
    const times = { begun: 0, returned: 0 };
    const revision = await commit(bench, 'one', value, times);
    const at = await applied;
    fromPush.push(at - times.begun);
    fromReturn.push(at - times.returned);
    // All the others report the revision, too, before the next one comes.
    await seen(bench.client, names, ({ status }) => isApplied(status, revision));
  }
  row(`push begun to applied, p50 / p95 of ${ROUNDS}: ${spread(fromPush)}`);
  row(`push returned to applied, p50 / p95 of ${ROUNDS}: ${spread(fromReturn)}`);
}

async function drifts({ client }: Bench, names: readonly string[]): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < Math.min(ROUNDS, names.length * FREE_REPAIRS); round++) {
    const place = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: NAMESPACE,
      name: `${names[Math.floor(round / FREE_REPAIRS) % names.length]}-config`,
    };
    let drifted = false;
    const corrected = seenObject(client, place, (object) => {
      drifted ||= dataOf(object, 'name') === 'drifted';
      return drifted && dataOf(object, 'name') !== 'drifted';
    });
    const begun = performance.now();
    const patched = await client.patch(place, { data: { name: 'drifted' } }, { type: 'merge', fieldManager: 'bench' });
    if (!patched.ok) throw new Error(patched.error.message);
    times.push((await corrected) - begun);
    await pause(50);
  }
  row(`drift to corrected, p50 / p95 of ${times.length}: ${spread(times)}`);
}

/** Runs `work` and shows what it cost: time, CPU, requests of the engine by method. */
async function phase(bench: Bench, what: string, count: number, work: () => Promise<void>): Promise<void> {
  const before = await cost(bench);
  const begun = performance.now();
  await work();
  const wallS = (performance.now() - begun) / 1000;
  // Events go out behind.
  await pause();
  const after = await cost(bench);
  const made = [...after.requests].map(
    ([method, total]) => [method, total - (before.requests.get(method) ?? 0)] as const,
  );
  const total = made.reduce((sum, [, requests]) => sum + requests, 0);
  const by = made.flatMap(([method, requests]) => (requests === 0 ? [] : [`${method} ${requests}`])).join(', ');
  const engine = (after.engineS - before.engineS).toFixed(2);
  const server = bench.serverPids.length === 0 ? '' : `, server ${(after.serverS - before.serverS).toFixed(2)} s`;
  row(
    `${what}: ${wallS.toFixed(2)} s; CPU engine ${engine} s${server}; ` +
      `${total} requests, ${(total / count).toFixed(2)} for each (${by})`,
  );
}

async function cost({ metricsPort, enginePid, serverPids }: Bench): Promise<{
  readonly requests: ReadonlyMap<string, number>;
  readonly engineS: number;
  readonly serverS: number;
}> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const requests = new Map<string, number>();
  for (const [, labels = '', value = ''] of text.matchAll(/^rest_client_requests_total\{([^}]*)\} (\S+)$/gm)) {
    const method = /method="([^"]*)"/.exec(labels)?.[1] ?? '';
    requests.set(method, (requests.get(method) ?? 0) + Number(value));
  }
  const servers = await Promise.all(serverPids.map(cpuSeconds));
  return { requests, engineS: await cpuSeconds(enginePid), serverS: servers.reduce((sum, own) => sum + own, 0) };
}

async function openCluster(
  folder: string,
  stops: (() => Promise<void>)[],
): Promise<{ readonly client: KubeClient; readonly kubeconfig: string; readonly serverPids: readonly number[] }> {
  const given = process.env['WEIR_BENCH_KUBECONFIG'];
  const kubeconfig = given ?? join(folder, 'kubeconfig');
  let serverPids = (process.env['WEIR_BENCH_SERVER_PIDS'] ?? '').split(',').filter(Boolean).map(Number);
  if (given === undefined) {
    const env = { ...process.env, HOME: folder, KUBECONFIG: kubeconfig, XDG_STATE_HOME: join(folder, 'state') };
    const weir = (...args: readonly string[]) => run(process.execPath, [program, ...args], { env });
    await weir('cluster', 'create', '--name', 'bench', '--ephemeral');
    stops.push(async () => void (await weir('cluster', 'delete', '--name', 'bench')));
    const state = join(folder, 'state', 'weir', 'clusters', 'bench', 'cluster.json');
    serverPids = [Number(at(JSON.parse(await readFile(state, 'utf8')) as Json, 'pid'))];
  }
  const access = loadClusterAccess({ env: { KUBECONFIG: kubeconfig }, home: folder });
  if (!access.ok) throw new Error(access.error.message);
  const transport = createSocketTransport(access.value);
  stops.push(() => transport.close());
  return { client: createKubeClient({ handler: transport.handler, userAgent: 'bench' }), kubeconfig, serverPids };
}

async function installKinds(client: KubeClient): Promise<void> {
  const { crdOf } = await import('../src/api/crd.ts');
  const { gitRepository } = await import('../src/api/kinds/git-repository.ts');
  const { kustomization: kind } = await import('../src/api/kinds/kustomization.ts');
  for (const one of [gitRepository, kind]) await apply(client, crdOf(one as never) as KubeObject);
  for (let left = 100; ; left--) {
    const [a, b] = await Promise.all([client.list(REPOSITORY), client.list(KUSTOMIZATION)]);
    if (a.ok && b.ok) return;
    if (left === 0) throw new Error('the kinds are not served');
    await pause(100);
  }
}

async function openRepository(
  folder: string,
  mono: boolean,
  stops: (() => Promise<void>)[],
): Promise<{ readonly clone: string; readonly gitEnv: NodeJS.ProcessEnv; readonly url: string }> {
  const gitEnv = { ...process.env, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const clone = join(folder, 'clone');
  const bare = join(folder, 'git', 'bench.git');
  await mkdir(join(folder, 'git'));
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare], { env: gitEnv });
  await run('git', ['clone', '--quiet', bare, clone], { env: gitEnv });
  for (const path of ['shared', 'one']) {
    await mkdir(join(clone, 'apps', path), { recursive: true });
    for (const [name, text] of Object.entries(OBJECTS)) await writeFile(join(clone, 'apps', path, name), text);
    await writeFile(join(clone, 'apps', path, 'config.yaml'), CONFIG('first'));
  }
  for (let index = 0; mono && index < MONO_FILES; index++) {
    const directory = join(clone, 'other', String(index % 20));
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, `${index}.yaml`), CONFIG(`mono-${index}`));
  }
  const server = await serveGit(join(folder, 'git'));
  stops.push(() => server.close());
  await push({ clone, gitEnv }, 'first');
  return { clone, gitEnv, url: server.url };
}

async function startEngine(
  folder: string,
  kubeconfig: string,
  stops: (() => Promise<void>)[],
): Promise<{ readonly pid: number; readonly metricsPort: number }> {
  const metricsPort = await freePort();
  const flags = ['--storage-addr=127.0.0.1:0', '--health-addr=127.0.0.1:0', `--metrics-addr=127.0.0.1:${metricsPort}`];
  const extra = (process.env['WEIR_BENCH_FLAGS'] ?? '').split(' ').filter(Boolean);
  const child = spawn(
    process.execPath,
    [
      program,
      'run',
      ...flags,
      '--events-addr=',
      '--log-level=error',
      `--storage-path=${join(folder, 'storage')}`,
      ...extra,
    ],
    { env: { ...process.env, KUBECONFIG: kubeconfig, HOME: folder }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  stops.push(
    () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  );
  await waitForMetrics(metricsPort, child);
  return { pid: child.pid ?? 0, metricsPort };
}

async function commit(
  bench: Bench,
  path: string,
  note: string,
  times: { begun: number; returned: number } = { begun: 0, returned: 0 },
): Promise<string> {
  await writeFile(join(bench.clone, 'apps', path, 'config.yaml'), CONFIG(note));
  await push(bench, `${path} ${note}`, times);
  await request(bench.client, { ...REPOSITORY, namespace: NAMESPACE, name: 'repo' }, `${path}-${note}`);
  return head(bench);
}

async function push(
  { clone, gitEnv }: Pick<Bench, 'clone' | 'gitEnv'>,
  message: string,
  times: { begun: number; returned: number } = { begun: 0, returned: 0 },
): Promise<void> {
  const git = (...args: readonly string[]) =>
    run('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args], { cwd: clone, env: gitEnv });
  await git('add', '--all');
  await git('commit', '--quiet', '--message', message);
  times.begun = performance.now();
  await git('push', '--quiet', 'origin', 'HEAD:main');
  times.returned = performance.now();
}

async function head({ clone, gitEnv }: Pick<Bench, 'clone' | 'gitEnv'>): Promise<string> {
  const { stdout } = await run('git', ['rev-parse', 'HEAD'], { cwd: clone, env: gitEnv });
  return `main@sha1:${stdout.trim()}`;
}

async function apply(client: KubeClient, object: KubeObject): Promise<void> {
  const applied = await client.apply(object, { fieldManager: 'bench', force: true });
  if (!applied.ok) throw new Error(applied.error.message);
}

type Place = { readonly apiVersion: string; readonly kind: string; readonly namespace: string; readonly name: string };

async function request(client: KubeClient, place: Place, token: string): Promise<void> {
  const annotations = { 'reconcile.fluxcd.io/requestedAt': token };
  const patched = await client.patch(place, { metadata: { annotations } }, { type: 'merge', fieldManager: 'bench' });
  if (!patched.ok) throw new Error(patched.error.message);
}

/** Resolves when each of the named Kustomizations was seen so that `holds`. */
async function seen(
  client: KubeClient,
  names: readonly string[],
  holds: (object: KubeObject) => boolean,
): Promise<void> {
  const left = new Set(names);
  const look = (object: KubeObject): boolean => {
    if (holds(object)) left.delete(object.metadata.name);
    return left.size === 0;
  };
  await follow(client, KUSTOMIZATION, look);
}

async function seenObject(client: KubeClient, place: Place, holds: (object: KubeObject) => boolean): Promise<number> {
  await follow(client, place, (object) => object.metadata.name === place.name && holds(object));
  return performance.now();
}

/** Looks at every object of a kind as it is and changes, until `look` is content. */
async function follow(
  client: KubeClient,
  kind: Pick<Place, 'apiVersion' | 'kind'>,
  look: (object: KubeObject) => boolean,
): Promise<void> {
  const listed = await client.list(kind, { namespace: NAMESPACE });
  if (!listed.ok) throw new Error(listed.error.message);
  const { items, resourceVersion } = listed.value;
  if (items.some(look)) return;
  const signal = AbortSignal.timeout(LIMIT_MS);
  for await (const event of client.watch(kind, { namespace: NAMESPACE, resourceVersion, signal })) {
    if (event.type === 'ERROR') throw new Error(event.error.message);
    if (event.type !== 'BOOKMARK' && event.type !== 'DELETED' && look(event.object)) return;
  }
  throw new Error(`${kind.kind}: not seen within ${LIMIT_MS / 1000} s`);
}

function isApplied(status: Json | undefined, revision: string): boolean {
  const conditions = at(status, 'conditions');
  const ready = Array.isArray(conditions)
    ? conditions.find((item: Json) => stringAt(item, 'type') === 'Ready')
    : undefined;
  return stringAt(ready, 'status') === 'True' && stringAt(status, 'lastAppliedRevision') === revision;
}

function dataOf(object: KubeObject, key: string): string | undefined {
  return stringAt(object as unknown as Json, 'data', key);
}

function kustomization(name: string, path: string): KubeObject {
  return {
    ...KUSTOMIZATION,
    metadata: { name, namespace: NAMESPACE },
    spec: {
      interval: '60m',
      path: `./apps/${path}`,
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'repo' },
      targetNamespace: NAMESPACE,
      postBuild: { substitute: { name } },
    },
  };
}

// oxlint-disable no-template-curly-in-string -- these are postBuild's
const CONFIG = (note: string): string =>
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}-config\ndata:\n  name: "${name}"\n' +
  `  note: ${note}\n`;

const OBJECTS: Readonly<Record<string, string>> = {
  'account.yaml': 'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${name}\n',
  'service.yaml':
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  selector:\n    app: ${name}\n  ports:\n    - port: 80\n      targetPort: 8080\n',
  'deployment.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  replicas: 0\n  selector:\n    matchLabels:\n      app: ${name}\n  template:\n    metadata:\n      labels:\n        app: ${name}\n    spec:\n      serviceAccountName: ${name}\n      containers:\n        - name: app\n          image: example/app:1\n          envFrom:\n            - configMapRef:\n                name: ${name}-config\n',
  'ingress.yaml':
    'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: ${name}\nspec:\n  rules:\n    - host: ${name}.example.com\n      http:\n        paths:\n          - path: /\n            pathType: Prefix\n            backend:\n              service:\n                name: ${name}\n                port:\n                  number: 80\n',
};
// oxlint-enable no-template-curly-in-string

function pause(ms = 1_000): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (percent: number): number => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  return `${Math.round(rank(50))} ms / ${Math.round(rank(95))} ms`;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
