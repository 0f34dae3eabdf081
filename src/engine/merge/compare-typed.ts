import { equal, field, isArray, isObject, type Json } from '../../base/json.ts';
import { dereference, type Schema } from '../schema/schema.ts';
import { type Atom, atomFor, elementOf, fieldSchema, itemSchema, type ListAtom, same, type Typing } from './atoms.ts';
import { type FieldSet, FieldSetBuilder } from './fields.ts';

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
