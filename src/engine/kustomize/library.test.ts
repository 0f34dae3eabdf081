import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('weir/kustomize', () => {
  it('does what its guide shows, and imports nothing of Node', async () => {
    const exported = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports['./kustomize']
      .default as string;
    const source = join(root, exported.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));
    expect(existsSync(source)).toBe(true);
    const guide = readFileSync(join(root, 'docs/guide/kustomize-library.md'), 'utf8');
    const block = (language: string): string =>
      new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(guide)?.[1] ?? `no block of ${language}`;
    const folder = mkdtempSync(join(tmpdir(), 'weir-library-'));
    try {
      writeFileSync(join(folder, 'example.js'), block('js'));
      const bundle = await rolldown({
        input: join(folder, 'example.js'),
        platform: 'browser',
        external: ['node:crypto'],
        resolve: { alias: { 'weir/kustomize': source }, modules: [join(root, 'node_modules')] },
      });
      const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
      const [chunk] = output;
      // The example's own import: the engine has none.
      expect(chunk.imports).toEqual(['node:crypto']);
      writeFileSync(join(folder, 'example.mjs'), chunk.code);
      expect(execFileSync(process.execPath, [join(folder, 'example.mjs')], { encoding: 'utf8' })).toBe(block('yaml'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
