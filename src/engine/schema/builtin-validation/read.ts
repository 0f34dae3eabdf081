import { field, isArray, isObject, type Json, type JsonObject } from '../../../base/json.ts';

/** Readers of decoded objects: what is missing or of another type reads as empty. Decoding has refused wrong types before. */

export function text(value: Json | undefined, key: string): string {
  const found = field(value, key);
  return typeof found === 'string' ? found : '';
}

export function number(value: Json | undefined, key: string): number | undefined {
  const found = field(value, key);
  return typeof found === 'number' ? found : typeof found === 'bigint' ? Number(found) : undefined;
}

export function object(value: Json | undefined, key: string): JsonObject | undefined {
  const found = field(value, key);
  return isObject(found) ? found : undefined;
}

export function items(value: Json | undefined, key: string): readonly Json[] {
  const found = field(value, key);
  return isArray(found) ? found : [];
}

export function texts(value: Json | undefined, key: string): readonly string[] {
  return items(value, key).filter((item) => typeof item === 'string');
}

export function entries(value: Json | undefined, key: string): readonly (readonly [string, Json])[] {
  return Object.entries(object(value, key) ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

export function has(value: Json | undefined, key: string): boolean {
  const found = field(value, key);
  return found !== undefined && found !== null;
}
