import type { CliHost, FlagDefinition } from './command.ts';
import type { FlagValues } from './flags.ts';

/** What a verb of kustomize may use. */
export interface KustomizeContext {
  readonly args: readonly string[];
  readonly flags: FlagValues;
  /** Values as they were typed, of flags that are repeated and whose values may hold commas. */
  readonly typed: (flag: string) => readonly string[];
  readonly host: CliHost;
}

/** A verb of kustomize, or a group of them. */
export interface KustomizeVerb {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly short: string;
  readonly use?: string;
  readonly flags?: readonly FlagDefinition[];
  readonly verbs?: readonly KustomizeVerb[];
  /** @returns the error, as kustomize words it after `Error: `; undefined when all went well */
  readonly run?: (context: KustomizeContext) => Promise<string | undefined>;
}

/** A line with the time in front, as Go's log prints it to standard error. */
export function logLine({ host }: KustomizeContext, text: string): void {
  const now = new Date(host.now());
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())}`;
  host.io.stderr(`${date} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())} ${text}\n`);
}

export function textFlag(name: string, usage: string, short?: string): FlagDefinition {
  return { name, type: 'string', usage, ...(short !== undefined && { short }) };
}

export function boolFlag(name: string, usage: string, short?: string): FlagDefinition {
  return { name, type: 'bool', usage, default: 'false', ...(short !== undefined && { short }) };
}

export function listFlag(name: string, usage: string, short?: string): FlagDefinition {
  return { name, type: 'strings', usage, ...(short !== undefined && { short }) };
}
