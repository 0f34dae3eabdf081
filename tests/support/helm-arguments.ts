import type { PrintChoice } from '../../src/engine/helm/print-release.ts';
import type { ValueSources } from '../../src/engine/helm/user-values.ts';

/** What the flags of `helm template` and `helm install` say that recorded cases use. */
export interface HelmArguments {
  readonly values: ValueSources;
  readonly print: PrintChoice;
  readonly namespace: string;
  readonly kubeVersion: string | undefined;
  readonly apiVersions: readonly string[];
  readonly isUpgrade: boolean;
  readonly skipSchemaValidation: boolean;
}

/** Reads flags; `read` gives the text of a file that one of them names. */
export function parseHelmArguments(args: readonly string[], read: (path: string) => string): HelmArguments {
  const given = new Map<string, string[]>();
  for (let index = 0; index < args.length; index++) {
    const name = args[index] as string;
    const list = given.get(name) ?? [];
    given.set(name, list);
    list.push(SWITCHES.has(name) ? 'true' : (args[++index] ?? ''));
  }
  const unknown = [...given.keys()].filter((name) => !SWITCHES.has(name) && !VALUES.has(name));
  if (unknown.length > 0) throw new Error(`flags that no recorded case had: ${unknown.join(' ')}`);
  const all = (...names: readonly string[]): readonly string[] => names.flatMap((name) => given.get(name) ?? []);
  return {
    values: {
      files: all('-f', '--values').map((name) => ({ name, text: read(name) })),
      json: all('--set-json'),
      typed: all('--set'),
      strings: all('--set-string'),
      fromFiles: all('--set-file'),
      literals: all('--set-literal'),
      readFile: read,
    },
    print: {
      includeCrds: given.has('--include-crds'),
      withoutHooks: given.has('--no-hooks'),
      skipTests: given.has('--skip-tests'),
      showOnly: all('-s', '--show-only'),
    },
    namespace: all('--namespace', '-n').at(-1) ?? 'default',
    kubeVersion: all('--kube-version').at(-1),
    apiVersions: all('--api-versions', '-a').flatMap((text) => text.split(',')),
    isUpgrade: given.has('--is-upgrade'),
    skipSchemaValidation: given.has('--skip-schema-validation'),
  };
}

const SWITCHES = new Set([
  '--include-crds',
  '--skip-crds',
  '--no-hooks',
  '--skip-tests',
  '--is-upgrade',
  '--skip-schema-validation',
]);
const VALUES = new Set([
  '-f',
  '--values',
  '--set',
  '--set-string',
  '--set-json',
  '--set-file',
  '--set-literal',
  '-s',
  '--show-only',
  '--namespace',
  '-n',
  '--kube-version',
  '--api-versions',
  '-a',
]);
