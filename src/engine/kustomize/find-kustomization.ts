import { fail, KustomizeFailure } from './failure.ts';
import { FILE_NAMES } from './kustomization-type.ts';
import type { Loader } from './load.ts';

/** The one kustomization file of the loader's folder. @throws KustomizeFailure where there is none, or more */
export function loadKustomizationFile(loader: Loader): { content: Uint8Array; name: string } {
  const found: { content: Uint8Array; name: string }[] = [];
  for (const name of FILE_NAMES) {
    if (!loader.exists(name)) continue;
    try {
      found.push({ content: loader.load(name), name });
    } catch (failure) {
      if (!(failure instanceof KustomizeFailure)) throw failure;
    }
  }
  const [file] = found;
  if (file === undefined) {
    fail(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${loader.root}'`,
    );
  }
  if (found.length > 1) fail(`Found multiple kustomization files under: ${loader.root}\n`);
  return file;
}
