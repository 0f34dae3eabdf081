import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitServer, startGitServer } from '../../demo/git-server/server.ts';
import { type Git, openGit } from './git.ts';
import { referenceOf } from './reference.ts';
import type { FetchRequest } from './request.ts';
import { openSession } from './session.ts';
import { parseGitUrl } from './url.ts';

const run = promisify(execFile);
const PATH = process.env['PATH'] ?? '';

describe('git over ssh, with the real programs', () => {
  let home: string;
  let server: GitServer;
  let identity: string;
  let git: Git;
  let logins = 0;

  const env = (): Record<string, string> => ({
    PATH,
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.com',
  });
  const local = async (...args: readonly string[]): Promise<string> =>
    (await run('git', [...args], { env: env(), cwd: home })).stdout.trim();
  const commit = async (repository: string, files: Readonly<Record<string, string>>): Promise<string> => {
    const bare = join(home, 'root', `${repository}.git`);
    const work = await mkdtemp(join(home, 'work-'));
    await local('init', '-q', '--bare', '-b', 'main', bare).catch(() => {});
    await local('clone', '-q', bare, work);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(work, name, '..'), { recursive: true });
      await writeFile(join(work, name), text);
    }
    await local('-C', work, 'add', '-A');
    await local('-C', work, 'commit', '-q', '-m', 'change');
    await local('-C', work, 'push', '-q', 'origin', 'HEAD:main');
    return local('-C', work, 'rev-parse', 'HEAD');
  };
  const request = (repository: string, extra: Partial<FetchRequest> = {}, ref = {}): FetchRequest => {
    const url = parseGitUrl(`ssh://demo@sshd.default:/home/demo/${repository}.git`);
    const reference = referenceOf({ branch: 'main', ...ref });
    if (!url.ok || !reference.ok) throw new Error('bad test');
    return {
      owner: { namespace: 'apps', name: repository },
      url: url.value,
      reference: reference.value,
      credentials: { identity, knownHosts: `sshd.default ${server.publicKey}\n`, username: 'demo' },
      timeoutMs: 20_000,
      recurseSubmodules: false,
      sparseCheckout: undefined,
      signal: new AbortController().signal,
      ...extra,
    };
  };
  const names = async (wanted: FetchRequest): Promise<readonly string[] | string> => {
    const fetched = await git.fetch(wanted);
    if (!fetched.ok) return fetched.error.message;
    if (fetched.value.kind === 'unchanged') return 'unchanged';
    const files = await fetched.value.checkout.files();
    await fetched.value.checkout.close();
    return files.ok ? files.value.map(({ name }) => name) : files.error.message;
  };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'weir-git-'));
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    identity = pair.private;
    server = await startGitServer({
      host: '127.0.0.1',
      port: 0,
      root: join(home, 'root'),
      user: 'demo',
      hostKeyFile: join(home, 'host-key'),
      authorizedKeys: () => {
        logins++;
        return [pair.public];
      },
      searchPath: PATH,
    });
    git = openGit({
      path: PATH,
      workDirectory: join(home, 'tmp'),
      cacheDirectory: join(home, 'cache'),
      resolveHost: async (host, port) =>
        host === 'sshd.default' && port === 22 ? { host: '127.0.0.1', port: server.port } : undefined,
    });
  });
  afterAll(async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('fetches a commit at a Service name, then only what changed, and leaves nothing behind', async () => {
    const first = await commit('one', { 'a.yaml': 'a: 1\n', 'd/b.yaml': 'b: 1\n' });
    expect(await names(request('one'))).toEqual(['a.yaml', 'd', 'd/b.yaml']);
    expect(await names(request('one', { lastRevision: `main@sha1:${first}` }))).toBe('unchanged');
    await commit('one', { 'c.yaml': 'c: 1\n' });
    expect(await names(request('one', { lastRevision: `main@sha1:${first}` }))).toContain('c.yaml');
    expect(await readdir(join(home, 'tmp'))).toEqual([]);
    const cached = await readdir(join(home, 'cache', 'apps', 'one'));
    expect(cached).toHaveLength(1);
    await git.forget({ namespace: 'apps', name: 'one' });
    await expect(stat(join(home, 'cache', 'apps', 'one'))).rejects.toThrow('ENOENT');
  });

  it('uses one connection for many sessions, and another one for another key', async () => {
    const first = await commit('shared', { v: '1' });
    const connectionDirectory = join(home, 'ssh');
    const shared = openGit({
      path: PATH,
      workDirectory: join(home, 'tmp'),
      cacheDirectory: join(home, 'cache-shared'),
      connectionDirectory,
      resolveHost: async () => ({ host: '127.0.0.1', port: server.port }),
    });
    const before = logins;
    for (let round = 0; round < 12; round++) {
      const fetched = await shared.fetch(request('shared', { lastRevision: `main@sha1:${first}` }));
      expect(fetched).toMatchObject({ ok: true, value: { kind: 'unchanged' } });
    }
    // Asked for once about the key, and once with its signature.
    const perConnection = logins - before;
    expect(perConnection).toBeLessThanOrEqual(2);
    expect(await readdir(connectionDirectory)).toHaveLength(1);
    const stranger = { ...request('shared').credentials, identity: ssh2.utils.generateKeyPairSync('ed25519').private };
    const refused = await shared.fetch(request('shared', { credentials: stranger }));
    expect(refused).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('unable to authenticate') as string },
    });
    await shared.close();
    expect(await readdir(connectionDirectory)).toEqual([]);
  });

  it('recovers from a copy that a killed process left broken', async () => {
    await commit('broken', { 'a.yaml': 'a: 1\n' });
    expect(await names(request('broken'))).toEqual(['a.yaml']);
    const [copy = ''] = await readdir(join(home, 'cache', 'apps', 'broken'));
    const directory = join(home, 'cache', 'apps', 'broken', copy);
    await writeFile(join(directory, 'shallow.lock'), '');
    await commit('broken', { 'b.yaml': 'b: 1\n' });
    expect(await names(request('broken'))).toEqual(['a.yaml', 'b.yaml']);
    const packs = join(directory, 'objects', 'pack');
    for (const pack of await readdir(packs)) {
      await chmod(join(packs, pack), 0o600);
      await writeFile(join(packs, pack), 'broken');
    }
    expect(await names(request('broken'))).toEqual(['a.yaml', 'b.yaml']);
  });

  it('finds a pinned commit, refuses one that is not on the branch, and knows an empty repository', async () => {
    const first = await commit('pinned', { v: '1' });
    await commit('pinned', { v: '2' });
    await local('--git-dir', join(home, 'root', 'pinned.git'), 'update-ref', 'refs/heads/old', first);
    expect(await names(request('pinned', {}, { commit: first }))).toEqual(['v']);
    const lone = '1'.repeat(40);
    const missing = `unable to resolve commit object for '${lone}': object not found`;
    expect(await names(request('pinned', {}, { commit: lone }))).toBe(missing);
    await local('init', '-q', '--bare', join(home, 'root', 'empty.git'));
    expect(await git.fetch(request('empty'))).toMatchObject({ ok: false, error: { code: 'Empty' } });
  });

  it('checks host keys', async () => {
    await commit('keys', { v: '1' });
    const stranger = ssh2.utils.generateKeyPairSync('ed25519').public.split(' ').slice(0, 2).join(' ');
    const as = (knownHosts: string) =>
      names(request('keys', { credentials: { identity, knownHosts, username: 'demo' } }));
    expect(await as(`sshd.default ${stranger}`)).toContain('ssh: handshake failed: knownhosts: key mismatch');
    expect(await as(`other ${stranger}`)).toContain('ssh: handshake failed: knownhosts: key is unknown');
    expect(await as(`[sshd.default]:${server.port} ${server.publicKey}`)).toEqual(['v']);
  });

  it('opens an encrypted key with its passphrase', async () => {
    await commit('locked', { v: '1' });
    const file = join(home, 'locked-key');
    await writeFile(file, identity, { mode: 0o600 });
    await run('ssh-keygen', ['-q', '-p', '-P', '', '-N', "it's $(id)", '-f', file], { env: env() });
    const { readFile } = await import('node:fs/promises');
    const credentials = {
      ...request('locked').credentials,
      identity: await readFile(file, 'utf8'),
      passphrase: "it's $(id)",
    };
    expect(await names(request('locked', { credentials }))).toEqual(['v']);
    const wrong = await names(request('locked', { credentials: { ...credentials, passphrase: 'wrong-pass' } }));
    expect(wrong).toContain('unable to authenticate');
    expect(wrong).not.toContain('wrong-pass');
  });

  it('keeps to the directories asked for, and refuses those that are not there', async () => {
    await commit('sparse', { 'a/x': '1', 'b/c/y': '2', z: '3' });
    expect(await names(request('sparse', { sparseCheckout: ['./b/c'] }))).toEqual(['b', 'b/c', 'b/c/y']);
    for (const directory of ['nope', '../a', '/a']) {
      expect(await names(request('sparse', { sparseCheckout: [directory] }))).toContain('does not exist in repository');
    }
  });

  it('runs nothing that a repository brings along', async () => {
    const marker = join(home, 'executed');
    await commit('evil', {
      '.gitattributes': '* filter=evil diff=evil\n*.lfs filter=lfs\n',
      'a.txt': 'raw\r\n',
      'big.lfs': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
      '.lfsconfig': '[lfs]\n\turl = http://127.0.0.1:1/\n',
      '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch ${marker}\n`,
      'hooks/post-checkout': `#!/bin/sh\ntouch ${marker}\n`,
    });
    const fetched = await git.fetch(request('evil', { recurseSubmodules: true }));
    if (!fetched.ok || fetched.value.kind !== 'fetched') throw new Error('not fetched');
    const files = await fetched.value.checkout.files();
    if (!files.ok) throw new Error(files.error.message);
    const text = await files.value.find(({ name }) => name === 'a.txt')?.read();
    expect(Buffer.from(text ?? []).toString()).toBe('raw\r\n');
    await fetched.value.checkout.close();
    await expect(stat(marker)).rejects.toThrow('ENOENT');
  });

  it.each(['ext::sh -c id', 'file:///etc', '--upload-pack=id', '/etc'])('refuses a submodule at %j', async (url) => {
    const name = `sub-${Buffer.from(url).toString('hex').slice(0, 8)}`;
    const inner = await commit(`${name}-inner`, { v: '1' });
    await commit(name, { '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = "${url}"\n` });
    const bare = join(home, 'root', `${name}.git`);
    const listing = `${(await local('--git-dir', bare, 'ls-tree', 'main')).trim()}\n160000 commit ${inner}\tx\n`;
    const making = execFile('git', ['--git-dir', bare, 'mktree', '--missing'], { env: env() });
    making.stdin?.end(listing);
    let tree = '';
    for await (const chunk of making.stdout ?? []) tree += String(chunk);
    const head = await local('--git-dir', bare, 'commit-tree', '-m', 'link', tree.trim());
    await local('--git-dir', bare, 'update-ref', 'refs/heads/main', head);
    expect(await names(request(name, { recurseSubmodules: true }))).toContain('submodule "x": its address');
    expect(await names(request(name))).toEqual(['.gitmodules', 'x']);
  });

  it("writes secrets into files of mode 0600 only, and reads none of the user's configuration", async () => {
    const directory = await mkdtemp(join(home, 'session-'));
    const url = parseGitUrl('https://user@host.example/x.git');
    if (!url.ok) throw new Error(url.error);
    const credentials = { username: 'user', password: 'p"w\\d %', ca: 'pem' };
    const session = await openSession({ directory, path: PATH, url: url.value, credentials });
    for (const name of await readdir(directory))
      expect([name, (await stat(join(directory, name))).mode & 0o777]).toEqual([name, 0o600]);
    expect(JSON.stringify([session.env, session.remote])).not.toContain('p"w');
    expect(session.env['HOME']).toBe(directory);
    const listed = await run('git', ['config', '--list', '--show-origin'], { env: session.env, cwd: directory });
    expect(
      listed.stdout.split('\n').filter((line) => line !== '' && !line.startsWith(`file:${directory}/gitconfig`)),
    ).toEqual([]);
  });

  it('does not send credentials on when it is redirected to another server', async () => {
    const seen: (string | undefined)[] = [];
    const listen = async (answer: Parameters<typeof createServer>[1]): Promise<readonly [Server, number]> => {
      const made = createServer(answer as never);
      await new Promise<void>((done) => made.listen(0, '127.0.0.1', done));
      return [made, (made.address() as AddressInfo).port];
    };
    const [other, otherPort] = await listen(((_: unknown, response: import('node:http').ServerResponse) => {
      seen.push((_ as import('node:http').IncomingMessage).headers.authorization);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    }) as never);
    const [first, firstPort] = await listen(((
      asked: import('node:http').IncomingMessage,
      response: import('node:http').ServerResponse,
    ) => {
      if (asked.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else response.writeHead(302, { location: `http://127.0.0.1:${otherPort}${asked.url}` }).end();
    }) as never);
    try {
      const url = parseGitUrl(`http://127.0.0.1:${firstPort}/x.git`);
      if (!url.ok) throw new Error(url.error);
      for (const credentials of [{ username: 'user', password: 'top-secret' }, { bearerToken: 'top-secret' }]) {
        const failure = await names({ ...request('redirect'), url: url.value, credentials });
        expect(failure).toContain('unable to clone');
        expect(failure).not.toContain('top-secret');
      }
      expect(seen.filter((header) => header !== undefined)).toEqual([]);
    } finally {
      first.close();
      other.close();
    }
  });
});
