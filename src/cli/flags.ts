import { formatDuration, parseDuration } from '../base/duration.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { FlagDefinition, FlagReader } from './command.ts';

/** Values of flags after parsing. Asking for a flag that the command does not have is a bug and throws. */
export class FlagValues implements FlagReader {
  readonly #definitions: ReadonlyMap<string, FlagDefinition>;
  readonly #given: ReadonlyMap<string, readonly string[]>;

  constructor(definitions: readonly FlagDefinition[], given: ReadonlyMap<string, readonly string[]>) {
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
    this.#given = given;
  }

  /** Whether the user typed the flag. */
  changed(name: string): boolean {
    return this.#given.has(name);
  }

  /** Whether the command takes the flag. */
  has(name: string): boolean {
    return this.#definitions.has(name);
  }

  string(name: string): string {
    return this.#last(name) ?? '';
  }

  bool(name: string): boolean {
    return this.#last(name) === 'true';
  }

  int(name: string): number {
    return Number(this.#last(name) ?? '0');
  }

  durationMs(name: string): number {
    const parsed = parseDuration(this.#last(name) ?? '0');
    return parsed.ok ? parsed.value : 0;
  }

  list(name: string): readonly string[] {
    const fallback = this.#definition(name).default;
    const given = this.#given.get(name) ?? (fallback === undefined ? [] : [fallback]);
    return given.flatMap(splitList);
  }

  #last(name: string): string | undefined {
    return this.#given.get(name)?.at(-1) ?? this.#definition(name).default;
  }

  #definition(name: string): FlagDefinition {
    const definition = this.#definitions.get(name);
    if (definition === undefined) throw new Error(`the command has no flag --${name}`);
    return definition;
  }
}

/** Comma-separated values with CSV quoting, as pflag's StringSlice reads them. */
function splitList(text: string): string[] {
  if (text === '') return [];
  const values: string[] = [];
  for (const match of text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    values.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
  }
  return values;
}

export interface ParsedArguments {
  readonly positional: readonly string[];
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly help: boolean;
  readonly deprecations: readonly string[];
}

/**
 * Parses the arguments of a command as pflag does: flags anywhere, `--flag=value`, `--flag value`, `-nvalue`, bundled
 * booleans, `--` ends flags. Errors have pflag's wording. Source: spf13/pflag@1.0 flag.go, errors.go.
 */
export function parseArguments(
  args: readonly string[],
  definitions: readonly FlagDefinition[],
): Result<ParsedArguments, string> {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const byShort = new Map(definitions.flatMap((flag) => (flag.short === undefined ? [] : [[flag.short, flag]])));
  const positional: string[] = [];
  const given = new Map<string, string[]>();
  const deprecations: string[] = [];
  let help = false;
  const set = (flag: FlagDefinition, value: string, typed: string): string | undefined => {
    const problem = check(flag, value);
    if (problem !== undefined) return `invalid argument ${JSON.stringify(value)} for "${typed}" flag: ${problem}`;
    if (flag.deprecated !== undefined) deprecations.push(`Flag --${flag.name} has been deprecated, ${flag.deprecated}`);
    const values = given.get(flag.name) ?? [];
    values.push(normal(flag, value));
    given.set(flag.name, values);
    return undefined;
  };
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    if (arg === '--') {
      positional.push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      positional.push(arg);
    } else if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = arg.slice(2, equals < 0 ? undefined : equals);
      const flag = byName.get(name);
      if (flag === undefined) {
        if (name !== 'help') return err(`unknown flag: --${name}`);
        help = true;
        continue;
      }
      let value = equals < 0 ? undefined : arg.slice(equals + 1);
      if (value === undefined && flag.type === 'bool') value = 'true';
      if (value === undefined) value = args[++index];
      if (value === undefined) return err(`flag needs an argument: --${name}`);
      const problem = set(flag, value, typedName(flag));
      if (problem !== undefined) return err(problem);
    } else {
      for (let rest = arg.slice(1); rest !== ''; ) {
        const letter = rest[0] as string;
        const flag = byShort.get(letter) as FlagDefinition | undefined;
        if (flag === undefined) {
          if (letter !== 'h') return err(`unknown shorthand flag: '${letter}' in ${arg}`);
          help = true;
          rest = rest.slice(1);
          continue;
        }
        let value: string | undefined;
        if (rest[1] === '=') value = rest.slice(2);
        else if (flag.type === 'bool') value = 'true';
        else if (rest.length > 1) value = rest.slice(1);
        else value = args[++index];
        if (value === undefined) return err(`flag needs an argument: '${letter}' in ${arg}`);
        const problem = set(flag, value, typedName(flag));
        if (problem !== undefined) return err(problem);
        rest = flag.type === 'bool' && rest[1] !== '=' ? rest.slice(1) : '';
      }
    }
  }
  return ok({ positional, given, help, deprecations });
}

function typedName(flag: FlagDefinition): string {
  return flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
}

const BOOLEANS: Readonly<Record<string, string>> = {
  1: 'true',
  t: 'true',
  T: 'true',
  true: 'true',
  TRUE: 'true',
  True: 'true',
  0: 'false',
  f: 'false',
  F: 'false',
  false: 'false',
  FALSE: 'false',
  False: 'false',
};

function check(flag: FlagDefinition, value: string): string | undefined {
  if (flag.type === 'bool' && !Object.hasOwn(BOOLEANS, value)) {
    return `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`;
  }
  if (flag.type === 'int' && !/^[-+]?\d{1,15}$/.test(value)) {
    return `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`;
  }
  if (flag.type === 'duration') {
    const parsed = parseDuration(value);
    if (!parsed.ok) return parsed.error;
  }
  if (flag.values !== undefined && !flag.values.includes(value)) {
    return `must be one of: ${flag.values.join(', ')}`;
  }
  return undefined;
}

function normal(flag: FlagDefinition, value: string): string {
  return flag.type === 'bool' ? (BOOLEANS[value] as string) : value;
}

/** The flags' lines of `--help`. Source: spf13/pflag@1.0 FlagUsages. */
export function flagUsages(definitions: readonly FlagDefinition[]): string {
  const shown = definitions.filter(({ hidden, deprecated }) => hidden !== true && deprecated === undefined);
  const lines = [...shown]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((flag) => {
      const kind = flag.type === 'bool' ? '' : ` ${flag.type}`;
      const left = `${flag.short === undefined ? '     ' : `  -${flag.short},`} --${flag.name}${kind}`;
      return { left, right: flag.usage + shownDefault(flag) };
    });
  const width = Math.max(0, ...lines.map(({ left }) => left.length)) + 3;
  return lines
    .map(({ left, right }) => left.padEnd(width) + right.replaceAll('\n', `\n${' '.repeat(width)}`))
    .join('\n');
}

function shownDefault(flag: FlagDefinition): string {
  const value = flag.default;
  if (value === undefined || value === '' || value === 'false' || value === '0') return '';
  if (flag.type === 'string') return ` (default ${JSON.stringify(value)})`;
  if (flag.type === 'strings') return ` (default [${value}])`;
  if (flag.type !== 'duration') return ` (default ${value})`;
  const parsed = parseDuration(value);
  return parsed.ok ? ` (default ${formatDuration(parsed.value)})` : '';
}
