import { field, isArray, isObject, type Json, type MutableJsonObject, put } from '../../base/json.ts';
import { dereference, type Schema } from '../schema/schema.ts';
import { atomFor, elementOf, fieldSchema, itemSchema, type ListAtom, same, type Typing } from './atoms.ts';

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
