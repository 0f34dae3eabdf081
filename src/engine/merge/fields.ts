import {
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  parseJson,
  put,
  stringifyJson,
} from '../../base/json.ts';

/**
 * A set of field paths, as managedFields hold it. Path elements are FieldsV1 keys: `f:name`, `k:{"name":"a"}`, `v:"x"`, `i:0`.
 * A path is a member when its last element is in `members`; longer paths through an element are in `children`.
 * (structured-merge-diff@v6 fieldpath/set.go)
 */
export interface FieldSet {
  readonly members: ReadonlySet<string>;
  readonly children: ReadonlyMap<string, FieldSet>;
}

export const EMPTY_FIELDS: FieldSet = { members: new Set(), children: new Map() };

/** Nesting at which FieldsV1 is refused: an object cannot be deeper either. */
const MAX_FIELDS_DEPTH = 1000;

export function isEmptyFields(set: FieldSet): boolean {
  if (set.members.size > 0) return false;
  for (const child of set.children.values()) if (!isEmptyFields(child)) return false;
  return true;
}

/** Reads FieldsV1; undefined when it is no such set (an unknown kind of key, or a value that is no object). */
export function parseFields(value: Json | undefined): FieldSet | undefined {
  return isObject(value) ? parseLevel(value, 0) : undefined;
}

function parseLevel(value: JsonObject, depth: number): FieldSet | undefined {
  if (depth > MAX_FIELDS_DEPTH) return undefined;
  const members = new Set<string>();
  const children = new Map<string, FieldSet>();
  for (const key of Object.keys(value)) {
    if (key === '.') continue; // the parent took note of it
    const canonical = canonicalElement(key);
    const inner = value[key];
    if (canonical === undefined || !isObject(inner)) return undefined;
    const child = parseLevel(inner, depth + 1);
    if (child === undefined) return undefined;
    if (Object.hasOwn(inner, '.') || Object.keys(inner).length === 0) members.add(canonical);
    if (!isEmptyFields(child)) children.set(canonical, child);
  }
  return { members, children };
}

function canonicalElement(key: string): string | undefined {
  const kind = key.slice(0, 2);
  if (kind === 'f:') return key;
  if (kind === 'i:') return /^i:-?\d+$/.test(key) ? key : undefined;
  if (kind !== 'k:' && kind !== 'v:') return undefined;
  try {
    const value = parseJson(key.slice(2));
    if (kind === 'v:') return valueElement(value);
    return isObject(value) ? keyElement(Object.entries(value)) : undefined;
  } catch {
    return undefined;
  }
}

/** Element of a list-map's item by its key fields. */
export function keyElement(keys: readonly (readonly [string, Json])[]): string {
  const sorted = keys.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${stringifyJson(value)}`).join(',')}}`;
}

/** Element of a set's item. */
export function valueElement(value: Json): string {
  return `v:${stringifyJson(value)}`;
}

/** Writes FieldsV1, sorted as Kubernetes prints it: field names, then keys, then values. */
export function printFields(set: FieldSet): JsonObject {
  const out: MutableJsonObject = {};
  for (const element of elementsOf(set)) {
    const child = set.children.get(element);
    const inner = child === undefined ? {} : printFields(child);
    const both = set.members.has(element) && Object.keys(inner).length > 0;
    if (both) {
      put(out, element, { '.': {}, ...inner });
    } else if (set.members.has(element) || Object.keys(inner).length > 0) put(out, element, inner);
  }
  return out;
}

const RANK: { readonly [kind: string]: number } = { 'f:': 0, 'k:': 1, 'v:': 2, 'i:': 3 };

function elementsOf(set: FieldSet): string[] {
  const elements = new Set(set.members);
  for (const element of set.children.keys()) elements.add(element);
  return [...elements].toSorted((a, b) => {
    const byKind = (RANK[a.slice(0, 2)] ?? 4) - (RANK[b.slice(0, 2)] ?? 4);
    return byKind !== 0 ? byKind : a < b ? -1 : a > b ? 1 : 0;
  });
}

export function unionFields(a: FieldSet, b: FieldSet): FieldSet {
  if (a === EMPTY_FIELDS) return b;
  if (b === EMPTY_FIELDS) return a;
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const own = children.get(element);
    children.set(element, own === undefined ? child : unionFields(own, child));
  }
  return { members: new Set([...a.members, ...b.members]), children };
}

export function intersectFields(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined) continue;
    const both = intersectFields(child, other);
    if (!isEmptyFields(both)) children.set(element, both);
  }
  return { members: new Set([...a.members].filter((element) => b.members.has(element))), children };
}

/** Paths of `a` that are not members of `b`; what lies under a member of `b` stays. */
export function differenceFields(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, false);
}

/** Paths of `a` that neither are members of `b` nor lie under one. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, true);
}

function subtract(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  const members = new Set([...a.members].filter((element) => !b.members.has(element)));
  const children = new Map<string, FieldSet>();
  for (const [element, child] of a.children) {
    if (recursive && b.members.has(element)) continue;
    const other = b.children.get(element);
    const rest = other === undefined ? child : subtract(child, other, recursive);
    if (!isEmptyFields(rest)) children.set(element, rest);
  }
  return { members, children };
}

/** All members as paths, in the order Kubernetes lists them. */
export function fieldPaths(set: FieldSet): readonly (readonly string[])[] {
  const out: (readonly string[])[] = [];
  for (const element of elementsOf(set)) if (set.members.has(element)) out.push([element]);
  for (const element of elementsOf(set)) {
    const child = set.children.get(element);
    if (child !== undefined) for (const path of fieldPaths(child)) out.push([element, ...path]);
  }
  return out;
}

/** `.spec.containers[name="a"].image`, as conflicts name a field. */
export function printPath(path: readonly string[]): string {
  return path.map(printElement).join('');
}

export function printElement(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  if (element.startsWith('k:')) {
    const keys = parseJson(rest) as JsonObject;
    return `[${Object.keys(keys)
      .map((name) => `${name}=${stringifyJson(keys[name] as Json)}`)
      .join(',')}]`;
  }
  return `[${rest}]`;
}

/** A set under construction. */
export class FieldSetBuilder {
  private readonly members = new Set<string>();
  private readonly children = new Map<string, FieldSetBuilder>();

  insert(path: readonly string[]): void {
    const [first, ...rest] = path;
    if (first === undefined) return;
    if (rest.length === 0) {
      this.members.add(first);
      return;
    }
    let next = this.children.get(first);
    if (next === undefined) {
      next = new FieldSetBuilder();
      this.children.set(first, next);
    }
    next.insert(rest);
  }

  build(): FieldSet {
    return {
      members: this.members,
      children: new Map([...this.children].map(([element, child]) => [element, child.build()])),
    };
  }
}

/** The set of these paths; each a list of elements. */
export function fieldsOf(...paths: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.build();
}
