import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunResult, run } from './run.ts';
import { type GitSession } from './session.ts';

/** A bare repository of our own that holds what was fetched, so that the next fetch brings only what changed. */
export interface BareRepository {
  readonly directory: string;
}

/** Each fetch leaves a pack; at this many they are made into one, without what nothing refers to any more. */
const MAX_PACKS = 50;

/** Makes the repository where it is missing. Written by hand: `git init` would copy a template with hooks. */
export async function openBare(directory: string, format: 'sha1' | 'sha256'): Promise<BareRepository> {
  await mkdir(join(directory, 'objects', 'pack'), { recursive: true, mode: 0o700 });
  await mkdir(join(directory, 'refs'), { recursive: true, mode: 0o700 });
  const settings = format === 'sha1' ? '0\n' : '1\n[extensions]\n\tobjectFormat = sha256\n';
  await writeFile(join(directory, 'config'), `[core]\n\tbare = true\n\trepositoryFormatVersion = ${settings}`, {
    mode: 0o600,
  });
  await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/none\n', { mode: 0o600 });
  return { directory };
}

export async function removeBare({ directory }: BareRepository): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

/** Runs a git command on the repository. */
export function git(
  repository: BareRepository,
  session: GitSession,
  args: readonly string[],
  signal: AbortSignal,
): Promise<RunResult> {
  return run('git', [`--git-dir=${repository.directory}`, ...args], { cwd: session.cwd, env: session.env, signal });
}

/** Packs everything into one when there are too many packs. A failure costs only space and is left to the next time. */
export async function tidy(repository: BareRepository, session: GitSession, signal: AbortSignal): Promise<void> {
  const packs = await readdir(join(repository.directory, 'objects', 'pack'));
  if (packs.filter((name) => name.endsWith('.pack')).length <= MAX_PACKS) return;
  await git(repository, session, ['repack', '-a', '-d', '-q'], signal);
}
