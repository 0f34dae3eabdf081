import type { FileTree } from '../../base/files.ts';
import { err, type Result } from '../../base/result.ts';
import { useRegexps } from './go-regexp.ts';
import type { RemoteContent } from './load.ts';
import { type BuildOptions, type BuildOutput, type KustomizeError, runBuild } from './run-build.ts';

/** How often a build may ask for more: bases of bases of bases. */
const MAX_ROUNDS = 50;

/**
 * Builds a kustomization with the remote bases that `fetch` brings. The regular expression engine is loaded only when one is
 * needed, so that a small build starts fast.
 */
export async function buildWithRemotes(
  files: FileTree,
  directory: string,
  options: Omit<BuildOptions, 'remote'>,
  fetch: (url: string) => Promise<RemoteContent>,
): Promise<Result<BuildOutput, KustomizeError>> {
  const fetched = new Map<string, RemoteContent>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const result = runBuild(files, directory, { ...options, remote: (url) => fetched.get(url) });
    if (result.ok || result.error.code === 'build') return result;
    if (result.error.code === 'regexp') useRegexps((await import('./re2.ts')).compileRe2);
    for (const url of result.error.urls ?? []) fetched.set(url, await fetch(url));
  }
  return err({ code: 'build', message: `remote bases nested more than ${MAX_ROUNDS} deep`, warnings: [] });
}
