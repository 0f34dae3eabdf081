import {
  equal,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
  stringifyJson,
} from '../../base/json.ts';
import { dereference, propertySchema, type ResolveSchema, type Schema } from '../schema/schema.ts';
import { type FieldSet, FieldSetBuilder, keyElement, printElement, valueElement } from './fields.ts';

/**
 * Values seen through a schema, as structured-merge-diff@v6 `typed` does: what is a leaf, which lists are maps or sets.
 * An undefined schema is "deduced": objects are granular, lists are leaves.
 */
export interface Typing {
  readonly resolve: ResolveSchema;
}

type Atom =
  | { readonly kind: 'scalar'; readonly type: 'string' | 'numeric' | 'boolean' | 'untyped' }
  | { readonly kind: 'map'; readonly atomic: boolean; readonly schema: Schema | undefined }
  | {
      readonly kind: 'list';
      readonly atomic: boolean;
      readonly schema: Schema | undefined;
      readonly keys: readonly string[];
    };

const DEDUCED_MAP: Atom = { kind: 'map', atomic: false, schema: undefined };
const DEDUCED_LIST: Atom = { kind: 'list', atomic: true, schema: undefined, keys: [] };
const UNTYPED: Atom = { kind: 'scalar', type: 'untyped' };

/** kube-openapi@1.34 schemaconv/openapi.go; undefined: the type is deduced from the value. */
function atomOf(schema: Schema | undefined): Atom | undefined {
  if (schema === undefined) return undefined;
  if (schema['x-kubernetes-int-or-string'] === true) return UNTYPED;
  // Built-in fields of either type are typed by what they hold.
  if (schema.format === 'int-or-string') return undefined;
  switch (schema.type) {
    case 'object':
      return { kind: 'map', atomic: schema['x-kubernetes-map-type'] === 'atomic', schema };
    case 'array': {
      const listType = schema['x-kubernetes-list-type'] ?? 'atomic';
      const keys = listType === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : [];
      return { kind: 'list', atomic: listType === 'atomic', schema, keys };
    }
    case 'string':
      return { kind: 'scalar', type: 'string' };
    case 'integer':
    case 'number':
      return { kind: 'scalar', type: 'numeric' };
    case 'boolean':
      return { kind: 'scalar', type: 'boolean' };
    default:
      // Quantity: a string or a number.
      return schema.oneOf !== undefined ? UNTYPED : undefined;
  }
}

function atomFor(schema: Schema | undefined, value: Json | undefined): Atom {
  const atom = atomOf(schema);
  if (atom !== undefined) return atom;
  return isObject(value) ? DEDUCED_MAP : isArray(value) ? DEDUCED_LIST : UNTYPED;
}

const isScalar = (value: Json | undefined): boolean =>
  value !== undefined && value !== null && !isObject(value) && !isArray(value);

function same(a: Atom, b: Atom): boolean {
  return a === b || (a.kind === b.kind && (a.kind === 'scalar' || a.atomic === (b as typeof a).atomic));
}

/** Whether objects of `schema` may hold `name`; undefined schema in the answer: its type is deduced. */
function fieldSchema(
  schema: Schema | undefined,
  name: string,
  { resolve }: Typing,
): { declared: boolean; schema: Schema | undefined } {
  if (schema === undefined) return { declared: true, schema: undefined };
  const found = propertySchema(schema, name, resolve);
  if (found !== undefined) return { declared: true, schema: found };
  const { properties, additionalProperties } = schema;
  const free =
    additionalProperties === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    (additionalProperties === undefined && (properties === undefined || Object.keys(properties).length === 0));
  return { declared: free, schema: undefined };
}

function isStructField(schema: Schema | undefined, name: string): boolean {
  return schema?.properties !== undefined && Object.hasOwn(schema.properties, name);
}

function itemSchema(schema: Schema | undefined, { resolve }: Typing): Schema | undefined {
  return schema?.items === undefined ? undefined : dereference(schema.items, resolve);
}

type ListAtom = Extract<Atom, { kind: 'list' }>;

/** The path element of an item of a map or set list; a string with a leading `!` is an error. */
function elementOf(list: ListAtom, item: Json, typing: Typing): { element: string } | { error: string } {
  if (list.keys.length === 0) {
    if (item === null) return { error: 'associative list without keys has an element that is null' };
    if (isObject(item)) return { error: "associative list without keys has an element that's a map type" };
    if (isArray(item)) return { error: 'not supported: associative list with lists as elements' };
    return { element: valueElement(item) };
  }
  if (item === null) return { error: 'associative list with keys may not have a null element' };
  if (!isObject(item)) return { error: 'associative list with keys may not have non-map elements' };
  const schema = itemSchema(list.schema, typing);
  const keys: [string, Json][] = [];
  const preset = (name: string): Json | undefined =>
    schema === undefined ? undefined : propertySchema(schema, name, typing.resolve)?.default;
  const names = list.keys.map((name) => JSON.stringify(name)).join(' ');
  if (list.keys.every((name) => (field(item, name) ?? preset(name) ?? null) === null))
    return {
      error: `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    };
  for (const name of list.keys) {
    const value = field(item, name) ?? preset(name);
    if (value !== undefined && value !== null) keys.push([name, value]);
  }
  return { element: keyElement(keys) };
}

/** Go's `%v` of a value inside an error of structured-merge-diff. */
function goValue(value: Json): string {
  if (isObject(value)) {
    const names = Object.keys(value).toSorted();
    return `map[${names.map((name) => `${name}:${goValue(value[name] as Json)}`).join(' ')}]`;
  }
  if (isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  return value === null ? '<nil>' : typeof value === 'string' ? value : stringifyJson(value);
}

/** Go's `%T` of a decoded JSON value. */
function goTypeName(value: Json): string {
  if (isObject(value)) return 'map[string]interface {}';
  if (isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'int64';
}

/** Go's `%#v` of a decoded JSON value. */
function goSyntax(value: Json): string {
  if (isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isObject(value)) {
    const names = Object.keys(value).toSorted();
    return `map[string]interface {}{${names.map((name) => `${JSON.stringify(name)}:${goSyntax(value[name] as Json)}`).join(', ')}}`;
  }
  return value === null ? 'interface {}(nil)' : typeof value === 'string' ? JSON.stringify(value) : goValue(value);
}

/** What does not fit the schema, as `typed.AsTyped` says; `duplicates`: an item may come twice in a set or map list. */
export function validateTyped(value: Json, schema: Schema | undefined, typing: Typing, duplicates: boolean): string[] {
  const errors: string[] = [];
  check(value, schema === undefined ? undefined : dereference(schema, typing.resolve), [], typing, duplicates, errors);
  return errors;
}

function check(
  value: Json,
  schema: Schema | undefined,
  path: readonly string[],
  typing: Typing,
  duplicates: boolean,
  errors: string[],
): void {
  const say = (message: string): void => {
    errors.push(path.length === 0 ? message : `${path.map(printElement).join('')}: ${message}`);
  };
  if (value === null) return;
  const atom = atomFor(schema, value);
  if (atom.kind === 'scalar') {
    const fits =
      atom.type === 'untyped'
        ? isScalar(value)
        : atom.type === 'numeric'
          ? typeof value === 'number' || typeof value === 'bigint'
          : typeof value === atom.type;
    if (!fits) {
      say(
        atom.type === 'numeric'
          ? `expected numeric (int or float), got ${goTypeName(value)}`
          : atom.type === 'string'
            ? `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
            : `expected ${atom.type === 'untyped' ? 'any scalar' : 'boolean'}, got &{${goValue(value)}}`,
      );
    }
  } else if (atom.kind === 'map') {
    if (!isObject(value)) {
      say(`expected map, got &{${goValue(value)}}`);
      return;
    }
    for (const name of Object.keys(value).toSorted()) {
      const child = fieldSchema(atom.schema, name, typing);
      const inner = [...path, `f:${name}`];
      if (!child.declared) errors.push(`${inner.map(printElement).join('')}: field not declared in schema`);
      else check(value[name] as Json, child.schema, inner, typing, duplicates, errors);
    }
  } else {
    if (!isArray(value)) {
      say(`expected list, got &{${goValue(value)}}`);
      return;
    }
    const items = itemSchema(atom.schema, typing);
    const seen = new Set<string>();
    value.forEach((item, index) => {
      let element = `i:${index}`;
      if (!atom.atomic) {
        const found = elementOf(atom, item, typing);
        if ('error' in found) {
          say(`element ${index}: ${found.error}`);
          return;
        }
        element = found.element;
        if (seen.has(element) && !duplicates) say(`duplicate entries for key ${printElement(element)}`);
        seen.add(element);
      }
      check(item, items, [...path, element], typing, duplicates, errors);
    });
  }
}

/** The fields that `value` sets. (typed/tofieldset.go) */
export function toFieldSet(value: Json, schema: Schema | undefined, typing: Typing): FieldSet {
  const set = new FieldSetBuilder();
  collect(value, schema === undefined ? undefined : dereference(schema, typing.resolve), [], typing, set);
  return set.build();
}

function collect(
  value: Json,
  schema: Schema | undefined,
  path: readonly string[],
  typing: Typing,
  set: FieldSetBuilder,
): void {
  const atom = atomFor(schema, value);
  if (atom.kind === 'scalar' || atom.atomic) {
    set.insert(path);
    return;
  }
  if (atom.kind === 'list') {
    if (!isArray(value)) return;
    const items = itemSchema(atom.schema, typing);
    const counts = new Map<string, number>();
    const elements = value.map((item) => {
      const found = elementOf(atom, item, typing);
      if ('error' in found) return undefined;
      counts.set(found.element, (counts.get(found.element) ?? 0) + 1);
      return found.element;
    });
    value.forEach((item, index) => {
      const element = elements[index];
      if (element === undefined) return;
      const inner = [...path, element];
      set.insert(inner);
      // Of an item that is there twice, only the item itself is owned.
      if (counts.get(element) === 1) collect(item, items, inner, typing, set);
    });
    return;
  }
  if (!isObject(value)) return;
  for (const name of Object.keys(value)) {
    const child = value[name] as Json;
    const inner = [...path, `f:${name}`];
    collect(child, fieldSchema(atom.schema, name, typing).schema, inner, typing, set);
    const empty = child === null || (isObject(child) && Object.keys(child).length === 0);
    if (empty || !isStructField(atom.schema, name)) set.insert(inner);
  }
}

/** `live` with `applied` laid over it. (typed/merge.go) */
export function mergeTyped(live: Json, applied: Json, schema: Schema | undefined, typing: Typing): Json {
  return mergeAt(live, applied, schema === undefined ? undefined : dereference(schema, typing.resolve), typing) ?? null;
}

function mergeAt(
  left: Json | undefined,
  right: Json | undefined,
  schema: Schema | undefined,
  typing: Typing,
): Json | undefined {
  const leaf = right === undefined ? left : right;
  const atom = right === undefined ? atomFor(schema, left) : atomFor(schema, right);
  if (left !== undefined && right !== undefined && !same(atomFor(schema, left), atom)) return right;
  if (atom.kind === 'scalar' || atom.atomic) return leaf;
  if (atom.kind === 'map') {
    const a = isObject(left) ? left : undefined;
    const b = isObject(right) ? right : undefined;
    if ((a === undefined || Object.keys(a).length === 0) && (b === undefined || Object.keys(b).length === 0))
      return leaf;
    const out: MutableJsonObject = {};
    for (const name of new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])) {
      const merged = mergeAt(field(a, name), field(b, name), fieldSchema(atom.schema, name, typing).schema, typing);
      if (merged !== undefined) put(out, name, merged);
    }
    return out;
  }
  const a = isArray(left) ? left : [];
  const b = isArray(right) ? right : [];
  return a.length === 0 && b.length === 0 ? leaf : mergeLists(a, b, atom, typing);
}

/** Keeps the applied order of items, and the place of the others among them. */
function mergeLists(left: readonly Json[], right: readonly Json[], atom: ListAtom, typing: Typing): Json[] {
  const schema = itemSchema(atom.schema, typing);
  const index = (list: readonly Json[]): { elements: string[]; items: Map<string, Json | undefined> } => {
    const items = new Map<string, Json | undefined>();
    const elements = list.map((item, position) => {
      const found = elementOf(atom, item, typing);
      const element = 'error' in found ? `i:${position}` : found.element;
      // An item that is there twice is not merged with: it is replaced.
      items.set(element, items.has(element) ? undefined : item);
      return element;
    });
    return { elements, items };
  };
  const a = index(left);
  const b = index(right);
  const shared = b.elements.filter((element) => a.items.has(element));
  let nextShared = shared.shift();
  const merged = new Set<string>();
  const out: Json[] = [];
  const push = (item: Json | undefined): void => {
    if (item !== undefined) out.push(item);
  };
  let i = 0;
  let j = 0;
  while (i < a.elements.length || j < b.elements.length) {
    const own = a.elements[i];
    const theirs = b.elements[j];
    if (own !== undefined && theirs !== undefined) {
      if (own === theirs) {
        merged.add(own);
        push(mergeAt(a.items.get(own), b.items.get(own), schema, typing));
        i++;
        j++;
        nextShared = shared.shift();
        continue;
      }
      if (b.items.has(own) && nextShared !== undefined && nextShared !== own) {
        i++;
        continue;
      }
    }
    if (own !== undefined) {
      if (!b.items.has(own)) {
        push(mergeAt(left[i], undefined, schema, typing));
        i++;
        continue;
      }
      if (merged.has(own)) i++;
    }
    if (theirs !== undefined) {
      merged.add(theirs);
      push(mergeAt(a.items.get(theirs), b.items.get(theirs), schema, typing));
      j++;
      if (nextShared === theirs) nextShared = shared.shift();
    }
  }
  return out;
}

/** Paths of what `value` sets of lists and maps that are whole or nothing. (apiserver@0.34 plugin/policy/mutating/patch/smd.go findAtomics) */
export function atomicPaths(value: Json, schema: Schema | undefined, typing: Typing): readonly string[] {
  return atomicsAt(value, schema === undefined ? undefined : dereference(schema, typing.resolve), '', typing);
}

function atomicsAt(value: Json, schema: Schema | undefined, path: string, typing: Typing): readonly string[] {
  const atom = atomFor(schema, value);
  if (atom.kind === 'map' && isObject(value)) {
    const own = Object.keys(value)
      .filter((name) => isStructField(atom.schema, name))
      .flatMap((name) =>
        atomicsAt(value[name] as Json, fieldSchema(atom.schema, name, typing).schema, `${path}.${name}`, typing),
      );
    return atom.atomic ? [path, ...own] : own;
  }
  if (atom.kind === 'list' && isArray(value)) {
    const items = itemSchema(atom.schema, typing);
    const own = value.flatMap((item, index) => atomicsAt(item, items, `${path}[${index}]`, typing));
    return atom.atomic ? [path, ...own] : own;
  }
  return [];
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** What changed from `before` to `after`. (typed/compare.go) */
export function compareTyped(before: Json, after: Json, schema: Schema | undefined, typing: Typing): Comparison {
  const added = new FieldSetBuilder();
  const modified = new FieldSetBuilder();
  const removed = new FieldSetBuilder();
  const root = schema === undefined ? undefined : dereference(schema, typing.resolve);
  compareAt(before, after, root, [], typing, { added, modified, removed });
  return { added: added.build(), modified: modified.build(), removed: removed.build() };
}

interface Sets {
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

function compareAt(
  left: Json | undefined,
  right: Json | undefined,
  schema: Schema | undefined,
  path: readonly string[],
  typing: Typing,
  sets: Sets,
): void {
  const atoms = [
    ...(left === undefined ? [] : [atomFor(schema, left)]),
    ...(right === undefined ? [] : [atomFor(schema, right)]),
  ];
  const [first, second] = atoms;
  if (first === undefined) return;
  let inLeaf = compareAtom(left, right, first, path, typing, sets);
  if (second !== undefined && !same(first, second)) inLeaf = compareAtom(left, right, second, path, typing, sets);
  if (!inLeaf) {
    if (left === undefined) sets.added.insert(path);
    else if (right === undefined) sets.removed.insert(path);
  }
}

/** Returns whether the value was treated as a leaf. */
function compareAtom(
  left: Json | undefined,
  right: Json | undefined,
  atom: Atom,
  path: readonly string[],
  typing: Typing,
  sets: Sets,
): boolean {
  const leaf = (): boolean => {
    if (left === undefined) sets.added.insert(path);
    else if (right === undefined) sets.removed.insert(path);
    else if (!equal(left, right)) sets.modified.insert(path);
    return true;
  };
  if (atom.kind === 'scalar' || atom.atomic) return leaf();
  if (atom.kind === 'map') {
    const a = isObject(left) ? left : {};
    const b = isObject(right) ? right : {};
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    if (names.size === 0) return leaf();
    for (const name of names) {
      const inner = fieldSchema(atom.schema, name, typing).schema;
      compareAt(field(a, name), field(b, name), inner, [...path, `f:${name}`], typing, sets);
    }
    return false;
  }
  const a = isArray(left) ? left : [];
  const b = isArray(right) ? right : [];
  if (a.length === 0 && b.length === 0) return leaf();
  compareLists(a, b, atom, path, typing, sets);
  return false;
}

function compareLists(
  left: readonly Json[],
  right: readonly Json[],
  atom: ListAtom,
  path: readonly string[],
  typing: Typing,
  sets: Sets,
): void {
  const schema = itemSchema(atom.schema, typing);
  const group = (list: readonly Json[]): Map<string, Json[]> => {
    const out = new Map<string, Json[]>();
    for (const item of list) {
      const found = elementOf(atom, item, typing);
      if ('error' in found) continue;
      const known = out.get(found.element);
      if (known === undefined) out.set(found.element, [item]);
      else known.push(item);
    }
    return out;
  };
  const a = group(left);
  const b = group(right);
  for (const element of new Set([...a.keys(), ...b.keys()])) {
    const olds = a.get(element) ?? [];
    const news = b.get(element) ?? [];
    const inner = [...path, element];
    if (olds.length <= 1 && news.length <= 1) compareAt(olds[0], news[0], schema, inner, typing, sets);
    else if (olds.length >= 2 && news.length >= 2) {
      if (!equal(olds, news)) sets.modified.insert(inner);
    } else if (olds.length >= 2) {
      if (news.length > 0) compareAt(undefined, news[0], schema, inner, typing, sets);
      sets.removed.insert(inner);
    } else {
      if (olds.length > 0) compareAt(olds[0], undefined, schema, inner, typing, sets);
      sets.added.insert(inner);
    }
  }
}

/** `value` without the fields and items of `remove`; undefined when nothing is left. (typed/remove.go) */
export function removeItems(
  value: Json,
  remove: FieldSet,
  schema: Schema | undefined,
  typing: Typing,
): Json | undefined {
  return removeAt(value, remove, schema === undefined ? undefined : dereference(schema, typing.resolve), typing);
}

function removeAt(value: Json, remove: FieldSet, schema: Schema | undefined, typing: Typing): Json | undefined {
  const atom = atomFor(schema, value);
  if (atom.kind === 'scalar') return value;
  if (atom.atomic) return undefined;
  if (atom.kind === 'list') {
    if (!isArray(value) || value.length === 0) return undefined;
    const items = itemSchema(atom.schema, typing);
    const out: Json[] = [];
    for (const item of value) {
      const found = elementOf(atom, item, typing);
      const element = 'error' in found ? undefined : found.element;
      if (element !== undefined && remove.members.has(element)) continue;
      const inside = element === undefined ? undefined : remove.children.get(element);
      out.push(inside === undefined ? item : (removeAt(item, inside, items, typing) ?? null));
    }
    return out.length === 0 ? undefined : out;
  }
  if (!isObject(value) || Object.keys(value).length === 0) return undefined;
  const out: MutableJsonObject = {};
  for (const name of Object.keys(value)) {
    const element = `f:${name}`;
    if (remove.members.has(element)) continue;
    const child = value[name] as Json;
    const inside = remove.children.get(element);
    put(
      out,
      name,
      inside === undefined
        ? child
        : (removeAt(child, inside, fieldSchema(atom.schema, name, typing).schema, typing) ?? null),
    );
  }
  return Object.keys(out).length === 0 ? undefined : out;
}

/** `set` with the named fields on the way to its members as members too. (fieldpath/set.go EnsureNamedFieldsAreMembers) */
export function ensureNamedFields(set: FieldSet, schema: Schema | undefined, typing: Typing): FieldSet {
  return ensureAt(set, schema === undefined ? undefined : dereference(schema, typing.resolve), typing);
}

function ensureAt(set: FieldSet, schema: Schema | undefined, typing: Typing): FieldSet {
  const members = new Set(set.members);
  const children = new Map<string, FieldSet>();
  for (const [element, child] of set.children) {
    const isField = element.startsWith('f:');
    const name = element.slice(2);
    if (isField && isStructField(schema, name)) members.add(element);
    const inner = isField ? fieldSchema(schema, name, typing).schema : itemSchema(schema, typing);
    children.set(element, ensureAt(child, inner, typing));
  }
  return { members, children };
}

/** An object as `typed` sees it: without `metadata.managedFields`. */
export function withoutManagedFields(object: JsonObject): JsonObject {
  const metadata = field(object, 'metadata');
  if (!isObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object;
  const { managedFields: _managed, ...rest } = metadata;
  return { ...object, metadata: rest };
}
