import type { FileTree } from '../../base/files.ts';
import type { Result } from '../../base/result.ts';
import { useRegexps } from './go-regexp.ts';
import { compileRe2 } from './re2.ts';
import { type BuildOptions, type BuildOutput, type KustomizeError, runBuild } from './run-build.ts';

// What users of the sub-path export `weir/kustomize` need.
export { type FileTree, memoryFiles } from '../../base/files.ts';
export { KustomizeCache } from './cache.ts';
export type { RemoteContent } from './load.ts';
export type { BuildOptions, BuildOutput, ChartRequest, KustomizeError } from './run-build.ts';

/** Builds the kustomization in `directory` of `files`, byte for byte as `kustomize build` does. */
export function buildKustomization(
  files: FileTree,
  directory: string,
  options: BuildOptions,
): Result<BuildOutput, KustomizeError> {
  useRegexps(compileRe2);
  return runBuild(files, directory, options);
}
