import { describe, expect, it } from 'vitest';
import { cleanPath, memoryFiles, utf8Bytes, utf8Text } from './files.ts';

describe('memoryFiles', () => {
  const files = memoryFiles({ 'a/b.txt': 'text', 'a/c/d': new Uint8Array([0xff]), e: '' });

  it('makes the folders that its paths name', () => {
    expect(files.list('')).toEqual(['a', 'e']);
    expect(files.list('a')).toEqual(['b.txt', 'c']);
    expect(['', 'a', 'a/b.txt', 'none'].map((path) => files.kind(path))).toEqual([
      'directory',
      'directory',
      'file',
      undefined,
    ]);
  });

  it('reads text as UTF-8, and bytes as they are', () => {
    expect(utf8Text(files.read('a/b.txt') as Uint8Array)).toBe('text');
    expect(files.read('a/c/d')).toEqual(new Uint8Array([0xff]));
    expect(files.read('a')).toBeUndefined();
  });
});

it.each([
  ['a/./b//c', 'a/b/c'],
  ['a/../b', 'b'],
  ['.', ''],
  ['../a', undefined],
  ['a/../../b', undefined],
])('cleans %s', (path, clean) => {
  expect(cleanPath(path)).toBe(clean);
});

it.each(['', 'plain', 'é € 😀', '\uFEFFmark'])('writes and reads %j as UTF-8', (text) => {
  expect(utf8Bytes(text)).toEqual(new TextEncoder().encode(text));
  expect(utf8Text(utf8Bytes(text))).toBe(text);
});

it('refuses bytes that are not UTF-8', () => {
  expect(utf8Text(new Uint8Array([0x61, 0xc3]))).toBeUndefined();
});
