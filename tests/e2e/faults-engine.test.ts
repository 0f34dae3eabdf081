import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitHttp, serveGit } from '../support/git-http.ts';
import { eventually, Terminal } from './terminal.ts';

/** Engines as processes of their own, beside a cluster and a git server: killed, stopped, starved. */
const terminal = new Terminal();
const at = (...path: string[]) => join(terminal.home, ...path);
const OBJECTS = 20;
let git: GitHttp;

beforeAll(async () => {
  await terminal.line('weir cluster create --name engine-faults --ephemeral');
  const manifests = (await terminal.line('weir install --export')).stdout.split(/^---$/m);
  const kinds = manifests.filter((manifest) => /^kind: (CustomResourceDefinition|Namespace)$/m.test(manifest));
  await terminal.run('kubectl', ['apply', '-f', '-'], { input: kinds.join('---') });
  mkdirSync(at('git'));
  mkdirSync(at('tmp'));
  git = await serveGit(at('git'));
}, 120_000);

afterAll(async () => {
  await git.close();
  await terminal.line('weir cluster delete --name engine-faults', { mayFail: true });
  await terminal.close();
});

const kubectl = async (...args: string[]): Promise<string> => (await terminal.run('kubectl', args)).stdout;

interface Start {
  readonly storage?: string;
  readonly flags?: readonly string[];
  readonly ready?: RegExp;
}

async function startEngine({ storage = 'storage', flags = [], ready }: Start = {}): Promise<{
  readonly process: ChildProcess;
  output(): string;
}> {
  const args = [
    'run',
    '--storage-addr=127.0.0.1:0',
    '--metrics-addr=127.0.0.1:0',
    '--health-addr=127.0.0.1:0',
    `--storage-path=${at(storage)}`,
    '--events-addr=',
    '--min-retry-delay=100ms',
    '--max-retry-delay=1s',
    ...flags,
  ];
  return terminal.start('weir', args, ready ?? /"msg":"engine started"/, { env: { TMPDIR: at('tmp') } });
}

/** A repository `name` with the objects, and the source and Kustomization that read it. */
async function create(name: string): Promise<void> {
  const bare = at('git', `${name}.git`);
  await terminal.run('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  await terminal.run('git', ['clone', '--quiet', bare, at(name)], { mayFail: true });
  await push(name, 'first');
  const source = `weir create source git ${name} --url=${git.url}/${name}.git --branch=main --interval=1h --export`;
  const kustomization = `weir create kustomization ${name} --source=GitRepository/${name} --path=./app --prune=true --interval=1h --retry-interval=1s --export`;
  const objects = [await terminal.line(source), await terminal.line(kustomization)];
  await terminal.run('kubectl', ['apply', '-f', '-'], { input: objects.map(({ stdout }) => stdout).join('\n') });
}

/** Commits the objects with `content`; of every other commit one object is missing. */
async function push(name: string, content: string, count = OBJECTS, options: readonly string[] = []): Promise<string> {
  const cwd = at(name);
  const manifests = Array.from(
    { length: count },
    (_, index) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}-${index}\n  namespace: default\ndata:\n  content: ${content}\n`,
  );
  mkdirSync(join(cwd, 'app'), { recursive: true });
  writeFileSync(join(cwd, 'app', 'all.yaml'), manifests.join('---\n'));
  await terminal.line('git add --all', { cwd });
  await terminal.run('git', ['commit', '--quiet', '-m', content, ...options], { cwd });
  await terminal.line('git push --quiet --force origin HEAD:main', { cwd });
  return (await terminal.line('git rev-parse HEAD', { cwd })).stdout.trim();
}

async function request(name: string): Promise<void> {
  await kubectl(
    'annotate',
    '--overwrite',
    'gitrepository',
    name,
    '-n',
    'flux-system',
    `reconcile.fluxcd.io/requestedAt=${Date.now()}`,
  );
}

async function status(kind: string, name: string, path: string): Promise<string> {
  return kubectl('get', kind, name, '-n', 'flux-system', '-o', `jsonpath={.status${path}}`);
}

const readyMessage = (kind: string, name: string) => status(kind, name, '.conditions[?(@.type=="Ready")].message');

async function applied(name: string, commit: string): Promise<void> {
  await eventually(async () =>
    expect(await readyMessage('kustomization', name)).toBe(`Applied revision: main@sha1:${commit}`),
  );
}

async function objectsOf(name: string): Promise<readonly string[]> {
  const selector = `kustomize.toolkit.fluxcd.io/name=${name}`;
  return (await kubectl('get', 'configmaps', '-l', selector, '-o', 'jsonpath={.items[*].metadata.name}'))
    .split(' ')
    .filter(Boolean)
    .sort();
}

async function inventoryOf(name: string): Promise<readonly string[]> {
  const ids = await status('kustomization', name, '.inventory.entries[*].id');
  return ids
    .split(' ')
    .filter(Boolean)
    .map((id) => id.split('_')[1] ?? '')
    .sort();
}

describe('C03: SIGKILL at any moment', () => {
  it('converges, with every object in the inventory and every artifact whole', async () => {
    await create('killed');
    let commit = '';
    // From the request on: fetch, archive, rename, unpack, build, apply, inventory, prune.
    for (const [round, delayMs] of [0, 30, 60, 90, 120, 160, 200, 250, 320, 400].entries()) {
      const engine = await startEngine();
      commit = await push('killed', `round-${round}`, OBJECTS - (round % 2));
      await request('killed');
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await terminal.stop(engine.process, 'SIGKILL');
      const inventory = await inventoryOf('killed');
      for (const name of await objectsOf('killed')) expect(inventory).toContain(name);
    }
    const engine = await startEngine();
    await applied('killed', commit);
    const names = await objectsOf('killed');
    expect(names).toHaveLength(OBJECTS - 1);
    expect(await inventoryOf('killed')).toEqual(names);
    const folder = at('storage', 'gitrepository', 'flux-system', 'killed');
    const archives = readdirSync(folder).filter((file) => file.endsWith('.tar.gz'));
    expect(archives.length).toBeGreaterThan(0);
    for (const file of archives) expect(gunzipSync(readFileSync(join(folder, file))).length).toBeGreaterThan(0);
    await terminal.stop(engine.process);
  }, 180_000);
});

it('C10: history that was rewritten is applied, once, with an event', async () => {
  const engine = await startEngine();
  await create('forced');
  const first = (await terminal.line('git rev-parse HEAD', { cwd: at('forced') })).stdout.trim();
  await applied('forced', first);
  const second = await push('forced', 'rewritten', OBJECTS, ['--amend', '--reset-author']);
  await request('forced');
  await applied('forced', second);
  const content = await kubectl('get', 'configmap', 'forced-0', '-o', 'jsonpath={.data.content}');
  expect(content).toBe('rewritten');
  const history = await status('kustomization', 'forced', '.history[0].totalReconciliations');
  expect(history).toBe('1');
  const events = await kubectl(
    'get',
    'events',
    '-n',
    'flux-system',
    '-o',
    'jsonpath={range .items[*]}{.reason} {.message}{"\\n"}{end}',
  );
  expect(
    events.split('\n').filter((line) => line === "NewArtifact stored artifact for commit 'rewritten'"),
  ).toHaveLength(1);
  await terminal.stop(engine.process);
}, 120_000);

describe('C05: two engines', () => {
  const election = [
    '--enable-leader-election',
    '--leader-election-lease-duration=3s',
    '--leader-election-renew-deadline=2s',
    '--leader-election-retry-period=500ms',
  ];
  const start = (storage: string, ready: RegExp) => startEngine({ storage, flags: election, ready });

  it('one leads; when it sleeps the other takes over, and it writes nothing when it wakes', async () => {
    await create('led');
    const first = await start('storage-first', /successfully acquired lease/);
    const second = await start('storage-second', /attempting to acquire leader lease/);
    await applied('led', (await terminal.line('git rev-parse HEAD', { cwd: at('led') })).stdout.trim());
    expect(second.output()).not.toContain('successfully acquired lease');

    first.process.kill('SIGSTOP');
    await eventually(async () => expect(second.output()).toContain('successfully acquired lease'));
    const commit = await push('led', 'second');
    await request('led');
    await applied('led', commit);
    const version = () =>
      kubectl('get', 'kustomization', 'led', '-n', 'flux-system', '-o', 'jsonpath={.metadata.resourceVersion}');
    const before = await version();
    const ended = new Promise((resolve) => first.process.once('exit', resolve));
    first.process.kill('SIGCONT');
    expect(await ended).not.toBe(0);
    expect(first.output()).toContain('leader lease lost');
    expect(await version()).toBe(before);
    await terminal.stop(second.process);
  }, 120_000);
});

describe('C12: nothing left to write with', () => {
  const mounted = (path: string): boolean => {
    mkdirSync(path);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };

  it('a full disk is a condition; the old artifact stays, and space ends it', async (test) => {
    const path = at('storage-full');
    if (!mounted(path)) test.skip('mounting a small file system needs root');
    try {
      const engine = await startEngine({ storage: 'storage-full' });
      await create('full');
      const first = (await terminal.line('git rev-parse HEAD', { cwd: at('full') })).stdout.trim();
      await applied('full', first);
      writeFileSync(join(at('full'), 'big.bin'), randomBytes(200_000));
      const second = await push('full', 'big');
      await request('full');
      await eventually(async () =>
        expect(await readyMessage('gitrepository', 'full')).toMatch(/ENOSPC|no space left/i),
      );
      expect(await status('gitrepository', 'full', '.artifact.revision')).toBe(`main@sha1:${first}`);
      expect(await objectsOf('full')).toHaveLength(OBJECTS);
      execFileSync('mount', ['-o', 'remount,size=8m', path]);
      await applied('full', second);
      await terminal.stop(engine.process);
    } finally {
      execFileSync('umount', ['-l', path]);
    }
  }, 120_000);

  it('a disk that lets nothing be written is a condition, until it does', async (test) => {
    const path = at('storage-read-only');
    if (!mounted(path)) test.skip('mounting a small file system needs root');
    try {
      const engine = await startEngine({ storage: 'storage-read-only' });
      await create('sealed');
      await applied('sealed', (await terminal.line('git rev-parse HEAD', { cwd: at('sealed') })).stdout.trim());
      execFileSync('mount', ['-o', 'remount,ro', path]);
      const second = await push('sealed', 'second');
      await request('sealed');
      await eventually(async () => expect(await readyMessage('gitrepository', 'sealed')).toMatch(/EROFS|read-only/i));
      execFileSync('mount', ['-o', 'remount,rw', path]);
      await applied('sealed', second);
      await terminal.stop(engine.process);
    } finally {
      execFileSync('umount', ['-l', path]);
    }
  }, 120_000);

  it('without file handles work waits, the engine lives, and goes on when there are some', async (test) => {
    const engine = await startEngine();
    await create('handles');
    await applied('handles', (await terminal.line('git rev-parse HEAD', { cwd: at('handles') })).stdout.trim());
    const pid = String(engine.process.pid);
    const limit = async (handles: number) =>
      (await terminal.run('prlimit', ['--pid', pid, `--nofile=${handles}:`], { mayFail: true })).code;
    // The limit is on numbers: with one below all that are taken nothing can be opened, whatever is closed meanwhile.
    if ((await limit(3)) !== 0) test.skip('prlimit is not here, or may not');
    const commit = await push('handles', 'second');
    await request('handles');
    await eventually(async () =>
      expect(await readyMessage('gitrepository', 'handles')).toMatch(/EMFILE|too many open files/i),
    );
    expect(await objectsOf('handles')).toHaveLength(OBJECTS);
    await limit(1024);
    await applied('handles', commit);
    await terminal.stop(engine.process);
  }, 120_000);
});
