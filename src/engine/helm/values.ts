/**
 * Values of a chart are {@link Json}: a `number` is Go's float64, which every number of a YAML or JSON text becomes, and a `bigint` is an
 * int64, which only `--set` makes.
 */
import {
  clone,
  field,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  put,
} from '../../base/json.ts';
import { printYamlError } from '../yaml/error.ts';
import { parseYaml } from '../yaml/parse.ts';
import { fail } from './failure.ts';

/** The name under which values reach all charts. */
export const GLOBAL = 'global';

/** Levels of maps and lists in values: what merges and prints them goes down level by level. */
const MAX_DEPTH = 500;

/** Every number as a float64. @throws HelmFailure where values are nested without end */
export function floats(value: Json, depth = 0): Json {
  if (depth > MAX_DEPTH) return fail('limit', `values are nested deeper than ${MAX_DEPTH}`);
  if (typeof value === 'bigint') return Number(value);
  if (isArray(value)) return value.map((item) => floats(item, depth + 1));
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) put(out, key, floats(value[key] as Json, depth + 1));
  return out;
}

/** Reads the YAML of a values file; several documents are merged, later ones first. @throws HelmFailure */
export function readValues(text: string): JsonObject {
  let values: JsonObject = {};
  for (const document of splitDocuments(text)) values = mergeMaps(values, readFirstValues(document));
  return values;
}

/** Reads the first YAML document of a text as values. @throws HelmFailure */
export function readFirstValues(text: string): JsonObject {
  const parsed = parseYaml(text);
  if (!parsed.ok) {
    return fail(
      'values',
      `cannot unmarshal yaml document: error converting YAML to JSON: ${printYamlError(parsed.error)}`,
    );
  }
  if (parsed.value === null) return {};
  if (!isObject(parsed.value)) {
    const what = `json: cannot unmarshal ${jsonKind(parsed.value)} into Go value of type map[string]interface {}`;
    return fail('values', `cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: ${what}`);
  }
  return floats(parsed.value) as JsonObject;
}

/** encoding/json's name of what a value is. */
export function jsonKind(value: Json): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

/** Splits at lines `---`, as k8s.io/apimachinery's YAMLReader does; line ends become `\n`. */
function splitDocuments(text: string): readonly string[] {
  const documents: string[] = [];
  let lines: string[] = [];
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    if (/^---\s*(#|$)/.test(line) && lines.length > 0) {
      documents.push(lines.join('\n'));
      lines = [];
    } else lines.push(line);
  }
  documents.push(lines.join('\n'));
  return documents;
}

/** `over` merged over `under`: maps key by key, anything else replaces. */
export function mergeMaps(under: JsonObject, over: JsonObject): JsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(under)) put(out, key, under[key] as Json);
  for (const key of Object.keys(over)) {
    const value = over[key] as Json;
    const before = field(under, key);
    put(out, key, isObject(value) && isObject(before) ? mergeMaps(before, value) : value);
  }
  return out;
}

/** The map at `path` (`a.b.c`), or undefined. */
export function tableAt(values: JsonObject, path: string): JsonObject | undefined {
  let table: JsonObject = values;
  for (const step of path.split('.')) {
    const next = field(table, step);
    if (!isObject(next)) return undefined;
    table = next;
  }
  return table;
}

/** The value at `path` that is no map; undefined where there is none. */
export function valueAt(values: JsonObject, path: string): Json | undefined {
  const dot = path.lastIndexOf('.');
  const table = dot < 0 ? values : tableAt(values, path.slice(0, dot));
  const found = field(table, path.slice(dot + 1));
  return isObject(found) ? undefined : found;
}

/** A copy that the caller may change. */
export function mutableCopy(values: JsonObject): MutableJsonObject {
  return clone(values) as MutableJsonObject;
}

/** What `%T` prints of a value. */
export function goTypeName(value: Json): string {
  if (value === null) return '<nil>';
  if (isArray(value)) return '[]interface {}';
  if (isObject(value)) return 'map[string]interface {}';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'int64' : 'float64';
}
