import { isArray, isObject, type Json, stringifyJson } from '../../base/json.ts';
import { formatG } from '../yaml/value.ts';

/** Go's `%v` of a decoded JSON value: `map[a:1 b:[x y]]`. */
export function goValue(value: Json): string {
  if (isObject(value)) {
    const names = Object.keys(value).toSorted();
    return `map[${names.map((name) => `${name}:${goValue(value[name] as Json)}`).join(' ')}]`;
  }
  if (isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (typeof value === 'number' && !Number.isInteger(value)) return formatG(value);
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) return formatG(Number(value));
  return value === null ? '<nil>' : typeof value === 'string' ? value : stringifyJson(value);
}

/** Go's `%T` of a decoded JSON value. */
export function goTypeName(value: Json): string {
  if (isObject(value)) return 'map[string]interface {}';
  if (isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'int64';
}

/** Go's `%#v` of a decoded JSON value. */
export function goSyntax(value: Json): string {
  if (isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isObject(value)) {
    const names = Object.keys(value).toSorted();
    return `map[string]interface {}{${names.map((name) => `${JSON.stringify(name)}:${goSyntax(value[name] as Json)}`).join(', ')}}`;
  }
  return value === null ? 'interface {}(nil)' : typeof value === 'string' ? JSON.stringify(value) : goValue(value);
}
