import { field, isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import { formatG } from '../yaml/value.ts';
import type { Chart } from './chart.ts';
import { fail } from './failure.ts';
import { GLOBAL, mutableCopy } from './values.ts';

/** Receives what Helm prints as a warning. */
export type Warn = (message: string) => void;

/**
 * The values that a chart and the charts in it are rendered with: the user's over the charts' own. A null of the user takes a key away.
 * Source: helm@4.1.4 pkg/chart/common/util/coalesce.go.
 * @throws HelmFailure where the values of a dependency are no map
 */
export function coalesceValues(chart: Chart, values: JsonObject, warn: Warn): MutableJsonObject {
  return coalesce(chart, mutableCopy(values), '', false, warn);
}

/** The same, but nulls are kept for a later coalescing. @throws HelmFailure */
export function mergeChartValues(chart: Chart, values: JsonObject, warn: Warn): MutableJsonObject {
  return coalesce(chart, mutableCopy(values), '', true, warn);
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

function coalesce(
  chart: Chart,
  dest: MutableJsonObject,
  prefix: string,
  merge: boolean,
  warn: Warn,
): MutableJsonObject {
  ownValues(chart, dest, prefix, merge, warn);
  const inner = join(prefix, chart.metadata.name);
  for (const child of chart.dependencies) {
    const { name } = child.metadata;
    const given = field(dest, name);
    if (given !== undefined && !isObject(given)) fail('dependencies', `type mismatch on ${name}: ${goTruth(given)}`);
    const table = (given ?? {}) as MutableJsonObject;
    put(dest, name, table);
    coalesceGlobals(table, dest, inner, warn);
    coalesce(child, table, inner, merge, warn);
  }
  return dest;
}

/** `%t` of something that is no boolean. */
function goTruth(value: Json): string {
  return value === null ? '%!t(<nil>)' : goTruthInside(value);
}

/** The same in a list or map, where nil is nothing wrong. */
function goTruthInside(value: Json): string {
  if (typeof value === 'boolean') return String(value);
  if (value === null) return '<nil>';
  if (typeof value === 'string') return `%!t(string=${value})`;
  if (typeof value === 'bigint') return `%!t(int64=${value})`;
  if (typeof value === 'number') return `%!t(float64=${formatG(value)})`;
  if (isArray(value)) return `[${value.map(goTruthInside).join(' ')}]`;
  const entries = Object.keys(value).sort();
  return `map[${entries.map((key) => `${goTruthInside(key)}:${goTruthInside(value[key] as Json)}`).join(' ')}]`;
}

/** Copies the globals of the parent into the child's, where the parent's win. */
function coalesceGlobals(dest: MutableJsonObject, source: JsonObject, prefix: string, warn: Warn): void {
  const mine = field(dest, GLOBAL) ?? {};
  const parents = field(source, GLOBAL) ?? {};
  if (field(dest, GLOBAL) === null || !isObject(mine)) {
    warn(`warning: skipping globals because destination ${GLOBAL} is not a table.`);
    return;
  }
  if (field(source, GLOBAL) === null || !isObject(parents)) {
    warn(`warning: skipping globals because source ${GLOBAL} is not a table.`);
    return;
  }
  const globals = mine as MutableJsonObject;
  for (const key of Object.keys(parents)) {
    const value = parents[key] as Json;
    const before = field(globals, key);
    if (isObject(value)) {
      const table: MutableJsonObject = {};
      for (const inner of Object.keys(value)) put(table, inner, value[inner] as Json);
      if (before === undefined) put(globals, key, table);
      else if (!isObject(before)) warn(`Conflict: cannot merge map onto non-map for ${JSON.stringify(key)}. Skipping.`);
      else {
        coalesceTables(table, mutableCopy(before), join(prefix, key), true, warn);
        put(globals, key, table);
      }
    } else if (isObject(before)) warn(`key ${key} is table. Skipping`);
    else put(globals, key, value);
  }
  put(dest, GLOBAL, globals);
}

/** The chart's own values under those that are there. */
function ownValues(chart: Chart, dest: MutableJsonObject, prefix: string, merge: boolean, warn: Warn): void {
  const inner = join(prefix, chart.metadata.name);
  const own = mutableCopy(chart.values);
  for (const key of Object.keys(own)) {
    const value = own[key] as Json;
    const given = field(dest, key);
    if (given === undefined) put(dest, key, value);
    else if (given === null && !merge) delete dest[key];
    else if (isObject(given)) {
      if (isObject(value)) {
        const keepNulls = merge || chart.dependencies.some((child) => child.metadata.name === key);
        coalesceTables(given as MutableJsonObject, value as MutableJsonObject, join(inner, key), keepNulls, warn);
      } else if (value !== null) warn(`warning: skipped value for ${inner}.${key}: Not a table.`);
    }
  }
}

/** Merges `source` under `dest`, both of which are changed. Without `merge` a null in `dest` takes a value of `source` away. */
export function coalesceTables(
  dest: MutableJsonObject,
  source: MutableJsonObject,
  prefix: string,
  merge: boolean,
  warn: Warn,
): MutableJsonObject {
  const set = new Set(Object.keys(source).filter((key) => source[key] !== null));
  for (const key of Object.keys(dest)) if (dest[key] === null) put(source, key, null);
  for (const key of Object.keys(source)) {
    const value = source[key] as Json;
    const given = field(dest, key);
    const full = join(prefix, key);
    if (given === null && !merge && set.has(key)) delete dest[key];
    else if (given === undefined) put(dest, key, value);
    else if (isObject(value)) {
      if (isObject(given)) coalesceTables(given as MutableJsonObject, value as MutableJsonObject, full, merge, warn);
      else warn(`warning: cannot overwrite table with non table for ${full}`);
    } else if (isObject(given) && value !== null) {
      warn(`warning: destination for ${full} is a table. Ignoring non-table value`);
    }
  }
  return dest;
}
