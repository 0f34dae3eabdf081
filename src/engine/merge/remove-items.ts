import { isArray, isObject, type Json, type MutableJsonObject, put } from '../../base/json.ts';
import { dereference, type Schema } from '../schema/schema.ts';
import { atomFor, elementOf, fieldSchema, itemSchema, type Typing } from './atoms.ts';
import type { FieldSet } from './fields.ts';

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
