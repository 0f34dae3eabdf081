import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { put, stringifyJson } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { toJson } from '../../engine/cel/operators.ts';
import { CelMap, type CelValue, Duration, QuantityValue, Timestamp } from '../../engine/cel/values.ts';

/** An `Object{}` as JSON. `foreign`: a value that no schema accepts, as structured-merge-diff says it. */
export interface Configuration {
  readonly patch: JsonObject;
  readonly foreign: string | undefined;
}

/**
 * Reads what an applyConfiguration expression gave; the error is the policy's.
 * Source: kubernetes@1.34 apiserver/pkg/cel/mutation/dynamic/objects.go, and plugin/policy/mutating/patch/smd.go.
 */
export function readConfiguration(value: CelValue): Result<Configuration, string> {
  const misplaced = misplacedType(value, 'Object');
  if (misplaced !== undefined) return err(`type mismatch: ${misplaced}`);
  if (!(value instanceof CelMap) || hasOtherKeys(value)) return err('invalid return type: *dynamic.ObjectVal');
  const foreign: string[] = [];
  const patch = convert(value, '', false, foreign) as JsonObject;
  return ok({ patch, foreign: foreign[0] });
}

/** Reads what a jsonPatch expression gave. Source: the same, patch/json_patch.go. */
export function readOperations(value: CelValue): Result<Json, string> {
  const operations: Json[] = [];
  for (const item of isList(value) ? value : []) {
    if (!(item instanceof CelMap)) continue;
    const own = item.entries.get('value') ?? null;
    const root = own instanceof CelMap ? own.typeName : undefined;
    const misplaced = root === undefined ? undefined : misplacedType(own, root);
    if (misplaced !== undefined) return err(`type mismatch: ${misplaced}`);
    const unmarshalable = hasOtherKeys(own)
      ? "unsupported type conversion from 'int' to string"
      : own instanceof QuantityValue
        ? "type conversion error from 'Quantity' to '*structpb.Value'"
        : undefined;
    if (unmarshalable !== undefined)
      return err(`JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${unmarshalable}`);
    // What is not set is Go's zero value.
    operations.push({ op: '', path: '', ...(toJson(item) as JsonObject) });
  }
  return ok(operations);
}

/** The first `Object.x{}` that stands at another field than its name says. Entries of plain maps stand where the map does. */
function misplacedType(value: CelValue, expected: string): string | undefined {
  if (isList(value)) return first(value, (item) => misplacedType(item, expected));
  if (!(value instanceof CelMap)) return undefined;
  const { typeName } = value;
  if (typeName !== undefined && typeName !== expected)
    return `unexpected type name "${typeName}", expected "${expected}", which matches field name path from root Object type`;
  return first([...value.entries], ([key, item]) =>
    misplacedType(item, typeName === undefined ? expected : `${expected}.${String(key)}`),
  );
}

function hasOtherKeys(value: CelValue): boolean {
  if (isList(value)) return value.some(hasOtherKeys);
  if (!(value instanceof CelMap)) return false;
  return [...value.entries].some(([key, item]) => typeof key !== 'string' || hasOtherKeys(item));
}

/** In a plain map or list, plain maps and lists stay CEL values, which no schema knows. */
function convert(value: CelValue, path: string, plain: boolean, foreign: string[]): Json {
  if (isList(value)) {
    if (plain) foreign.push(`${path}: expected list, got &{${goValue(value)}}`);
    return value.map((item, index) => {
      if (item instanceof CelMap && item.typeName === undefined)
        foreign.push(`${path}: element ${index}: associative list with keys may not have non-map elements`);
      return convert(item, `${path}[${index}]`, true, foreign);
    });
  }
  if (value instanceof CelMap) {
    const untyped = value.typeName === undefined;
    if (untyped && plain) foreign.push(`${path}: expected map, got &{${goValue(value)}}`);
    const out: MutableJsonObject = {};
    for (const [key, item] of value.entries)
      put(out, String(key), convert(item, `${path}.${String(key)}`, untyped, foreign));
    return out;
  }
  const shown = goSyntax(value);
  if (shown !== undefined) foreign.push(`${path}: expected string, got &value.valueUnstructured{Value:${shown}}`);
  return (toJson(value) ?? null) as Json;
}

/** Go's `%#v` of what is no JSON. */
function goSyntax(value: CelValue): string | undefined {
  if (value instanceof Uint8Array)
    return `[]uint8{${Array.from(value, (byte) => `0x${byte.toString(16)}`).join(', ')}}`;
  if (value instanceof Duration) return String(value.nanos);
  if (value instanceof QuantityValue) return '(*resource.Quantity)';
  if (!(value instanceof Timestamp)) return undefined;
  const date = new Date(Number(value.nanos / 1_000_000n));
  const month = date.toLocaleString('en-US', { month: 'long', timeZone: 'UTC' });
  const numbers = [date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  return `time.Date(${date.getUTCFullYear()}, time.${month}, ${numbers.join(', ')}, ${value.nanos % 1_000_000_000n}, time.UTC)`;
}

/** Go's `%v`. */
function goValue(value: CelValue): string {
  if (isList(value)) return `[${value.map(goValue).join(' ')}]`;
  if (!(value instanceof CelMap)) {
    const plain = (toJson(value) ?? null) as Json;
    return typeof plain === 'string' ? plain : stringifyJson(plain);
  }
  return `map[${[...value.entries].map(([key, item]) => `${String(key)}:${goValue(item)}`).join(' ')}]`;
}

function isList(value: CelValue): value is readonly CelValue[] {
  return Array.isArray(value);
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
