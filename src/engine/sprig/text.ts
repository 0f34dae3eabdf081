import { sprint } from '../gotemplate/format.ts';
import { fromBytes } from '../gotemplate/go-string.ts';
import { STRINGS } from '../gotemplate/go-type.ts';
import { strings } from '../gotemplate/make-value.ts';
import { typeOf } from '../gotemplate/type-of.ts';
import { isList, TypedList, type Value } from '../gotemplate/value.ts';
import { itemsOf } from './items.ts';

/** Any value as text: bytes as what they spell, all else as `%v` has it. Source: sprig@3.3.0 strings.go, strval. */
export function stringOf(value: Value): string {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? fromBytes(value) : sprint(value);
}

/** Any value as a []string, which is the very value when it is one; nil elements are left out. Source: sprig@3.3.0 strings.go, strslice. */
export function stringList(value: Value): TypedList {
  if (value instanceof TypedList && typeOf(value).name === STRINGS.name) return value;
  const items = isList(value) || value instanceof Uint8Array ? itemsOf(value) : [value];
  return strings(items.filter((item) => item !== null && item !== undefined).map(stringOf));
}
