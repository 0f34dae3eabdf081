import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { memoryFiles } from '../../src/base/files.ts';
import { buildKustomization } from '../../src/engine/kustomize/build.ts';
import { chromiumPath } from '../support/chromium.ts';

const TREE = {
  'base/kustomization.yaml': 'resources: [all.yaml]\nconfigMapGenerator: [{name: g, literals: [a=b]}]\n',
  'base/all.yaml': [
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {mode: dev}\n',
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: main, image: "nginx:1", envFrom: [{configMapRef: {name: g}}]}\n',
  ].join('---\n'),
  'prod/kustomization.yaml':
    'resources: [../base]\nnamePrefix: prod-\nimages: [{name: nginx, newTag: "2"}]\npatches:\n- target: {kind: Config.*, name: o+ne}\n  patch: "- {op: replace, path: /data/mode, value: prod}"\n',
};

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox', '--disable-gpu'] });
});
afterAll(() => browser?.close());

/** A hash that both sides can have without a library. */
function hash(bytes: Uint8Array): string {
  let sum = 7;
  for (const byte of bytes) sum = (sum * 31 + byte) >>> 0;
  return sum.toString(16).padStart(8, '0').repeat(8);
}

it('builds in a browser what it builds in Node, with nothing of Node in it', async () => {
  const bundle = await rolldown({
    input: fileURLToPath(new URL('../../src/engine/kustomize/build.ts', import.meta.url)),
    platform: 'browser',
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'weirKustomize', codeSplitting: false });
  const [chunk] = output;
  expect(chunk.imports).toEqual([]);
  expect(chunk.code).not.toMatch(/\bfrom ?["']node:|require\(["']/);

  const page = await browser.newPage();
  await page.addScriptTag({ content: chunk.code });
  const built = await page.evaluate(`(() => {
    const { buildKustomization, memoryFiles } = weirKustomize;
    ${hash.toString()}
    const result = buildKustomization(memoryFiles(${JSON.stringify(TREE)}), 'prod', { sha256: hash });
    return result.ok ? result.value.yaml : result.error.message;
  })()`);
  const here = buildKustomization(memoryFiles(TREE), 'prod', { sha256: hash });
  expect(here.ok && here.value.yaml).toContain('mode: prod');
  expect(built).toBe(here.ok && here.value.yaml);
});
