import type { Command } from '../command.ts';
import { kustomizations } from '../kinds.ts';
import { buildFlags } from './build.ts';

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
      run: async (context) => (await import('./run-diff.ts')).runDiff(context),
    },
  ],
};
