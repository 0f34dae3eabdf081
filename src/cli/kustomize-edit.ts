import { editAddVerb } from './kustomize-edit-add.ts';
import { fixVerb } from './kustomize-edit-fix.ts';
import { editRemoveVerb } from './kustomize-edit-remove.ts';
import { editSetVerb } from './kustomize-edit-set.ts';
import type { KustomizeVerb } from './kustomize-verb.ts';

/** `kustomize edit`: changes the kustomization file in the current directory and keeps its comments and order. */
export const editVerb: KustomizeVerb = {
  name: 'edit',
  short: 'Edits a kustomization file',
  verbs: [editAddVerb, editSetVerb, fixVerb, editRemoveVerb],
};
