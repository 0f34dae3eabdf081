import type { CliHost } from './command.ts';
import { FlagValues, flagUsages, parseArguments } from './flags.ts';
import { buildVerb } from './kustomize-build.ts';
import type { KustomizeVerb } from './kustomize-verb.ts';

const SHORT = 'Manages declarative configuration of Kubernetes';

/** The verbs; those that edit are loaded when they are called, as a build must start fast. */
async function verbs(name: string | undefined): Promise<readonly KustomizeVerb[]> {
  if (name === 'build') return [buildVerb];
  const [{ createVerb }, { editVerb }, { versionVerb }] = await Promise.all([
    import('./kustomize-create.ts'),
    import('./kustomize-edit.ts'),
    import('./kustomize-version.ts'),
  ]);
  return [buildVerb, createVerb, editVerb, versionVerb];
}

/** Runs `weir kustomize` with `args` and gives its exit code: 0, or 1 after `Error: ...` on standard error. */
export async function runKustomize(args: readonly string[], host: CliHost): Promise<number> {
  const fail = (message: string): number => {
    host.io.stderr(`Error: ${message}\n`);
    return 1;
  };
  const path: KustomizeVerb[] = [{ name: 'weir kustomize', short: SHORT, verbs: await verbs(args[0]) }];
  let rest = args;
  for (;;) {
    const verb = path.at(-1) as KustomizeVerb;
    const [next] = rest;
    if (verb.verbs === undefined || next === undefined || next.startsWith('-')) break;
    const found = verb.verbs.find(({ name, aliases }) => name === next || aliases?.includes(next) === true);
    // Below the first level cobra shows the help of the group, and that is no error.
    if (found === undefined && path.length > 1) break;
    if (found === undefined) return fail(`unknown command "${next}" for "${path.map(({ name }) => name).join(' ')}"`);
    path.push(found);
    rest = rest.slice(1);
  }
  const verb = path.at(-1) as KustomizeVerb;
  const flags = verb.flags ?? [];
  const parsed = parseArguments(rest, flags);
  if (!parsed.ok) return fail(parsed.error);
  const { positional, given, help, deprecations } = parsed.value;
  if (help || verb.run === undefined) {
    host.io.stdout(usage(path));
    return 0;
  }
  for (const text of deprecations) host.io.stderr(`${text}\n`);
  const context = {
    args: positional,
    flags: new FlagValues(flags, given),
    typed: (flag: string) => given.get(flag) ?? [],
    host,
  };
  const problem = await verb.run(context);
  return problem === undefined ? 0 : fail(problem);
}

function usage(path: readonly KustomizeVerb[]): string {
  const verb = path.at(-1) as KustomizeVerb;
  const command = path.map(({ name }) => name).join(' ');
  const lines = [verb.short, '', 'Usage:'];
  if (verb.verbs === undefined) lines.push(`  ${command} ${verb.use === undefined ? '' : `${verb.use} `}[flags]`);
  else {
    const width = Math.max(...verb.verbs.map(({ name }) => name.length)) + 2;
    lines.push(`  ${command} [command]`, '', 'Available Commands:');
    for (const { name, short } of [...verb.verbs].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      lines.push(`  ${name.padEnd(width)}${short}`);
    }
  }
  if (verb.flags !== undefined && verb.flags.length > 0) lines.push('', 'Flags:', flagUsages(verb.flags));
  return `${lines.join('\n')}\n`;
}
