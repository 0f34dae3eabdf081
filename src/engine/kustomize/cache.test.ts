import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type FileTree, memoryFiles } from '../../base/files.ts';
import { buildKustomization } from './build.ts';
import { KustomizeCache } from './cache.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  key: ${value}\n`;
const TREE = {
  'kustomization.yaml': 'namePrefix: p-\nresources: [a.yaml, b.yaml]\ncommonAnnotations: {note: seen}\n',
  'a.yaml': configMap('a', 'one'),
  'b.yaml': configMap('b', 'two'),
};

function build(tree: Readonly<Record<string, string>> | FileTree, cache?: KustomizeCache): string {
  const files = typeof tree['read'] === 'function' ? (tree as FileTree) : memoryFiles(tree as Record<string, string>);
  const result = buildKustomization(files, '', { sha256, ...(cache !== undefined && { cache }) });
  if (!result.ok) throw new Error(result.error.message);
  return result.value.yaml;
}

describe('KustomizeCache', () => {
  it('gives the same output again, though filters edited what the first build read', () => {
    const cache = new KustomizeCache();
    const first = build(TREE, cache);
    expect([build(TREE, cache), build(TREE, cache)]).toEqual([first, first]);
    expect(first).toBe(build(TREE));
  });

  it('sees a change of a resource and of a kustomization', () => {
    const cache = new KustomizeCache();
    build(TREE, cache);
    const changed = { ...TREE, 'a.yaml': configMap('a', 'three') };
    expect(build(changed, cache)).toBe(build(changed));
    const renamed = { ...TREE, 'kustomization.yaml': 'namePrefix: q-\nresources: [b.yaml]\n' };
    expect(build(renamed, cache)).toBe(build(renamed));
  });

  it('parses a text once', () => {
    const cache = new KustomizeCache();
    let reads = 0;
    const read = () => {
      reads++;
      return [];
    };
    cache.nodes('a', read);
    cache.nodes('a', read);
    cache.nodes('b', read);
    expect(reads).toBe(2);
  });

  it('keeps no more text than it may, and forgets what was used least recently', () => {
    const cache = new KustomizeCache(30);
    const parsed: string[] = [];
    const read = (text: string) => {
      parsed.push(text);
      return [];
    };
    for (const text of ['a'.repeat(10), 'b'.repeat(10), 'c'.repeat(10), 'a'.repeat(10), 'd'.repeat(10)])
      cache.nodes(text, read);
    expect(cache.chars).toBe(30);
    parsed.length = 0;
    cache.nodes('a'.repeat(10), read);
    cache.nodes('b'.repeat(10), read);
    cache.nodes('x'.repeat(31), read);
    expect(parsed.map(([first]) => first)).toEqual(['b', 'x']);
    expect(cache.chars).toBe(30);
  });

  it('does not keep a failure', () => {
    const cache = new KustomizeCache();
    const bad = { ...TREE, 'a.yaml': 'a: b: c' };
    expect(() => build(bad, cache)).toThrow('MalformedYAMLError');
    expect(() => build(bad, cache)).toThrow('MalformedYAMLError');
    expect(build(TREE, cache)).toBe(build(TREE));
  });
});

describe('a build', () => {
  it('reads a base once that many overlays share', () => {
    const tree: Record<string, string> = {
      'base/kustomization.yaml': 'resources: [a.yaml]\n',
      'base/a.yaml': configMap('a', 'one'),
    };
    for (const name of ['o', 'p', 'q'])
      tree[`${name}/kustomization.yaml`] = `namePrefix: ${name}-\nresources: [../base]\n`;
    tree['kustomization.yaml'] = 'resources: [o, p, q]\n';
    const files = memoryFiles(tree);
    const reads: string[] = [];
    const output = build({
      ...files,
      read: (path) => {
        reads.push(path);
        return files.read(path);
      },
    });
    expect(output.match(/name: .-a/g)).toEqual(['name: o-a', 'name: p-a', 'name: q-a']);
    expect(reads.filter((path) => path === 'base/a.yaml')).toEqual(['base/a.yaml']);
  });

  it('takes 450 overlays in one another', () => {
    const tree: Record<string, string> = {
      'a.yaml': configMap('a', 'one'),
      'o450/kustomization.yaml': 'resources: [a.yaml]\n',
      'o450/a.yaml': configMap('a', 'one'),
    };
    for (let level = 0; level < 450; level++) tree[`o${level}/kustomization.yaml`] = `resources: [../o${level + 1}]\n`;
    tree['kustomization.yaml'] = 'resources: [o0]\n';
    expect(build(tree)).toContain('name: a\n');
  });
});
