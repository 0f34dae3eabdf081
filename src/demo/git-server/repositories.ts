import { spawn } from 'node:child_process';
import { mkdir, realpath, rm, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { err, ok, type Result } from '../../base/result.ts';
import type { Service } from './command.ts';

/** The bare repositories below one directory, and git's programs run on them. */
export interface Repositories {
  readonly root: string;
  /** Where `git` is found: a PATH. */
  readonly searchPath: string;
}

/** The repository's real directory: links are followed first, and what then lies outside the root does not exist. */
export async function findRepository({ root }: Repositories, path: string): Promise<Result<string, string>> {
  const missing = err(`${JSON.stringify(path)} does not exist`);
  const realRoot = await realpath(root);
  for (const candidate of [path, `${path}.git`]) {
    const directory = await realpath(resolve(realRoot, candidate)).catch(() => undefined);
    if (directory === undefined || !directory.startsWith(realRoot + sep)) continue;
    const isBare = await Promise.all([isDirectory(join(directory, 'objects')), isDirectory(join(directory, 'refs'))]);
    if (isBare.every(Boolean)) return ok(directory);
  }
  return missing;
}

/** Makes an empty bare repository; one that is there already stays as it is. */
export async function initRepository(
  repositories: Repositories,
  path: string,
  branch: string,
): Promise<Result<'made' | 'there', string>> {
  const existing = await findRepository(repositories, path);
  if (existing.ok) return ok('there');
  const realRoot = await realpath(repositories.root);
  const directory = resolve(realRoot, path);
  await mkdir(resolve(directory, '..'), { recursive: true });
  const parent = await realpath(resolve(directory, '..'));
  if (parent !== realRoot && !parent.startsWith(realRoot + sep)) return err(`${JSON.stringify(path)} is not allowed`);
  try {
    await mkdir(directory);
  } catch {
    return err(`${JSON.stringify(path)} is in use`);
  }
  const child = spawn('git', ['init', '--quiet', '--bare', '--template=', `--initial-branch=${branch}`, directory], {
    env: environment(repositories, undefined),
    stdio: 'ignore',
  });
  const code = await new Promise<number | null>((done) => {
    child.on('error', () => done(null));
    child.on('close', done);
  });
  if (code === 0) return ok('made');
  await rm(directory, { recursive: true, force: true });
  return err('git init failed');
}

/** Arguments of git for one service on a repository; hooks and the owner check are switched off. */
export function serviceArguments(service: Service, directory: string): readonly string[] {
  const settings = ['safe.directory=*', 'core.hooksPath=/dev/null', 'core.fsmonitor=false', 'receive.autogc=false'];
  const options = service === 'upload-pack' ? ['--strict'] : [];
  return [...settings.flatMap((setting) => ['-c', setting]), service, ...options, directory];
}

/** All that a git of the server sees: nothing of the user's configuration, and of the client's only GIT_PROTOCOL. */
export function environment(
  { root, searchPath }: Repositories,
  protocol: string | undefined,
): Readonly<Record<string, string>> {
  return {
    PATH: searchPath,
    HOME: root,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }),
  };
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
