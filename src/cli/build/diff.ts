import { type KubeObject, printRef, refOf } from '../../api/object.ts';
import { err, ok } from '../../base/result.ts';
import { type CliContext, type CliResult, type Command, done } from '../command.ts';
import { type InventoryEntry, inventoryOf } from '../inventory.ts';
import { kustomizations } from '../kinds.ts';
import { buildFlags } from './build.ts';
import { type Comparison, compareObject, FAILURE, fail } from './compare-object.ts';
import type { CompareReleases } from './diff-releases.ts';

const MANAGER = 'kustomize-controller';

interface Pruned {
  readonly entry: InventoryEntry;
  readonly name: string;
}

/** What is in the inventory and no longer in the build, when the Kustomization prunes. */
function pruned(kustomization: KubeObject, objects: readonly KubeObject[]): readonly Pruned[] {
  if (kustomization.spec?.['prune'] !== true) return [];
  const kept = new Set(objects.map((object) => printRef(refOf(object))));
  return inventoryOf(kustomization)
    .map((entry) => ({ entry, name: printRef({ apiVersion: '', ...entry }) }))
    .filter(({ name }) => !kept.has(name));
}

/** The Kustomization as the cluster has it: a file knows nothing of what was applied. */
async function inCluster(
  { context, client }: Comparison,
  kustomization: KubeObject,
): Promise<CliResult<Pick<KubeObject, 'status'>>> {
  if (context.flags.string('kustomization-file') === '') return ok({});
  const ref = refOf(kustomization);
  const live = await client.get(ref, context.signal);
  if (live.ok) return ok(live.value.status === undefined ? {} : { status: live.value.status });
  if (live.error.code === 404 && context.flags.bool('ignore-not-found')) return ok({});
  return fail(`failed to get kustomization object: ${live.error.message}`, printRef(ref));
}

async function run(context: CliContext): Promise<CliResult> {
  const connected = await context.client();
  if (!connected.ok) return err({ ...connected.error, exitCode: FAILURE });
  const [{ buildLocally }, { printYaml }] = await Promise.all([
    import('./local-build.ts'),
    import('../../engine/yaml/print.ts'),
  ]);
  const builds = await buildLocally(context, connected.value);
  if (!builds.ok) return err({ ...builds.error, exitCode: FAILURE });
  const comparison: Comparison = {
    context,
    client: connected.value,
    createdNamespaces: new Set(),
    print: (value) => printYaml(value),
    manager: MANAGER,
  };
  let compareReleases: CompareReleases | undefined;
  if (context.flags.bool('with-helm-releases')) {
    const prepared = await (await import('./diff-releases.ts')).prepareReleases(comparison, builds.value);
    if (!prepared.ok) return err({ ...prepared.error, exitCode: FAILURE });
    compareReleases = prepared.value;
  }
  let changed = false;
  for (const [index, { kustomization, objects }] of builds.value.entries()) {
    const live = index === 0 ? await inCluster(comparison, kustomization) : ok({});
    if (!live.ok) return live;
    // Namespaces first, so that what is in a new one is known to be new.
    for (const object of objects.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'))) {
      const compared = await compareObject(comparison, object);
      if (!compared.ok) return compared;
      const inside = (await compareReleases?.compare(object)) ?? ok(false);
      if (!inside.ok) return inside;
      changed ||= compared.value || inside.value;
    }
    for (const { name, entry } of pruned({ ...kustomization, ...live.value }, objects)) {
      context.print(`► ${name} deleted\n`);
      changed = true;
      const inside = (await compareReleases?.remove(entry)) ?? ok(false);
      if (!inside.ok) return inside;
    }
  }
  if (!changed) return done;
  const message = 'identified at least one change, exiting with non-zero exit code';
  return err({ message, exitCode: 1, warning: true });
}

export const diffCommand: Command = {
  use: 'diff',
  short: 'Diff a Weir resource',
  long: 'The diff command is used to do a server-side dry-run on resources, then prints the diff.',
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Diff Kustomization',
      long: `The diff command does a build, then it performs a server-side dry-run and prints the diff.
Exit status: 0 No differences were found. 1 Differences were found. >1 diff failed with an error.`,
      example: `  # Preview local changes as they were applied on the cluster
  weir diff kustomization my-app --path ./path/to/local/manifests

  # Preview using a local Kustomization file
  weir diff kustomization my-app --path ./path/to/local/manifests \\
    --kustomization-file ./path/to/local/my-app.yaml

  # Preview what the change does to the objects of its HelmReleases, too
  weir diff kustomization my-app --path ./path/to/local/manifests --with-helm-releases`,
      flags: [
        ...buildFlags,
        {
          name: 'progress-bar',
          type: 'bool',
          default: 'true',
          usage: 'accepted for compatibility: there is no progress bar',
        },
        {
          name: 'ignore-not-found',
          type: 'bool',
          usage:
            'take a Kustomization that the cluster does not have yet from --kustomization-file, and show all of it as created',
        },
      ],
      completes: kustomizations,
      run,
    },
  ],
};
