import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serveGit } from '../../tests/support/git-http.ts';
import { configFile, folderFiles } from './objects.ts';

const MONO_FILES = 600;
const run = promisify(execFile);

/** When a push began and returned, by `performance.now()`. */
export interface PushTimes {
  readonly begun: number;
  readonly returned: number;
}

/** A repository over HTTP with the folders `apps/shared` and `apps/one`, and the clone that pushes to it. */
export class BenchRepository {
  readonly url: string;
  readonly #clone: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #close: () => Promise<void>;

  private constructor(url: string, clone: string, env: NodeJS.ProcessEnv, close: () => Promise<void>) {
    this.url = url;
    this.#clone = clone;
    this.#env = env;
    this.#close = close;
  }

  /** `mono` adds 600 files that no Kustomization is about. */
  static async open(folder: string, mono: boolean): Promise<BenchRepository> {
    const env = { ...process.env, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
    const clone = join(folder, 'clone');
    const bare = join(folder, 'git', 'bench.git');
    await mkdir(join(folder, 'git'));
    await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare], { env });
    await run('git', ['clone', '--quiet', bare, clone], { env });
    const server = await serveGit(join(folder, 'git'));
    const repository = new BenchRepository(server.url, clone, env, () => server.close());
    for (const path of ['shared', 'one']) await repository.#write(join('apps', path), folderFiles('first'));
    for (let index = 0; mono && index < MONO_FILES; index++) {
      const [text = ''] = Object.values(configFile(`mono-${index}`));
      await repository.#write(join('other', String(index % 20)), { [`${index}.yaml`]: text });
    }
    await repository.#push('first');
    return repository;
  }

  /** Commits files of `apps/PATH` and pushes them. */
  async commit(path: string, files: Readonly<Record<string, string>>, message: string): Promise<PushTimes> {
    await this.#write(join('apps', path), files);
    return this.#push(message);
  }

  /** As sources tell it (`main@sha1:…`). */
  async revision(): Promise<string> {
    const { stdout } = await run('git', ['rev-parse', 'HEAD'], { cwd: this.#clone, env: this.#env });
    return `main@sha1:${stdout.trim()}`;
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #write(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(join(this.#clone, directory), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.#clone, directory, name), text);
  }

  async #push(message: string): Promise<PushTimes> {
    const author = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com'];
    const git = (...args: readonly string[]) => run('git', [...author, ...args], { cwd: this.#clone, env: this.#env });
    await git('add', '--all');
    await git('commit', '--quiet', '--message', message);
    const begun = performance.now();
    await git('push', '--quiet', 'origin', 'HEAD:main');
    return { begun, returned: performance.now() };
  }
}
