import { isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { func } from '../gotemplate/func.ts';
import { MAP, namedType, STRING } from '../gotemplate/go-type.ts';
import { int64 } from '../gotemplate/make-value.ts';
import { GoError, type GoType, TypedMap, type Value } from '../gotemplate/value.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { printYaml } from '../yaml/print.ts';

type ValueMap = Map<string, Value>;

/**
 * Values as templates see them. What is one object stays one: `set` on a shared map is seen wherever it is, as in Go.
 */
export function toTemplateValue(value: Json): Value {
  return convert(value, new Map());
}

function convert(value: Json, known: Map<JsonObject, ValueMap>): Value {
  if (typeof value === 'bigint') return int64(value);
  if (isArray(value)) return value.map((item) => convert(item, known));
  if (!isObject(value)) return value;
  const found = known.get(value);
  if (found !== undefined) return found;
  const out: ValueMap = new Map();
  known.set(value, out);
  for (const key of Object.keys(value)) out.set(key, convert(value[key] as Json, known));
  return out;
}

/** A map of a named type that is another view of `target`: what is set in one is seen in both. */
export class MapView extends TypedMap {
  readonly target: ValueMap;

  constructor(type: GoType, target: ValueMap) {
    super(type, []);
    this.target = target;
  }

  override get size(): number {
    return this.target.size;
  }

  override get(key: string): Value {
    return this.target.get(key);
  }

  override has(key: string): boolean {
    return this.target.has(key);
  }

  override set(key: string, value: Value): this {
    this.target.set(key, value);
    return this;
  }

  override delete(key: string): boolean {
    return this.target.delete(key);
  }

  override clear(): void {
    this.target.clear();
  }

  override keys(): MapIterator<string> {
    return this.target.keys();
  }

  override values(): MapIterator<Value> {
    return this.target.values();
  }

  override entries(): MapIterator<[string, Value]> {
    return this.target.entries();
  }

  override [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.target[Symbol.iterator]();
  }

  override forEach(visit: (value: Value, key: string, map: ValueMap) => void): void {
    this.target.forEach(visit);
  }
}

/** Helm's `common.Values`. Source: helm@4.1.4 pkg/chart/common/values.go. */
export const VALUES: GoType<ValueMap> = namedType('common.Values', MAP, {
  methods: new Map([
    ['Table', (receiver) => func([STRING], (path) => new MapView(VALUES, tableOf(receiver as ValueMap, path)))],
    ['PathValue', (receiver) => func([STRING], (path) => pathValue(receiver as ValueMap, path))],
    ['AsMap', (receiver) => func([], () => plainMap(receiver as ValueMap))],
    ['YAML', (receiver) => func([], () => printYaml(fromTemplateValue(receiver)))],
  ]),
});

/** The map without its name; what is set in it is seen in `values`. */
function plainMap(values: ValueMap): ValueMap {
  return values instanceof MapView ? values.target : new Map(values);
}

function tableOf(values: ValueMap, path: string): ValueMap {
  let table = values;
  for (const step of path.split('.')) {
    const next = table.get(step);
    if (!(next instanceof Map)) throw new GoError(`${quoted(step)} is not a table`);
    table = next;
  }
  return table;
}

function pathValue(values: ValueMap, path: string): Value {
  if (path === '') throw new GoError('YAML path cannot be empty');
  const dot = path.lastIndexOf('.');
  const key = path.slice(dot + 1);
  let table = values;
  try {
    if (dot >= 0) table = tableOf(values, path.slice(0, dot));
  } catch (failure) {
    if (failure instanceof GoError) throw new GoError(`${quoted(key)} is not a value`);
    throw failure;
  }
  const found = table.get(key);
  if (!table.has(key) || found instanceof Map) throw new GoError(`${quoted(key)} is not a value`);
  return found;
}

/** The plain value of what `.Values` holds. */
function fromTemplateValue(value: Value): Json {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, inner]) => [key, fromTemplateValue(inner)]));
  if (Array.isArray(value)) return value.map(fromTemplateValue);
  if (value === undefined || value === null) return null;
  if (typeof value === 'object') return 'value' in value ? (value.value as Json) : null;
  return value;
}
