import { isArray, isObject, type Json } from '../../base/json.ts';
import { dereference, type Schema } from '../schema/schema.ts';
import { atomFor, elementOf, fieldSchema, isStructField, itemSchema, type Typing } from './atoms.ts';
import { type FieldSet, FieldSetBuilder } from './fields.ts';

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
