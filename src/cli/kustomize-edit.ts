import { GENERATORS, TRANSFORMERS } from '../engine/kustomize/transformers.ts';
import { editAddVerb } from './kustomize-edit-add.ts';
import { fixVerb } from './kustomize-edit-fix.ts';
import { editRemoveVerb } from './kustomize-edit-remove.ts';
import { editSetVerb } from './kustomize-edit-set.ts';
import type { KustomizeVerb } from './kustomize-verb.ts';

const listBuiltinsVerb: KustomizeVerb = {
  name: 'alpha-list-builtin-plugin',
  short: '[Alpha] List the builtin plugins',
  run: async ({ host }) => {
    const names = [...GENERATORS.keys(), ...TRANSFORMERS.keys()];
    host.io.stdout(`Builtin plugins:\n\n${names.map((name) => ` * ${name}\n`).join('')}\n`);
    return undefined;
  },
};

/** `kustomize edit`: changes the kustomization file in the current directory and keeps its comments and order. */
export const editVerb: KustomizeVerb = {
  name: 'edit',
  short: 'Edits a kustomization file',
  verbs: [editAddVerb, editSetVerb, fixVerb, editRemoveVerb, listBuiltinsVerb],
};
