import type { Json } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { composeDocuments } from './compose.ts';
import type { YamlError } from './error.ts';
import { YamlFailure } from './token.ts';
import { nodeToJson } from './value.ts';

export interface ParseOptions {
  /** Refuse a key that a mapping holds twice; without it the last one wins, as in kubectl. */
  readonly strict?: boolean;
}

/** The first document of `text` as sigs.k8s.io/yaml reads it; null when there is none. */
export function parseYaml(text: string, options: ParseOptions = {}): Result<Json, YamlError> {
  const all = read(text, options, 1);
  return all.ok ? ok(all.value[0] ?? null) : all;
}

/** Every document of `text` that is not empty, each as sigs.k8s.io/yaml reads it. */
export function parseYamlDocuments(text: string, options: ParseOptions = {}): Result<readonly Json[], YamlError> {
  const all = read(text, options, Number.POSITIVE_INFINITY);
  return all.ok ? ok(all.value.filter((value) => value !== null)) : all;
}

function read(text: string, options: ParseOptions, limit: number): Result<Json[], YamlError> {
  const composed = composeDocuments(text, 'v2', limit);
  if (!composed.ok) return composed;
  try {
    const how = { dialect: 'v2', uniqueKeys: options.strict === true } as const;
    return ok(composed.value.map((node) => nodeToJson(node, how)));
  } catch (failure) {
    if (failure instanceof YamlFailure) return err(failure.detail);
    throw failure;
  }
}
