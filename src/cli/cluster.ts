import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defaultKubeconfig, kubeconfigFor, mergeKubeconfig, removeFromKubeconfig } from './cluster/kubeconfig.ts';
import { startProcess, stopProcess } from './cluster/process.ts';
import {
  ClusterDirectory,
  type ClusterState,
  clustersDirectory,
  contextOf,
  listClusters,
  NAME,
} from './cluster/state.ts';
import { type CliContext, type CliResult, type Command, done, type FlagDefinition, failed } from './command.ts';

const NAME_FLAG: FlagDefinition = { name: 'name', type: 'string', default: 'weir', usage: 'Name of the cluster.' };
const DIRECTORY_FLAG: FlagDefinition = {
  name: 'data-dir',
  type: 'string',
  usage: 'Folder of the cluster (default below $XDG_STATE_HOME or ~/.local/state).',
};
const KUBECONFIG_FLAG: FlagDefinition = {
  name: 'kubeconfig-file',
  type: 'string',
  usage: 'Kubeconfig to write the context to (default --kubeconfig, $KUBECONFIG or ~/.kube/config).',
};
const START_FLAGS: readonly FlagDefinition[] = [
  NAME_FLAG,
  DIRECTORY_FLAG,
  { name: 'ephemeral', type: 'bool', usage: 'Keep nothing on the disk.' },
  { name: 'port', type: 'int', default: '0', usage: 'Port of the API server on 127.0.0.1; any free one when 0.' },
];

/** `weir cluster`: Kubernetes in one process. */
export function clusterCommand(): Command {
  return {
    use: 'cluster',
    short: 'Run Kubernetes in the box: an embedded control plane with simulated workloads',
    commands: [
      {
        use: 'create',
        short: 'Start a cluster that runs until it is deleted, and make it the current context',
        flags: [...START_FLAGS, KUBECONFIG_FLAG],
        args: { min: 0, max: 0 },
        run: create,
      },
      {
        use: 'run',
        short: 'Run a cluster in the foreground',
        flags: START_FLAGS,
        args: { min: 0, max: 0 },
        run,
      },
      { use: 'list', short: 'List the clusters', args: { min: 0, max: 0 }, run: list },
      {
        use: 'kubeconfig',
        short: 'Print the kubeconfig of a cluster',
        flags: [NAME_FLAG, DIRECTORY_FLAG],
        args: { min: 0, max: 0 },
        run: kubeconfig,
      },
      {
        use: 'reset',
        short: 'Empty a cluster: it starts anew with the same address and certificates',
        flags: [NAME_FLAG, DIRECTORY_FLAG],
        args: { min: 0, max: 0 },
        run: reset,
      },
      {
        use: 'snapshot FILE',
        short: "Write a cluster's whole state to a file",
        flags: [NAME_FLAG, DIRECTORY_FLAG],
        args: { min: 1, max: 1 },
        run: snapshot,
      },
      {
        use: 'restore FILE',
        short: "Put a snapshot's state into a cluster, in place of its own",
        flags: [NAME_FLAG, DIRECTORY_FLAG],
        args: { min: 1, max: 1 },
        run: restore,
      },
      {
        use: 'delete',
        short: 'Stop a cluster and remove its data and its context',
        flags: [NAME_FLAG, DIRECTORY_FLAG, KUBECONFIG_FLAG],
        args: { min: 0, max: 0 },
        run: remove,
      },
    ],
  };
}

interface Target {
  readonly name: string;
  readonly directory: ClusterDirectory;
}

function target({ flags, env, cwd }: CliContext): CliResult<Target> {
  const name = flags.string('name');
  if (!NAME.test(name)) return failed(`"${name}" is no name of a cluster: use lower case letters, digits and dashes`);
  const given = flags.string('data-dir');
  const path = given === '' ? join(clustersDirectory(env), name) : resolve(cwd, given);
  return { ok: true, value: { name, directory: new ClusterDirectory(path) } };
}

function kubeconfigFile({ flags, env, cwd }: CliContext): string {
  for (const flag of ['kubeconfig-file', 'kubeconfig']) {
    const given = flags.string(flag);
    if (given !== '') return resolve(cwd, given);
  }
  return defaultKubeconfig(env);
}

async function create(context: CliContext): Promise<CliResult> {
  const found = target(context);
  if (!found.ok) return found;
  const { name, directory } = found.value;
  if (directory.running() !== undefined) return failed(`cluster ${name} exists already and runs`);
  context.progress.action(`starting cluster ${name}`);
  const started = await launch(context, found.value, context.flags.int('port'), context.flags.bool('ephemeral'));
  if (!started.ok) return started;
  const merged = mergeKubeconfig(kubeconfigFile(context), contextOf(name), started.value);
  if (!merged.ok) {
    await stopProcess(directory);
    return failed(merged.error);
  }
  context.progress.success(`cluster ${name} is ready at ${started.value.url}, kubectl's context is ${contextOf(name)}`);
  return done;
}

async function launch(
  context: CliContext,
  { name, directory }: Target,
  port: number,
  ephemeral: boolean,
): Promise<CliResult<ClusterState>> {
  try {
    directory.make();
  } catch (cause) {
    return failed(`cannot write ${directory.path}: ${(cause as NodeJS.ErrnoException).code ?? 'failed'}`);
  }
  const args = [
    '--name',
    name,
    '--data-dir',
    directory.path,
    '--port',
    String(port),
    ...(ephemeral ? ['--ephemeral'] : []),
  ];
  const started = await startProcess(directory, args, context.cwd);
  return started.ok ? started : failed(started.error);
}

async function run(context: CliContext): Promise<CliResult> {
  const found = target(context);
  if (!found.ok) return found;
  const { name, directory } = found.value;
  const { startCluster } = await import('./cluster/start-cluster.ts');
  const port = context.flags.int('port');
  try {
    directory.make();
    const cluster = await startCluster({
      dataDirectory: context.flags.bool('ephemeral') ? undefined : directory.data,
      scratchDirectory: join(directory.path, 'engine'),
      port,
      env: context.env,
      line: (text) => context.progress.warning(text),
    });
    directory.write({
      pid: process.pid,
      port: Number(new URL(cluster.url).port),
      url: cluster.url,
      authority: cluster.authority,
      certificate: cluster.admin.certificate,
      key: cluster.admin.key,
    });
    context.progress.success(`cluster ${name} is ready at ${cluster.url}`);
    await interrupted(context.signal);
    await cluster.stop();
    return done;
  } catch (cause) {
    return failed(explain(cause, port, directory.path));
  }
}

/** One sentence for what a user can mend. */
function explain(cause: unknown, port: number, path: string): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `port ${port} is in use: choose another with --port`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return `no permission to write ${path}`;
  return message ?? String(cause);
}

/** Resolves at an interrupt or a SIGTERM; a cluster has no timeout. */
function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolvePromise) => {
    const end = (): void => {
      process.off('SIGTERM', end);
      process.off('SIGINT', end);
      resolvePromise();
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    if (signal.aborted && signal.reason instanceof Error && signal.reason.message === 'interrupted') end();
  });
}

async function list(context: CliContext): Promise<CliResult> {
  const root = clustersDirectory(context.env);
  const rows = listClusters(root).map((name) => {
    const directory = new ClusterDirectory(join(root, name));
    const state = directory.running();
    return [name, state === undefined ? 'stopped' : 'running', state?.url ?? ''];
  });
  const all = [['NAME', 'STATE', 'ADDRESS'], ...rows];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => (row[column] as string).length)));
  for (const [name = '', state = '', url = ''] of all)
    context.print(
      `${name.padEnd(widths[0] as number)}  ${state.padEnd(widths[1] as number)}  ${url}`.trimEnd().concat('\n'),
    );
  return done;
}

async function kubeconfig(context: CliContext): Promise<CliResult> {
  const found = target(context);
  if (!found.ok) return found;
  const state = found.value.directory.read();
  if (state === undefined) return failed(`there is no cluster ${found.value.name}`);
  context.print(await context.yaml(kubeconfigFor(contextOf(found.value.name), state)));
  return done;
}

/** Stops the cluster, changes its files, and starts it at the same port when it ran. */
async function whileStopped(context: CliContext, change: (target: Target) => Promise<void>): Promise<CliResult> {
  const found = target(context);
  if (!found.ok) return found;
  const { name, directory } = found.value;
  if (!directory.exists()) return failed(`there is no cluster ${name}`);
  const state = directory.running();
  await stopProcess(directory);
  try {
    await change(found.value);
  } catch (cause) {
    return failed((cause as Error).message);
  }
  if (state === undefined) return done;
  const started = await launch(context, found.value, state.port, false);
  return started.ok ? done : started;
}

async function reset(context: CliContext): Promise<CliResult> {
  return whileStopped(context, async ({ directory }) => {
    rmSync(join(directory.data, 'store'), { recursive: true, force: true });
  });
}

async function snapshot(context: CliContext): Promise<CliResult> {
  const file = resolve(context.cwd, context.args[0] as string);
  return whileStopped(context, async ({ directory }) => {
    const { exportSnapshot } = await import('../cluster/store/disk.ts');
    await exportSnapshot(join(directory.data, 'store'), file);
    context.progress.success(`wrote ${file}`);
  });
}

async function restore(context: CliContext): Promise<CliResult> {
  const file = resolve(context.cwd, context.args[0] as string);
  return whileStopped(context, async ({ directory }) => {
    const { importSnapshot } = await import('../cluster/store/disk.ts');
    await importSnapshot(join(directory.data, 'store'), file);
    context.progress.success(`restored ${file}`);
  });
}

async function remove(context: CliContext): Promise<CliResult> {
  const found = target(context);
  if (!found.ok) return found;
  const { name, directory } = found.value;
  if (!directory.exists()) return failed(`there is no cluster ${name}`);
  await stopProcess(directory);
  directory.remove();
  const cleaned = removeFromKubeconfig(kubeconfigFile(context), contextOf(name));
  if (!cleaned.ok) return failed(cleaned.error);
  context.progress.success(`cluster ${name} deleted`);
  return done;
}
