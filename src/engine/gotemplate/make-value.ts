import { INT64, STRINGS } from './go-type.ts';
import { type GoType, Typed, TypedList, type Value } from './value.ts';

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
