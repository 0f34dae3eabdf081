import { ANY, assignable, BOOL, canBeNil, FLOAT64, INT, REFLECT_VALUE, STRING } from './go-type.ts';
import type { NumberConstant } from './number.ts';
import { typeOf, zeroOf } from './type-of.ts';
import { Complex, GoError, type GoType, NilPointer, Struct, Typed, type Value } from './value.ts';

/*
 * Values as arguments. (go@1.26 text/template/exec.go, validateType)
 */

/**
 * Gives `value` the JavaScript type in which functions get an argument of `type` (see GoType).
 * @throws GoError when it cannot be assigned to the type, with Go's message.
 */
export function toArgument(value: Value, type: GoType): unknown {
  if (type === ANY) return value === undefined ? null : value;
  if (type === REFLECT_VALUE) return value;
  switch (typeof value) {
    case 'string':
      if (type === STRING) return value;
      break;
    case 'bigint':
      if (type === INT) return Number(value);
      break;
    case 'number':
      if (type === FLOAT64) return value;
      break;
    case 'boolean':
      if (type === BOOL) return value;
      break;
    default:
  }
  const valid = validated(value, type);
  if (valid instanceof NilPointer) {
    throw new GoError('runtime error: invalid memory address or nil pointer dereference');
  }
  return native(valid, type);
}

function validated(value: Value, type: GoType): Value {
  if (value === undefined) {
    if (canBeNil(type)) return zeroOf(type);
    throw new GoError(`invalid value; expected ${type.name}`);
  }
  if (type.name === ANY.name || type.name === REFLECT_VALUE.name) return value;
  // A nil in an interface keeps the interface's type.
  if (value === null) throw new GoError(`wrong type for value; expected ${type.name}; got ${ANY.name}`);
  const from = typeOf(value);
  if (assignable(from, type)) return value;
  if (value instanceof Struct && from.kind === 'ptr' && from.elem !== undefined && assignable(from.elem, type)) {
    return new Struct(from.elem, value.fields, value.data);
  }
  throw new GoError(`wrong type for value; expected ${type.name}; got ${from.name}`);
}

function native(value: Value, type: GoType): unknown {
  if (value instanceof Typed && value.type.named && type.kind !== 'interface' && type.name !== REFLECT_VALUE.name) {
    return type.kind === 'int' ? Number(value.value) : value.value;
  }
  return value;
}

/**
 * Reports whether a number constant can be of `type`, and gives the argument: a `1` is an int, an int64 and a float64.
 * Undefined for none.
 */
export function constantArgument(constant: NumberConstant, type: GoType): unknown {
  switch (type.kind) {
    case 'int':
      return constant.int === undefined ? undefined : Number(constant.int);
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return constant.int;
    case 'uint':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
      return constant.uint;
    case 'float32':
    case 'float64':
      return constant.float;
    case 'complex128': {
      const { complex } = constant;
      return complex === undefined ? undefined : new Complex(complex.real, complex.imaginary);
    }
    default:
      return undefined;
  }
}

/** What a constant of `kind` is called where one was expected. */
export function expectedConstant(type: GoType): string | undefined {
  const { kind } = type;
  if (kind === 'bool' || kind === 'string') return kind;
  if (kind.startsWith('uint')) return 'unsigned integer';
  if (kind.startsWith('int') && kind !== 'interface') return 'integer';
  if (kind.startsWith('float')) return 'float';
  return kind === 'complex128' ? 'complex' : undefined;
}
