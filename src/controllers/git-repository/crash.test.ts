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
  reconcile(url: string, status: GitRepository['status']): Promise<Outcome>;
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
    reconcile: (url, status) => {
      const object: GitRepository = {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'GitRepository',
        metadata: { name: 'repo', namespace: 'apps', generation: 1 },
        spec: { interval: '1m', url, ref: { branch: 'main' } },
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
        for (; count < MOST_OPERATIONS; count++) {
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
