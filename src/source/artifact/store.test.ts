import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { compress, packTree } from './archive.ts';
import { startArtifactServer } from './server.ts';
import { type ArtifactStore, openArtifactStore } from './store.ts';
import { openArtifactReader } from './unpacked-cache.ts';

const OWNER = { kind: 'GitRepository', namespace: 'apps', name: 'repo' };
const START = Date.parse('2026-01-02T03:04:05.678Z');

describe('the artifact store', () => {
  let home: string;
  let store: ArtifactStore;
  const clock = new ManualClock(START);
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'weir-store-'));
    store = await openArtifactStore({ directory: join(home, 'store'), advertisedAddress: 'src.example', clock });
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('names the artifact as Flux does and leaves no temporary file', async () => {
    const artifact = await store.put(OWNER, 'abc.tar.gz', 'main@sha1:abc', Buffer.from('x'));
    expect(artifact).toEqual({
      url: 'http://src.example/gitrepository/apps/repo/abc.tar.gz',
      path: 'gitrepository/apps/repo/abc.tar.gz',
      revision: 'main@sha1:abc',
      digest: 'sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      lastUpdateTime: '2026-01-02T03:04:05Z',
      size: 1,
    });
    expect(await readdir(join(store.directory, 'gitrepository/apps/repo'))).toEqual(['abc.tar.gz']);
  });

  it.each([
    ['other bytes of another store', '<file>', 'y', '2d711642b726b044-abc.tar.gz'],
    ['the same bytes of another store', '<file>', 'x', 'abc.tar.gz'],
    ['another file of another store', 'gitrepository/apps/repo/def.tar.gz', 'y', 'abc.tar.gz'],
    [
      'its own bytes, which had to make room before',
      'gitrepository/apps/repo/2d711642b726b044-abc.tar.gz',
      'x',
      '2d711642b726b044-abc.tar.gz',
    ],
    ['a place of somebody else', 'gitrepository/other/repo/abc.tar.gz', 'x', 'abc.tar.gz'],
  ])('names it so that the path of %s stays true', async (_, path, bytes, want) => {
    const lost = {
      ...(await store.put(OWNER, 'abc.tar.gz', 'main@sha1:abc', Buffer.from(bytes))),
      ...(path === '<file>' ? {} : { path }),
    };
    const artifact = await store.put(OWNER, 'abc.tar.gz', 'main@sha1:abc', Buffer.from('x'), lost);
    expect(artifact.path).toBe(`gitrepository/apps/repo/${want}`);
    expect(await store.check(artifact)).toBe('stored');
  });

  it('notices a file that changed or went', async () => {
    const artifact = await store.put(OWNER, 'a.tar.gz', 'r', Buffer.from('x'));
    expect(await store.check(artifact)).toBe('stored');
    await writeFile(join(store.directory, artifact.path), 'yy');
    expect(await store.check(artifact)).toBe('corrupt');
    await store.remove(artifact);
    expect(await store.check(artifact)).toBe('missing');
  });

  it('keeps the current file and one more, and nothing older than the retention time', async () => {
    const put = async (name: string, ageMs: number) => {
      const artifact = await store.put(OWNER, name, name, Buffer.from(name));
      const at = new Date(START - ageMs);
      await utimes(join(store.directory, artifact.path), at, at);
      return artifact;
    };
    const current = await put('current', 500_000);
    for (const [name, age] of [
      ['new', 1000],
      ['newer', 500],
      ['old', 61_000],
    ] as const)
      await put(name, age);
    expect(await store.collectGarbage(current)).toBe(2);
    expect((await readdir(join(store.directory, 'gitrepository/apps/repo'))).sort()).toEqual(['current', 'newer']);
  });

  it.each([
    { kind: 'GitRepository', namespace: '..', name: 'x' },
    { kind: 'GitRepository', namespace: 'a', name: 'x/../../y' },
  ])('refuses to write for %j', async (owner) => {
    await expect(store.put(owner, 'f', 'r', Buffer.from('x'))).rejects.toThrow('not a name');
  });

  it('serves files, and neither directories nor anything outside', async () => {
    const artifact = await store.put(OWNER, 'a.tar.gz', 'r', Buffer.from('hello'));
    await writeFile(join(home, 'secret'), 'secret');
    const server = await startArtifactServer({ directory: store.directory, host: '127.0.0.1', port: 0 });
    try {
      const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      expect(await (await ask(`/${artifact.path}`)).text()).toBe('hello');
      expect((await ask(`/${artifact.path}`, 'HEAD')).headers.get('content-length')).toBe('5');
      for (const path of [
        '/',
        '/gitrepository',
        '/gitrepository/apps/',
        '/%2e%2e/secret',
        '/..%2fsecret',
        '/nothing',
        '/%00',
        '/%',
      ]) {
        expect([path, (await ask(path)).status]).toEqual([path, 404]);
      }
      expect((await ask(`/${artifact.path}`, 'POST')).status).toBe(405);
    } finally {
      await server.stop();
    }
  });

  it('gives its artifacts to a reader, which unpacks each digest once, read-only', async () => {
    const bytes = await compress(
      packTree([
        { name: 'd/a.yaml', directory: false, executable: false, content: Buffer.from('a: 1\n') },
        { name: 'run', directory: false, executable: true, content: Buffer.from('#!') },
      ]),
    );
    const artifact = await store.put(OWNER, 'a.tar.gz', 'r', bytes);
    const reader = await openArtifactReader({
      cacheDirectory: join(home, 'unpacked'),
      clock,
      localFile: (url) => store.localFile(url),
    });
    const [first, second] = await Promise.all([reader.unpack(artifact), reader.unpack(artifact)]);
    if (!first.ok || !second.ok) throw new Error('not unpacked');
    expect(second.value.directory).toBe(first.value.directory);
    expect(await readFile(join(first.value.directory, 'd/a.yaml'), 'utf8')).toBe('a: 1\n');
    expect((await stat(join(first.value.directory, 'run'))).mode & 0o777).toBe(0o500);
    await store.remove(artifact);
    expect((await reader.unpack(artifact)).ok).toBe(true);
  });

  it('is believed by a reader only as far as the digest holds', async () => {
    const server = await startArtifactServer({ directory: store.directory, host: '127.0.0.1', port: 0 });
    try {
      const stored = await store.put(OWNER, 'a.tar.gz', 'r', await compress(packTree([])));
      const artifact = { ...stored, url: `http://127.0.0.1:${server.port}/${stored.path}` };
      const reader = await openArtifactReader({
        cacheDirectory: join(home, 'unpacked'),
        clock,
        localFile: (url) => store.localFile(url),
      });
      for (const digest of [`sha256:${'0'.repeat(64)}`, 'none']) {
        expect(await reader.unpack({ ...artifact, digest })).toMatchObject({
          ok: false,
          error: { code: 'DigestMismatch' },
        });
      }
      await store.remove(stored);
      expect(await reader.unpack(artifact)).toMatchObject({ ok: false, error: { code: 'NotFound' } });
      expect(await readdir(join(home, 'unpacked'))).toEqual([]);
    } finally {
      await server.stop();
    }
  });

  it('serves its own consumers although the address they know is of an earlier run', async () => {
    const artifact = await store.put(OWNER, 'a.tar.gz', 'r', await compress(packTree([])));
    const reader = await openArtifactReader({
      cacheDirectory: join(home, 'unpacked'),
      clock,
      localFile: (url) => store.localFile(url),
    });
    expect(await reader.unpack({ ...artifact, url: `http://127.0.0.1:1/${artifact.path}` })).toMatchObject({
      ok: true,
    });
    expect(
      await reader.unpack({
        ...artifact,
        url: 'http://127.0.0.1:1/../../etc/passwd',
        digest: `sha256:${'0'.repeat(64)}`,
      }),
    ).toMatchObject({ ok: false });
  });
});
