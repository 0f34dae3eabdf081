import { ANY, BOOL, BYTES, COMPLEX128, FLOAT64, INT, LIST, MAP, STRING } from './go-type.ts';
import { typedList } from './make-value.ts';
import {
  Complex,
  type GoType,
  type Kind,
  NilPointer,
  Struct,
  Typed,
  TypedList,
  TypedMap,
  type Value,
} from './value.ts';

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
