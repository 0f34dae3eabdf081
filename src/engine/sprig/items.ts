import { UINT8 } from '../gotemplate/go-type.ts';
import { kindOf } from '../gotemplate/type-of.ts';
import { GoError, isList, Typed, type Value } from '../gotemplate/value.ts';

/** What Go says when it asks nil for its type. */
export const NIL_DEREFERENCE = 'runtime error: invalid memory address or nil pointer dereference';

/** The elements of any list, also of bytes. */
export function itemsOf(list: readonly Value[] | Uint8Array): readonly Value[] {
  return list instanceof Uint8Array ? Array.from(list, (byte) => new Typed(UINT8, BigInt(byte))) : list;
}

/** The elements of a list; another value fails with `complaint` and its kind. */
export function listItems(value: Value, complaint: string): readonly Value[] {
  if (isList(value) || value instanceof Uint8Array) return itemsOf(value);
  if (value === null || value === undefined) throw new GoError(NIL_DEREFERENCE);
  throw new GoError(`${complaint} ${kindOf(value)}`);
}
