import { type KubeObject, printRef, refOf } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { isObject } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import { type CliContext, type CliResult, type Command, done, type FlagDefinition, failed } from '../command.ts';
import { kustomizations } from '../kinds.ts';
import type { MaybeClient } from './local-build.ts';
import type { ReleaseBuild } from './render-releases.ts';

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
  {
    name: 'with-helm-releases',
    type: 'bool',
    usage:
      "also render the HelmReleases that are built, hooks left out; charts come from --local-sources, the Kustomization's own source, Helm repositories and registries",
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
  let releases: ReadonlyMap<KubeObject, ReleaseBuild> = new Map();
  if (context.flags.bool('with-helm-releases')) {
    const rendered = await (await import('./render-releases.ts')).renderReleases(context, client.value, builds.value);
    if (!rendered.ok) return rendered;
    releases = rendered.value;
  }
  for (const object of builds.value.flatMap(({ objects }) => objects)) {
    context.print(`${await context.yaml(object as unknown as Json)}---\n`);
    const release = releases.get(object);
    if (release !== undefined) await printRelease(context, release);
  }
  return done;
}

/** What a release renders, each object under a comment that tells release and template; without what is secret. */
async function printRelease(context: CliContext, { owner, objects, secrets }: ReleaseBuild): Promise<void> {
  for (const { source, object } of objects) {
    const from = source === '' ? '' : ` ${source}`;
    const shown = secrets.hide(withoutData(object) as unknown as Json);
    context.print(`# Source: ${printRef(refOf(owner))}${from}\n${await context.yaml(shown)}---\n`);
  }
}

/** A rendered Secret without its values: templates draw them from anywhere. */
function withoutData(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const hidden = (field: string, mask: string): object => {
    const values = (object as unknown as JsonObject)[field];
    return isObject(values) ? { [field]: Object.fromEntries(Object.keys(values).map((key) => [key, mask])) } : {};
  };
  return { ...object, ...hidden('data', Buffer.from('***').toString('base64')), ...hidden('stringData', '***') };
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
    --dry-run

  # Build the manifests, and what their HelmReleases render
  weir build kustomization my-app --path ./path/to/local/manifests --with-helm-releases`,
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
