import { execFile } from 'node:child_process';
import { access, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Seed {
  /** Name of the repository, without `.git`. */
  readonly name: string;
  /** Folder whose files become its first commit. */
  readonly from: string;
  /** Files made on this machine (keys, generated manifests): path -> content. */
  readonly files: ReadonlyMap<string, string>;
  /** Where `git` is looked for: a PATH. */
  readonly searchPath: string;
}

/**
 * Makes the bare repository `root/NAME.git` with one commit on `master`. A repository that is there already is left alone.
 * @returns whether it was made.
 * @throws when git fails or the folder cannot be written.
 */
export async function seedRepository(root: string, seed: Seed): Promise<boolean> {
  const bare = join(root, `${seed.name}.git`);
  if (await exists(join(bare, 'HEAD'))) return false;
  const work = await mkdtemp(join(tmpdir(), 'weir-seed-'));
  try {
    await cp(seed.from, work, { recursive: true });
    for (const [path, content] of seed.files) await writeFile(join(work, path), content);
    await git(seed, work, 'init', '--quiet', '--initial-branch=master');
    await git(seed, work, 'add', '--all');
    await git(seed, work, 'commit', '--quiet', '--message', `Add ${seed.name}`);
    await git(seed, work, 'clone', '--quiet', '--bare', work, bare);
    return true;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Writes the files of a bare repository's `master` into `directory`. @throws when git fails. */
export async function checkOut(bare: string, directory: string, searchPath: string): Promise<void> {
  await git({ searchPath }, bare, `--work-tree=${directory}`, 'checkout', '--force', 'master', '--', '.');
}

/** git as nobody in particular: the user's configuration, hooks and signing keys have no part in it. */
async function git(
  { searchPath }: Pick<Seed, 'searchPath'>,
  directory: string,
  ...args: readonly string[]
): Promise<void> {
  const identity = ['-c', 'user.name=Weir walk-through', '-c', 'user.email=walkthrough@weir.invalid'];
  const env = { PATH: searchPath, HOME: directory, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
  await run('git', ['-C', directory, ...identity, ...args], { env });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
