import { equalsAny, isLess, isLessOrEqual } from './compare.ts';
import { escapeHtml, escapeJs, escapeQuery } from './escape.ts';
import { sprintAll, sprintf, sprintln } from './format.ts';
import { func, variadic } from './func.ts';
import { byteLength, sliceBytes, toBytes } from './go-string.ts';
import { ANY, REFLECT_VALUE, STRING, UINT8 } from './go-type.ts';
import { int, typedList } from './make-value.ts';
import { isTrue } from './truth.ts';
import { elementType, typeOf, zeroOf } from './type-of.ts';
import {
  type Func,
  GoError,
  type GoType,
  isList,
  isMap,
  NilPointer,
  Struct,
  Typed,
  TypedList,
  type Value,
} from './value.ts';

/** A value's type behind a pointer, as messages name it. */
function pointedType(value: Value): GoType {
  const type = typeOf(value);
  return value instanceof Struct && type.kind === 'ptr' ? (type.elem ?? type) : type;
}

/** The string in a value of a string type. */
function stringOf(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Typed && typeof value.value === 'string' ? value.value : undefined;
}

/** An argument as index into something of which positions to `limit` are right. */
function indexOf(index: Value, limit: number): number {
  const whole = index instanceof Typed ? index.value : index;
  if (index === undefined || index === null) throw new GoError('cannot index slice/array with nil');
  if (typeof whole !== 'bigint') throw new GoError(`cannot index slice/array with type ${typeOf(index).name}`);
  const signed = BigInt.asIntN(64, whole);
  if (signed < 0n || signed > BigInt(limit)) throw new GoError(`index out of range: ${signed}`);
  return Number(signed);
}

function elementAt(item: Value, index: Value): Value {
  if (item === null || item === undefined || item instanceof NilPointer) throw new GoError('index of nil pointer');
  if (isMap(item)) {
    if (index === undefined || index === null) throw new GoError('value is nil; should be of type string');
    if (typeof index !== 'string') throw new GoError(`value has type ${typeOf(index).name}; should be string`);
    return item.get(index) ?? (item.has(index) ? null : zeroOf(elementType(item)));
  }
  const bytes = item instanceof Uint8Array ? item : undefined;
  if (isList(item) || bytes !== undefined) {
    const length = bytes?.length ?? (item as readonly Value[]).length;
    const at = indexOf(index, length);
    if (at === length) throw new GoError('reflect: slice index out of range');
    return bytes === undefined ? (item as readonly Value[])[at] : new Typed(UINT8, BigInt(bytes[at] as number));
  }
  const text = stringOf(item);
  if (text === undefined) throw new GoError(`can't index item of type ${pointedType(item).name}`);
  const at = indexOf(index, byteLength(text));
  if (at === byteLength(text)) throw new GoError('reflect: string index out of range');
  return new Typed(UINT8, BigInt(toBytes(text)[at] as number));
}

function index(item: Value, indexes: readonly Value[]): Value {
  if (item === undefined || item === null) throw new GoError('index of untyped nil');
  return indexes.reduce(elementAt, item);
}

function lengthOf(value: Value): number | undefined {
  if (isMap(value)) return value.size;
  if (isList(value) || value instanceof Uint8Array) return value.length;
  const text = stringOf(value);
  return text === undefined ? undefined : byteLength(text);
}

function length(value: Value): Value {
  if (value === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  if (value === null || value instanceof NilPointer) throw new GoError('len of nil pointer');
  const count = lengthOf(value);
  if (count === undefined) throw new GoError(`len of type ${pointedType(value).name}`);
  return int(count);
}

/** The builtin slice; the capacity of a slice is taken to be its length. */
function slice(item: Value, indexes: readonly Value[]): Value {
  if (item === undefined || item === null) throw new GoError('slice of untyped nil');
  if (item instanceof NilPointer) throw new GoError('slice of nil pointer');
  if (indexes.length > 3) throw new GoError(`too many slice indexes: ${indexes.length}`);
  const text = stringOf(item);
  if (text !== undefined && indexes.length === 3) throw new GoError('cannot 3-index slice a string');
  const size = isMap(item) ? undefined : lengthOf(item);
  if (size === undefined) throw new GoError(`can't slice item of type ${pointedType(item).name}`);
  const [from = 0, to = size, limit] = indexes.map((at) => indexOf(at, size));
  if (from > to) throw new GoError(`invalid slice index: ${from} > ${to}`);
  if (limit !== undefined && to > limit) throw new GoError(`invalid slice index: ${to} > ${limit}`);
  if (text !== undefined) {
    const part = sliceBytes(text, from, to);
    return typeof item === 'string' ? part : new Typed(typeOf(item), part);
  }
  if (item instanceof Uint8Array) return item.subarray(from, to);
  const part = (item as readonly Value[]).slice(from, to);
  return item instanceof TypedList ? typedList(item.type, part) : part;
}

/** The executor evaluates these three: their arguments are evaluated one by one, or name the function. */
function unreachable(): never {
  throw new Error('and, or and call are evaluated by the executor');
}

export const AND: Func = variadic([REFLECT_VALUE], REFLECT_VALUE, unreachable);
export const OR: Func = variadic([REFLECT_VALUE], REFLECT_VALUE, unreachable);
export const CALL: Func = variadic([REFLECT_VALUE], REFLECT_VALUE, unreachable);

/** The functions that Go's templates have without being told of any. */
export const BUILTINS: ReadonlyMap<string, Func> = new Map([
  ['and', AND],
  ['or', OR],
  ['call', CALL],
  ['not', func([REFLECT_VALUE], (value) => !isTrue(value))],
  ['index', variadic([REFLECT_VALUE], REFLECT_VALUE, (item, ...indexes) => index(item, indexes))],
  ['slice', variadic([REFLECT_VALUE], REFLECT_VALUE, (item, ...indexes) => slice(item, indexes))],
  ['len', func([REFLECT_VALUE], length)],
  ['html', variadic([], ANY, (...values) => escapeHtml(values))],
  ['js', variadic([], ANY, (...values) => escapeJs(values))],
  ['urlquery', variadic([], ANY, (...values) => escapeQuery(values))],
  ['print', variadic([], ANY, (...values) => sprintAll(values))],
  ['printf', variadic([STRING], ANY, (format, ...values) => sprintf(format, values))],
  ['println', variadic([], ANY, (...values) => sprintln(values))],
  ['eq', variadic([REFLECT_VALUE], REFLECT_VALUE, (first, ...others) => equalsAny(first, others))],
  ['ne', func([REFLECT_VALUE, REFLECT_VALUE], (first, other) => !equalsAny(first, [other]))],
  ['lt', func([REFLECT_VALUE, REFLECT_VALUE], isLess)],
  ['le', func([REFLECT_VALUE, REFLECT_VALUE], isLessOrEqual)],
  ['gt', func([REFLECT_VALUE, REFLECT_VALUE], (first, other) => !isLessOrEqual(first, other))],
  ['ge', func([REFLECT_VALUE, REFLECT_VALUE], (first, other) => !isLess(first, other))],
]);
