import { clone, isArray, isObject, type Json, type MutableJsonObject, put } from '../../base/json.ts';
import { dereference, NO_REFERENCES, type ResolveSchema, type Schema } from './schema.ts';

/**
 * `value` with the schema's defaults set where a field is missing, without the nulls of fields that are not nullable.
 * (apiextensions-apiserver@0.34 schema/defaulting/algorithm.go and prune.go)
 */
export function applyDefaults(value: Json, schema: Schema, resolve: ResolveSchema = NO_REFERENCES): Json {
  return fill(value, dereference(schema, resolve), resolve);
}

function fill(value: Json, schema: Schema, resolve: ResolveSchema): Json {
  if (isArray(value)) {
    if (schema.items === undefined) return value;
    const items = dereference(schema.items, resolve);
    return value.map((item) => fill(item, items, resolve));
  }
  if (!isObject(value)) return value;
  const { properties, additionalProperties } = schema;
  const others = typeof additionalProperties === 'object' ? dereference(additionalProperties, resolve) : undefined;
  const out: MutableJsonObject = {};
  for (const name of Object.keys(value)) {
    const own = properties !== undefined && Object.hasOwn(properties, name);
    const inner = own ? dereference(properties[name] as Schema, resolve) : others;
    const child = value[name] as Json;
    // A null that the schema does not allow counts as missing. (defaulting/prune.go PruneNonNullableNullsWithoutDefaults)
    if (child === null && inner !== undefined && inner.nullable !== true) continue;
    put(out, name, inner === undefined ? child : fill(child, inner, resolve));
  }
  for (const name of Object.keys(properties ?? {})) {
    if (Object.hasOwn(out, name)) continue;
    const inner = dereference((properties as { [name: string]: Schema })[name] as Schema, resolve);
    if (inner.default !== undefined) put(out, name, fill(clone(inner.default), inner, resolve));
  }
  return out;
}
