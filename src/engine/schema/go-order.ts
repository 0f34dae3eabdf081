import { isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import type { ResolveSchema, Schema } from './schema.ts';

/** Names of a definition's fields in the order its Go struct declares them; undefined when nobody knows. */
export type FieldOrder = (definition: string) => readonly string[] | undefined;

const TYPE_META = ['kind', 'apiVersion'];

/**
 * The value with its keys where encoding/json would print them: a struct's as declared, a map's sorted. Messages quote
 * whole objects, and decoding stops at the first wrong field: both follow this order.
 */
export function inGoOrder(value: Json, definition: string, resolve: ResolveSchema, order: FieldOrder): Json {
  return ordered(value, { $ref: definition }, resolve, order);
}

function ordered(value: Json, declared: Schema, resolve: ResolveSchema, order: FieldOrder): Json {
  const definition = declared.$ref ?? declared.allOf?.[0]?.$ref;
  const schema = definition === undefined ? declared : (resolve(definition) ?? {});
  if (isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => ordered(item, items, resolve, order));
  }
  if (!isObject(value)) return value;
  const { properties, additionalProperties } = schema;
  if (properties === undefined) {
    // A raw value keeps what was written; an untyped or typed map is sorted.
    return typeof additionalProperties === 'object'
      ? sorted(value, (item) => ordered(item, additionalProperties, resolve, order))
      : value;
  }
  const names = (definition === undefined ? undefined : order(definition)) ?? Object.keys(properties);
  const out: MutableJsonObject = {};
  // An embedded TypeMeta is no field of the message.
  for (const name of [...TYPE_META.filter((one) => !names.includes(one)), ...names])
    if (Object.hasOwn(value, name) && Object.hasOwn(properties, name))
      put(out, name, ordered(value[name] as Json, properties[name] as Schema, resolve, order));
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(out, name)) continue;
    const property = Object.hasOwn(properties, name) ? (properties[name] as Schema) : undefined;
    put(
      out,
      name,
      property === undefined ? (value[name] as Json) : ordered(value[name] as Json, property, resolve, order),
    );
  }
  return out;
}

function sorted(value: JsonObject, change: (item: Json) => Json): JsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value).toSorted()) put(out, key, change(value[key] as Json));
  return out;
}

/** The value as a Go map prints: every object's keys sorted. */
export function inMapOrder(value: Json): Json {
  if (isArray(value)) return value.map(inMapOrder);
  return isObject(value) ? sorted(value, inMapOrder) : value;
}
