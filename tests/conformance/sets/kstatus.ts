import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { JsonObject } from '../../../src/base/json.ts';
import { computeStatus } from '../../../src/engine/kstatus/compute.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

interface Vector {
  readonly id: string;
  readonly yaml: string;
  readonly expect: { readonly status: string; readonly message: string } | { readonly error: string };
}

export const set: ConformanceSet = {
  name: 'kstatus',
  async run(directory): Promise<readonly CaseResult[]> {
    const vectors = JSON.parse(await readFile(join(directory, 'vectors.json'), 'utf8')) as readonly Vector[];
    return vectors.map(({ id, yaml, expect }) => {
      const result = computeStatus(parse(yaml) as JsonObject, Date.now());
      const got = result.ok ? result.value : { error: result.error };
      const passed = isDeepStrictEqual(got, expect);
      return passed
        ? { id, passed }
        : { id, passed, detail: `want ${JSON.stringify(expect)}\ngot  ${JSON.stringify(got)}` };
    });
  },
};
