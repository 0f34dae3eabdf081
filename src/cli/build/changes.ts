import type { Json, JsonObject } from '../../base/json.ts';
import { equal, field, isArray, isObject, stringAt } from '../../base/json.ts';

/** One difference between two values at a path. */
export interface Change {
  readonly path: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  /** Whether what came or went is an entry of a list. */
  readonly inList: boolean;
}

/** Differences printed of one object; a person reads no more. */
const MAX_CHANGES = 200;

/** Compares two values; lists of named objects by their names, others by position. */
export function changesBetween(before: Json, after: Json): readonly Change[] {
  const changes: Change[] = [];
  compare(before, after, [], changes);
  return changes.slice(0, MAX_CHANGES);
}

function compare(before: Json, after: Json, path: readonly string[], into: Change[]): void {
  if (into.length > MAX_CHANGES || equal(before, after)) return;
  if (isObject(before) && isObject(after)) compareObjects(before, after, path, into);
  else if (isArray(before) && isArray(after)) compareLists(before, after, path, into);
  else into.push({ path: path.join('.'), before, after, inList: false });
}

function compareObjects(before: JsonObject, after: JsonObject, path: readonly string[], into: Change[]): void {
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const old = field(before, key);
    const now = field(after, key);
    if (old !== undefined && now !== undefined) compare(old, now, [...path, key], into);
    else into.push({ path: path.join('.'), before: entry(key, old), after: entry(key, now), inList: false });
  }
}

function entry(key: string, value: Json | undefined): Json | undefined {
  return value === undefined ? undefined : { [key]: value };
}

function compareLists(before: readonly Json[], after: readonly Json[], path: readonly string[], into: Change[]): void {
  const named = [...before, ...after].every((item) => stringAt(item, 'name') !== undefined);
  const keyed = (items: readonly Json[]): Map<string, Json> =>
    new Map(items.map((item, index) => [named ? (stringAt(item, 'name') ?? '') : `${index}`, item]));
  const old = keyed(before);
  const now = keyed(after);
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const left = old.get(key);
    const right = now.get(key);
    if (left !== undefined && right !== undefined) compare(left, right, [...path, key], into);
    else {
      const listed = (item: Json | undefined): Json | undefined => (item === undefined ? undefined : [item]);
      into.push({ path: path.join('.'), before: listed(left), after: listed(right), inList: true });
    }
  }
}
