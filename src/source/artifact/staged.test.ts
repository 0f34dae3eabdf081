import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { compress, packTree } from './archive.ts';
import type { ArtifactLocation, ArtifactReader } from './artifact.ts';
import { digestOf } from './digest.ts';
import { DEFAULT_UNPACK_LIMITS, openArtifactReader } from './unpacked-cache.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'weir-staged-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const open = (limits = DEFAULT_UNPACK_LIMITS): Promise<ArtifactReader> =>
  openArtifactReader({ cacheDirectory: home, clock: new ManualClock(0), limits });
const tarOf = (text: string): Uint8Array =>
  packTree([{ name: 'd/a.yaml', directory: false, executable: false, content: Buffer.from(text) }]);
/** Where nobody answers: what is unpacked was staged. */
const stored = async (tar: Uint8Array): Promise<ArtifactLocation> => {
  return { url: 'http://127.0.0.1:1/a.tar.gz', digest: digestOf(await compress(tar)) };
};
const nothing = { ok: false, error: { code: 'Unreachable' } };

describe('an archive that is unpacked while it is stored', () => {
  it('is what its digest is unpacked to, for those who ask meanwhile and later', async () => {
    const reader = await open();
    const tar = tarOf('a: 1\n');
    const artifact = await stored(tar);
    const keeping = reader.stage(tar).keep(artifact);
    await Promise.resolve();
    const asked = [await reader.unpack(artifact), await keeping.then(() => reader.unpack(artifact))];
    for (const unpacked of asked) {
      if (!unpacked.ok) throw new Error(unpacked.error.message);
      expect(await readFile(join(unpacked.value.directory, 'd/a.yaml'), 'utf8')).toBe('a: 1\n');
    }
    expect(await readdir(home)).toHaveLength(1);
  });

  it('leaves nothing when it is not stored', async () => {
    const reader = await open();
    const tar = tarOf('a: 1\n');
    await reader.stage(tar).drop();
    expect(await readdir(home)).toEqual([]);
    expect(await reader.unpack(await stored(tar))).toMatchObject(nothing);
  });

  it('leaves what is unpacked already', async () => {
    const reader = await open();
    const tar = tarOf('a: 1\n');
    const artifact = await stored(tar);
    const stages = [reader.stage(tar), reader.stage(tar), reader.stage(tar)];
    await Promise.all(stages.slice(1).map((staged) => staged.keep(artifact)));
    await stages[0]?.keep(artifact);
    expect(await readdir(home)).toHaveLength(1);
    expect((await reader.unpack(artifact)).ok).toBe(true);
  });

  it.each([
    ['is too large', { ...DEFAULT_UNPACK_LIMITS, bytes: 100 }],
    ['has too many entries', { ...DEFAULT_UNPACK_LIMITS, entries: 1 }],
  ])('is held to the limits of every other (one that %s)', async (_, limits) => {
    const reader = await open(limits);
    const tar = tarOf('a: 1\n');
    const artifact = await stored(tar);
    await reader.stage(tar).keep(artifact);
    expect(await readdir(home)).toEqual([]);
    expect(await reader.unpack(artifact)).toMatchObject(nothing);
  });
});
