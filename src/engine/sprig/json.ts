import { type GoJsonOptions, goJson } from '../../base/go-json.ts';
import { type Json, parseJson } from '../../base/json.ts';
import { jsonSyntaxError } from '../../base/json-syntax.ts';
import { type FuncMap, func } from '../gotemplate/func.ts';
import { ANY, LIST, MAP, STRING } from '../gotemplate/go-type.ts';
import { typedList } from '../gotemplate/make-value.ts';
import { GoError, TypedMap, type Value } from '../gotemplate/value.ts';
import { toValidUtf8 } from './cast.ts';
import { fromJson, toJson } from './json-value.ts';

/** JSON. Source: helm@4.1.4 pkg/engine/funcs.go, sprig@3.3.0 defaults.go. */
export function jsonFunctions(): FuncMap {
  const quietly = (name: string, options: GoJsonOptions) =>
    func([ANY], (value) => orEmpty(() => print(name, value, options)));
  const strictly = (name: string, options: GoJsonOptions) => func([ANY], (value) => print(name, value, options));
  return new Map([
    ['toJson', quietly('toJson', {})],
    ['mustToJson', strictly('mustToJson', {})],
    ['toPrettyJson', quietly('toPrettyJson', { indent: 2 })],
    ['mustToPrettyJson', strictly('mustToPrettyJson', { indent: 2 })],
    ['toRawJson', strictly('toRawJson', { plainHtml: true })],
    ['mustToRawJson', strictly('mustToRawJson', { plainHtml: true })],
    ['fromJson', func([STRING], objectOf)],
    ['fromJsonArray', func([STRING], listOf)],
    ['mustFromJson', func([STRING], decodeAny)],
  ]);
}

function print(name: string, value: Value, options: GoJsonOptions): string {
  return goJson(toJson(value, name), options);
}

/** What Helm gives where a value cannot be written: nothing. A bound of ours is no such reason. */
export function orEmpty(write: () => string): string {
  try {
    return write();
  } catch (error) {
    if (error instanceof GoError && /^(?:json|yaml): /.test(error.message)) return '';
    throw error;
  }
}

/** Why a JSON text cannot be decoded, with Go's words. */
interface Bad {
  readonly error: string;
}

interface Good {
  readonly value: Json;
  /** What is said of a number that no float64 holds; null is in its place. */
  readonly problem: string | undefined;
}

function read(text: string): Good | Bad {
  const valid = toValidUtf8(text);
  try {
    const value = parseJson(valid);
    const huge = hasInfinity(value) ? firstHugeNumber(valid) : undefined;
    if (huge === undefined) return { value, problem: undefined };
    return { value, problem: `json: cannot unmarshal number ${huge} into Go value of type float64` };
  } catch (error) {
    if (error instanceof RangeError) return { error: error.message };
    return { error: jsonSyntaxError(valid) };
  }
}

function hasInfinity(value: Json): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInfinity);
}

function firstHugeNumber(text: string): string | undefined {
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/gs)) {
    if (!token.startsWith('"') && !Number.isFinite(Number(token))) return token;
  }
  return undefined;
}

function objectOf(text: string): Value {
  const decoded = read(text);
  if ('error' in decoded) return new Map([['Error', decoded.error]]);
  if (decoded.value === null) return new TypedMap(MAP, null);
  const value = fromJson(decoded.value);
  const map = value instanceof Map ? value : new Map<string, Value>();
  const problem = value instanceof Map ? decoded.problem : mismatch(decoded.value, MAP.name);
  if (problem !== undefined) map.set('Error', problem);
  return map;
}

function listOf(text: string): Value {
  const decoded = read(text);
  if ('error' in decoded) return [decoded.error];
  if (decoded.value === null) return typedList(LIST, null);
  const value = fromJson(decoded.value);
  const problem = Array.isArray(value) ? decoded.problem : mismatch(decoded.value, LIST.name);
  return problem === undefined ? value : [problem];
}

/** What encoding/json says of a value that does not fit the Go type `type`. */
export function mismatch(value: Json, type: string): string {
  const found = Array.isArray(value) ? 'array' : typeof value === 'bigint' ? 'number' : GO_KINDS[typeof value];
  return `json: cannot unmarshal ${found} into Go value of type ${type}`;
}

const GO_KINDS: { readonly [type: string]: string } = {
  object: 'object',
  string: 'string',
  number: 'number',
  boolean: 'bool',
};

function decodeAny(text: string): Value {
  const decoded = read(text);
  const problem = 'error' in decoded ? decoded.error : decoded.problem;
  if (problem !== undefined) throw new GoError(problem);
  return fromJson((decoded as Good).value);
}
