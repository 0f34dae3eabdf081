import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanPath, memoryFiles, realPath } from '../../../src/base/files.ts';
import { outsideMessage, sha256Hex } from '../../../src/build/build.ts';
import { type GenerateSpec, generateKustomization, withFile } from '../../../src/build/generate.ts';
import { buildKustomization } from '../../../src/engine/kustomize/build.ts';
import { IGNORE_FILE, matcher, readIgnorePatterns } from '../../../src/source/artifact/ignore.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

interface Vector {
  readonly id: string;
  readonly spec: GenerateSpec & { readonly path?: string };
  readonly files: Readonly<Record<string, string>>;
  readonly ignore?: string;
  readonly expect: {
    readonly action?: string;
    readonly file?: string;
    readonly kustomization?: string;
    readonly output?: string;
    readonly error?: string;
    readonly stage?: string;
  };
}

const ROOT = '/tmp/kustomization-1';

export const set: ConformanceSet = {
  name: 'fluxbuild',
  async run(directory): Promise<readonly CaseResult[]> {
    const vectors = JSON.parse(await readFile(join(directory, 'vectors.json'), 'utf8')) as readonly Vector[];
    return vectors.map((vector) => {
      const { id, expect } = vector;
      const got = play(vector);
      const keys = Object.keys(expect) as (keyof Vector['expect'])[];
      const wrong = keys.find((key) => got[key] !== expect[key]);
      if (wrong === undefined) return { id, passed: true };
      return { id, passed: false, detail: `${wrong}\nwant ${expect[wrong]}\ngot  ${got[wrong] ?? got.error}` };
    });
  },
};

function play({ spec, files: contents, ignore }: Vector): Vector['expect'] {
  const files = memoryFiles(contents);
  const path = cleanPath(spec.path ?? '') ?? '';
  const directory = realPath(files, path) ?? path;
  const failed = (stage: string, text: string): Vector['expect'] => {
    return { stage, error: text.replaceAll(ROOT, '{root}') };
  };
  const ignored = ignore === undefined ? undefined : ignoreRules(contents, ignore);
  const generated = generateKustomization(files, directory, spec, ROOT, ignored);
  if (!generated.ok) return failed('generate', generated.error);
  const { action, file, text } = generated.value;
  const built = buildKustomization(withFile(files, file, text), directory, {
    loadRestrictor: 'none',
    reorder: 'none',
    rootPath: ROOT,
    sha256: sha256Hex,
  });
  if (!built.ok) {
    return { action, file, kustomization: text, ...failed('build', outsideMessage(built.error.message, ROOT)) };
  }
  return { action, file, kustomization: text, output: built.value.yaml };
}

/** The rules of the tree's own ignore files, then the given ones. */
function ignoreRules(files: Vector['files'], more: string): (path: string, isDirectory: boolean) => boolean {
  const own = Object.keys(files)
    .filter((path) => path === IGNORE_FILE || path.endsWith(`/${IGNORE_FILE}`))
    .flatMap((path) => readIgnorePatterns(files[path] ?? '', path.slice(0, -IGNORE_FILE.length - 1)));
  return matcher([...own, ...readIgnorePatterns(more)]);
}
