import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Features } from '../cluster/features.ts';
import type { Store } from '../cluster/store/store.ts';
import { advanceClock } from './cluster/advance-clock.ts';
import { downloadSnapshot } from './cluster/download-snapshot.ts';
import {
  defaultKubeconfig,
  kubeconfigFor,
  mergeKubeconfig,
  refreshKubeconfig,
  removeFromKubeconfig,
} from './cluster/kubeconfig.ts';
import { isFree, startProcess, stopProcess } from './cluster/process.ts';
import {
  ClusterDirectory,
  type ClusterState,
  clustersDirectory,
  contextOf,
  listClusters,
  NAME,
  startOf,
} from './cluster/state.ts';
import { type CliContext, type CliResult, type Command, done, type FlagDefinition, failed } from './command.ts';
import { boundHeapGrowth } from './heap-growth.ts';

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
  {
    name: 'port',
    type: 'int',
    default: '0',
    usage: 'Port of the API server on 127.0.0.1; when 0, the one it had before, or any free one.',
  },
  {
    name: 'clock',
    type: 'string',
    default: 'system',
    usage: "system, or manual: the cluster's time stands still until `weir cluster advance` moves it.",
  },
  {
    name: 'from',
    type: 'string',
    usage:
      'Snapshot, or YAML or JSON of objects, that a new cluster begins with: versions, owners and status stay as they are.',
  },
  {
    name: 'feature-gates',
    type: 'string',
    usage: "kube-apiserver's: MutatingAdmissionPolicy=true, with its API version in --runtime-config.",
  },
  {
    name: 'runtime-config',
    type: 'string',
    usage: "kube-apiserver's: API versions beside the default ones, such as admissionregistration.k8s.io/v1beta1=true.",
  },
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
        stays: true,
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
        flags: [NAME_FLAG, DIRECTORY_FLAG, KUBECONFIG_FLAG],
        args: { min: 0, max: 0 },
        run: reset,
      },
      {
        use: 'advance DURATION',
        short: "Move a cluster's manual clock, and wait until its controllers rest",
        flags: [NAME_FLAG, DIRECTORY_FLAG],
        args: { min: 1, max: 1 },
        run: advance,
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
        short: 'Put the state of a snapshot, or of YAML or JSON, into a cluster, in place of its own',
        flags: [NAME_FLAG, DIRECTORY_FLAG, KUBECONFIG_FLAG],
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

const CLOCKS = ['system', 'manual'];

function knownClock({ flags }: CliContext): CliResult {
  const clock = flags.string('clock');
  return CLOCKS.includes(clock) ? done : failed(`"${clock}" is no clock: use ${CLOCKS.join(' or ')}`);
}

async function featuresOf({ flags }: CliContext): Promise<CliResult<Features>> {
  const [gates, config] = [flags.string('feature-gates'), flags.string('runtime-config')];
  if (gates === '' && config === '') return { ok: true, value: {} };
  const { readFeatures } = await import('../cluster/features.ts');
  const read = readFeatures(gates, config);
  return read.ok ? read : failed(read.error);
}

async function create(context: CliContext): Promise<CliResult> {
  const found = target(context);
  if (!found.ok) return found;
  const clock = knownClock(context);
  if (!clock.ok) return clock;
  const features = await featuresOf(context);
  if (!features.ok) return features;
  const { name, directory } = found.value;
  const running = directory.running();
  if (running !== undefined) return failed(`cluster ${name} exists already and runs at ${running.url}`);
  const fresh = !directory.exists();
  if (!fresh && context.flags.string('from') !== '') return failed(`cluster ${name} exists already: use restore`);
  context.progress.action(`starting cluster ${name}`);
  const undo = (): void => {
    // Another process may have made the same cluster meanwhile: what is there is its own then.
    if (fresh && directory.exists() && directory.holder() === undefined) directory.remove();
  };
  const started = await launch(found.value, await launchOptions(context, directory));
  if (!started.ok) {
    undo();
    return started;
  }
  const merged = await mergeKubeconfig(kubeconfigFile(context), contextOf(name), started.value);
  if (!merged.ok) {
    await stopProcess(directory);
    undo();
    return failed(merged.error);
  }
  context.progress.success(`cluster ${name} is ready at ${started.value.url}, kubectl's context is ${contextOf(name)}`);
  return done;
}

interface LaunchOptions {
  readonly port: number;
  readonly ephemeral: boolean;
  readonly manualClock: boolean;
  readonly featureGates: string;
  readonly runtimeConfig: string;
  readonly from: string;
  readonly cwd: string;
}

/** A cluster that was stopped comes back where its clients look for it, when that port is still free. */
async function launchOptions({ flags, cwd }: CliContext, directory: ClusterDirectory): Promise<LaunchOptions> {
  const before = directory.read()?.port ?? 0;
  const asked = flags.int('port');
  const port = asked === 0 && before !== 0 && (await isFree(before)) ? before : asked;
  return {
    port,
    ephemeral: flags.bool('ephemeral'),
    manualClock: flags.string('clock') === 'manual',
    featureGates: flags.string('feature-gates'),
    runtimeConfig: flags.string('runtime-config'),
    from: flags.string('from'),
    cwd,
  };
}

async function launch(
  { name, directory }: Target,
  { port, ephemeral, manualClock, featureGates, runtimeConfig, from, cwd }: LaunchOptions,
): Promise<CliResult<ClusterState>> {
  try {
    directory.make();
  } catch (cause) {
    return failed(explain(cause, port, directory.path));
  }
  const args = [
    '--name',
    name,
    '--data-dir',
    directory.path,
    '--port',
    String(port),
    ...(ephemeral ? ['--ephemeral'] : []),
    ...(manualClock ? ['--clock=manual'] : []),
    ...(featureGates === '' ? [] : [`--feature-gates=${featureGates}`]),
    ...(runtimeConfig === '' ? [] : [`--runtime-config=${runtimeConfig}`]),
    ...(from === '' ? [] : ['--from', from]),
  ];
  const started = await startProcess(directory, args, cwd);
  return started.ok ? started : failed(started.error);
}

async function run(context: CliContext): Promise<CliResult> {
  const found = target(context);
  if (!found.ok) return found;
  const clock = knownClock(context);
  if (!clock.ok) return clock;
  const features = await featuresOf(context);
  if (!features.ok) return features;
  const { name, directory } = found.value;
  const { startCluster } = await import('./cluster/start-cluster.ts');
  boundHeapGrowth();
  const port = context.flags.int('port');
  const ephemeral = context.flags.bool('ephemeral');
  const given = context.flags.string('from');
  const from = given === '' ? '' : resolve(context.cwd, given);
  let locked = false;
  try {
    const exists = existsSync(join(directory.data, 'store'));
    directory.make();
    const holder = directory.lock();
    if (holder !== undefined) return failed(`cluster ${name} runs already, as process ${holder}`);
    locked = true;
    if (from !== '' && exists && !ephemeral) return failed(`cluster ${name} exists already: use restore`);
    const cluster = await startCluster({
      dataDirectory: ephemeral ? undefined : directory.data,
      from: from === '' ? undefined : from,
      scratchDirectory: join(directory.path, 'engine'),
      port,
      manualClock: context.flags.string('clock') === 'manual',
      features: features.value,
      env: context.env,
      line: (text) => context.progress.warning(text),
    });
    directory.write({
      pid: process.pid,
      started: startOf(process.pid),
      port: Number(new URL(cluster.url).port),
      ephemeral,
      manualClock: context.flags.string('clock') === 'manual',
      featureGates: context.flags.string('feature-gates'),
      runtimeConfig: context.flags.string('runtime-config'),
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
    if (isFolder(from)) return failed(`${from} is a folder`);
    return failed(explain(cause, port, directory.path));
  } finally {
    if (locked) directory.unlock();
  }
}

/** One sentence for what a user can mend. */
function explain(cause: unknown, port: number, path: string): string {
  const { code, message, path: file = path } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no file ${file}`;
  if (code === 'EADDRINUSE') return `port ${port} is in use: choose another with --port`;
  if (code === 'EACCES' && port > 0 && port < 1024) return `port ${port} is for root only: choose another with --port`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return `no permission to write ${path}`;
  if (code === 'ENOSPC') return `no space left for ${path}`;
  if (code === 'ENOTDIR' || code === 'EEXIST') return `${path} is no folder`;
  if (code === 'ERR_SOCKET_BAD_PORT') return `${port} is no port: choose one up to 65535`;
  if (/damaged at byte/.test(message ?? '') && message?.includes(join(path, 'data')))
    return `${message}: restore a snapshot with \`weir cluster restore\`, or begin anew with \`weir cluster reset\``;
  return message ?? String(cause);
}

function isFolder(path: string): boolean {
  return path !== '' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
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

/** Stops the cluster, puts `state` in the place of its own, and starts it again when it ran. */
async function replace(context: CliContext, found: Target, state: Store, file: string | undefined): Promise<CliResult> {
  const { name, directory } = found;
  const before = directory.running();
  try {
    await stopProcess(directory);
    if (before?.ephemeral !== true) {
      const { replaceState } = await import('../cluster/store/disk.ts');
      await replaceState(join(directory.data, 'store'), state);
    }
  } catch (cause) {
    return failed(explain(cause, 0, directory.path));
  }
  if (before === undefined) return done;
  const { port, ephemeral, manualClock = false, featureGates = '', runtimeConfig = '' } = before;
  const started = await launch(found, {
    port,
    ephemeral,
    manualClock,
    featureGates,
    runtimeConfig,
    from: ephemeral ? (file ?? '') : '',
    cwd: context.cwd,
  });
  if (!started.ok || !ephemeral) return started.ok ? done : started;
  // A cluster that is kept nowhere has other certificates now.
  const refreshed = await refreshKubeconfig(kubeconfigFile(context), contextOf(name), started.value);
  return refreshed.ok ? done : failed(refreshed.error);
}

/** The cluster that flags name, when there is one. */
function existing(context: CliContext): CliResult<Target> {
  const found = target(context);
  if (!found.ok || found.value.directory.exists()) return found;
  return failed(`there is no cluster ${found.value.name}`);
}

async function reset(context: CliContext): Promise<CliResult> {
  const found = existing(context);
  if (!found.ok) return found;
  const { Store } = await import('../cluster/store/store.ts');
  const replaced = await replace(context, found.value, new Store(), undefined);
  if (replaced.ok) context.progress.success(`cluster ${found.value.name} is empty`);
  return replaced;
}

async function advance(context: CliContext): Promise<CliResult> {
  const found = existing(context);
  if (!found.ok) return found;
  const state = found.value.directory.running();
  if (state === undefined) return failed(`cluster ${found.value.name} is stopped`);
  const moved = await advanceClock(state, context.args[0] as string);
  if (!moved.ok) return failed(moved.error);
  context.print(`${moved.value}\n`);
  return done;
}

async function snapshot(context: CliContext): Promise<CliResult> {
  const found = existing(context);
  if (!found.ok) return found;
  const { directory } = found.value;
  const file = resolve(context.cwd, context.args[0] as string);
  try {
    const state = directory.running();
    if (state !== undefined) await downloadSnapshot(state, file);
    else if (!existsSync(directory.data))
      return failed(`cluster ${found.value.name} is stopped, and nothing of it was kept`);
    else {
      const { exportSnapshot } = await import('../cluster/store/disk.ts');
      await exportSnapshot(join(directory.data, 'store'), file);
    }
  } catch (cause) {
    if (!existsSync(dirname(file))) return failed(`there is no folder ${dirname(file)}`);
    if (isFolder(file)) return failed(`${file} is a folder`);
    return failed(explain(cause, 0, file));
  }
  context.progress.success(`wrote ${file}`);
  return done;
}

async function restore(context: CliContext): Promise<CliResult> {
  const found = existing(context);
  if (!found.ok) return found;
  const file = resolve(context.cwd, context.args[0] as string);
  let state: Store;
  try {
    // Before anything is stopped: a wrong file changes nothing.
    const { readState } = await import('../cluster/state-file.ts');
    state = readState(file);
  } catch (cause) {
    return failed(isFolder(file) ? `${file} is a folder` : explain(cause, 0, file));
  }
  const replaced = await replace(context, found.value, state, file);
  if (replaced.ok) context.progress.success(`restored ${file}`);
  return replaced;
}

async function remove(context: CliContext): Promise<CliResult> {
  const found = existing(context);
  if (!found.ok) return found;
  const { name, directory } = found.value;
  try {
    await stopProcess(directory);
    directory.remove();
  } catch (cause) {
    return failed(explain(cause, 0, directory.path));
  }
  const cleaned = await removeFromKubeconfig(kubeconfigFile(context), contextOf(name));
  if (!cleaned.ok) return failed(cleaned.error);
  context.progress.success(`cluster ${name} deleted`);
  return done;
}
