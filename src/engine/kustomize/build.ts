import type { KubeObject } from '../../api/object.ts';
import type { FileTree } from '../../base/files.ts';
import { err, type Result } from '../../base/result.ts';

/** Where the files of a remote base or resource come from. */
export type RemoteContent =
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  /** A clone: `directory` is the kustomization's folder in it, as the URL names it. */
  | { readonly kind: 'tree'; readonly files: FileTree }
  | { readonly kind: 'failed'; readonly message: string };

export interface BuildOptions {
  /** `rootOnly` (the default) refuses files outside a kustomization's own directory. */
  readonly loadRestrictor?: 'rootOnly' | 'none';
  /** Order of the output: as accumulated (`none`, the default), or `legacy`. */
  readonly reorder?: 'none' | 'legacy';
  readonly addManagedByLabel?: boolean;
  readonly enableHelm?: boolean;
  /** Absolute path that stands for the tree's root in messages; '' by default. */
  readonly rootPath?: string;
  /** SHA-256 of bytes, in lower-case hex: names of generated objects carry it. */
  readonly sha256: (bytes: Uint8Array) => string;
  /** Content of a URL that a kustomization names, if it was fetched already. */
  readonly remote?: (url: string) => RemoteContent | undefined;
}

export interface KustomizeError {
  /** `remote`: `urls` must be fetched first, see {@link BuildOptions.remote}. */
  readonly code: 'build' | 'remote';
  /** As kustomize words it, without `Error: `. */
  readonly message: string;
  readonly urls?: readonly string[];
}

export interface BuildOutput {
  /** What `kustomize build` prints. */
  readonly yaml: string;
  readonly objects: readonly KubeObject[];
  /** Lines that kustomize writes to stderr. */
  readonly warnings: readonly string[];
  /** Paths of the files that were read, sorted. */
  readonly filesRead: readonly string[];
}

/** Builds the kustomization in `directory` of `files`. */
export function buildKustomization(
  _files: FileTree,
  _directory: string,
  _options: BuildOptions,
): Result<BuildOutput, KustomizeError> {
  return err({ code: 'build', message: 'the engine is on its way' });
}

/** {@link buildKustomization} with the remote bases that `fetch` brings. */
export async function buildWithRemotes(
  files: FileTree,
  directory: string,
  options: Omit<BuildOptions, 'remote'>,
  fetch: (url: string) => Promise<RemoteContent>,
): Promise<Result<BuildOutput, KustomizeError>> {
  const fetched = new Map<string, RemoteContent>();
  for (;;) {
    const result = buildKustomization(files, directory, { ...options, remote: (url) => fetched.get(url) });
    if (result.ok || result.error.code !== 'remote') return result;
    const urls = (result.error.urls ?? []).filter((url) => !fetched.has(url));
    if (urls.length === 0) return result;
    for (const url of urls) fetched.set(url, await fetch(url));
  }
}
