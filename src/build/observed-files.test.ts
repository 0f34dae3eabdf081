import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../base/files.ts';
import { type BuildRequest, build, sha256Hex } from './build.ts';
import { answersAlike, answersOf } from './observed-files.ts';

const TREE = {
  'apps/kustomization.yaml': 'resources: [cm.yaml, ../base]\n',
  'apps/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  'base/kustomization.yaml': 'resources: [cm.yaml]\n',
  'base/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
  'plain/one.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n',
  'plain/deep/two.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n',
  'other/x.yaml': 'x: 1\n',
};
const request = (path: string): BuildRequest => ({ path, rootPath: '/tmp/k', spec: {} });

describe('what a build asked of its files', () => {
  it.each<[string, string, Record<string, string | undefined>, boolean]>([
    ['a file elsewhere changes', './apps', { 'other/x.yaml': 'x: 2\n' }, true],
    ['a file elsewhere comes', './apps', { 'other/y.yaml': 'x: 2\n' }, true],
    ['an unlisted file beside comes', './apps', { 'apps/unlisted.yaml': 'x: 2\n' }, true],
    ['a file of the path changes', './apps', { 'apps/cm.yaml': 'apiVersion: v1\n' }, false],
    ['a base outside of the path changes', './apps', { 'base/cm.yaml': 'apiVersion: v1\n' }, false],
    ['a base vanishes', './apps', { 'base/kustomization.yaml': undefined }, false],
    ['a second kustomization file comes', './base', { 'base/kustomization.yml': 'resources: []\n' }, false],
    ['a manifest comes to a generated folder', './plain', { 'plain/three.yaml': 'x: 1\n' }, false],
    ['a manifest comes deep in a generated folder', './plain', { 'plain/deep/three.yaml': 'x: 1\n' }, false],
    ['a generated folder gets a kustomization', './plain', { 'plain/kustomization.yaml': 'resources: []\n' }, false],
    ['a folder deep in it gets one', './plain', { 'plain/deep/kustomization.yaml': 'resources: []\n' }, false],
  ])('when %s', async (_, path, change, alike) => {
    const built = await build(memoryFiles(TREE), request(path));
    if (!built.ok) throw new Error(built.error.message);
    const after = Object.entries({ ...TREE, ...change }).filter(([, text]) => text !== undefined);
    const files = memoryFiles(Object.fromEntries(after) as Record<string, string>);
    expect(answersAlike(answersOf(files, sha256Hex), built.value.observations)).toBe(alike);
  });
});
