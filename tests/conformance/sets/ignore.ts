import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { matcher, readIgnorePatterns, withDefaults } from '../../../src/source/artifact/ignore.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

interface Vector {
  readonly id: string;
  readonly ignoreFiles: readonly { readonly dir: string; readonly content: string }[];
  readonly defaults?: boolean;
  readonly expect: { readonly ignored: Readonly<Record<string, boolean>> };
}

export const set: ConformanceSet = {
  name: 'ignore',
  async run(directory): Promise<readonly CaseResult[]> {
    const vectors = JSON.parse(readFileSync(join(directory, 'vectors.json'), 'utf8')) as readonly Vector[];
    return vectors.map((vector) => {
      const patterns = vector.ignoreFiles.flatMap(({ dir, content }) => readIgnorePatterns(content, dir));
      const ignored = vector.defaults === true ? withDefaults(patterns) : matcher(patterns);
      const wrong = Object.entries(vector.expect.ignored).filter(
        ([path, want]) => ignored(path.replace(/\/$/, ''), path.endsWith('/')) !== want,
      );
      const detail = wrong.map(([path, want]) => `${path}: want ${want ? 'ignored' : 'kept'}`).join('\n');
      return wrong.length === 0 ? { id: vector.id, passed: true } : { id: vector.id, passed: false, detail };
    });
  },
};
