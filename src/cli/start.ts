import { access, constants, mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CliHost, Command, FlagDefinition, RunCommandLine } from './command.ts';
import { FlagValues, flagUsages, parseArguments } from './flags.ts';
import { boundHeapGrowth } from './heap-growth.ts';
import { printProgress } from './progress.ts';
import type { StartOptions } from './start/options.ts';

const SHORT = 'Run the walk-through: a cluster, a git server, the engine and the page';

const FLAGS: readonly FlagDefinition[] = [
  {
    name: 'data-dir',
    type: 'string',
    default: '.weir',
    usage: 'Folder that keeps the cluster, the repositories and the keys.',
  },
  {
    name: 'fresh',
    type: 'bool',
    default: 'false',
    usage: 'Begin anew: remove what an earlier run left in the data folder.',
  },
  { name: 'page-port', type: 'int', default: '8484', usage: 'Port of the page.' },
  { name: 'git-port', type: 'int', default: '30022', usage: 'Port of the git server (a node port: 30000 to 32767).' },
  { name: 'api-port', type: 'int', default: '6440', usage: "Port of the cluster's API." },
];

/** `weir start`: everything that the walk-through needs, in one process, until an interrupt. */
export const startCommand: Command = { use: 'start', short: SHORT, long: `${SHORT}.`, delegate: start };

async function start(args: readonly string[], host: CliHost, run: RunCommandLine): Promise<number> {
  const progress = printProgress((text) => host.io.stderr(text));
  const fail = (message: string): number => {
    progress.failure(message);
    return 1;
  };
  const parsed = parseArguments(args, FLAGS);
  if (!parsed.ok) return fail(parsed.error);
  if (parsed.value.help) {
    host.io.stdout(`${SHORT}\n\nUsage:\n  weir start [flags]\n\nFlags:\n${flagUsages(FLAGS)}\n`);
    return 0;
  }
  const [extra] = parsed.value.positional;
  if (extra !== undefined) return fail(`unexpected argument ${JSON.stringify(extra)}`);
  const flags = new FlagValues(FLAGS, parsed.value.given);
  boundHeapGrowth();
  const options: StartOptions = {
    dataDirectory: resolve(host.cwd, flags.string('data-dir')),
    pagePort: flags.int('page-port'),
    gitPort: flags.int('git-port'),
    apiPort: flags.int('api-port'),
    packageDirectory: fileURLToPath(new URL('..', import.meta.url)),
  };
  const problem =
    (await missingProgram(host)) ??
    (await missingPage(options)) ??
    (await takenPort(options)) ??
    (await prepare(options, flags.bool('fresh')));
  if (problem !== undefined) return fail(problem);
  const { runWalkthrough } = await import('./start/run-walkthrough.ts');
  return runWalkthrough(options, { host, run, progress });
}

/** git and an OpenSSH client do the fetching: without them nothing would ever arrive. */
async function missingProgram({ env }: CliHost): Promise<string | undefined> {
  for (const [program, what] of [
    ['git', 'git'],
    ['ssh', 'an OpenSSH client'],
    ['ssh-keygen', 'an OpenSSH client'],
  ] as const) {
    const found = (env['PATH'] ?? '').split(delimiter).map((folder) => access(join(folder, program), constants.X_OK));
    if (
      !(await Promise.any(found).then(
        () => true,
        () => false,
      ))
    )
      return `${program} is not on the PATH: install ${what}`;
  }
  return undefined;
}

async function missingPage({ packageDirectory }: StartOptions): Promise<string | undefined> {
  const page = access(join(packageDirectory, 'dist', 'web', 'index.html'));
  return page.then(
    () => undefined,
    () => 'the page is not built: run npm start, or npm run build, in the checkout',
  );
}

async function takenPort({ pagePort, gitPort, apiPort }: StartOptions): Promise<string | undefined> {
  for (const [port, flag] of [
    [pagePort, '--page-port'],
    [gitPort, '--git-port'],
    [apiPort, '--api-port'],
  ] as const) {
    const error = await new Promise<NodeJS.ErrnoException | undefined>((answer) => {
      const server = createServer();
      server.once('error', answer);
      server.listen(port, '127.0.0.1', () => server.close(() => answer(undefined)));
    });
    if (error?.code === 'EADDRINUSE') return `port ${port} is in use: choose another with ${flag}`;
    if (error !== undefined)
      return `port ${port} cannot be used (${error.code ?? error.message}): choose another with ${flag}`;
  }
  return undefined;
}

async function prepare({ dataDirectory }: StartOptions, fresh: boolean): Promise<string | undefined> {
  try {
    if (fresh) await rm(dataDirectory, { recursive: true, force: true });
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await access(dataDirectory, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return `cannot write to ${dataDirectory} (${code}): choose another folder with --data-dir`;
  }
}
