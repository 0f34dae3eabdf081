import { type FuncMap, func, variadic } from '../gotemplate/func.ts';
import { sortedKeys } from '../gotemplate/go-string.ts';
import { ANY, MAP, STRING } from '../gotemplate/go-type.ts';
import { strings } from '../gotemplate/make-value.ts';
import { typeOf } from '../gotemplate/type-of.ts';
import { GoError, isMap, isNil, type Value } from '../gotemplate/value.ts';
import { deepCopy } from './deep-copy.ts';
import { mergeInto } from './merge.ts';
import { stringOf } from './text.ts';

type Dict = Map<string, Value>;

/** Maps. What Go gives in random order is in the order of the keys here. Source: sprig@3.3.0 dict.go. */
export function dictFunctions(): FuncMap {
  const merge = variadic([MAP], MAP, (target, ...sources) => merged(target, sources, false));
  const overwrite = variadic([MAP], MAP, (target, ...sources) => merged(target, sources, true));
  const copy = func([ANY], (value) => deepCopy(value));
  return new Map([
    ['dict', variadic([], ANY, (...parts) => dict(parts))],
    ['get', func([MAP, STRING], (map, key) => (map.has(key) ? (map.get(key) ?? null) : ''))],
    ['set', func([MAP, STRING, ANY], set)],
    ['unset', func([MAP, STRING], unset)],
    ['hasKey', func([MAP, STRING], (map, key) => map.has(key))],
    ['pluck', variadic([STRING], MAP, (key, ...maps) => maps.filter((map) => map.has(key)).map((map) => map.get(key)))],
    ['keys', variadic([], MAP, (...maps) => strings(maps.flatMap(sortedKeys)))],
    ['values', func([MAP], (map) => sortedKeys(map).map((key) => map.get(key)))],
    ['pick', variadic([MAP], STRING, pick)],
    ['omit', variadic([MAP], STRING, omit)],
    ['merge', merge],
    ['mustMerge', merge],
    ['mergeOverwrite', overwrite],
    ['mustMergeOverwrite', overwrite],
    ['deepCopy', copy],
    ['mustDeepCopy', copy],
    ['dig', variadic([], ANY, (...steps) => dig(steps))],
  ]);
}

function dict(parts: readonly Value[]): Value {
  const out: Dict = new Map();
  for (let index = 0; index < parts.length; index += 2) {
    out.set(stringOf(parts[index]), index + 1 < parts.length ? parts[index + 1] : '');
  }
  return out;
}

function set(map: Dict, key: string, value: Value): Value {
  if (isNil(map)) throw new GoError('assignment to entry in nil map');
  map.set(key, value);
  return map;
}

function unset(map: Dict, key: string): Value {
  map.delete(key);
  return map;
}

function pick(map: Dict, ...keys: readonly string[]): Value {
  return new Map(keys.filter((key) => map.has(key)).map((key) => [key, map.get(key)] as const));
}

function omit(map: Dict, ...keys: readonly string[]): Value {
  const omitted = new Set(keys);
  return new Map(Array.from(map).filter(([key]) => !omitted.has(key)));
}

/** A nil map cannot be merged into: a new one takes its place. */
function merged(target: Dict, sources: readonly Dict[], overwrite: boolean): Value {
  const into: Dict = isNil(target) && sources.some((source) => !isNil(source)) ? new Map() : target;
  for (const source of sources) mergeInto(into, source, overwrite);
  return into;
}

/** `dig "a" "b" default map`. */
function dig(steps: readonly Value[]): Value {
  if (steps.length < 3) throw new GoError('dig needs at least three arguments');
  let current: Value = plainDict(steps.at(-1));
  const names = steps.slice(0, -2).map((key) => (typeof key === 'string' ? key : refuse(key, 'string')));
  for (const name of names) {
    const map = plainDict(current);
    if (!map.has(name)) return steps.at(-2);
    current = map.get(name);
  }
  return current;
}

function plainDict(value: Value): Dict {
  return isMap(value) && typeOf(value).name === MAP.name ? value : refuse(value, MAP.name);
}

/** What Go says to a type assertion that does not hold. */
function refuse(value: Value, wanted: string): never {
  const found = value === null || value === undefined ? 'nil' : typeOf(value).name;
  throw new GoError(`interface conversion: interface {} is ${found}, not ${wanted}`);
}
