import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Exhaustion, exhaustedAt, killedAt } from '../../../tests/support/dying-files.ts';
import { ManualClock } from '../../base/clock.ts';
import { compress, packTree } from './archive.ts';
import type { Artifact, ArtifactReader } from './artifact.ts';
import { type ArtifactStore, openArtifactStore } from './store.ts';
import { openArtifactReader } from './unpacked-cache.ts';

vi.mock('node:fs/promises', async (original) => {
  const { mortal } = await import('../../../tests/support/dying-files.ts');
  return mortal(await original<typeof import('node:fs/promises')>());
});

const OWNER = { kind: 'GitRepository', namespace: 'apps', name: 'repo' };
const FILES = { 'a.yaml': 'a: 1\n', 'deep/b.yaml': 'b: 2\n' };
/** Storing and unpacking take fewer. */
const MOST_OPERATIONS = 60;

let home: string;
const clock = new ManualClock(Date.parse('2026-01-02T03:04:05Z'));
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'weir-crash-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** What a process makes of the folders that the ones before it have left. */
async function open(): Promise<{ readonly store: ArtifactStore; readonly reader: ArtifactReader }> {
  const store = await openArtifactStore({ directory: join(home, 'store'), advertisedAddress: 'src.example', clock });
  const localFile = (url: string) => store.localFile(url);
  return { store, reader: await openArtifactReader({ cacheDirectory: join(home, 'unpacked'), clock, localFile }) };
}

async function archive(): Promise<Uint8Array> {
  const files = Object.entries(FILES).map(([name, text]) => {
    return { name, directory: false, executable: false, content: Buffer.from(text) };
  });
  return compress(packTree(files));
}

async function storeAndUnpack(bytes: Uint8Array): Promise<{ readonly artifact: Artifact; readonly directory: string }> {
  const { store, reader } = await open();
  const artifact = await store.put(OWNER, 'abc.tar.gz', 'main@sha1:abc', bytes);
  const unpacked = await reader.unpack(artifact);
  if (!unpacked.ok) throw new Error(unpacked.error.message);
  return { artifact, directory: unpacked.value.directory };
}

describe('C03: a process that is killed at any file operation while it stores and unpacks an artifact', () => {
  it.each([
    ['before it', false],
    ['in the middle of it', true],
  ])('leaves the whole artifact or none, and nothing that the next one trips over (%s)', async (_, torn) => {
    const bytes = await archive();
    let count = 0;
    for (; count < MOST_OPERATIONS; count++) {
      await rm(home, { recursive: true, force: true });
      if (await killedAt(count, torn, () => storeAndUnpack(bytes))) break;
      const file = join(home, 'store', 'gitrepository', 'apps', 'repo', 'abc.tar.gz');
      const left = await readFile(file).catch(() => Buffer.from(bytes));
      expect(left).toEqual(Buffer.from(bytes));
      const { artifact, directory } = await storeAndUnpack(bytes);
      for (const [name, text] of Object.entries(FILES)) {
        expect(await readFile(join(directory, name), 'utf8')).toBe(text);
      }
      expect(await readdir(join(home, 'unpacked'))).toHaveLength(1);
      // Half-written files go with the next collection that finds them old.
      const { store } = await open();
      expect(await store.check(artifact)).toBe('stored');
      const later = new ManualClock((await stat(file)).mtimeMs + 3_600_000);
      const directoryOfStore = { directory: join(home, 'store'), advertisedAddress: 'src.example', clock: later };
      await (await openArtifactStore(directoryOfStore)).collectGarbage(artifact);
      expect(await readdir(join(home, 'store', 'gitrepository', 'apps', 'repo'))).toEqual(['abc.tar.gz']);
    }
    // All were tried, and there were some.
    expect(count).toBeGreaterThan(15);
    expect(count).toBeLessThan(MOST_OPERATIONS);
  });

  it('leaves half-written files that do not count as artifacts kept', async () => {
    const bytes = await archive();
    const { store } = await open();
    const current = await store.put(OWNER, 'new.tar.gz', 'main@sha1:new', bytes);
    await store.put(OWNER, 'old.tar.gz', 'main@sha1:old', bytes);
    // mkdir, open, write: killed before the sync.
    expect(await killedAt(3, false, () => store.put(OWNER, 'next.tar.gz', 'main@sha1:next', bytes))).toBe(false);
    const now = new ManualClock(Date.now());
    const options = { directory: join(home, 'store'), advertisedAddress: 'src.example', clock: now };
    expect(await (await openArtifactStore(options)).collectGarbage(current)).toBe(0);
    expect(await readdir(join(home, 'store', 'gitrepository', 'apps', 'repo'))).toContain('old.tar.gz');
  });
});

describe('C12: a process that has nothing left to write with, from any file operation of unpacking on', () => {
  it.each<Exhaustion>(['ENOSPC', 'EROFS', 'EMFILE'])(
    'says so, and unpacks by itself when it can (%s)',
    async (exhausted) => {
      const bytes = await archive();
      let count = 0;
      for (; count < MOST_OPERATIONS; count++) {
        await rm(home, { recursive: true, force: true });
        const { store, reader } = await open();
        const artifact = await store.put(OWNER, 'abc.tar.gz', 'main@sha1:abc', bytes);
        const { result, failed } = await exhaustedAt(count, exhausted, () => reader.unpack(artifact));
        if (failed === 0) break;
        const told = result.ok ? 'Storage' : `${result.error.code}`;
        const message = result.ok ? exhausted : result.error.message;
        expect([count, told, message]).toEqual([count, 'Storage', expect.stringContaining(exhausted)]);
        const again = await reader.unpack(artifact);
        if (!again.ok) throw new Error(again.error.message);
        for (const [name, text] of Object.entries(FILES)) {
          expect(await readFile(join(again.value.directory, name), 'utf8')).toBe(text);
        }
      }
      expect(count).toBeGreaterThan(1);
      expect(count).toBeLessThan(MOST_OPERATIONS);
    },
  );
});

it('a folder from which somebody has cleaned up old files is unpacked anew before it is used', async () => {
  const { store } = await open();
  const bytes = await archive();
  const artifact = await store.put(OWNER, 'abc.tar.gz', 'main@sha1:abc', bytes);
  const time = new ManualClock(clock.now());
  const localFile = (url: string) => store.localFile(url);
  const reader = await openArtifactReader({ cacheDirectory: join(home, 'unpacked'), clock: time, localFile });
  const unpack = async (): Promise<string> => {
    const unpacked = await reader.unpack(artifact);
    if (!unpacked.ok) throw new Error(unpacked.error.message);
    return unpacked.value.directory;
  };
  const directory = await unpack();
  await rm(join(directory, 'deep', 'b.yaml'));
  time.advance(10_000);
  // A build of what is left would prune what is not.
  expect(await unpack()).toBe(directory);
  expect(await readFile(join(directory, 'deep', 'b.yaml'), 'utf8')).toBe(FILES['deep/b.yaml']);
  await rm(join(directory, 'deep'), { recursive: true });
  time.advance(10_000);
  await unpack();
  expect(await readdir(directory)).toEqual(['a.yaml', 'deep']);
});
