import type { GitCredentials, GitProxy } from './credentials.ts';
import type { GitReference } from './reference.ts';
import type { ResolveHost } from './session.ts';
import type { GitUrl } from './url.ts';

export interface GitOptions {
  /** Where `git`, `ssh` and `gpg` are found: a PATH. */
  readonly path: string;
  /** Holds each object's working directory while it is fetched. */
  readonly workDirectory: string;
  /** Holds what was fetched, per object, between fetches. */
  readonly cacheDirectory: string;
  /** Holds the sockets of SSH connections that are used again; a short path. Absent: each session connects anew. */
  readonly connectionDirectory?: string;
  readonly resolveHost?: ResolveHost;
}

/** Names the object that a fetch is for. Objects share nothing: one never reads what another's credentials fetched. */
export interface GitOwner {
  readonly namespace: string;
  readonly name: string;
}

export interface FetchRequest {
  readonly owner: GitOwner;
  readonly url: GitUrl;
  readonly reference: GitReference;
  readonly credentials: GitCredentials;
  readonly proxy?: GitProxy;
  readonly timeoutMs: number;
  /** The revision that is stored already: where the server has the same, nothing is fetched. */
  readonly lastRevision?: string;
  readonly recurseSubmodules: boolean;
  /** Directories to keep; undefined for all. */
  readonly sparseCheckout: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

/**
 * `Empty`: the repository has no commit. `Sparse`: a directory of `sparseCheckout` is not there. `Failed`: everything else.
 * Messages are Flux's where it has one, without secrets.
 */
export interface GitError {
  readonly code: 'Empty' | 'Sparse' | 'Failed';
  readonly message: string;
}
