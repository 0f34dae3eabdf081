import { type CliContext, type CliResult, type Command, done, failed, refused } from './command.ts';
import { type CliKind, gitRepositories, kustomizations } from './kinds.ts';
import { refTo } from './reconcile.ts';

function deleteKind(kind: CliKind): (context: CliContext) => Promise<CliResult> {
  return async (context) => {
    const [name] = context.args;
    if (name === undefined) return failed(`${kind.words} name is required`);
    const client = await context.client();
    if (!client.ok) return client;
    const ref = refTo(kind, context.namespace, name);
    const object = await client.value.get(ref, context.signal);
    if (!object.ok) return refused(object.error);
    if (
      !context.flags.bool('silent') &&
      !(await context.confirm(`Are you sure you want to delete this ${kind.words}`))
    ) {
      return failed('aborting');
    }
    context.progress.action(`deleting ${kind.words} ${name} in ${context.namespace} namespace`);
    const deleted = await client.value.delete(ref);
    if (!deleted.ok) return refused(deleted.error);
    context.progress.success(`${kind.words} deleted`);
    return done;
  };
}

export const deleteCommand: Command = {
  use: 'delete',
  short: 'Delete sources and resources',
  long: 'The delete sub-commands delete sources and resources.',
  persistentFlags: [
    { name: 'silent', short: 's', type: 'bool', usage: 'delete resource without asking for confirmation' },
  ],
  commands: [
    {
      use: 'kustomization [name]',
      aliases: ['ks'],
      short: 'Delete a Kustomization resource',
      long: 'The delete kustomization command deletes the given Kustomization from the cluster.',
      example: `  # Delete a kustomization and the Kubernetes resources created by it when prune is enabled
  weir delete kustomization podinfo`,
      completes: kustomizations,
      run: deleteKind(kustomizations),
    },
    {
      use: 'source',
      short: 'Delete sources',
      long: 'The delete source sub-commands delete sources.',
      commands: [
        {
          use: 'git [name]',
          short: 'Delete a GitRepository source',
          long: 'The delete source git command deletes the given GitRepository from the cluster.',
          example: `  # Delete a Git repository
  weir delete source git podinfo`,
          completes: gitRepositories,
          run: deleteKind(gitRepositories),
        },
      ],
    },
  ],
};
