import { field, isArray, isObject, type Json } from '../../base/json.ts';
import { dereference, propertySchema, type ResolveSchema, type Schema } from '../schema/schema.ts';
import { keyElement, valueElement } from './fields.ts';

/**
 * Values seen through a schema, as structured-merge-diff@v6 `typed` does: what is a leaf, which lists are maps or sets.
 * An undefined schema is "deduced": objects are granular, lists are leaves.
 */
export interface Typing {
  readonly resolve: ResolveSchema;
}

export type Atom =
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

export function atomFor(schema: Schema | undefined, value: Json | undefined): Atom {
  const atom = atomOf(schema);
  if (atom !== undefined) return atom;
  return isObject(value) ? DEDUCED_MAP : isArray(value) ? DEDUCED_LIST : UNTYPED;
}

export const isScalar = (value: Json | undefined): boolean =>
  value !== undefined && value !== null && !isObject(value) && !isArray(value);

export function same(a: Atom, b: Atom): boolean {
  return a === b || (a.kind === b.kind && (a.kind === 'scalar' || a.atomic === (b as typeof a).atomic));
}

/** Whether objects of `schema` may hold `name`; undefined schema in the answer: its type is deduced. */
export function fieldSchema(
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

export function isStructField(schema: Schema | undefined, name: string): boolean {
  return schema?.properties !== undefined && Object.hasOwn(schema.properties, name);
}

export function itemSchema(schema: Schema | undefined, { resolve }: Typing): Schema | undefined {
  return schema?.items === undefined ? undefined : dereference(schema.items, resolve);
}

export type ListAtom = Extract<Atom, { kind: 'list' }>;

/** The path element of an item of a map or set list; a string with a leading `!` is an error. */
export function elementOf(list: ListAtom, item: Json, typing: Typing): { element: string } | { error: string } {
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
