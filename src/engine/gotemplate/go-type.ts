import type { GoType, Kind, Struct, TypedList, TypedMap, Value } from './value.ts';

function predeclared<T>(kind: Kind, name: string = kind): GoType<T> {
  return { name, kind, named: true };
}

/** `interface{}`: the function gets any value; nil is `null`. */
export const ANY: GoType<Value> = { name: 'interface {}', kind: 'interface', named: false };
/** `reflect.Value`: any value; the nil of an absent thing is `undefined`, a nil interface is `null`. */
export const REFLECT_VALUE: GoType<Value> = predeclared('struct', 'reflect.Value');
export const ERROR: GoType<Value> = predeclared('interface', 'error');
export const BOOL: GoType<boolean> = predeclared('bool');
export const STRING: GoType<string> = predeclared('string');
/** `int`: the function gets a `number` (counts and indexes; beyond 2^53 the nearest one). */
export const INT: GoType<number> = predeclared('int');
export const INT8: GoType<bigint> = predeclared('int8');
export const INT16: GoType<bigint> = predeclared('int16');
export const INT32: GoType<bigint> = predeclared('int32');
/** `int64`, and every other integer type but `int`: the function gets an exact `bigint`. */
export const INT64: GoType<bigint> = predeclared('int64');
export const UINT: GoType<bigint> = predeclared('uint');
export const UINT8: GoType<bigint> = predeclared('uint8');
export const UINT16: GoType<bigint> = predeclared('uint16');
export const UINT32: GoType<bigint> = predeclared('uint32');
export const UINT64: GoType<bigint> = predeclared('uint64');
export const FLOAT32: GoType<number> = predeclared('float32');
export const FLOAT64: GoType<number> = predeclared('float64');
export const COMPLEX128: GoType<Value> = predeclared('complex128');

/** `[]interface {}`, the type of a plain array. */
export const LIST: GoType<readonly Value[]> = sliceOf(ANY);
/** `map[string]interface {}`, the type of a plain Map. */
export const MAP: GoType<Map<string, Value>> = mapOf(ANY);
export const STRINGS: GoType<TypedList> = sliceOf(STRING) as GoType<TypedList>;
export const INTS: GoType<TypedList> = sliceOf(INT) as GoType<TypedList>;
export const STRING_MAP: GoType<TypedMap> = mapOf(STRING) as GoType<TypedMap>;
/** `[]uint8`, Go's `[]byte`. */
export const BYTES: GoType<Uint8Array> = { name: '[]uint8', kind: 'slice', named: false, elem: UINT8 };

/** The type `[]elem`. */
export function sliceOf(elem: GoType): GoType<readonly Value[]> {
  return { name: `[]${elem.name}`, kind: 'slice', named: false, elem };
}

/** The type `map[string]elem`; no other key type reaches a template. */
export function mapOf(elem: GoType): GoType<Map<string, Value>> {
  return { name: `map[string]${elem.name}`, kind: 'map', named: false, elem };
}

/** The type `*elem`; it has the methods of `elem`. */
export function pointerTo(elem: GoType): GoType<Struct> {
  return { ...elem, name: `*${elem.name}`, kind: 'ptr', named: false, elem } as GoType<Struct>;
}

/** What a `type` declaration makes: `namedType('time.Duration', INT64, { text })`. */
export function namedType<T>(
  name: string,
  underlying: GoType<T>,
  extra: Pick<GoType, 'methods' | 'text'> = {},
): GoType<T> {
  return { ...underlying, ...extra, name, named: true };
}

/** A struct type; its fields are in its values. */
export function structType(name: string, extra: Pick<GoType, 'methods' | 'text'> = {}): GoType<Struct> {
  return { name, kind: 'struct', named: true, ...extra };
}

/** The underlying type's name where it can decide assignability: only slices and maps have an unnamed form. */
function unnamed(type: GoType): string {
  if (type.kind === 'slice' && type.elem !== undefined) return `[]${type.elem.name}`;
  if (type.kind === 'map' && type.elem !== undefined) return `map[string]${type.elem.name}`;
  return type.name;
}

/**
 * Reports whether a value of type `from` can be assigned to `to` (Go specification, "Assignability").
 * The only non-empty interface is `error`; nothing that a template holds implements it.
 */
export function assignable(from: GoType, to: GoType): boolean {
  if (from === to || from.name === to.name) return true;
  if (to.kind === 'interface') return to.name === ANY.name;
  return !(from.named && to.named) && from.kind === to.kind && unnamed(from) === unnamed(to);
}

/** Reports whether nil can be passed where `type` is expected. */
export function canBeNil(type: GoType): boolean {
  return (
    type.kind === 'interface' ||
    type.kind === 'map' ||
    type.kind === 'slice' ||
    type.kind === 'ptr' ||
    type.kind === 'func' ||
    type.name === REFLECT_VALUE.name
  );
}
