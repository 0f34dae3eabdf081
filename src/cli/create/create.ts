import type { Command } from '../command.ts';
import { createKustomizationCommand } from './kustomization.ts';
import { createSecretGitCommand } from './secret-git.ts';
import { otherSecretCommands } from './secrets.ts';
import { createSourceGitCommand } from './source-git.ts';
import { createTenantCommand } from './tenant.ts';

export const createCommand: Command = {
  use: 'create',
  short: 'Create or update sources and resources',
  long: 'The create sub-commands generate sources and resources.',
  persistentFlags: [
    { name: 'interval', type: 'duration', default: '1m0s', usage: 'source sync interval' },
    { name: 'export', type: 'bool', usage: 'export in YAML format to stdout' },
    {
      name: 'label',
      type: 'strings',
      usage: 'set labels on the resource (can specify multiple labels with commas: label1=value1,label2=value2)',
    },
  ],
  commands: [
    createKustomizationCommand,
    {
      use: 'secret',
      short: 'Create or update Kubernetes secrets',
      long: 'The create source sub-commands generate Kubernetes secrets specific to Weir.',
      commands: [createSecretGitCommand, ...otherSecretCommands],
    },
    {
      use: 'source',
      short: 'Create or update sources',
      long: 'The create source sub-commands generate sources.',
      persistentFlags: [
        {
          name: 'fetch-timeout',
          type: 'duration',
          usage:
            "set a timeout for fetch operations performed by source-controller (e.g. 'git clone' or 'helm repo update')",
        },
      ],
      commands: [createSourceGitCommand],
    },
    createTenantCommand,
  ],
};
