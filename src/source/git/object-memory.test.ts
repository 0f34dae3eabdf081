import { describe, expect, it } from 'vitest';
import { type GitObject, ObjectMemory } from './object-memory.ts';

const blob = (hash: string, bytes = 10): GitObject => ({ hash, type: 'blob', content: Buffer.alloc(bytes, hash) });

/** Reads objects as a reader does, and tells which of them were known. */
function read(memory: ObjectMemory, copy: string, ...objects: readonly GitObject[]): readonly string[] {
  const remembered = memory.of(copy);
  const known = objects.filter((object) => {
    const found = remembered.get(object.hash);
    if (found === undefined) remembered.add(object);
    else if (found.type !== object.type || !found.content.equals(object.content)) throw new Error('another object');
    return found !== undefined;
  });
  remembered.close();
  return known.map(({ hash }) => hash);
}

describe('the memory of objects', () => {
  it('has what the copy was asked for the last time, and nothing older', () => {
    const memory = new ObjectMemory();
    expect(read(memory, '/a/main', blob('a'), blob('b'))).toEqual([]);
    expect(read(memory, '/a/main', blob('b'), blob('c'))).toEqual(['b']);
    expect(read(memory, '/a/main', blob('a'), blob('b'), blob('c'))).toEqual(['b', 'c']);
  });

  it('stays as it is where nothing was asked for', () => {
    const memory = new ObjectMemory();
    read(memory, '/a/main', blob('a'));
    read(memory, '/a/main');
    expect(read(memory, '/a/main', blob('a'))).toEqual(['a']);
  });

  it('never gives one copy what another has read', () => {
    const memory = new ObjectMemory();
    read(memory, '/a/main', blob('a'));
    expect(read(memory, '/b/main', blob('a'))).toEqual([]);
  });

  it('holds no part of the buffer that an object came in', () => {
    const memory = new ObjectMemory();
    const buffer = Buffer.from('aaaabbbb');
    read(memory, '/a/main', { hash: 'a', type: 'blob', content: buffer.subarray(0, 4) });
    buffer.fill('x');
    expect(memory.of('/a/main').get('a')?.content.toString()).toBe('aaaa');
  });

  it('leaves out large objects, and what is beyond a copy’s part', () => {
    const memory = new ObjectMemory();
    const many = Array.from({ length: 200 }, (_, index) => blob(String(index), 60_000));
    read(memory, '/a/main', blob('large', 100_000), ...many);
    const known = read(memory, '/a/main', blob('large', 100_000), ...many);
    expect(known).not.toContain('large');
    expect(known.length).toBeGreaterThan(100);
    expect(known.length).toBeLessThan(150);
  });

  it('drops the copies that were not read for longest, and those of a folder that is gone', () => {
    const memory = new ObjectMemory();
    const most = Array.from({ length: 120 }, (_, index) => blob(String(index), 60_000));
    for (const copy of ['/a/main', '/b/main', '/c/main', '/d/main', '/e/main']) read(memory, copy, ...most);
    expect(memory.of('/a/main').get('0')).toBeUndefined();
    expect(memory.of('/b/main').get('0')).toBeDefined();
    memory.forget('/b');
    expect(memory.of('/b/main').get('0')).toBeUndefined();
    expect(memory.of('/c/main').get('0')).toBeDefined();
  });
});
