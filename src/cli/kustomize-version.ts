import { KUSTOMIZE_VERSION } from '../engine/kustomize/run-build.ts';
import { boolFlag, type KustomizeVerb, textFlag } from './kustomize-verb.ts';

/** `kustomize version`: the version whose output the engine matches, as scripts ask for it. */
export const versionVerb: KustomizeVerb = {
  name: 'version',
  short: 'Prints the version of kustomize whose output is matched',
  flags: [boolFlag('short', 'short form'), textFlag('output', "One of 'yaml' or 'json'.", 'o')],
  run: async ({ host }) => {
    host.io.stdout(`${KUSTOMIZE_VERSION}\n`);
    return undefined;
  },
};
