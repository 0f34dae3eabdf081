import type { Json } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { type CliContext, type CliResult, type Command, done, type FlagDefinition, failed } from '../command.ts';
import { kustomizations } from '../kinds.ts';
import type { MaybeClient } from './local-build.ts';

export const buildFlags: readonly FlagDefinition[] = [
  { name: 'path', type: 'string', usage: 'path to the manifests location.' },
  { name: 'kustomization-file', type: 'string', usage: 'path to the Kustomization YAML file.' },
  {
    name: 'strict-substitute',
    type: 'bool',
    usage:
      'when enabled, the post build substitutions will fail if a var without a default value is declared in files but is missing from the input vars',
  },
  { name: 'recursive', short: 'r', type: 'bool', usage: 'recursively process nested Kustomizations' },
  {
    name: 'local-sources',
    type: 'strings',
    usage: 'comma-separated list of repositories in format: Kind/namespace/name=path',
  },
  { name: 'ignore-paths', type: 'strings', usage: 'set paths to ignore in .gitignore format' },
  { name: 'in-memory-build', type: 'bool', usage: 'accepted for compatibility: builds never write to the disk' },
];

async function clientOf(context: CliContext): Promise<CliResult<MaybeClient>> {
  return context.flags.bool('dry-run') ? ok(undefined) : await context.client();
}

async function run(context: CliContext): Promise<CliResult> {
  if (context.flags.bool('dry-run') && context.flags.string('kustomization-file') === '') {
    return failed('dry-run mode requires a kustomization file');
  }
  const client = await clientOf(context);
  if (!client.ok) return client;
  const { buildLocally } = await import('./local-build.ts');
  const builds = await buildLocally(context, client.value);
  if (!builds.ok) return builds;
  for (const { objects } of builds.value) {
    for (const object of objects) context.print(`${await context.yaml(object as unknown as Json)}---\n`);
  }
  return done;
}

export const buildCommand: Command = {
  use: 'build',
  short: 'Build a Weir resource',
  long: 'The build command is used to build resources.',
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Build Kustomization',
      long: `The build command queries the Kubernetes API and fetches the specified Kustomization.
It then uses the fetched in cluster Kustomization to perform needed transformation on the local kustomization.yaml
pointed at by --path. The local kustomization.yaml is generated if it does not exist. Finally it builds the overlays using the local kustomization.yaml, and write the resulting multi-doc YAML to stdout.

It is possible to specify a Kustomization file using --kustomization-file.`,
      example: `  # Build the local manifests as they were built on the cluster
  weir build kustomization my-app --path ./path/to/local/manifests

  # Build using a local Kustomization file
  weir build kustomization my-app --path ./path/to/local/manifests --kustomization-file ./path/to/local/my-app.yaml

  # Build in dry-run mode without connecting to the cluster.
  weir build kustomization my-app --path ./path/to/local/manifests \\
    --kustomization-file ./path/to/local/my-app.yaml \\
    --dry-run`,
      flags: [
        ...buildFlags,
        {
          name: 'dry-run',
          type: 'bool',
          usage: 'dry run mode: no cluster is read, variables of Secrets and ConfigMaps are left out.',
        },
      ],
      completes: kustomizations,
      run,
    },
  ],
};
