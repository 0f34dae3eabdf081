import { isObject, type Json, type JsonObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { attempt, fail, type HelmError, wrapped } from './failure.ts';
import { setValues } from './set-values.ts';
import { floats, mergeMaps, readValues } from './values.ts';

/** What `helm template` takes values from, in the order of its flags. */
export interface ValueSources {
  /** `-f`: names and texts of values files, later ones over earlier ones. */
  readonly files?: readonly { readonly name: string; readonly text: string }[];
  readonly json?: readonly string[];
  readonly typed?: readonly string[];
  readonly strings?: readonly string[];
  readonly fromFiles?: readonly string[];
  readonly literals?: readonly string[];
  /** Text of a file that `--set-file` names. @throws HelmFailure */
  readonly readFile?: (path: string) => string;
}

/** The user's values, merged in Helm's order: files, `--set-json`, `--set`, `--set-string`, `--set-file`, `--set-literal`. */
export function userValues(sources: ValueSources): Result<JsonObject, HelmError> {
  return attempt(() => {
    let values: JsonObject = {};
    for (const { name, text } of sources.files ?? []) {
      values = mergeMaps(
        values,
        wrapped(`failed to parse ${name}`, () => readValues(text)),
      );
    }
    for (const text of sources.json ?? []) values = setJson(values, text);
    for (const text of sources.typed ?? []) {
      values = wrapped('failed parsing --set data', () => setValues(values, text, 'typed'));
    }
    for (const text of sources.strings ?? []) {
      values = wrapped('failed parsing --set-string data', () => setValues(values, text, 'string'));
    }
    for (const text of sources.fromFiles ?? []) {
      values = wrapped('failed parsing --set-file data', () => setValues(values, text, 'file', sources.readFile));
    }
    for (const text of sources.literals ?? []) {
      values = wrapped('failed parsing --set-literal data', () => setValues(values, text, 'literal'));
    }
    return values;
  });
}

function setJson(values: JsonObject, text: string): JsonObject {
  if (!text.trim().startsWith('{')) {
    const set = attempt(() => setValues(values, text, 'json'));
    return set.ok ? set.value : fail('values', `failed parsing --set-json data ${text}`);
  }
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch {
    return fail('values', `failed parsing --set-json data JSON: ${text}`);
  }
  return isObject(parsed) ? mergeMaps(values, floats(parsed) as JsonObject) : values;
}
