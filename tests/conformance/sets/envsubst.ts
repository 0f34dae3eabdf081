import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../../src/base/json.ts';
import { substitute } from '../../../src/engine/envsubst/evaluate.ts';
import { addVariables, optsOut, substituteObject } from '../../../src/engine/envsubst/object.ts';
import { parseYaml } from '../../../src/engine/yaml/parse.ts';
import { printYaml } from '../../../src/engine/yaml/print.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

interface Vector {
  readonly id: string;
  readonly kind: 'expr' | 'resource';
  readonly input?: string;
  readonly resource?: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly strict?: boolean;
  readonly always?: boolean;
  readonly expect: { readonly output?: string; readonly error?: string; readonly skipped?: boolean };
}

export const set: ConformanceSet = {
  name: 'envsubst',
  async run(directory): Promise<readonly CaseResult[]> {
    const vectors = JSON.parse(await readFile(join(directory, 'vectors.json'), 'utf8')) as readonly Vector[];
    return vectors.map((vector) => {
      const { id, expect } = vector;
      const got = vector.kind === 'expr' ? playExpression(vector) : playResource(vector);
      // Where the original panics, any error of ours is right.
      const passed = expect.error?.startsWith('panic:') ? got.error !== undefined : isDeepStrictEqual(got, expect);
      return passed
        ? { id, passed }
        : { id, passed, detail: `want ${JSON.stringify(expect)}\ngot  ${JSON.stringify(got)}` };
    });
  },
};

function playExpression({ input, vars, strict }: Vector): Vector['expect'] {
  const result = substitute(input ?? '', new Map(Object.entries(vars)), { strict: strict === true });
  return result.ok ? { output: result.value } : { error: result.error.message };
}

function playResource({ resource, vars, strict, always }: Vector): Vector['expect'] {
  const parsed = parseYaml(resource ?? '');
  if (!parsed.ok) return { error: parsed.error.message };
  const object = parsed.value as JsonObject;
  if (optsOut(object)) return { skipped: true };
  const variables = new Map<string, string>();
  addVariables(variables, Object.entries(vars));
  const result = substituteObject(object, { variables, strict: strict === true, always: always === true });
  return result.ok ? { output: printYaml(result.value) } : { error: result.error.message };
}
