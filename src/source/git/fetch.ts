import { err, ok, type Result } from '../../base/result.ts';
import { type BareRepository, git, openBare, removeBare, tidy } from './bare.ts';
import { type GitCommit, type GitTag, parseCommit, parseTag } from './commit.ts';
import type { GitCredentials } from './credentials.ts';
import { explain, type GitFailure } from './failure.ts';
import type { ObjectMemory } from './object-memory.ts';
import { ObjectReader } from './objects.ts';
import { parseRemoteRefs, type RemoteRefs } from './remote-refs.ts';
import type { RunResult } from './run.ts';
import { run } from './run.ts';
import type { GitSession } from './session.ts';
import type { GitUrl } from './url.ts';

/** One server's repository and our copy of it. */
export interface Remote {
  readonly url: GitUrl;
  readonly session: GitSession;
  readonly credentials: GitCredentials;
  /** Where our copy is kept between fetches. */
  readonly directory: string;
  readonly objects: ObjectMemory;
  readonly signal: AbortSignal;
}

/** A commit in our copy; objects are read until {@link ObjectReader.close}. */
export interface FetchedCommit {
  readonly commit: GitCommit;
  /** The annotated tag it was reached by. */
  readonly tag: GitTag | undefined;
  readonly remote: Remote;
  readonly repository: BareRepository;
  readonly reader: ObjectReader;
}

/** Largest single object (a file of the repository) that is read. */
export const MAX_OBJECT_BYTES: number = 100 * 1024 * 1024;
/** The reference under which the last fetch is kept. */
const HEAD = 'refs/weir/head';
/** Git's way to say "all history", also to a copy that was shallow before. */
const WHOLE_HISTORY = '--depth=2147483647';
const FETCH = [
  'fetch',
  '--quiet',
  '--no-tags',
  '--no-recurse-submodules',
  '--no-auto-maintenance',
  '--no-write-fetch-head',
  '--force',
];

/** Asks the server for its references: all, or those named. */
export async function listRemote(remote: Remote, names: readonly string[]): Promise<Result<RemoteRefs, GitFailure>> {
  const { session, signal } = remote;
  const args = ['ls-remote', '--quiet', '--', session.remote, ...names.flatMap((name) => [name, `${name}^{}`])];
  const result = await run('git', args, { cwd: session.cwd, env: session.env, signal });
  return result.code === 0 ? ok(parseRemoteRefs(result.stdout.toString('utf8'))) : err(failureOf(remote, result));
}

/** Fetches what `ref` names now, without its history. `tag` is the short name where it is a tag. */
export function fetchRef(remote: Remote, ref: string, tag?: string): Promise<Result<FetchedCommit, GitFailure>> {
  return withCopy(remote, 'sha1', async (repository) => {
    // Starts while the fetch runs.
    const reader = openReader(remote, repository);
    let fetched: Result<void, GitFailure> | undefined;
    try {
      fetched = await fetchInto(remote, repository, ['--depth=1'], [`+${ref}:${HEAD}`]);
    } finally {
      if (fetched?.ok !== true) reader.close();
    }
    return fetched.ok ? readHead(remote, repository, HEAD, tag, reader) : fetched;
  });
}

/**
 * Fetches one commit. With a branch it must be on it; without one it must be there, by itself if the server gives single
 * commits, else on some branch.
 */
export function fetchCommit(
  remote: Remote,
  hash: string,
  branch: string | undefined,
): Promise<Result<FetchedCommit, GitFailure>> {
  const notFound: GitFailure = {
    kind: 'remote',
    message: `unable to resolve commit object for '${hash}': object not found`,
  };
  return withCopy(remote, hash.length === 64 ? 'sha256' : 'sha1', async (repository) => {
    if (branch !== undefined) {
      const fetched = await fetchInto(remote, repository, [WHOLE_HISTORY], [`+refs/heads/${branch}:${HEAD}`]);
      if (!fetched.ok) return fetched;
      const on = await git(repository, remote.session, ['merge-base', '--is-ancestor', hash, HEAD], remote.signal);
      return on.code === 0 ? readHead(remote, repository, hash, undefined) : err(notFound);
    }
    const single = await fetchInto(remote, repository, ['--depth=1'], [`+${hash}:${HEAD}`]);
    if (single.ok) return readHead(remote, repository, hash, undefined);
    if (single.error.kind !== 'unadvertised') return single;
    const all = await fetchInto(remote, repository, [WHOLE_HISTORY, '--prune'], ['+refs/heads/*:refs/weir/heads/*']);
    if (!all.ok) return all;
    const fetched = await readHead(remote, repository, hash, undefined);
    return !fetched.ok && fetched.error.kind === 'corrupt' ? err(notFound) : fetched;
  });
}

async function fetchInto(
  remote: Remote,
  repository: BareRepository,
  options: readonly string[],
  refspecs: readonly string[],
): Promise<Result<void, GitFailure>> {
  const { session, signal } = remote;
  const result = await git(repository, session, [...FETCH, ...options, '--', session.remote, ...refspecs], signal);
  if (result.code !== 0) return err(failureOf(remote, result));
  await tidy(repository, session, signal);
  return ok(undefined);
}

function openReader({ session, objects, signal }: Remote, repository: BareRepository): ObjectReader {
  return new ObjectReader(repository, session, signal, MAX_OBJECT_BYTES, objects.of(repository.directory));
}

async function readHead(
  remote: Remote,
  repository: BareRepository,
  name: string,
  tagName: string | undefined,
  reader: ObjectReader = openReader(remote, repository),
): Promise<Result<FetchedCommit, GitFailure>> {
  let found = false;
  try {
    const [commitObject, tagObject] = await Promise.all([
      reader.read(`${name}^{commit}`),
      tagName === undefined ? undefined : reader.read(name),
    ]);
    const commit = commitObject === undefined ? undefined : parseCommit(commitObject);
    if (commit === undefined)
      return err({ kind: 'corrupt', message: `unable to resolve commit object for '${name}': object not found` });
    const tag = tagObject === undefined || tagName === undefined ? undefined : parseTag(tagName, tagObject);
    found = true;
    return ok({ commit, tag, remote, repository, reader });
  } finally {
    if (!found) reader.close();
  }
}

/**
 * Works on our copy. A copy that an earlier process left broken, or that has the other hash function, is made anew once:
 * everything in it can be fetched again.
 */
async function withCopy<T>(
  remote: Remote,
  format: 'sha1' | 'sha256',
  work: (repository: BareRepository) => Promise<Result<T, GitFailure>>,
): Promise<Result<T, GitFailure>> {
  const repository = await openBare(remote.directory, format);
  const first = await work(repository);
  if (first.ok || (first.error.kind !== 'corrupt' && first.error.kind !== 'object-format')) return first;
  await removeBare(repository);
  const other = first.error.kind === 'object-format' ? (format === 'sha1' ? 'sha256' : 'sha1') : format;
  return work(await openBare(remote.directory, other));
}

function failureOf({ url, credentials }: Remote, result: RunResult): GitFailure {
  const { password, bearerToken, passphrase } = credentials;
  return explain(result.stderr, url, [password, bearerToken, passphrase, url.password]);
}
