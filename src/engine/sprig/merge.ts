import { isList, isMap, Struct, type Value } from '../gotemplate/value.ts';
import { isEmpty } from './cast.ts';
import { checkNesting } from './limits.ts';

type Dict = Map<string, Value>;

/**
 * Puts into `target` what `source` has and `target` lacks, level by level; with `overwrite` what `source` has wins. Maps and lists
 * that are taken over are shared, as in Go. Source: dario.cat/mergo@1.0.1 merge.go, deepMerge.
 */
export function mergeInto(target: Dict, source: Dict, overwrite: boolean, depth = 0): void {
  checkNesting('merge', depth);
  for (const [key, value] of Array.from(source)) {
    const before = target.get(key);
    if (value === null || value === undefined) {
      if (overwrite) target.set(key, null);
      continue;
    }
    if (isMap(value) && isMap(before) && before !== value) mergeInto(before, value, overwrite, depth + 1);
    const keeps = !isEmptyElement(before) && (isBytesOrList(value) ? !overwrite : isMap(value) && isMap(before));
    if (keeps) continue;
    if (overwrite || isEmptyElement(before)) target.set(key, value);
  }
}

/** Mergo follows pointers when it asks whether something is empty, but never calls a struct empty. */
function isEmptyElement(value: Value): boolean {
  return !(value instanceof Struct) && isEmpty(value);
}

function isBytesOrList(value: Value): boolean {
  return isList(value) || value instanceof Uint8Array;
}
