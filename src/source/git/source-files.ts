import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import type { SourceFile } from '../artifact/source-tree.ts';
import { git } from './bare.ts';
import { deadlineMessage } from './failure.ts';
import { type FetchedCommit, fetchCommit } from './fetch.ts';
import type { FetchRequest, GitError, GitOptions } from './request.ts';
import { openSession } from './session.ts';
import { isWithin, listTree, type TreeEntry } from './tree.ts';
import { type GitUrl, printGitUrl, resolveSubmoduleUrl, sameServer } from './url.ts';

/** Submodules within submodules. Source: go-git@5 DefaultSubmoduleRecursionDepth. */
const MAX_SUBMODULE_DEPTH = 10;
/** Repositories that one checkout may fetch beside its own. */
const MAX_SUBMODULES = 200;

/** Lists the files of a fetched commit. Symbolic links are left out: an artifact holds none. */
export async function sourceFiles(
  options: GitOptions,
  request: FetchRequest,
  root: FetchedCommit,
  opened: FetchedCommit[],
  directory: string,
): Promise<Result<readonly SourceFile[], GitError>> {
  const context: Context = { options, request, opened, directory };
  const files = await filesOf(context, root, '', 0);
  if (!files.ok) return err({ code: 'Failed', message: files.error });
  if (request.sparseCheckout === undefined) return files;
  const kept = new Map<string, SourceFile>();
  const byName = new Map(files.value.map((file) => [file.name, file]));
  for (const wanted of request.sparseCheckout) {
    const path = cleanPath(wanted);
    if (path === '') return files;
    if (path === undefined || !byName.has(path)) {
      const shown = wanted.replace(/^\.\//, '');
      const missing = `lstat ${join(directory, shown)}: no such file or directory`;
      return err({
        code: 'Sparse',
        message: `sparse checkout dir '${wanted}' does not exist in repository: ${missing}`,
      });
    }
    for (let parent = path; parent.includes('/'); ) {
      parent = parent.slice(0, parent.lastIndexOf('/'));
      const file = byName.get(parent);
      if (file !== undefined) kept.set(parent, file);
    }
    for (const file of files.value) if (isWithin(file.name, path)) kept.set(file.name, file);
  }
  return ok([...kept.values()]);
}

/** A relative path without `.` and double slashes; '' for the root; undefined when it leaves the root. */
export function cleanPath(path: string): string | undefined {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  return steps.includes('..') || path.startsWith('/') ? undefined : steps.join('/');
}

interface Context {
  readonly options: GitOptions;
  readonly request: FetchRequest;
  readonly opened: FetchedCommit[];
  readonly directory: string;
}

async function filesOf(
  context: Context,
  fetched: FetchedCommit,
  prefix: string,
  depth: number,
): Promise<Result<readonly SourceFile[], string>> {
  const entries = await listTree(fetched.reader, fetched.commit.tree);
  if (!entries.ok) return entries;
  const files: SourceFile[] = entries.value
    .filter(({ kind }) => kind !== 'symlink')
    .map((entry) => fileOf(fetched, entry, prefix));
  const links = entries.value.filter(({ kind }) => kind === 'submodule');
  if (!context.request.recurseSubmodules || links.length === 0) return ok(files);
  if (depth >= MAX_SUBMODULE_DEPTH) return err(`submodules are nested more than ${MAX_SUBMODULE_DEPTH} deep`);
  const modules = await readModules(fetched, entries.value);
  for (const link of links) {
    const module = modules.get(link.path);
    // Git too leaves a link without a section in .gitmodules an empty directory.
    if (module === undefined) continue;
    const inner = await fetchSubmodule(context, fetched, module, link.hash);
    if (!inner.ok) return inner;
    const path = prefix + link.path;
    const below = await filesOf(context, inner.value, `${path}/`, depth + 1);
    if (!below.ok) return below;
    files.push(gitFile(path, module.name), ...below.value);
  }
  return ok(files);
}

function fileOf({ reader }: FetchedCommit, { path, kind, hash }: TreeEntry, prefix: string): SourceFile {
  const directory = kind === 'directory' || kind === 'submodule';
  return {
    name: prefix + path,
    directory,
    executable: kind === 'executable',
    async read() {
      const blob = directory ? undefined : await reader.read(hash);
      if (blob?.type !== 'blob') throw new Error(`${prefix}${path}: object ${hash} is not a file`);
      return blob.content;
    },
  };
}

/** What a checkout leaves in a submodule's directory; Flux's artifacts have it, so ours have. */
function gitFile(path: string, name: string): SourceFile {
  const up = '../'.repeat(path.split('/').length);
  const content = Buffer.from(`gitdir: ${up}.git/modules/${name}\n`);
  return { name: `${path}/.git`, directory: false, executable: false, read: async () => content };
}

interface Submodule {
  readonly name: string;
  readonly url: string;
}

/** Path -> submodule, of the commit's `.gitmodules`, which git itself reads. */
async function readModules(
  { remote, repository }: FetchedCommit,
  entries: readonly TreeEntry[],
): Promise<ReadonlyMap<string, Submodule>> {
  const file = entries.find(({ path, kind }) => path === '.gitmodules' && kind === 'file');
  const modules = new Map<string, Submodule>();
  if (file === undefined) return modules;
  const args = ['config', '--blob', file.hash, '-z', '--list'];
  const result = await git(repository, remote.session, args, remote.signal);
  const values = new Map<string, Map<string, string>>();
  for (const line of result.stdout.toString('utf8').split('\0')) {
    const match = /^submodule\.([^]+)\.(path|url)\n([^]*)$/.exec(line);
    if (match === null) continue;
    const [, name = '', key = '', value = ''] = match;
    const section = values.get(name) ?? new Map<string, string>();
    section.set(key, value);
    values.set(name, section);
  }
  for (const [name, section] of values) {
    const path = section.get('path');
    const url = section.get('url');
    // A name with `..` is what CVE-2018-11235 was about; git ignores such sections.
    if (path === undefined || url === undefined || name.split('/').includes('..')) continue;
    modules.set(path.replace(/\/+$/, ''), { name, url });
  }
  return modules;
}

async function fetchSubmodule(
  context: Context,
  parent: FetchedCommit,
  module: Submodule,
  commit: string,
): Promise<Result<FetchedCommit, string>> {
  const { options, request, opened } = context;
  const shown = JSON.stringify(module.name);
  if (opened.length > MAX_SUBMODULES) return err(`the repository has more than ${MAX_SUBMODULES} submodules`);
  const url = resolveSubmoduleUrl(parent.remote.url, module.url);
  if (!url.ok) return err(`submodule ${shown}: its address ${url.error}`);
  const where = printGitUrl(url.value);
  const directory = join(context.directory, `submodule-${opened.length}`);
  await mkdir(directory, { mode: 0o700 });
  const credentials = credentialsFor(parent.remote.url, url.value, request);
  const session = await openSession({
    directory,
    path: options.path,
    url: url.value,
    credentials,
    ...(request.proxy === undefined || url.value.scheme === 'ssh' ? {} : { proxy: request.proxy }),
    ...(options.resolveHost === undefined ? {} : { resolveHost: options.resolveHost }),
    ...(options.connectionDirectory === undefined ? {} : { connections: options.connectionDirectory }),
  });
  const copy = `submodule-${createHash('sha256').update(where).digest('hex').slice(0, 32)}`;
  const cache = join(options.cacheDirectory, request.owner.namespace, request.owner.name, copy);
  const { objects, signal } = parent.remote;
  const remote = { url: url.value, session, credentials, directory: cache, objects, signal };
  try {
    const fetched = await fetchCommit(remote, commit, undefined);
    if (!fetched.ok) return err(`unable to clone submodule ${shown} '${where}': ${fetched.error.message}`);
    opened.push(fetched.value);
    return fetched;
  } catch (cause) {
    if (!parent.remote.signal.aborted || request.signal.aborted) throw cause;
    return err(`unable to clone submodule ${shown} '${where}': ${deadlineMessage(url.value)}`);
  }
}

/** A submodule on the same server gets what its parent has; on another one an SSH key proves itself without being given away. */
function credentialsFor(parent: GitUrl, url: GitUrl, { credentials }: FetchRequest): FetchRequest['credentials'] {
  return sameServer(parent, url) || (parent.scheme === 'ssh' && url.scheme === 'ssh') ? credentials : {};
}
