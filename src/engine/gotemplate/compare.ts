import { sprintf } from './format.ts';
import { compareStrings, equalStrings } from './go-string.ts';
import { kindOf, typeOf } from './type-of.ts';
import { Complex, GoError, isNil, Typed, type Value } from './value.ts';

/*
 * eq, ne, lt, le, gt and ge. (go@1.26 text/template/funcs.go)
 */

type BasicKind = 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string';

function basicKind(value: Value): BasicKind | undefined {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'boolean':
      return 'bool';
    default:
  }
  if (value instanceof Complex) return 'complex';
  if (!(value instanceof Typed)) return undefined;
  switch (typeof value.value) {
    case 'string':
      return 'string';
    case 'number':
      return 'float';
    case 'boolean':
      return 'bool';
    default:
      return value.type.kind.startsWith('u') ? 'uint' : 'int';
  }
}

function plain(value: Value): bigint | number | string | boolean {
  return value instanceof Typed ? value.value : (value as bigint | number | string | boolean);
}

function isWhole(kind: BasicKind | undefined): boolean {
  return kind === 'int' || kind === 'uint';
}

/** `eq a b...`: whether `first` equals any of the others. */
export function equalsAny(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new GoError('missing argument for comparison');
  return others.some((other) => equals(first, other));
}

function equals(first: Value, other: Value): boolean {
  const kind = basicKind(first);
  const otherKind = basicKind(other);
  if (kind !== otherKind) {
    if (isWhole(kind) && isWhole(otherKind)) return plain(first) === plain(other);
    if (!isAbsent(first) && !isAbsent(other)) throw incompatible(first, other);
    return false;
  }
  if (kind === 'string') return equalStrings(plain(first) as string, plain(other) as string);
  if (kind === 'complex') {
    const [a, b] = [first as Complex, other as Complex];
    return a.real === b.real && a.imaginary === b.imaginary;
  }
  if (kind !== undefined) return plain(first) === plain(other);
  return sameReference(first, other);
}

function sameReference(first: Value, other: Value): boolean {
  const kind = kindOf(first);
  const otherKind = kindOf(other);
  if (kind !== otherKind && !isAbsent(first) && !isAbsent(other)) {
    const text = sprintf('%s: %v, %s: %v', [first, typeOf(first).name, typeOf(other).name, other]);
    throw new GoError(`non-comparable types ${text}`);
  }
  if (isNil(first) || isNil(other)) return isNil(first) && isNil(other);
  if (otherKind === 'slice' || otherKind === 'map' || otherKind === 'func') {
    throw new GoError(`non-comparable type ${sprintf('%s: %v', [other, typeOf(other).name])}`);
  }
  return first === other;
}

function isAbsent(value: Value): boolean {
  return value === undefined || value === null;
}

function incompatible(first: Value, other: Value): GoError {
  return new GoError(`incompatible types for comparison: ${typeOf(first).name} and ${typeOf(other).name}`);
}

/** `lt a b`. */
export function isLess(first: Value, other: Value): boolean {
  const kind = basicKind(first);
  const otherKind = basicKind(other);
  if (kind === undefined || otherKind === undefined) throw new GoError('invalid type for comparison');
  if (kind !== otherKind && !(isWhole(kind) && isWhole(otherKind))) throw incompatible(first, other);
  if (kind === 'bool' || kind === 'complex') throw new GoError('invalid type for comparison');
  if (kind === 'string') return compareStrings(plain(first) as string, plain(other) as string) < 0;
  return plain(first) < plain(other);
}

/** `le a b`: less or equal, which NaN never is. */
export function isLessOrEqual(first: Value, other: Value): boolean {
  return isLess(first, other) || equals(first, other);
}
