import type { Json } from '../../../base/json.ts';
import { at, isArray, isObject } from '../../../base/json.ts';

/** The list at a path, or none. */
export function list(value: Json | undefined, ...path: readonly string[]): readonly Json[] {
  const found = at(value, ...path);
  return isArray(found) ? found : [];
}

export function text(value: Json | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === 'string'
    ? found
    : typeof found === 'number' || typeof found === 'bigint'
      ? String(found)
      : '';
}

export function number(value: Json | undefined, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : typeof found === 'bigint' ? Number(found) : 0;
}

export function count(value: Json | undefined, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return isArray(found) ? found.length : isObject(found) ? Object.keys(found).length : 0;
}

export const NONE = '<none>';

export function orNone(value: string): string {
  return value === '' ? NONE : value;
}
