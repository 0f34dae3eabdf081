import type { Command } from './command.ts';

/** `weir kustomize`: the verbs and flags of kustomize. Its engine is loaded when it is called. */
export const kustomizeCommand: Command = {
  use: 'kustomize',
  short: 'Build, create and edit kustomizations',
  long: 'Builds, creates and edits kustomizations in process, with the verbs, flags, output and messages of kustomize v5.8.1.',
  delegate: async (args, host) => (await import('./kustomize-run.ts')).runKustomize(args, host),
};
