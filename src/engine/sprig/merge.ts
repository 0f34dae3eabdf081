import { isList, isMap, Struct, type Value } from '../gotemplate/value.ts';
import { isEmpty } from './cast.ts';
import { NodeMeter } from './limits.ts';

type Dict = Map<string, Value>;

/**
 * Puts into `target` what `source` has and `target` lacks, level by level; with `overwrite` what `source` has wins. Maps and lists
 * that are taken over are shared, as in Go. Source: dario.cat/mergo@1.0.1 merge.go, deepMerge.
 */
export function mergeInto(target: Dict, source: Dict, overwrite: boolean): void {
  merge(target, source, overwrite, 0, new NodeMeter('merge'));
}

function merge(target: Dict, source: Dict, overwrite: boolean, depth: number, meter: NodeMeter): void {
  for (const [key, value] of Array.from(source)) {
    meter.visit(depth);
    const before = target.get(key);
    if (value === null || value === undefined) {
      if (overwrite) target.set(key, null);
      continue;
    }
    if (isMap(value) && isMap(before) && before !== value) merge(before, value, overwrite, depth + 1, meter);
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
