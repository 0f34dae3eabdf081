import { type Command, nameOf } from './command.ts';
import { type CommandPath, flagsOf } from './help.ts';

/** The command that arguments name, and the arguments without its names. */
export interface Resolved {
  readonly path: CommandPath;
  readonly args: readonly string[];
}

/** {@link resolve}, with commands loaded on the way. */
export async function resolveLoaded(root: Command, argv: readonly string[]): Promise<Resolved> {
  for (let current = root; ; ) {
    const resolved = resolve(current, argv);
    const last = resolved.path[resolved.path.length - 1] as Command;
    if (last.load === undefined) return resolved;
    current = replaced(current, resolved.path.slice(1), await last.load());
  }
}

/** The tree with the command at the end of `path` exchanged. */
function replaced(root: Command, path: readonly Command[], command: Command): Command {
  const [next, ...rest] = path;
  if (next === undefined) return command;
  const commands = (root.commands ?? []).map((sub) => (sub === next ? replaced(sub, rest, command) : sub));
  return { ...root, commands };
}

/** Finds the deepest command that the arguments name, with flags anywhere between, as cobra's Find does. */
export function resolve(root: Command, argv: readonly string[]): Resolved {
  let path: CommandPath = [root];
  const rest = [...argv];
  for (let index = 0; index < rest.length; ) {
    const arg = rest[index] as string;
    if (arg === '--') break;
    if (arg.startsWith('-') && arg !== '-') {
      index += takesNext(path, arg) ? 2 : 1;
      continue;
    }
    const command = path[path.length - 1] as Command;
    const next = (command.commands ?? []).find((sub) => nameOf(sub) === arg || sub.aliases?.includes(arg));
    if (next === undefined) break;
    path = [...path, next];
    rest.splice(index, 1);
    if (next.delegate !== undefined || next.load !== undefined) break;
  }
  return { path, args: rest };
}

function takesNext(path: CommandPath, arg: string): boolean {
  if (arg.includes('=')) return false;
  const flags = flagsOf(path);
  const flag = arg.startsWith('--')
    ? flags.find(({ name }) => name === arg.slice(2))
    : flags.find(({ short }) => short === arg.at(-1) && arg.length === 2);
  return flag !== undefined && flag.type !== 'bool';
}

/** Names close to a mistyped one: within two edits, or beginning with it. Source: spf13/cobra@1.10 SuggestionsFor. */
export function suggestions(command: Command, typed: string): readonly string[] {
  return (command.commands ?? [])
    .filter(({ hidden }) => hidden !== true)
    .map(nameOf)
    .filter((name) => distance(typed.toLowerCase(), name) <= 2 || name.startsWith(typed.toLowerCase()))
    .sort();
}

/** Levenshtein distance; names of commands are short. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
