import { tmpdir } from 'node:os';
import { systemClock } from '../kube/system-clock.ts';
import type { StartEngine } from '../runtime/engine-config.ts';
import { createLog } from '../runtime/log.ts';
import type { CliHost, Command, FlagDefinition } from './command.ts';
import { engineConfig, engineFlags } from './engine-flags.ts';
import { FlagValues, flagUsages, parseArguments } from './flags.ts';
import { globalFlags } from './global-flags.ts';
import { boundHeapGrowth } from './heap-growth.ts';
import { printProgress } from './progress.ts';
import { VERSION } from './version.ts';

const SHORT = 'Run the engine against a cluster';

/**
 * `weir run`: runs the engine until an interrupt. It takes the flags of Flux's controllers, so it parses its arguments itself:
 * no timeout ends it, and `--namespace` is not a flag of it.
 */
export function runCommand(start: StartEngine): Command {
  return {
    use: 'run',
    short: SHORT,
    long: 'Run the engine against the cluster that the kubeconfig names, with the flags of the Flux controllers.',
    delegate: (args, host) => run(args, host, start),
  };
}

/** Global flags that say which cluster is meant, and how fast to ask it. */
const NOT_OURS = new Set(['timeout', 'verbose', 'namespace', 'ns-follows-kube-context']);

/** Every flag that `weir run` takes. */
export function runFlags(env: CliHost['env']): readonly FlagDefinition[] {
  return [...globalFlags(env).filter(({ name }) => !NOT_OURS.has(name)), ...engineFlags(env)];
}

async function run(args: readonly string[], host: CliHost, start: StartEngine): Promise<number> {
  const progress = printProgress((text) => host.io.stderr(text));
  const fail = (message: string): number => {
    progress.failure(message);
    return 1;
  };
  const definitions = runFlags(host.env);
  const parsed = parseArguments(args, definitions);
  if (!parsed.ok) return fail(parsed.error);
  if (parsed.value.help) {
    host.io.stdout(`${SHORT}\n\nUsage:\n  weir run [flags]\n\nFlags:\n${flagUsages(definitions)}\n`);
    return 0;
  }
  const [extra] = parsed.value.positional;
  if (extra !== undefined) return fail(`unexpected argument ${JSON.stringify(extra)}`);
  const flags = new FlagValues(definitions, parsed.value.given);
  const config = engineConfig(flags, host.env);
  if (!config.ok) return fail(config.error);
  boundHeapGrowth();
  const client = await host.connect({ flags, env: host.env });
  if (!client.ok) return fail(client.error.message);

  const log = createLog({
    level: config.value.logLevel,
    encoding: config.value.logEncoding,
    clock: systemClock,
    write: (line) => host.io.stderr(`${line}\n`),
  }).with({ logger: 'setup' });
  log.info('starting weir', { version: VERSION, runtimeNamespace: config.value.runtimeNamespace });
  // The engine stops with its own signal, so that a fault of one part stops the others.
  const surroundings = {
    line: (text: string) => host.io.stderr(`${text}\n`),
    searchPath: host.env['PATH'] ?? '',
    env: host.env,
    temporaryDirectory: tmpdir(),
  };
  const engine = await start(config.value, client.value, host.signal, surroundings).catch((cause: unknown) => {
    return cause instanceof Error ? cause : new Error(String(cause));
  });
  if (engine instanceof Error) return fail(engine.message);
  log.info('engine started', { storage: config.value.storageAddr, metrics: config.value.metricsAddr });
  try {
    await engine.stopped;
  } catch (cause) {
    return fail(cause instanceof Error ? cause.message : String(cause));
  }
  log.info('engine stopped');
  return 0;
}
