import { toArgument } from './arguments.ts';
import { assignable, canBeNil } from './go-type.ts';
import { typeOf } from './type-of.ts';
import { Func, GoError, type GoType, Typed, type Value } from './value.ts';

const WHOLE = /^u?int/;

/**
 * The builtin `call`: calls a function that is a value. `values` begins with it. (go@1.26 text/template/funcs.go, call)
 * @throws GoError
 */
export function callValue(name: string, values: readonly Value[]): Value {
  const [callee, ...args] = values;
  if (callee === undefined || callee === null) throw new GoError('call of nil');
  if (!(callee instanceof Func)) throw new GoError(`non-function ${name} of type ${typeOf(callee).name}`);
  const { params, rest } = callee;
  if (rest !== undefined) {
    if (args.length < params.length) {
      throw new GoError(`wrong number of args for ${name}: got ${args.length} want at least ${params.length}`);
    }
  } else if (args.length !== params.length) {
    throw new GoError(`wrong number of args for ${name}: got ${args.length} want ${params.length}`);
  }
  const prepared = args.map((arg, index) => prepare(arg, (params[index] ?? rest) as GoType, index));
  return (callee.call as (...args: unknown[]) => Value)(...prepared);
}

function prepare(value: Value, type: GoType, index: number): unknown {
  const fail = (reason: string): never => {
    throw new GoError(`arg ${index}: ${reason}`);
  };
  if (value === undefined || value === null) {
    return canBeNil(type) ? toArgument(undefined, type) : fail(`value is nil; should be of type ${type.name}`);
  }
  const from = typeOf(value);
  if (assignable(from, type)) return toArgument(value, type);
  // Any integer is converted to any other.
  const whole = value instanceof Typed ? value.value : value;
  if (typeof whole === 'bigint' && WHOLE.test(type.kind)) return wrapped(whole, type);
  return fail(`value has type ${from.name}; should be ${type.name}`);
}

function wrapped(value: bigint, { kind }: GoType): bigint | number {
  if (kind === 'int') return Number(value);
  const bits = Number(kind.replace(WHOLE, '') || 64);
  return kind.startsWith('u') ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
}
