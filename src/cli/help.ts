import { type Command, type FlagDefinition, nameOf } from './command.ts';
import { flagUsages } from './flags.ts';

/** A command with those above it, the root first. */
export type CommandPath = readonly [Command, ...Command[]];

export function printPath(path: CommandPath): string {
  return path.map(nameOf).join(' ');
}

/** Flags that the last command of the path takes: its own and the persistent ones above it. */
export function flagsOf(path: CommandPath): readonly FlagDefinition[] {
  return [...localFlags(path), ...inheritedFlags(path)];
}

function localFlags(path: CommandPath): readonly FlagDefinition[] {
  const command = path[path.length - 1] as Command;
  return [...(command.flags ?? []), ...(command.persistentFlags ?? [])];
}

function inheritedFlags(path: CommandPath): readonly FlagDefinition[] {
  const local = new Set(localFlags(path).map(({ name }) => name));
  return path
    .slice(0, -1)
    .flatMap(({ persistentFlags }) => persistentFlags ?? [])
    .filter(({ name }) => !local.has(name));
}

/** `--help` as cobra writes it. Source: spf13/cobra@1.10 command.go defaultUsageTemplate, defaultHelpTemplate. */
export function helpText(path: CommandPath): string {
  const command = path[path.length - 1] as Command;
  const parts = [(command.long ?? command.short).trim()];
  const line = printPath(path);
  const usage: string[] = ['Usage:'];
  const subcommands = (command.commands ?? []).filter(({ hidden }) => hidden !== true);
  if (command.run !== undefined)
    usage.push(
      `  ${printPath(path.slice(0, -1) as unknown as CommandPath)} ${command.use} [flags]`.replace(/^ {3}/, '  '),
    );
  if (subcommands.length > 0) usage.push(`  ${line} [command]`);
  parts.push(usage.join('\n'));
  if (command.aliases !== undefined) parts.push(`Aliases:\n  ${[nameOf(command), ...command.aliases].join(', ')}`);
  if (command.example !== undefined) parts.push(`Examples:\n${command.example}`);
  if (subcommands.length > 0) {
    const width = Math.max(11, ...subcommands.map((sub) => nameOf(sub).length));
    const list = [...subcommands]
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
      .map((sub) => `  ${nameOf(sub).padEnd(width)} ${sub.short}`);
    parts.push(`Available Commands:\n${list.join('\n')}`);
  }
  const help: FlagDefinition = { name: 'help', short: 'h', type: 'bool', usage: `help for ${nameOf(command)}` };
  parts.push(`Flags:\n${flagUsages([...localFlags(path), help])}`);
  const inherited = inheritedFlags(path);
  if (inherited.length > 0) parts.push(`Global Flags:\n${flagUsages(inherited)}`);
  if (subcommands.length > 0) parts.push(`Use "${line} [command] --help" for more information about a command.`);
  return `${parts.join('\n\n')}\n`;
}
