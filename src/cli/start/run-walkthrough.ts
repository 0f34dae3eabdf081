import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGitServer } from '../../demo/git-server/server.ts';
import type { KubeClient } from '../../kube/client.ts';
import { systemClock } from '../../kube/system-clock.ts';
import { createLog } from '../../runtime/log.ts';
import { startBox } from '../../wiring-box.ts';
import { startPage } from '../../wiring-page.ts';
import type { CliHost, Progress, RunCommandLine } from '../command.ts';
import { banner } from './banner.ts';
import { createKeyFiles } from './keys.ts';
import type { StartOptions } from './options.ts';
import { podEngine } from './pod-engine.ts';
import { poke } from './poke.ts';
import { bootstrap, GIT_USER, seedRepositories, type Walkthrough, writeKubeconfig } from './walkthrough.ts';

const CLUSTER = 'weir-walkthrough';

/** The terminal it was started from, and how to run the commands that the walk-through types. */
export interface Surroundings {
  readonly host: CliHost;
  readonly run: RunCommandLine;
  readonly progress: Progress;
}

/** Starts everything, prints what to do with it, and stops it all at the interrupt. */
export async function runWalkthrough(options: StartOptions, surroundings: Surroundings): Promise<number> {
  const { host, progress } = surroundings;
  const stops: (() => Promise<void>)[] = [];
  try {
    await startAll(options, surroundings, stops);
    await interrupted(host.signal);
    progress.action('stopping');
    return 0;
  } catch (error) {
    if (host.signal.aborted) return 0;
    progress.failure(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function startAll(
  options: StartOptions,
  { host, run, progress }: Surroundings,
  stops: (() => Promise<void>)[],
): Promise<void> {
  const { dataDirectory, gitPort, packageDirectory } = options;
  const log = createLog({
    level: 'error',
    encoding: 'console',
    clock: systemClock,
    write: (line) => host.io.stderr(`${line}\n`),
  });
  const kubeconfig = join(dataDirectory, 'kubeconfig');

  progress.action('starting the cluster');
  const box = await startBox({
    dataDirectory: join(dataDirectory, 'cluster'),
    port: options.apiPort,
    log,
    startEngine: podEngine(join(dataDirectory, 'engine'), host.env),
  });
  stops.push(() => box.stop());
  await writeKubeconfig(kubeconfig, { name: CLUSTER, ...box });

  progress.action('starting the git server');
  const keys = await createKeyFiles(join(dataDirectory, 'ssh'), gitPort, GIT_USER);
  const repositories = join(dataDirectory, 'git');
  await mkdir(repositories, { recursive: true });
  const gitServer = await startGitServer({
    host: '127.0.0.1',
    port: gitPort,
    root: repositories,
    user: GIT_USER,
    hostKeyFile: join(dataDirectory, 'ssh', 'host_key'),
    authorizedKeys: async () => [await readFile(`${keys.privateKey}.pub`, 'utf8')],
    searchPath: host.env['PATH'] ?? '',
    // What a forge's webhook does for a Receiver: the engine need not wait for its interval.
    onPush: (repository) => void poke(box.client, repository, new Date().toISOString()),
  });
  stops.push(() => gitServer.stop());

  const walkthrough: Walkthrough = {
    host,
    run,
    examples: join(packageDirectory, 'examples', 'walkthrough'),
    repositories,
    gitPort,
    privateKeyFile: keys.privateKey,
  };
  if (await seedRepositories(walkthrough)) {
    progress.action('installing Weir from the repositories flux-system and flux-cluster');
    await bootstrap(walkthrough, box.client);
  }

  const page = await startPage({
    client: box.client,
    port: options.pagePort,
    cluster: CLUSTER,
    files: join(packageDirectory, 'dist', 'web'),
    log,
  });
  stops.push(() => page.stop());

  progress.wait('waiting for git to become the cluster');
  await converged(box.client, host.signal);
  progress.success('walk-through ready');
  host.io.stdout(banner({ page: page.port, kubeconfig, gitPort, sshConfig: keys.config, user: GIT_USER }));
}

const POLL_MS = 100;

/** Resolves when every Kustomization is Ready and the application runs; the page tells why when it takes long. */
async function converged(client: KubeClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const [kustomizations, application] = await Promise.all([
      client.list({ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' }),
      client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'backend', name: 'nginx-test' }),
    ]);
    const items = kustomizations.ok ? kustomizations.value.items : [];
    if (
      items.length >= 3 &&
      items.every(isReady) &&
      application.ok &&
      application.value.status?.['availableReplicas'] === 1
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error('interrupted');
}

function isReady({
  status,
  metadata,
}: {
  readonly status?: { readonly [key: string]: unknown };
  readonly metadata: { readonly generation?: number };
}): boolean {
  const conditions = (status?.['conditions'] ?? []) as readonly { type: string; status: string }[];
  if (status?.['observedGeneration'] !== metadata.generation) return false;
  return conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
