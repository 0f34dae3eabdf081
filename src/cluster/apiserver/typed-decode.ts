import type { Json, JsonObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { ok } from '../../base/result.ts';
import type { Schema } from '../../engine/schema/schema.ts';

export interface Typed {
  readonly value: Json;
  readonly unknown: readonly string[];
}

export function decodeTyped(value: Json, _schema: Schema, _kind: string): Result<Typed, string> {
  return ok({ value, unknown: [] });
}

/** Checks the metadata of an object without a typed schema, as a custom resource's is. */
export function decodeMeta(value: JsonObject): Result<JsonObject, string> {
  return ok(value);
}
