import { equal, field, isArray, isObject, type Json, type JsonObject, put, stringAt } from '../../base/json.ts';

/** One thing that differs at a place. `added` and `removed` hold the entries of a map or a list. */
export type Detail =
  | { readonly kind: 'added' | 'removed'; readonly entries: JsonObject | readonly Json[] }
  | { readonly kind: 'changed'; readonly before: Json; readonly after: Json }
  | { readonly kind: 'order'; readonly before: readonly Json[]; readonly after: readonly Json[] };

/** All that differs at a place; entries of lists are named where they have names. */
export interface Change {
  readonly path: readonly string[];
  readonly details: readonly Detail[];
}

/** Changes told of one object; a person reads no more. */
const MAX_CHANGES = 200;
/** Fields that name the entries of a list, the best first. Source: homeport/dyff@1.10 core.go listItemIdentifierCandidates. */
const NAMING_FIELDS = ['name', 'key', 'id', 'manager'];
/** Entries that a list needs before any field of texts, all of them different, is taken for their name. */
const GUESS_MIN_ENTRIES = 4;

/**
 * Compares two values as dyff does, which Flux prints diffs with: maps by key, lists of named entries by name, other lists as
 * bags whose order is told apart. Source: homeport/dyff@1.10 core.go.
 */
export function changesBetween(before: Json, after: Json): readonly Change[] {
  return compare(before, after, []).slice(0, MAX_CHANGES);
}

/** What a value is in YAML; `1` and `1.5` are of different types. */
export function typeName(value: Json): string {
  if (value === null) return '<nil>';
  if (isArray(value)) return 'list';
  if (isObject(value)) return 'map';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return typeof value === 'bigint' || Number.isInteger(value) ? 'int' : 'float';
}

function compare(before: Json, after: Json, path: readonly string[]): readonly Change[] {
  if (equal(before, after)) return [];
  if (isObject(before) && isObject(after)) return compareMaps(before, after, path);
  if (isArray(before) && isArray(after)) return compareLists(before, after, path);
  return [{ path, details: [{ kind: 'changed', before, after }] }];
}

function compareMaps(before: JsonObject, after: JsonObject, path: readonly string[]): readonly Change[] {
  const inside: Change[] = [];
  const removed: Record<string, Json> = {};
  const added: Record<string, Json> = {};
  for (const key of Object.keys(before).sort()) {
    const now = field(after, key);
    const old = before[key] as Json;
    if (now === undefined) put(removed, key, old);
    else inside.push(...compare(old, now, [...path, key]));
  }
  for (const key of Object.keys(after).sort()) if (!Object.hasOwn(before, key)) put(added, key, after[key] as Json);
  return pack(path, inside, [], removed, added);
}

function compareLists(before: readonly Json[], after: readonly Json[], path: readonly string[]): readonly Change[] {
  const nameOf = namingOf(before, after);
  return nameOf === undefined ? compareBags(before, after, path) : compareNamed(before, after, path, nameOf);
}

type Naming = (entry: Json) => string | undefined;

/** How the entries of both lists are named, if they are. */
function namingOf(before: readonly Json[], after: readonly Json[]): Naming | undefined {
  const by =
    (name: string): Naming =>
    (entry) =>
      nameIn(entry, name);
  const names = (naming: Naming, list: readonly Json[]): boolean => {
    const found = new Set(list.map(naming));
    return list.length > 0 && found.size === list.length && !found.has(undefined);
  };
  const standard = NAMING_FIELDS.map(by).find((naming) => names(naming, before) && names(naming, after));
  if (standard !== undefined) return standard;
  const [first] = before;
  if (before.length >= GUESS_MIN_ENTRIES && isObject(first)) {
    const guess = Object.keys(first)
      .sort()
      .map(
        (key): Naming =>
          (entry) =>
            stringAt(entry, key),
      )
      .find((naming) => names(naming, before) && names(naming, after));
    if (guess !== undefined) return guess;
  }
  const whole = [...before, ...after];
  return whole.every((entry) => resourceName(entry) !== undefined) ? resourceName : undefined;
}

/** Entries with a map or a list for a name are all called ''. */
function nameIn(entry: Json, name: string): string | undefined {
  const value = field(entry, name);
  if (value === undefined) return undefined;
  return value === null || typeof value === 'object' ? '' : String(value);
}

function resourceName(entry: Json): string | undefined {
  const parts = [
    stringAt(entry, 'apiVersion'),
    stringAt(entry, 'kind'),
    stringAt(entry, 'metadata', 'namespace') ?? '',
    stringAt(entry, 'metadata', 'name'),
  ];
  return parts.includes(undefined) ? undefined : parts.filter((part) => part !== '').join('/');
}

function compareNamed(
  before: readonly Json[],
  after: readonly Json[],
  path: readonly string[],
  nameOf: Naming,
): readonly Change[] {
  const old = new Map(before.map((entry) => [nameOf(entry) ?? '', entry]));
  const now = new Map(after.map((entry) => [nameOf(entry) ?? '', entry]));
  const inside: Change[] = [];
  for (const [name, entry] of old) {
    const other = now.get(name);
    if (other !== undefined) inside.push(...compare(entry, other, [...path, name]));
  }
  const kept = [...old.keys()].filter((name) => now.has(name));
  const keptNow = [...now.keys()].filter((name) => old.has(name));
  const order = kept.some((name, index) => name !== keptNow[index]);
  return pack(
    path,
    inside,
    order ? [{ kind: 'order', before: kept, after: keptNow }] : [],
    before.filter((entry) => !now.has(nameOf(entry) ?? '')),
    after.filter((entry) => !old.has(nameOf(entry) ?? '')),
  );
}

function compareBags(before: readonly Json[], after: readonly Json[], path: readonly string[]): readonly Change[] {
  if (before.length === 1 && after.length === 1) return compare(before[0] as Json, after[0] as Json, [...path, '0']);
  const old = countOf(before);
  const now = countOf(after);
  const kept = before.filter((entry) => now.has(identity(entry)));
  const keptNow = after.filter((entry) => old.has(identity(entry)));
  const moved = kept.length === keptNow.length && kept.some((entry, index) => !equal(entry, keptNow[index]));
  return pack(
    path,
    [],
    moved ? [{ kind: 'order', before: kept, after: keptNow }] : [],
    surplus(before, old, now),
    surplus(after, now, old),
  );
}

/** The entries of a list that the other has fewer of. */
function surplus(
  list: readonly Json[],
  own: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): readonly Json[] {
  const rest = new Map([...own].map(([key, count]) => [key, count - (other.get(key) ?? 0)]));
  return list.filter((entry) => {
    const key = identity(entry);
    const left = rest.get(key) ?? 0;
    rest.set(key, left - 1);
    return left > 0;
  });
}

function countOf(list: readonly Json[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const entry of list) counts.set(identity(entry), (counts.get(identity(entry)) ?? 0) + 1);
  return counts;
}

/** A text that equal values share, whatever the order of their keys. */
function identity(value: Json): string {
  if (isArray(value)) return `[${value.map(identity).join(',')}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${identity(value[key] as Json)}`).join(',')}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** The change of a place itself stands before those inside of it. */
function pack(
  path: readonly string[],
  inside: readonly Change[],
  order: readonly Detail[],
  removed: JsonObject | readonly Json[],
  added: JsonObject | readonly Json[],
): readonly Change[] {
  const details: Detail[] = [...order];
  if (Object.keys(removed).length > 0) details.push({ kind: 'removed', entries: removed });
  if (Object.keys(added).length > 0) details.push({ kind: 'added', entries: added });
  return details.length > 0 ? [{ path, details }, ...inside] : inside;
}
