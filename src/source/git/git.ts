import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import type { SourceFile } from '../artifact/source-tree.ts';
import { discard, exhaustion } from '../exhausted.ts';
import type { GitCommit, GitTag } from './commit.ts';
import { inspectIdentity } from './credentials.ts';
import { deadlineMessage, type GitFailure } from './failure.ts';
import { type FetchedCommit, fetchCommit, fetchRef, listRemote, type Remote } from './fetch.ts';
import { ObjectMemory } from './object-memory.ts';
import { revisionOf } from './reference.ts';
import { highestTags } from './remote-refs.ts';
import type { FetchRequest, GitError, GitOptions, GitOwner } from './request.ts';
import { run } from './run.ts';
import { makePrivateDirectory, openSession } from './session.ts';
import { sourceFiles } from './source-files.ts';
import { printGitUrl } from './url.ts';

/** A commit that was fetched. {@link Checkout.close} must be called. */
export interface Checkout {
  readonly revision: string;
  readonly commit: GitCommit;
  readonly tag: GitTag | undefined;
  readonly reference: { readonly isTag: boolean /** Short name of the tag, else ''. */; readonly name: string };
  /** The private directory of this checkout, until it is closed. */
  readonly directory: string;
  /** Environment in which programs that check signatures run: nothing of the user's. */
  readonly env: Readonly<Record<string, string>>;
  /** All files, of submodules too where asked for. */
  files(): Promise<Result<readonly SourceFile[], GitError>>;
  close(): Promise<void>;
}

export type FetchResult =
  | { readonly kind: 'unchanged'; readonly revision: string; readonly commit: string }
  | { readonly kind: 'fetched'; readonly checkout: Checkout };

export interface Git {
  fetch(request: FetchRequest): Promise<Result<FetchResult, GitError>>;
  /** The directory in which an object is fetched, for messages: it exists only meanwhile. */
  workDirectory(owner: GitOwner): string;
  /** Removes what is kept for an object. */
  forget(owner: GitOwner): Promise<void>;
  /** Ends the connections that are kept open. */
  close(): Promise<void>;
}

/** Git by the system's `git` and `ssh`, isolated from the user's configuration. Throws only when `signal` is aborted. */
export function openGit(options: GitOptions): Git {
  const workDirectory = (owner: GitOwner): string => join(options.workDirectory, workName(owner));
  const objects = new ObjectMemory();
  return {
    workDirectory,
    async fetch(request) {
      const deadline = AbortSignal.timeout(request.timeoutMs);
      const signal = AbortSignal.any([request.signal, deadline]);
      const directory = workDirectory(request.owner);
      let kept = false;
      try {
        await mkdir(options.workDirectory, { recursive: true, mode: 0o700 });
        if (options.connectionDirectory !== undefined) {
          await mkdir(options.connectionDirectory, { recursive: true, mode: 0o700 });
        }
        await makePrivateDirectory(directory);
        const result = await fetchWithin(options, request, directory, objects, signal);
        kept = result.ok && result.value.kind === 'fetched';
        return result;
      } catch (cause) {
        const exhausted = exhaustion(cause);
        if (exhausted !== undefined) return failed(request, 'clone', exhausted);
        if (!deadline.aborted || request.signal.aborted) throw cause;
        return failed(request, request.lastRevision === undefined ? 'clone' : 'list', deadlineMessage(request.url));
      } finally {
        if (!kept) await discard(directory);
      }
    },
    async forget({ namespace, name }) {
      const cache = join(options.cacheDirectory, namespace, name);
      objects.forget(cache);
      await rm(cache, { recursive: true, force: true });
    },
    async close() {
      const { connectionDirectory } = options;
      if (connectionDirectory !== undefined) await closeConnections(connectionDirectory, options.path);
    },
  };
}

async function fetchWithin(
  options: GitOptions,
  request: FetchRequest,
  directory: string,
  objects: ObjectMemory,
  signal: AbortSignal,
): Promise<Result<FetchResult, GitError>> {
  const { url, reference, credentials, lastRevision } = request;
  if (url.scheme === 'ssh' && inspectIdentity(credentials.identity ?? '') === 'none') {
    return err({ code: 'Failed', message: 'unable to construct auth method with options: ssh: no key found' });
  }
  if (url.scheme === 'ssh' && request.proxy !== undefined) {
    return err({ code: 'Failed', message: 'a proxy is supported for http and https addresses only, not yet for ssh' });
  }
  const cache = join(options.cacheDirectory, request.owner.namespace, request.owner.name);
  const session = await openSession({
    directory,
    path: options.path,
    url,
    credentials,
    ...(request.proxy === undefined ? {} : { proxy: request.proxy }),
    ...(options.resolveHost === undefined ? {} : { resolveHost: options.resolveHost }),
    ...(options.connectionDirectory === undefined ? {} : { connections: options.connectionDirectory }),
  });
  const copy = `main-${hash(printGitUrl(url))}`;
  await forgetOthers(cache, copy);
  const remote: Remote = { url, session, credentials, directory: join(cache, copy), objects, signal };

  const chosen = await choose(request, remote);
  if (!chosen.ok) return chosen;
  if (chosen.value.kind === 'unchanged') return ok(chosen.value);
  const { fetched, tagName } = chosen.value;
  const revision = revisionOf(reference, fetched.commit.hash, tagName);
  // Seen only here for a pinned commit, or when the server moved back between two questions.
  if (lastRevision === revision) {
    fetched.reader.close();
    return ok({ kind: 'unchanged', revision, commit: fetched.commit.hash });
  }
  const opened: FetchedCommit[] = [fetched];
  return ok({
    kind: 'fetched',
    checkout: {
      revision,
      commit: fetched.commit,
      tag: fetched.tag,
      reference: { isTag: tagName !== undefined, name: tagName ?? '' },
      directory,
      env: session.env,
      async files() {
        try {
          return await sourceFiles(options, request, fetched, opened, directory);
        } catch (cause) {
          if (!signal.aborted || request.signal.aborted) throw cause;
          return failed(request, 'clone', deadlineMessage(url));
        }
      },
      async close() {
        for (const { reader } of opened) reader.close();
        await discard(directory);
      },
    },
  });
}

type Choice =
  | { readonly kind: 'unchanged'; readonly revision: string; readonly commit: string }
  | { readonly kind: 'fetched'; readonly fetched: FetchedCommit; readonly tagName: string | undefined };

async function choose(request: FetchRequest, remote: Remote): Promise<Result<Choice, GitError>> {
  const { reference } = request;
  switch (reference.kind) {
    case 'commit': {
      // A hash cannot change its content: what is stored of it stays right.
      const revision = revisionOf(reference, reference.commit);
      if (request.lastRevision === revision) return ok({ kind: 'unchanged', revision, commit: reference.commit });
      return concluded(request, remote, await fetchCommit(remote, reference.commit, reference.branch), undefined);
    }
    case 'branch':
      return chooseRef(request, remote, `refs/heads/${reference.branch}`, undefined);
    case 'tag':
      return chooseRef(request, remote, `refs/tags/${reference.tag}`, reference.tag);
    case 'name': {
      const name = reference.name.replace(/\^\{\}$/, '');
      const tag = name.startsWith('refs/tags/') ? name.slice('refs/tags/'.length) : undefined;
      return chooseRef(request, remote, name, tag);
    }
    case 'semver':
      return chooseVersion(request, remote, reference.range);
  }
}

async function chooseRef(
  request: FetchRequest,
  remote: Remote,
  ref: string,
  tag: string | undefined,
): Promise<Result<Choice, GitError>> {
  const byName = request.reference.kind === 'name';
  // One session tells both whether something changed and what: a fetch of what is there already brings nothing.
  const fetched = await fetchRef(remote, ref, tag);
  if (fetched.ok) return concluded(request, remote, fetched, tag);
  const { kind, message } = fetched.error;
  if (kind === 'missing-ref' && byName) {
    return err({ code: 'Failed', message: `unable to resolve ref '${ref}' to a specific commit` });
  }
  // Flux lists the references first where it has something to compare with.
  const lists = request.lastRevision !== undefined || byName;
  if (lists && kind !== 'missing-ref' && kind !== 'corrupt') return failed(request, 'list', message);
  return concluded(request, remote, fetched, tag);
}

async function chooseVersion(request: FetchRequest, remote: Remote, range: string): Promise<Result<Choice, GitError>> {
  const refs = await listRemote(remote, []);
  if (!refs.ok) return failed(request, 'clone', refs.error.message);
  if (refs.value.size === 0) return empty(request);
  const tags = highestTags(refs.value, range);
  if (!tags.ok) return err({ code: 'Failed', message: tags.error });
  const commitOfTag = (tag: string): string => {
    const found = refs.value.get(`refs/tags/${tag}`);
    return found?.peeled ?? found?.hash ?? '';
  };
  const known = tags.value.find((tag) => request.lastRevision === revisionOf(request.reference, commitOfTag(tag), tag));
  if (known !== undefined && tags.value.length === 1) {
    return ok({ kind: 'unchanged', revision: request.lastRevision ?? '', commit: commitOfTag(known) });
  }
  // Versions that differ in nothing that counts: the one committed last.
  let best: { readonly fetched: FetchedCommit; readonly tagName: string } | undefined;
  for (const tag of tags.value.slice(0, MAX_TIES)) {
    const fetched = await fetchRef(remote, `refs/tags/${tag}`, tag);
    if (!fetched.ok) {
      best?.fetched.reader.close();
      return concluded(request, remote, fetched, tag);
    }
    if (best === undefined || fetched.value.commit.committedAtS > best.fetched.commit.committedAtS) {
      best?.fetched.reader.close();
      best = { fetched: fetched.value, tagName: tag };
    } else fetched.value.reader.close();
  }
  if (best === undefined) return err({ code: 'Failed', message: `no match found for semver: ${range}` });
  return ok({ kind: 'fetched', ...best });
}

/** Tags of one version that differ in build metadata only; nobody has more than a few. */
const MAX_TIES = 20;

async function concluded(
  request: FetchRequest,
  remote: Remote,
  result: Result<FetchedCommit, GitFailure>,
  tagName: string | undefined,
): Promise<Result<Choice, GitError>> {
  if (result.ok) return ok({ kind: 'fetched', fetched: result.value, tagName });
  if (result.error.kind === 'missing-ref') {
    const refs = await listRemote(remote, []);
    if (refs.ok && refs.value.size === 0) return empty(request);
  }
  if (result.error.message.startsWith('unable to resolve commit object')) {
    return err({ code: 'Failed', message: result.error.message });
  }
  return failed(request, 'clone', result.error.message);
}

/** Flux tells an empty repository apart only where a branch was asked for. */
function empty({ reference, url }: FetchRequest): Result<never, GitError> {
  if (reference.kind === 'branch') return err({ code: 'Empty', message: 'git repository is empty' });
  return err({
    code: 'Failed',
    message: `unable to clone: remote repository is empty: git repository: '${printGitUrl(url)}'`,
  });
}

function failed({ url }: FetchRequest, step: 'clone' | 'list', message: string): Result<never, GitError> {
  const what =
    step === 'clone' ? `unable to clone '${printGitUrl(url)}'` : `unable to list remote for '${printGitUrl(url)}'`;
  return err({ code: 'Failed', message: `${what}: ${message}` });
}

/** Each socket is a connection of ours; one that has ended by itself is no failure. */
async function closeConnections(directory: string, path: string): Promise<void> {
  const sockets = await readdir(directory).catch(() => []);
  const env = { PATH: path, LC_ALL: 'C' };
  const signal = AbortSignal.timeout(CLOSE_LIMIT_MS);
  const exits = sockets.map((name) => {
    const args = ['-F', '/dev/null', '-S', join(directory, name), '-O', 'exit', 'none'];
    return run('ssh', args, { cwd: directory, env, signal });
  });
  await Promise.allSettled(exits);
}

const CLOSE_LIMIT_MS = 2_000;

/** A copy of an address that the object had before is of no more use. */
async function forgetOthers(cache: string, keep: string): Promise<void> {
  await mkdir(cache, { recursive: true, mode: 0o700 });
  for (const name of await readdir(cache)) {
    if (name.startsWith('main-') && name !== keep) await rm(join(cache, name), { recursive: true, force: true });
  }
}

/** Always the same for one object, so that messages that name it do not change from one try to the next. */
function workName({ namespace, name }: GitOwner): string {
  const digits =
    (createHash('sha256').update(`${namespace}/${name}`).digest().readUInt32BE(0) % 900_000_000) + 100_000_000;
  return `gitrepository-${namespace}-${name}-${digits}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
