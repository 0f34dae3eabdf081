import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitServer, startGitServer } from './server.ts';

const run = promisify(execFile);
const PATH = process.env['PATH'] ?? '';

describe('the git server, with real ssh and git', () => {
  let home: string;
  let server: GitServer;
  const pushed: string[] = [];

  const ssh = (key = 'key'): string =>
    `ssh -F /dev/null -o IdentitiesOnly=yes -o IdentityFile=${home}/${key} -o UserKnownHostsFile=${home}/known_hosts -o BatchMode=yes`;
  const env = (key = 'key'): Record<string, string> => ({
    PATH,
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_SSH_COMMAND: ssh(key),
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.com',
  });
  const git = (args: readonly string[], key = 'key') => run('git', [...args], { env: env(key), cwd: home });
  const login = (command: readonly string[], user = 'demo', key = 'key') =>
    run('sh', ['-c', `exec ${ssh(key)} -p ${server.port} ${user}@127.0.0.1 "$@" </dev/null`, 'sh', ...command], {
      env: env(key),
    });
  const url = (path: string): string => `ssh://demo@127.0.0.1:${server.port}${path}`;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'weir-git-server-'));
    for (const name of ['key', 'stranger']) {
      const pair = ssh2.utils.generateKeyPairSync('ed25519');
      await writeFile(join(home, name), pair.private, { mode: 0o600 });
      await writeFile(join(home, `${name}.pub`), pair.public);
    }
    const keys = [await readFile(join(home, 'key.pub'), 'utf8')];
    server = await startGitServer({
      host: '127.0.0.1',
      port: 0,
      root: join(home, 'root'),
      user: 'demo',
      hostKeyFile: join(home, 'host', 'key'),
      authorizedKeys: () => keys,
      searchPath: PATH,
      onPush: (repository) => pushed.push(repository),
    });
    await writeFile(join(home, 'known_hosts'), `[127.0.0.1]:${server.port} ${server.publicKey}\n`);
  });
  afterAll(async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('makes a bare repository, takes a push, and gives it back to a clone', async () => {
    const made = await login(['git', 'init', '--bare', 'one.git']);
    expect(made.stdout).toBe('Initialized empty Git repository in /home/demo/one.git/\n');
    expect((await readFile(join(home, 'root', 'one.git', 'HEAD'), 'utf8')).trim()).toBe('ref: refs/heads/master');
    await git(['clone', '-q', url('/home/demo/one.git'), 'work']);
    await writeFile(join(home, 'work', 'a.yaml'), 'a: 1\n');
    await git(['-C', 'work', 'add', '.']);
    await git(['-C', 'work', 'commit', '-q', '-m', 'first']);
    await git(['-C', 'work', 'push', '-q', 'origin', 'HEAD:master']);
    expect(pushed).toEqual(['one.git']);
    await git(['clone', '-q', url('/home/demo/one.git'), 'again']);
    expect(await readFile(join(home, 'again', 'a.yaml'), 'utf8')).toBe('a: 1\n');
    await git(['clone', '-q', '--depth=1', `ssh://demo@127.0.0.1:${server.port}/home/demo/one`, 'shallow']);
  });

  it('says so when the repository is there already, and leaves it alone', async () => {
    await login(['git', 'init', '--bare', '-b', 'trunk', 'two.git']);
    const again = await login(['git', 'init', '--bare', 'two.git']);
    expect(again.stdout).toContain('Reinitialized existing');
    expect((await readFile(join(home, 'root', 'two.git', 'HEAD'), 'utf8')).trim()).toBe('ref: refs/heads/trunk');
  });

  it.each([
    ['a command', ['ls', '/']],
    ['a shell', []],
    ['git with options', ['git', '-c', 'alias.x=!id', 'x']],
    ['a second command', ['git-upload-pack one.git; id']],
    ['a path outside', ["git-upload-pack '../../etc'"]],
  ])('refuses %s with one line that says what is allowed', async (_what, command) => {
    const failure = await login(command).then(
      () => undefined,
      (cause: { code: number; stderr: string }) => cause,
    );
    expect(failure?.code).toBe(128);
    expect(failure?.stderr).toMatch(/^weir: /m);
  });

  it('does not follow a link out of its root', async () => {
    const outside = join(home, 'outside.git');
    await git(['init', '-q', '--bare', outside]);
    await mkdir(join(home, 'root'), { recursive: true });
    await symlink(outside, join(home, 'root', 'link.git'));
    await symlink(home, join(home, 'root', 'up'));
    await expect(git(['clone', '-q', url('/home/demo/link.git'), 'x1'])).rejects.toThrow('does not exist');
    await expect(git(['clone', '-q', url('/home/demo/up/outside.git'), 'x2'])).rejects.toThrow('does not exist');
    await expect(login(['git', 'init', '--bare', 'up/new.git'])).rejects.toThrow('not allowed');
  });

  it('lets in only its user with a known key', async () => {
    await expect(login(['git', 'init', '--bare', 'no.git'], 'demo', 'stranger')).rejects.toThrow('Permission denied');
    await expect(login(['git', 'init', '--bare', 'no.git'], 'root')).rejects.toThrow('Permission denied');
    await expect(stat(join(home, 'root', 'no.git'))).rejects.toThrow('ENOENT');
  });

  it('keeps its host key, readable by nobody else', async () => {
    expect((await stat(join(home, 'host', 'key'))).mode & 0o777).toBe(0o600);
  });

  it('forwards no ports', async () => {
    const failure = await run(
      'sh',
      ['-c', `exec ${ssh()} -p ${server.port} -W 127.0.0.1:${server.port} demo@127.0.0.1 </dev/null`],
      { env: env() },
    ).then(
      () => undefined,
      (cause: { stderr: string }) => cause.stderr,
    );
    expect(failure).toMatch(/forwarding failed|administratively prohibited|open failed/);
  });
});
