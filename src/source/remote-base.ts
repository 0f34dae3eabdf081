import { access, constants, mkdtemp } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { withoutCredentials } from '../engine/kustomize/load.ts';
import type { RemoteBase } from '../engine/kustomize/remote-base.ts';
import { parseRepoUrl, type RepoUrl } from '../engine/kustomize/repo-url.ts';
import { run } from './git/run.ts';
import { baseEnvironment } from './git/session.ts';

/** A resource file larger than this is refused. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** As long as kustomize gives git. */
const FILE_TIMEOUT_MS = 27_000;

export interface RemoteBaseOptions {
  readonly signal: AbortSignal;
  /** The whole environment of git. */
  readonly env: Readonly<Record<string, string>>;
  /** Clones are made below it. */
  readonly folder: string;
}

/** An environment to fetch in on behalf of others: nothing of the user's, and nothing from this machine's own disk. */
export function isolatedEnvironment(folder: string, path: string): Readonly<Record<string, string>> {
  return { ...baseEnvironment(folder, path), GIT_ALLOW_PROTOCOL: 'http:https:ssh' };
}

/** Fetches what a kustomization's URL names: a file over HTTP, or a clone of a git repository. Throws only when aborted. */
export async function fetchRemoteBase(url: string, options: RemoteBaseOptions): Promise<RemoteBase> {
  const repo = parseRepoUrl(url);
  if (/^https?:\/\//i.test(url)) {
    const file = await download(url, options, repo !== undefined);
    if (file !== undefined) return file;
  }
  if (repo === undefined) return { kind: 'failed', message: `'${url}' is no URL of a file or a repository` };
  return clone(repo, options);
}

/** The file at `url`; undefined where there is none but a repository may be. */
async function download(
  url: string,
  { signal }: RemoteBaseOptions,
  mayBeRepo: boolean,
): Promise<RemoteBase | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(FILE_TIMEOUT_MS)]) });
    const isPage = response.headers.get('content-type')?.includes('text/html') === true;
    if (!response.ok || (mayBeRepo && isPage)) {
      await response.body?.cancel();
      if (mayBeRepo) return undefined;
      return { kind: 'failed', message: `HTTP Error: status code ${response.status} (${response.statusText})` };
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += (chunk as Uint8Array).length;
      if (size > MAX_FILE_BYTES) return { kind: 'failed', message: `${url} is larger than ${MAX_FILE_BYTES} bytes` };
      chunks.push(chunk as Uint8Array);
    }
    return { kind: 'file', bytes: Buffer.concat(chunks) };
  } catch (error) {
    signal.throwIfAborted();
    if (mayBeRepo) return undefined;
    return { kind: 'failed', message: `Get "${url}": ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function clone(repo: RepoUrl, { signal, env, folder }: RemoteBaseOptions): Promise<RemoteBase> {
  const ref = repo.ref === '' ? 'HEAD' : repo.ref;
  const path = await mkdtemp(join(folder, 'kustomize-'));
  const deadline = AbortSignal.timeout(repo.timeoutMs);
  const commands = [
    ['init', '--quiet'],
    ['remote', 'add', '--', 'origin', repo.cloneUrl],
    ['fetch', '--quiet', '--depth=1', '--', repo.cloneUrl, ref],
    ['checkout', '--quiet', 'FETCH_HEAD'],
    ...(repo.submodules ? [['submodule', 'update', '--init', '--recursive']] : []),
  ];
  const shown = withoutCredentials(repo.cloneUrl);
  const command = `${await findGit(env['PATH'])} fetch --depth=1 ${shown} ${ref}`;
  try {
    for (const args of commands) {
      const { code, stderr } = await run('git', ['-c', 'protocol.ext.allow=never', ...args], {
        cwd: path,
        env,
        signal: AbortSignal.any([signal, deadline]),
      });
      if (code === 0) continue;
      const reason = `${stderr.replaceAll(repo.cloneUrl, shown)}: exit status ${code}`;
      return { kind: 'failed', message: `failed to run '${command}': ${reason}` };
    }
  } catch (cause) {
    if (!deadline.aborted || signal.aborted) throw cause;
    return { kind: 'failed', message: `hit ${repo.timeoutMs / 1000}s timeout running '${command}'` };
  }
  return { kind: 'folder', path };
}

/** Where git lies, as kustomize has it in its messages. */
async function findGit(path = ''): Promise<string> {
  for (const folder of path.split(delimiter)) {
    const program = join(folder, 'git');
    if (
      isAbsolute(folder) &&
      (await access(program, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return program;
  }
  return 'git';
}
