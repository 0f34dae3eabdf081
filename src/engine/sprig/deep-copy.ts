import { typedList } from '../gotemplate/make-value.ts';
import { GoError, isList, isMap, TypedList, TypedMap, type Value } from '../gotemplate/value.ts';
import { NodeMeter } from './limits.ts';

/** A copy in which nothing that can change is shared. Source: mitchellh/copystructure@1.2.0. */
export function deepCopy(value: Value): Value {
  if (value === null || value === undefined) {
    throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  }
  return copied(value, 0, new NodeMeter('deepCopy'));
}

function copied(value: Value, depth: number, meter: NodeMeter): Value {
  meter.visit(depth);
  if (value instanceof TypedList)
    return value.isNil
      ? value
      : typedList(
          value.type,
          value.map((item) => copied(item, depth + 1, meter)),
        );
  if (isList(value)) return value.map((item) => copied(item, depth + 1, meter));
  if (isMap(value)) {
    const entries = Array.from(value, ([key, item]) => [key, copied(item, depth + 1, meter)] as const);
    if (!(value instanceof TypedMap)) return new Map(entries);
    return new TypedMap(value.type, value.isNil ? null : entries);
  }
  if (value instanceof Uint8Array) return value.slice();
  return value;
}
