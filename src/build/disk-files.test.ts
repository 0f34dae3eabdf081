import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileTree } from '../base/files.ts';
import { diskFiles } from './disk-files.ts';

describe('diskFiles', () => {
  let root = '';
  let files: FileTree;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'weir-files-'));
    mkdirSync(join(root, 'tree/sub'), { recursive: true });
    writeFileSync(join(root, 'secret'), 'secret');
    writeFileSync(join(root, 'tree/sub/b'), 'b');
    writeFileSync(join(root, 'tree/a'), 'a');
    symlinkSync('sub/b', join(root, 'tree/within'));
    symlinkSync('../secret', join(root, 'tree/outside'));
    symlinkSync('..', join(root, 'tree/up'));
    symlinkSync('round', join(root, 'tree/round'));
    files = diskFiles(join(root, 'tree'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('lists, reads and tells kinds apart', () => {
    expect(files.list('')).toEqual(['a', 'outside', 'round', 'sub', 'up', 'within']);
    expect(['a', 'sub', 'within', 'none'].map((path) => files.kind(path))).toEqual([
      'file',
      'directory',
      'symlink',
      undefined,
    ]);
    expect(files.read('sub/b')).toEqual(Buffer.from('b'));
  });

  it('follows a link that stays inside', () => {
    expect(files.read('within')).toEqual(Buffer.from('b'));
    expect(files.realPath?.('within')).toBe('sub/b');
  });

  it.each(['outside', 'up/secret', '../secret', 'round', 'sub/../../secret'])('gives nothing at %s', (path) => {
    expect(files.read(path)).toBeUndefined();
    expect(files.realPath?.(path)).toBeUndefined();
  });

  it('lists nothing outside', () => {
    expect(files.list('up')).toEqual([]);
    expect(files.list('..')).toEqual([]);
  });
});
