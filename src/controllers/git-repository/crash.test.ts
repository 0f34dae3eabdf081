import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Exhaustion, exhaustedAt, killedAt } from '../../../tests/support/dying-files.ts';
import { commitFiles, serveGit } from '../../../tests/support/git-http.ts';
import type { GitRepository } from '../../api/kinds/git-repository.ts';
import type { Outcome } from '../../api/outcome.ts';
import { ManualClock } from '../../base/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ArtifactReader } from '../../source/artifact/artifact.ts';
import { matchesDigest } from '../../source/artifact/digest.ts';
import { openArtifactStore } from '../../source/artifact/store.ts';
import { openArtifactReader } from '../../source/artifact/unpacked-cache.ts';
import { openGit } from '../../source/git/git.ts';
import { gitRepositoryController } from './reconciler.ts';

vi.mock('node:fs/promises', async (original) => {
  const { mortal } = await import('../../../tests/support/dying-files.ts');
  return mortal(await original<typeof import('node:fs/promises')>());
});

const PATH = process.env['PATH'] ?? '';
/** A reconcile takes fewer. */
const MOST_OPERATIONS = 60;

let home: string;
let stop: AbortController;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'weir-crash-'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(home, { recursive: true, force: true });
});

interface Engine {
  reconcile(url: string, status: GitRepository['status'], ref?: GitRepository['spec']['ref']): Promise<Outcome>;
  readonly reader: ArtifactReader;
}

async function openEngine(): Promise<Engine> {
  // What was left half-written is old enough to be removed.
  const clock = new ManualClock(Date.now() + 3_600_000);
  const store = await openArtifactStore({ directory: join(home, 'store'), advertisedAddress: 'src', clock });
  const localFile = (url: string) => store.localFile(url);
  const reader = await openArtifactReader({ cacheDirectory: join(home, 'unpacked'), clock, localFile });
  const git = openGit({ path: PATH, workDirectory: join(home, 'tmp'), cacheDirectory: join(home, 'cache') });
  const { reconciler } = gitRepositoryController({
    client: {} as KubeClient,
    git,
    store,
    reader,
    requeueDependencyMs: 30_000,
  });
  return {
    reader,
    reconcile: (url, status, ref = { branch: 'main' }) => {
      const object: GitRepository = {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'GitRepository',
        metadata: { name: 'repo', namespace: 'apps', generation: 1 },
        spec: { interval: '1m', url, ref },
        ...(status === undefined ? {} : { status }),
      };
      return reconciler.reconcile(object, {
        signal: stop.signal,
        superseded: stop.signal,
        progress: () => Promise.resolve(true),
      });
    },
  };
}

/** One process: the status that the cluster has is that of the last one that came to its end. */
async function reconcile(url: string, status: GitRepository['status']): Promise<Outcome> {
  const engine = await openEngine();
  const outcome = await engine.reconcile(url, status);
  const { artifact } = statusOf(outcome) ?? {};
  // Who comes after may find it unpacked already, by the one that was killed or by this one.
  if (artifact !== undefined) await engine.reader.unpack(artifact);
  return outcome;
}

function statusOf(outcome: Outcome): GitRepository['status'] {
  return 'status' in outcome ? (outcome.status as GitRepository['status']) : undefined;
}

it('C03: an engine that is killed at any file operation between fetch and status brings the commit the next time', async () => {
  const bare = join(home, 'git', 'repo.git');
  const remote = join(home, 'git');
  commitFiles(bare, 'first', { 'a.yaml': 'first\n' });
  const server = await serveGit(remote);
  const url = `${server.url}/repo.git`;
  try {
    let status = statusOf(await reconcile(url, undefined));
    let count = 0;
    for (; count < MOST_OPERATIONS; count++) {
      const text = `${count}\n`;
      const hash = commitFiles(bare, `commit ${count}`, { 'a.yaml': text });
      const before = status;
      if (await killedAt(count, count % 2 === 0, () => reconcile(url, before))) break;
      status = statusOf(await reconcile(url, before));
      expect(status?.artifact?.revision).toBe(`main@sha1:${hash}`);
      // A third process finds what the status says, and no more than the retention allows.
      const again = statusOf(await reconcile(url, status));
      expect(again?.artifact).toEqual(status?.artifact);
      const unpacked = join(home, 'unpacked', status?.artifact?.digest.replace(':', '-') ?? '');
      expect(await readFile(join(unpacked, 'a.yaml'), 'utf8')).toBe(text);
    }
    expect(count).toBeGreaterThan(25);
    expect(count).toBeLessThan(MOST_OPERATIONS);
    expect(await readdir(join(home, 'tmp'))).toEqual([]);
  } finally {
    await server.close();
  }
}, 60_000);

describe('C10: what a repository rewrites', () => {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', join(home, 'git', 'repo.git'), ...args], { encoding: 'utf8' }).trim();
  const told = (outcome: Outcome): readonly string[] =>
    'events' in outcome
      ? (outcome.events ?? []).map(({ reason }) => reason).filter((reason) => reason === 'NewArtifact')
      : [];

  it.each<[string, GitRepository['spec']['ref'], string, (hash: string) => void]>([
    ['a tag that is moved', { tag: 'v1' }, 'v1', (hash) => git('update-ref', 'refs/tags/v1', hash)],
    ['a branch that begins anew', { branch: 'main' }, 'main', (hash) => git('update-ref', 'refs/heads/main', hash)],
    [
      'a reference that is moved back',
      { name: 'refs/heads/x' },
      'refs/heads/x',
      (hash) => git('update-ref', 'refs/heads/x', hash),
    ],
  ])('%s is a new revision, once, with an event', async (_, ref, name, point) => {
    const bare = join(home, 'git', 'repo.git');
    const first = commitFiles(bare, 'first', { 'a.yaml': 'first\n' });
    const tree = git('rev-parse', `${commitFiles(bare, 'second', { 'a.yaml': 'second\n' })}^{tree}`);
    point(first);
    // No history in common.
    const other = git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit-tree', tree, '-m', 'other');
    const server = await serveGit(join(home, 'git'));
    try {
      const engine = await openEngine();
      const url = `${server.url}/repo.git`;
      const before = await engine.reconcile(url, undefined, ref);
      expect(statusOf(before)?.artifact?.revision).toBe(`${name}@sha1:${first}`);
      point(other);
      const moved = await engine.reconcile(url, statusOf(before), ref);
      expect([statusOf(moved)?.artifact?.revision, told(moved)]).toEqual([`${name}@sha1:${other}`, ['NewArtifact']]);
      const again = await engine.reconcile(url, statusOf(moved), ref);
      expect([statusOf(again)?.artifact, told(again)]).toEqual([statusOf(moved)?.artifact, []]);
    } finally {
      await server.close();
    }
  });

  it('a branch that gets another name is missed, and what there was stays', async () => {
    const bare = join(home, 'git', 'repo.git');
    commitFiles(bare, 'first', { 'a.yaml': 'first\n' });
    const server = await serveGit(join(home, 'git'));
    try {
      const engine = await openEngine();
      const url = `${server.url}/repo.git`;
      const before = await engine.reconcile(url, undefined);
      git('branch', '--move', 'main', 'trunk');
      const missed = await engine.reconcile(url, statusOf(before));
      expect(JSON.stringify(missed)).toMatch(
        /couldn't find remote ref.*refs\/heads\/main|reference not found|not found/,
      );
      expect(statusOf(missed)?.artifact).toEqual(statusOf(before)?.artifact);
      const found = await engine.reconcile(url, statusOf(missed), { branch: 'trunk' });
      expect(statusOf(found)?.artifact?.revision).toMatch(/^trunk@sha1:/);
    } finally {
      await server.close();
    }
  });
});

describe('C12: an engine that has nothing left to write with, from any file operation of a reconcile on', () => {
  const conditions = (outcome: Outcome) => JSON.stringify('conditions' in outcome ? outcome.conditions : []);

  it.each<Exhaustion>(['ENOSPC', 'EROFS', 'EMFILE'])(
    'says so, serves the old artifact, and goes on by itself (%s)',
    async (exhausted) => {
      const bare = join(home, 'git', 'repo.git');
      commitFiles(bare, 'first', { 'a.yaml': 'first\n' });
      const server = await serveGit(join(home, 'git'));
      const url = `${server.url}/repo.git`;
      // Opened while there still was something to open it with.
      const engine = await openEngine();
      try {
        let status = statusOf(await engine.reconcile(url, undefined));
        let count = 0;
        // The writes come in pairs (a file and its name): every other one will do where they fail alike.
        const step = exhausted === 'ENOSPC' ? 1 : 3;
        for (; count < MOST_OPERATIONS; count += step) {
          const hash = commitFiles(bare, `commit ${count}`, { 'a.yaml': `${count}\n` });
          const before = status;
          const { result, failed } = await exhaustedAt(count, exhausted, () => engine.reconcile(url, before));
          if (failed === 0) break;
          const { artifact } = before ?? {};
          const isNew = statusOf(result)?.artifact?.revision === `main@sha1:${hash}`;
          const isTold = conditions(result).includes(exhausted);
          const isKept = JSON.stringify(statusOf(result)?.artifact) === JSON.stringify(artifact);
          const stored = await readFile(join(home, 'store', artifact?.path ?? ''));
          const isWhole = matchesDigest(stored, artifact?.digest ?? '');
          expect([count, isNew || (isTold && isKept), isWhole]).toEqual([count, true, true]);
          status = statusOf(await engine.reconcile(url, statusOf(result)));
          expect(status?.artifact?.revision).toBe(`main@sha1:${hash}`);
        }
        expect(count).toBeGreaterThan(3);
        expect(count).toBeLessThan(MOST_OPERATIONS);
      } finally {
        await server.close();
      }
    },
    60_000,
  );
});
