import { equalStrings } from '../gotemplate/go-string.ts';
import { typeOf } from '../gotemplate/type-of.ts';
import { Complex, isList, isMap, isNil, NilPointer, Struct, Typed, type Value } from '../gotemplate/value.ts';
import { NodeMeter } from './limits.ts';

/** Go's `reflect.DeepEqual`: the same type and the same content. */
export function deepEqual(a: Value, b: Value): boolean {
  return equal(a, b, 0, new NodeMeter('deepEqual'));
}

function equal(a: Value, b: Value, depth: number, meter: NodeMeter): boolean {
  if (a === b) return !(typeof a === 'number' && Number.isNaN(a));
  if (typeof a === 'string' && typeof b === 'string') return equalStrings(a, b);
  if (!isReference(a) || !isReference(b)) return isAbsent(a) && isAbsent(b);
  meter.visit(depth);
  if (typeOf(a).name !== typeOf(b).name || isNil(a) !== isNil(b)) return false;
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index], depth + 1, meter));
  }
  if (isMap(a) && isMap(b)) {
    if (a.size !== b.size) return false;
    for (const [key, value] of a) if (!b.has(key) || !equal(value, b.get(key), depth + 1, meter)) return false;
    return true;
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  if (a instanceof Typed && b instanceof Typed) return a.value === b.value;
  if (a instanceof Complex && b instanceof Complex) return a.real === b.real && a.imaginary === b.imaginary;
  if (a instanceof Struct && b instanceof Struct) return equalStructs(a, b, depth, meter);
  return a instanceof NilPointer;
}

function isAbsent(value: Value): boolean {
  return value === null || value === undefined;
}

function isReference(value: Value): value is Exclude<Value, undefined | null | boolean | string | number | bigint> {
  return typeof value === 'object' && value !== null;
}

function equalStructs(a: Struct, b: Struct, depth: number, meter: NodeMeter): boolean {
  for (const [name, value] of a.fields) if (!equal(value, b.fields.get(name), depth + 1, meter)) return false;
  return a.data === b.data || (hasEquality(a.data) && a.data.equals(b.data));
}

/** What a struct's hidden data offers so that two of them can be equal. */
export interface Equality {
  equals(other: unknown): boolean;
}

function hasEquality(data: unknown): data is Equality {
  return typeof data === 'object' && data !== null && 'equals' in data && typeof data.equals === 'function';
}

/** Finds values by {@link deepEqual}; the common ones without comparing each with all. */
export class ValueSet {
  private readonly plain = new Set<Value>();
  private readonly others: Value[] = [];

  has(value: Value): boolean {
    if (isPlain(value)) return this.plain.has(value ?? null);
    return this.others.some((other) => deepEqual(value, other));
  }

  add(value: Value): void {
    if (isPlain(value)) this.plain.add(value ?? null);
    else this.others.push(value);
  }
}

/** Values that are equal when JavaScript says so; NaN is none. */
function isPlain(value: Value): boolean {
  return typeof value === 'object' ? value === null : !Number.isNaN(value) && typeof value !== 'function';
}
