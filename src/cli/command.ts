import type { Json } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { KubeClient, KubeError } from '../kube/client.ts';

/** How a command ends badly: one sentence for people, and the exit code. */
export interface CliFailure {
  readonly message: string;
  readonly exitCode: number;
  /** Printed with ⚠️ instead of ✗: the command worked and found something, as `diff` does. */
  readonly warning?: boolean;
}
export type CliResult<T = void> = Result<T, CliFailure>;

export function failed(message: string, exitCode = 1): Result<never, CliFailure> {
  return err({ message, exitCode });
}

/** The failure of a request, as the server says it. */
export function refused(error: KubeError, what?: string): Result<never, CliFailure> {
  return failed(what === undefined ? error.message : `${what}: ${error.message}`);
}

export const done: CliResult = ok(undefined);

/** One flag, in the words of `--help`. `type` is what pflag calls it; a `strings` flag may be repeated and takes commas. */
export interface FlagDefinition {
  readonly name: string;
  readonly short?: string;
  readonly type: 'string' | 'strings' | 'bool' | 'int' | 'duration';
  readonly usage: string;
  /** As it would be typed: `5m`, `a,b`, `true`. */
  readonly default?: string;
  readonly hidden?: boolean;
  /** Accepted with this warning, and of no effect. */
  readonly deprecated?: string;
  /** Values that are accepted; others are refused. */
  readonly values?: readonly string[];
}

/** What the user typed, or the flags' defaults. Asking for a flag that the command does not have is a bug and throws. */
export interface FlagReader {
  /** Whether the user typed the flag. */
  changed(name: string): boolean;
  string(name: string): string;
  bool(name: string): boolean;
  int(name: string): number;
  durationMs(name: string): number;
  list(name: string): readonly string[];
}

/** Progress, on standard error, with Flux's glyphs. */
export interface Progress {
  action(text: string): void;
  generate(text: string): void;
  wait(text: string): void;
  success(text: string): void;
  warning(text: string): void;
  failure(text: string): void;
}

/** What a command may use. */
export interface CliContext {
  readonly args: readonly string[];
  readonly flags: FlagReader;
  readonly progress: Progress;
  /** `--namespace`, or its default. */
  readonly namespace: string;
  /** `--timeout`. */
  readonly timeoutMs: number;
  /** Aborted by an interrupt, and when `--timeout` has passed. */
  readonly signal: AbortSignal;
  /** Whether `--timeout` has passed. */
  timedOut(): boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Characters that fit on a line of the terminal; 80 without one. */
  readonly columns: number;
  /** Data for standard output. */
  print(text: string): void;
  /** All of standard input, at most {@link MAX_STDIN_BYTES}. */
  readStdin(): Promise<CliResult<string>>;
  /** Asks y/N; false also when nobody can answer. */
  confirm(question: string): Promise<boolean>;
  /** The cluster that the kubeconfig flags and KUBECONFIG name. */
  client(): Promise<CliResult<KubeClient>>;
  /** YAML as sigs.k8s.io/yaml writes it. */
  yaml(value: Json): Promise<string>;
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const MAX_STDIN_BYTES: number = 64 * 1024 * 1024;

/** Runs another command line of ours in this process and gives its exit code. */
export type RunCommandLine = (argv: readonly string[], host: CliHost) => Promise<number>;

export interface Command {
  /** `kustomization [name]`: the first word is the name. */
  readonly use: string;
  readonly aliases?: readonly string[];
  readonly short: string;
  readonly long?: string;
  readonly example?: string;
  readonly flags?: readonly FlagDefinition[];
  /** Flags of this command and of all below it. */
  readonly persistentFlags?: readonly FlagDefinition[];
  readonly commands?: readonly Command[];
  readonly hidden?: boolean;
  /** Prints a stream of the user's own, byte for byte; other output is made harmless for a terminal. */
  readonly raw?: boolean;
  /** Runs until it is interrupted: has no timeout, and ends when its work is safe. */
  readonly stays?: boolean;
  /** Arguments beyond these are refused; any number by default. */
  readonly args?: { readonly min: number; readonly max: number };
  /** Kind whose names complete the argument. */
  readonly completes?: { readonly apiVersion: string; readonly kind: string };
  readonly run?: (context: CliContext) => Promise<CliResult>;
  /** Gives the whole command when it is called: it stands for a part of the program that loads slowly. */
  readonly load?: () => Promise<Command>;
  /** Takes over with all arguments after its name and gives the exit code: a command with a grammar of its own. */
  readonly delegate?: (args: readonly string[], host: CliHost, run: RunCommandLine) => Promise<number>;
}

/** Standard streams, as functions so that tests catch them. */
export interface CliIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Chunks of standard input. */
  stdin(): AsyncIterable<Uint8Array>;
  /** Whether a person can answer a question. */
  readonly interactive: boolean;
  /** Width of the terminal that standard output is, if it is one. */
  readonly columns?: number | undefined;
}

/** Which cluster, as flags and environment tell it. */
export interface ConnectOptions {
  readonly flags: FlagReader;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The world around the command line. */
export interface CliHost {
  readonly io: CliIo;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by an interrupt. */
  readonly signal: AbortSignal;
  now(): number;
  connect(options: ConnectOptions): Promise<CliResult<KubeClient>>;
  /** Namespace of the kubeconfig's current context, for --ns-follows-kube-context. */
  contextNamespace(options: ConnectOptions): Promise<string | undefined>;
}

export function nameOf(command: Command): string {
  return command.use.split(' ', 1)[0] as string;
}
