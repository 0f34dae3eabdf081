import { LineCounter, parseAllDocuments } from 'yaml';
import type { Json } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { YamlError } from './error.ts';

export interface ParseOptions {
  /** Refuse a key that a mapping holds twice; without it the last one wins, as in kubectl. */
  readonly strict?: boolean;
}

/** The first document of `text` as sigs.k8s.io/yaml reads it; null when there is none. */
export function parseYaml(text: string, options: ParseOptions = {}): Result<Json, YamlError> {
  const all = parseYamlDocuments(text, options);
  return all.ok ? ok(all.value[0] ?? null) : all;
}

/** Every document of `text` that is not empty. */
export function parseYamlDocuments(text: string, options: ParseOptions = {}): Result<readonly Json[], YamlError> {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.1',
    intAsBigInt: true,
    uniqueKeys: options.strict ?? false,
    lineCounter,
  });
  const values: Json[] = [];
  for (const document of documents) {
    const [problem] = document.errors;
    if (problem !== undefined) {
      const { line, col } = lineCounter.linePos(problem.pos[0]);
      return err({ message: problem.message, line, column: col });
    }
    const value = JSON.parse(
      JSON.stringify(document.toJS(), (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)) ?? 'null',
    ) as Json;
    if (value !== null) values.push(value);
  }
  return ok(values);
}
