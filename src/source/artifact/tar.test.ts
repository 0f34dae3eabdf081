import { describe, expect, it } from 'vitest';
import { compress, packTree } from './archive.ts';
import { readTar, type TarFile, writeTar } from './tar.ts';
import { readArchive } from './unpacked-cache.ts';

function file(name: string, text = '', executable = false): TarFile {
  return { name, directory: false, executable, content: Buffer.from(text) };
}

/** A tar with one entry whose header bytes the test chooses. */
function crafted(name: string, type: string, content = ''): Uint8Array {
  const archive = Buffer.from(writeTar([file('x'.repeat(Math.min(name.length, 90)) || 'x', content)]));
  archive.fill(0, 0, 100);
  archive.write(name, 0, 'latin1');
  archive.write(type, 156, 'latin1');
  archive.write('        ', 148, 'latin1');
  const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return archive;
}

describe('a tar archive', () => {
  it('comes back as it was written, also with long and foreign names', () => {
    const files = [
      { name: 'd', directory: true, executable: false, content: new Uint8Array() },
      file('d/a.yaml', 'a: 1\n'),
      file('d/run.sh', '#!/bin/sh\n', true),
      file(`${'long/'.repeat(40)}name`, 'x'),
      file('grüße/☃.txt', 'y'),
      file('n'.repeat(255), 'z'),
    ];
    const read = readTar(writeTar(files));
    if (!read.ok) throw new Error(read.error);
    expect(read.value.map((each) => ({ ...each, content: Buffer.from(each.content).toString() }))).toEqual(
      files.map((each) => ({ ...each, content: Buffer.from(each.content).toString() })),
    );
  });

  it.each([
    ['a symbolic link', 'lnk', '2', /symlink not allowed/],
    ['a hard link', 'lnk', '1', /hard link not allowed/],
    ['a device', 'dev', '3', /character device not allowed/],
    ['a FIFO', 'fifo', '6', /FIFO not allowed/],
    ['a sparse file', 's', 'S', /not allowed/],
    ['a path upwards', '../x', '0', /leaves the archive/],
    ['a path upwards inside', 'a/../../x', '0', /leaves the archive/],
    ['a path upwards by backslash', 'a\\..\\b', '0', /leaves the archive/],
    ['an absolute path', '/etc/passwd', '0', /name not allowed/],
    ['a name that is not UTF-8', 'a\xff', '0', /not UTF-8/],
  ])('with %s is refused', (_what, name, type, message) => {
    const read = readTar(crafted(name, type));
    expect(read).toEqual({ ok: false, error: expect.stringMatching(message) });
  });

  it('that lists a name twice is refused', () => {
    const read = readTar(writeTar([file('a', '1'), file('a', '2')]));
    expect(read).toEqual({ ok: false, error: 'a: is in the archive twice' });
  });

  it('beyond the limits is refused before its content is used', () => {
    const limits = { entries: 2, nameBytes: 20, depth: 2 };
    expect(readTar(writeTar([file('a'), file('b'), file('c')]), limits).ok).toBe(false);
    expect(readTar(writeTar([file('n'.repeat(21))]), limits).ok).toBe(false);
    expect(readTar(writeTar([file('a/b/c')]), limits).ok).toBe(false);
    expect(readTar(writeTar([file('a', 'xxx')]).subarray(0, 600)).ok).toBe(false);
  });
});

describe('a packed archive', () => {
  it('has the same bytes for the same files, in whatever order they come', async () => {
    const files = [file('b', '2'), file('a', '1', true)];
    const bytes = await compress(packTree(files));
    expect(Buffer.from(await compress(packTree([...files].reverse()))).equals(bytes)).toBe(true);
  });

  it('holds modes and nothing of this machine', async () => {
    const bytes = writeTar([file('a', '', true), file('b'), { ...file('c'), directory: true }]);
    const text = Buffer.from(bytes).toString('latin1');
    expect([0, 512, 1024].map((at) => text.slice(at + 100, at + 107))).toEqual(['0000700', '0000600', '0000750']);
    expect([0, 512, 1024].map((at) => text.slice(at + 108, at + 124))).toEqual(Array(3).fill('0000000\0'.repeat(2)));
    expect([0, 512, 1024].map((at) => text.slice(at + 136, at + 147))).toEqual(Array(3).fill('0'.repeat(11)));
  });

  it('that unpacks to more than the limit is given up', async () => {
    const bomb = await compress(packTree([file('zeros', '\0'.repeat(3_000_000))]));
    expect(bomb.length).toBeLessThan(10_000);
    const limits = { entries: 10, nameBytes: 100, depth: 10, compressedBytes: 1e6, bytes: 1e6 };
    expect(await readArchive(bomb, limits)).toEqual({ ok: false, error: 'archive is larger than 1000000 bytes' });
  });
});
