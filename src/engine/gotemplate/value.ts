import type { Func } from './func.ts';
import {
  ANY,
  BOOL,
  BYTES,
  COMPLEX128,
  FLOAT64,
  type GoType,
  INT,
  INT64,
  type Kind,
  LIST,
  MAP,
  STRING,
  STRINGS,
} from './go-type.ts';

/*
 * How Go's values are held, so that the common ones are plain JavaScript:
 *
 *   Go                              here                       made by
 *   ------------------------------- -------------------------- -------------------------------------------
 *   nil interface{}                 null                       null
 *   no value (zero reflect.Value)   undefined                  a missing key, nil after a pipeline
 *   bool                            boolean
 *   string                          string                     see go-string.ts for bytes that are not UTF-8
 *   float64                         number
 *   int                             bigint                     int(n), BigInt(n)
 *   int64, uint8, json.Number, ...  Typed {type, value}        int64(n), new Typed(TYPE, value)
 *   complex128                      Complex
 *   []interface{}                   array                      never changed once made
 *   []string, []int, named slices   TypedList (an array too)   strings([...]), typedList(TYPE, [...])
 *   []byte                          Uint8Array
 *   map[string]interface{}          Map<string, Value>         shared and mutable: `set` and `unset` change it
 *   map[string]string, named maps   TypedMap (a Map too)       new TypedMap(TYPE, entries)
 *   struct, pointer to struct       Struct                     new Struct(TYPE, fields, data)
 *   nil pointer                     NilPointer {type}
 *   func                            Func                       func.ts
 *
 * Any value's type is typeOf(value) (`%T` is its name, `kindOf` its kind); a nil slice or map is a typed one with
 * `isNil`. `Array.isArray` finds every list but []byte, `instanceof Map` every map; a map's keys are strings, and Go
 * shows them sorted: sortedKeys(map).
 *
 * Functions for templates are made by func([STRING, INT], (text, count) => ...) or variadic([STRING], ANY, ...): the
 * executor checks number and types of the arguments with Go's messages, and the function gets the JavaScript type that
 * the GoType carries (INT: number, INT64: bigint, STRING: string, ANY: Value with nil as null, LIST: array, MAP: Map).
 * It returns a Value: mind that a `number` is a float64 and a `bigint` an int; null is a nil interface{}. It fails by
 * throwing a GoError, whose message the executor prefixes: `error calling NAME: MESSAGE`.
 * Methods of an object (`.Files.Get`) are functions too: the `methods` of its type.
 */
export type Value =
  | undefined
  | null
  | boolean
  | string
  | number
  | bigint
  | readonly Value[]
  | Map<string, Value>
  | Uint8Array
  | Typed
  | Complex
  | Struct
  | NilPointer
  | Func;

/** A failure of a template or of a function in it, with Go's text. */
export class GoError extends Error {
  override name = 'GoError';
}

/** A basic value of another type than bool, string, int and float64: integers hold a bigint, floats a number. */
export class Typed {
  readonly type: GoType;
  readonly value: bigint | number | string | boolean;

  constructor(type: GoType, value: bigint | number | string | boolean) {
    this.type = type;
    this.value = value;
  }
}

export class Complex {
  readonly real: number;
  readonly imaginary: number;

  constructor(real: number, imaginary: number) {
    this.real = real;
    this.imaginary = imaginary;
  }
}

/** A slice of another type than []interface{}, or a nil slice; made by {@link typedList}. */
export class TypedList extends Array<Value> {
  type: GoType = LIST;
  isNil = false;

  /** What `map`, `filter` and `slice` return: a plain list. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** A map of another type than map[string]interface{}, or a nil map. */
export class TypedMap extends Map<string, Value> {
  readonly type: GoType;
  readonly isNil: boolean;

  constructor(type: GoType, entries: Iterable<readonly [string, Value]> | null) {
    super(entries ?? []);
    this.type = type;
    this.isNil = entries === null;
  }
}

/** A struct, or a pointer to one when its type says so. `fields` are in Go's order; `data` is the host's. */
export class Struct<D = unknown> {
  readonly type: GoType;
  readonly fields: ReadonlyMap<string, Value>;
  readonly data: D;

  constructor(type: GoType, fields: ReadonlyMap<string, Value>, data: D) {
    this.type = type;
    this.fields = fields;
    this.data = data;
  }
}

export class NilPointer {
  readonly type: GoType;

  constructor(type: GoType) {
    this.type = type;
  }
}

/** The Go int `value`; a fraction is dropped. */
export function int(value: number): bigint {
  return BigInt(Math.trunc(value));
}

/** The Go int64 `value`, wrapped around as Go does. */
export function int64(value: bigint | number): Typed {
  return new Typed(INT64, BigInt.asIntN(64, typeof value === 'bigint' ? value : BigInt(Math.trunc(value))));
}

/** A slice of type `type`; null makes a nil slice. */
export function typedList(type: GoType, items: readonly Value[] | null): TypedList {
  const list = new TypedList();
  list.type = type;
  list.isNil = items === null;
  if (items !== null) for (const item of items) list.push(item);
  return list;
}

/** A []string. */
export function strings(items: readonly string[] | null): TypedList {
  return typedList(STRINGS, items);
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is Map<string, Value> {
  return value instanceof Map;
}

const FUNC: GoType = { name: 'func()', kind: 'func', named: false };
const INVALID: GoType = { name: '<nil>', kind: 'invalid', named: false };

/** The type of `value`; nil has the name `<nil>` and the kind `invalid`. */
export function typeOf(value: Value): GoType {
  switch (typeof value) {
    case 'string':
      return STRING;
    case 'number':
      return FLOAT64;
    case 'bigint':
      return INT;
    case 'boolean':
      return BOOL;
    case 'undefined':
      return INVALID;
    default:
  }
  if (value === null) return INVALID;
  if (value instanceof Map) return value instanceof TypedMap ? value.type : MAP;
  if (Array.isArray(value)) return value instanceof TypedList ? value.type : LIST;
  if (value instanceof Uint8Array) return BYTES;
  if (value instanceof Complex) return COMPLEX128;
  return (value as Typed | Struct | NilPointer).type ?? FUNC;
}

export function kindOf(value: Value): Kind {
  return typeOf(value).kind;
}

/** Reports whether `value` is nil or a nil of some type. */
export function isNil(value: Value): boolean {
  if (value === undefined || value === null || value instanceof NilPointer) return true;
  return (value instanceof TypedList || value instanceof TypedMap) && value.isNil;
}

/** The zero value of `type`, as a missing element of a typed map has. */
export function zeroOf(type: GoType): Value {
  switch (type.kind) {
    case 'interface':
    case 'invalid':
    case 'func':
      return null;
    case 'bool':
      return wrap(type, BOOL, false);
    case 'string':
      return wrap(type, STRING, '');
    case 'float64':
      return wrap(type, FLOAT64, 0);
    case 'float32':
      return new Typed(type, 0);
    case 'complex128':
      return new Complex(0, 0);
    case 'int':
      return wrap(type, INT, 0n);
    case 'slice':
      return typedList(type, null);
    case 'map':
      return new TypedMap(type, null);
    case 'ptr':
      return new NilPointer(type);
    case 'struct':
      return new Struct(type, new Map(), undefined);
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
      return new Typed(type, 0n);
  }
}

function wrap(type: GoType, plain: GoType, value: bigint | number | string | boolean): Value {
  return type.name === plain.name ? value : new Typed(type, value);
}

/** The static type of an element of a list or map: what a nil element is called in messages. */
export function elementType(container: Value): GoType {
  return typeOf(container).elem ?? ANY;
}
