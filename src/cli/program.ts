import type { Json } from '../base/json.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import {
  type CliContext,
  type CliFailure,
  type CliHost,
  type CliResult,
  type Command,
  failed,
  MAX_STDIN_BYTES,
} from './command.ts';
import { FlagValues, parseArguments } from './flags.ts';
import { DEFAULT_NAMESPACE, environmentWarning, namespaceOf } from './global-flags.ts';
import { type CommandPath, flagsOf, helpText, printPath } from './help.ts';
import { printProgress } from './progress.ts';
import { resolveLoaded, suggestions } from './resolve.ts';
import { rootCommand } from './root.ts';
import { visible } from './terminal-text.ts';

/** Exit code of what SIGINT ended. */
const INTERRUPTED = 130;

/**
 * Runs one command line and gives its exit code. Data goes to `host.io.stdout`, everything else to `stderr`; an internal
 * error is one line, with its stack under `--verbose`.
 */
export async function main(argv: readonly string[], host: CliHost): Promise<number> {
  const progress = printProgress((text) => host.io.stderr(visible(text)));
  const root = rootCommand(host.env);
  try {
    return await dispatch(root, argv, host);
  } catch (error) {
    if (host.signal.aborted) {
      progress.failure('interrupted');
      return INTERRUPTED;
    }
    progress.failure(error instanceof Error ? error.message : String(error));
    if (argv.includes('--verbose') && error instanceof Error) host.io.stderr(`${error.stack ?? ''}\n`);
    return 1;
  }
}

async function dispatch(root: Command, argv: readonly string[], host: CliHost): Promise<number> {
  if (argv[0] === '__complete') return await complete(root, argv.slice(1), host);
  const { path, args } = await resolveLoaded(root, argv);
  const command = path[path.length - 1] as Command;
  if (command.delegate !== undefined) return await command.delegate(args, host, main);
  if (path.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
    host.io.stdout(`weir version ${(await import('./version.ts')).VERSION}\n`);
    return 0;
  }
  const progress = printProgress((text) => host.io.stderr(visible(text)));
  const fail = ({ message, exitCode, warning }: CliFailure): number => {
    if (warning === true) progress.warning(message);
    else progress.failure(message);
    return exitCode;
  };
  const warning = environmentWarning(host.env);
  if (warning !== undefined) progress.warning(warning);
  const parsed = parseArguments(args, flagsOf(path));
  if (!parsed.ok) return fail({ message: parsed.error, exitCode: 1 });
  const { positional, given, help, deprecations } = parsed.value;
  if (command.run === undefined && positional.length > 0 && !help) {
    return fail({ message: unknownCommand(path, positional[0] as string), exitCode: 1 });
  }
  if (help || command.run === undefined) {
    host.io.stdout(helpText(path));
    return 0;
  }
  for (const text of deprecations) progress.warning(text);
  const refusal = checkArguments(path, positional);
  if (refusal !== undefined) return fail({ message: refusal, exitCode: 1 });
  const flags = new FlagValues(flagsOf(path), given);
  const context = await contextOf(host, flags, positional, command);
  if (!context.ok) return fail(context.error);
  const [value, stop] = context.value;
  const end = overdue(value.signal);
  try {
    const result = await (command.stays === true
      ? command.run(value)
      : Promise.race([command.run(value), end.rejects]));
    if (!result.ok) return fail(result.error);
    // A watch that the user ends, ends as in Flux: by the signal.
    return host.signal.aborted && command.stays !== true ? INTERRUPTED : 0;
  } catch (error) {
    if (value.signal.aborted && !host.signal.aborted) return fail({ message: 'timed out waiting', exitCode: 1 });
    throw error;
  } finally {
    end.cancel();
    stop();
  }
}

/** How long a command may take to end by itself once it is told to. */
const GRACE_MS = 1000;

/** Rejects when a command goes on after its end: a request without an answer must not keep the user waiting. */
function overdue(signal: AbortSignal): { readonly rejects: Promise<never>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  let expire = (): void => undefined;
  const rejects = new Promise<never>((_, reject) => {
    expire = () => {
      timer = setTimeout(() => reject(signal.reason as Error), GRACE_MS);
    };
  });
  if (signal.aborted) expire();
  else signal.addEventListener('abort', expire, { once: true });
  return {
    rejects,
    cancel() {
      signal.removeEventListener('abort', expire);
      clearTimeout(timer);
    },
  };
}

/** Seconds are all that a user waits for a completion. */
const COMPLETION_TIMEOUT = '--timeout=3s';

async function complete(root: Command, words: readonly string[], host: CliHost): Promise<number> {
  const { completeWords } = await import('./completion.ts');
  const { path, args } = await resolveLoaded(root, words.slice(0, -1));
  const parsed = parseArguments([COMPLETION_TIMEOUT, ...args], flagsOf(path));
  if (!parsed.ok) return 0;
  const given = new FlagValues(flagsOf(path), parsed.value.given);
  const context = await contextOf(host, given, parsed.value.positional, {});
  if (!context.ok) return 0;
  const [value, stop] = context.value;
  try {
    await completeWords(value, path, words.at(-1) ?? '');
  } finally {
    stop();
  }
  return 0;
}

function unknownCommand(path: CommandPath, typed: string): string {
  const close = suggestions(path[path.length - 1] as Command, typed);
  const hint = close.length === 0 ? '' : `\n\nDid you mean this?\n${close.map((name) => `\t${name}\n`).join('')}`;
  return `unknown command ${JSON.stringify(typed)} for ${JSON.stringify(printPath(path))}${hint}`;
}

/** Source of the wording: spf13/cobra@1.10 args.go. */
function checkArguments(path: CommandPath, positional: readonly string[]): string | undefined {
  const bounds = (path[path.length - 1] as Command).args;
  if (bounds === undefined) return undefined;
  const count = positional.length;
  if (count >= bounds.min && count <= bounds.max) return undefined;
  if (bounds.max === 0) {
    return `unknown command ${JSON.stringify(positional[0])} for ${JSON.stringify(printPath(path))}`;
  }
  if (bounds.min === bounds.max) return `accepts ${bounds.min} arg(s), received ${count}`;
  return `accepts between ${bounds.min} and ${bounds.max} arg(s), received ${count}`;
}

/** What Flux takes a pipe to be as wide as. */
const DEFAULT_COLUMNS = 80;

async function contextOf(
  host: CliHost,
  flags: FlagValues,
  args: readonly string[],
  { raw = false, stays = false }: Pick<Command, 'raw' | 'stays'>,
): Promise<CliResult<readonly [CliContext, () => void]>> {
  const namespace = await chooseNamespace(host, flags);
  if (!namespace.ok) return namespace;
  const timeoutMs = flags.durationMs('timeout');
  const stop = new AbortController();
  const signal = AbortSignal.any([host.signal, stop.signal]);
  // What follows something until it is told to stop has an end only where the user gives one.
  const follows = ['watch', 'follow'].some((flag) => flags.has(flag) && flags.bool(flag));
  const timer =
    stays || (follows && !flags.changed('timeout'))
      ? undefined
      : setTimeout(() => stop.abort(new Error('timed out')), Math.min(timeoutMs, 2 ** 31 - 1));
  let client: Promise<CliResult<KubeClient>> | undefined;
  const context: CliContext = {
    args,
    flags,
    progress: printProgress((text) => host.io.stderr(visible(text))),
    namespace: namespace.value,
    timeoutMs,
    signal,
    timedOut: () => stop.signal.aborted && !host.signal.aborted,
    cwd: host.cwd,
    env: host.env,
    columns: host.io.columns ?? DEFAULT_COLUMNS,
    print: (text) => host.io.stdout(raw ? text : visible(text)),
    readStdin: () => readAll(host),
    confirm: (question) => confirm(host, question),
    client: () => {
      client ??= host.connect({ flags, env: host.env });
      return client;
    },
    yaml: async (value: Json) => (await import('../engine/yaml/print.ts')).printYaml(value),
    now: () => host.now(),
    sleep: (ms) =>
      new Promise((wake, reject) => {
        const stopped = (): void => {
          clearTimeout(sleeper);
          reject(signal.reason as Error);
        };
        const sleeper = setTimeout(() => {
          signal.removeEventListener('abort', stopped);
          wake();
        }, ms);
        signal.addEventListener('abort', stopped, { once: true });
      }),
  };
  return ok([context, () => clearTimeout(timer)]);
}

async function chooseNamespace(host: CliHost, flags: FlagValues): Promise<CliResult<string>> {
  if (flags.changed('namespace') || !flags.bool('ns-follows-kube-context')) return namespaceOf(flags);
  return ok((await host.contextNamespace({ flags, env: host.env })) ?? DEFAULT_NAMESPACE);
}

async function readAll(host: CliHost): Promise<CliResult<string>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of host.io.stdin()) {
    size += chunk.length;
    if (size > MAX_STDIN_BYTES) return failed(`standard input is larger than ${MAX_STDIN_BYTES} bytes`);
    chunks.push(chunk);
  }
  return ok(new TextDecoder().decode(Buffer.concat(chunks)));
}

/** Answers longer than this are no answer. */
const MAX_ANSWER_BYTES = 1000;

async function confirm(host: CliHost, question: string): Promise<boolean> {
  if (!host.io.interactive) return false;
  host.io.stderr(`${visible(question)}? [y/N] `);
  let answer = '';
  for await (const chunk of host.io.stdin()) {
    answer += new TextDecoder().decode(chunk);
    if (answer.includes('\n') || answer.length > MAX_ANSWER_BYTES) break;
  }
  return /^y(es)?\s*$/i.test(answer);
}
