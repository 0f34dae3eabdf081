import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { diskFiles } from '../build/disk-files.ts';
import { type RemoteContent, withoutCredentials } from '../engine/kustomize/load.ts';
import { parseRepoUrl, type RepoUrl } from '../engine/kustomize/repo-url.ts';

const run = promisify(execFile);

/** A resource file larger than this is refused. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const FILE_TIMEOUT_MS = 27_000;

export interface FetchOptions {
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Fetches what a kustomization's URL names: a file over HTTP, or a clone of a git repository in a temporary folder. */
export async function fetchRemote(url: string, options: FetchOptions): Promise<RemoteContent> {
  const repo = parseRepoUrl(url);
  if (/^https?:\/\//i.test(url)) {
    const file = await download(url, options, repo !== undefined);
    if (file !== undefined) return file;
  }
  if (repo === undefined) return { kind: 'failed', message: `'${url}' is no URL of a file or a repository` };
  return clone(repo, options);
}

/** The file at `url`; undefined where there is none but a repository may be. */
async function download(url: string, { signal }: FetchOptions, mayBeRepo: boolean): Promise<RemoteContent | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(FILE_TIMEOUT_MS)]) });
    const isPage = response.headers.get('content-type')?.includes('text/html') === true;
    if (mayBeRepo && (!response.ok || isPage)) return undefined;
    if (!response.ok) {
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
    if (mayBeRepo) return undefined;
    return { kind: 'failed', message: `Get "${url}": ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function clone(repo: RepoUrl, { signal, env }: FetchOptions): Promise<RemoteContent> {
  const ref = repo.ref === '' ? 'HEAD' : repo.ref;
  const folder = mkdtempSync(join(tmpdir(), 'weir-kustomize-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const git = async (...args: readonly string[]): Promise<void> => {
    await run('git', ['-c', 'protocol.ext.allow=never', ...args], {
      cwd: folder,
      signal,
      timeout: repo.timeoutMs,
      env: { ...env, GIT_TERMINAL_PROMPT: '0' } as NodeJS.ProcessEnv,
    });
  };
  try {
    await git('init', '--quiet');
    await git('remote', 'add', '--', 'origin', repo.cloneUrl);
    await git('fetch', '--quiet', '--depth=1', '--', 'origin', ref);
    await git('checkout', '--quiet', 'FETCH_HEAD');
    if (repo.submodules) await git('submodule', 'update', '--init', '--recursive');
    return { kind: 'tree', files: diskFiles(folder) };
  } catch (error) {
    const { killed, stderr } = error as { killed?: boolean; stderr?: string };
    const shown = withoutCredentials(repo.cloneUrl);
    const command = `git fetch --depth=1 ${shown} ${ref}`;
    if (killed === true)
      return { kind: 'failed', message: `hit ${repo.timeoutMs / 1000}s timeout running '${command}'` };
    return {
      kind: 'failed',
      message: `failed to run '${command}': ${(stderr ?? 'git could not be run').trim().replaceAll(repo.cloneUrl, shown)}`,
    };
  }
}
