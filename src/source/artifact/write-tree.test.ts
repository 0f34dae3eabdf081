import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TarFile } from './tar.ts';
import { TreeWriter } from './write-tree.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'weir-tree-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const file = (name: string, text: string, executable = false): TarFile => ({
  name,
  directory: false,
  executable,
  content: Buffer.from(text),
});
const inode = async (...path: readonly string[]): Promise<number> => (await stat(join(home, ...path))).ino;

describe('a tree that is written after another', () => {
  const writer = () => {
    const trees = new TreeWriter();
    return {
      trees,
      write: async (name: string, ...files: readonly TarFile[]) =>
        trees.remember(join(home, name), await trees.write(join(home, name), files)),
    };
  };

  it('shares the files that are the same, wherever they lie, and no others', async () => {
    const { write } = writer();
    await write('one', file('d/a.yaml', 'a: 1\n'), file('b.yaml', 'b: 1\n'), file('run', '#!'));
    await write(
      'two',
      file('d/a.yaml', 'a: 1\n'),
      file('moved/b.yaml', 'b: 1\n'),
      file('c', 'c'),
      file('run', '#!', true),
    );
    expect(await inode('two', 'd/a.yaml')).toBe(await inode('one', 'd/a.yaml'));
    expect(await inode('two', 'moved/b.yaml')).toBe(await inode('one', 'b.yaml'));
    expect(await inode('two', 'run')).not.toBe(await inode('one', 'run'));
    expect((await stat(join(home, 'two/run'))).mode & 0o777).toBe(0o500);
    expect(await readFile(join(home, 'two/c'), 'utf8')).toBe('c');
  });

  it('outlives it, and is written where nothing is left of it', async () => {
    const { write } = writer();
    await write('one', file('a.yaml', 'a: 1\n'));
    await write('two', file('a.yaml', 'a: 1\n'));
    await rm(join(home, 'one'), { recursive: true });
    expect(await readFile(join(home, 'two/a.yaml'), 'utf8')).toBe('a: 1\n');
    await rm(join(home, 'two'), { recursive: true });
    await write('three', file('a.yaml', 'a: 1\n'));
    expect(await readFile(join(home, 'three/a.yaml'), 'utf8')).toBe('a: 1\n');
  });

  it('shares nothing with one that is forgotten', async () => {
    const { write, trees } = writer();
    await write('one', file('a.yaml', 'a: 1\n'));
    trees.forget(join(home, 'one'));
    await write('two', file('a.yaml', 'a: 1\n'));
    expect(await inode('two', 'a.yaml')).not.toBe(await inode('one', 'a.yaml'));
  });
});
