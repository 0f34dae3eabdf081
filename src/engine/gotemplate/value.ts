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
 *   func                            Func                       func(...), variadic(...)
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
  type!: GoType;
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

/** A function that a template can call. */
export class Func {
  /** Types of the fixed parameters. */
  readonly params: readonly GoType[];
  /** Element type of the variadic parameter, when there is one. */
  readonly rest: GoType | undefined;
  /** Gets arguments that fit the parameters; throws GoError to fail. */
  readonly call: (...args: never[]) => Value;

  constructor(params: readonly GoType[], rest: GoType | undefined, call: (...args: never[]) => Value) {
    this.params = params;
    this.rest = rest;
    this.call = call;
  }
}

/** What `reflect.Kind` prints; `kindOf` of Sprig shows it. */
export type Kind =
  | 'invalid'
  | 'bool'
  | 'int'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float32'
  | 'float64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'map'
  | 'struct'
  | 'ptr'
  | 'interface'
  | 'func';

/**
 * A Go type, as far as templates can see one. `T` is the JavaScript type in which a {@link Func} receives an argument
 * of it. Two types are the same when their names are.
 */
export interface GoType<T = unknown> {
  /** What `%T` prints: `map[string]interface {}`, `*chart.Metadata`. */
  readonly name: string;
  readonly kind: Kind;
  /** True for a type that a `type` declaration names (`time.Duration`), also for predeclared ones such as `int`. */
  readonly named: boolean;
  /** Element type of a slice, map or pointer. */
  readonly elem?: GoType;
  readonly methods?: ReadonlyMap<string, Method>;
  /** The `String` or `Error` method, which `fmt` calls instead of printing the parts. */
  readonly text?: (value: Value) => string;
  /** Never there: only carries `T`. */
  readonly argument?: T;
}

/** A method: given its receiver, the function to call. */
export type Method = (receiver: Value) => Func;

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is Map<string, Value> {
  return value instanceof Map;
}

/** Reports whether `value` is nil or a nil of some type. */
export function isNil(value: Value): boolean {
  if (value === undefined || value === null || value instanceof NilPointer) return true;
  return (value instanceof TypedList || value instanceof TypedMap) && value.isNil;
}
