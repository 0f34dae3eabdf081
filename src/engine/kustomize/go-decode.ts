import { isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { numberText } from '../yaml/print.ts';
import { fail } from './failure.ts';

/** A Go type as encoding/json fills it. `go` is its name in messages. */
export type GoType = Shape & {
  /** Struct that the field's struct embeds and that has the field: messages name it. */
  readonly embeddedIn?: string;
};
type Shape =
  | { readonly t: 'string' | 'bool' | 'int' | 'any'; readonly go: string }
  | { readonly t: 'slice' | 'map'; readonly go: string; readonly of: () => GoType }
  | {
      readonly t: 'struct';
      readonly go: string;
      readonly name: string;
      readonly fields: () => Fields;
      readonly always: readonly string[];
    };
export type Fields = Readonly<Record<string, GoType>>;

export const STRING: GoType = { t: 'string', go: 'string' };
export const BOOL: GoType = { t: 'bool', go: 'bool' };
export const INT: GoType = { t: 'int', go: 'int' };
export const INT64: GoType = { t: 'int', go: 'int64' };
export const ANY: GoType = { t: 'any', go: 'interface {}' };
export const STRINGS: GoType = sliceOf(STRING);
export const STRING_MAP: GoType = { t: 'map', go: 'map[string]string', of: () => STRING };
export const ANY_MAP: GoType = { t: 'map', go: 'map[string]interface {}', of: () => ANY };

export function sliceOf(type: GoType, go = `[]${type.go}`): GoType {
  return { t: 'slice', go, of: () => type };
}

/**
 * @param go package-qualified name; its last part is the struct's own name
 * @param always fields that are printed even when they are empty
 */
export function struct(go: string, fields: Fields, always: readonly string[] = []): GoType {
  return { t: 'struct', go, name: go.slice(go.lastIndexOf('.') + 1), fields: () => fields, always };
}

/** `fields` as a struct has them that embeds a struct `name`. */
export function embed(name: string, fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([field, type]) => {
      const inner = type.embeddedIn === undefined ? name : `${name}.${type.embeddedIn}`;
      return [field, { ...type, embeddedIn: inner }];
    }),
  );
}

export interface DecodeOptions {
  /** Refuse a field that the struct does not have. */
  readonly strict: boolean;
  /** Write numbers and booleans as text where a string is wanted, as sigs.k8s.io/yaml does when it knows the target. */
  readonly coerce: boolean;
}

interface Place {
  readonly struct: string;
  readonly path: string;
}

/**
 * Takes from `value` what a Go struct would hold: known fields (their case does not matter), absent where they are null.
 * @throws KustomizeFailure with encoding/json's message for the first field, in key order, that does not fit
 */
export function goDecode(value: Json, type: GoType, options: DecodeOptions): Json | undefined {
  return decode(value, type, options, { struct: '', path: '' });
}

function decode(value: Json, type: GoType, options: DecodeOptions, place: Place): Json | undefined {
  if (value === null) return undefined;
  switch (type.t) {
    case 'any':
      return value;
    case 'string':
      if (typeof value === 'string') return value;
      if (options.coerce && (typeof value === 'number' || typeof value === 'bigint')) return numberText(value);
      if (options.coerce && typeof value === 'boolean') return String(value);
      return mismatch(value, type, place);
    case 'bool':
      return typeof value === 'boolean' ? value : mismatch(value, type, place);
    case 'int':
      if (typeof value === 'number' && !Number.isInteger(value)) return mismatch(value, type, place, numberText(value));
      return typeof value === 'number' || typeof value === 'bigint' ? value : mismatch(value, type, place);
    case 'slice':
      if (!isArray(value)) return mismatch(value, type, place);
      return value.map((item) => decode(item, type.of(), options, place) ?? zero(type.of()));
    case 'map': {
      if (!isObject(value)) return mismatch(value, type, place);
      const out: MutableJsonObject = {};
      for (const key of Object.keys(value).sort())
        put(out, key, decode(value[key] as Json, type.of(), options, place) ?? zero(type.of()));
      return out;
    }
    case 'struct':
      return isObject(value) ? decodeStruct(value, type, options, place) : mismatch(value, type, place);
  }
}

function decodeStruct(value: JsonObject, type: GoType & { t: 'struct' }, options: DecodeOptions, place: Place): Json {
  const fields = type.fields();
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value).sort()) {
    const name = Object.hasOwn(fields, key)
      ? key
      : Object.keys(fields).find((one) => one.toLowerCase() === key.toLowerCase());
    if (name === undefined) {
      if (options.strict) fail(`json: unknown field ${quoted(key)}`);
      continue;
    }
    const field = fields[name] as GoType;
    const path = [place.path, field.embeddedIn ?? '', name].filter((part) => part !== '').join('.');
    // sigs.k8s.io/yaml looks for the type of a field of an embedded struct in the wrong place, and so leaves its value as it is.
    const how = field.embeddedIn === undefined ? options : { ...options, coerce: false };
    const decoded = decode(value[key] as Json, field, how, { struct: type.name, path });
    if (decoded !== undefined) put(out, name, decoded);
    // The same field by another case may have been there before: null empties a list or a map, and nothing else.
    else if (field.t === 'slice' || field.t === 'map') delete out[name];
  }
  return out;
}

/** What Go leaves in a slice or map for null. */
function zero(type: GoType): Json {
  switch (type.t) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int':
      return 0;
    case 'struct':
      return {};
    default:
      return null;
  }
}

function mismatch(value: Json, type: GoType, { struct, path }: Place, shown = ''): never {
  const kind = isArray(value)
    ? 'array'
    : isObject(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value === 'string'
          ? 'string'
          : `number${shown === '' ? '' : ` ${shown}`}`;
  const where = path === '' ? 'Go value of type' : `Go struct field ${struct}.${path} of type`;
  return fail(`json: cannot unmarshal ${kind} into ${where} ${type.go}`);
}

/** What Go's encoder makes of a decoded value: empty fields are left out, except those that always stand. */
export function goEncode(value: Json | undefined, type: GoType): Json {
  if (value === undefined || value === null) return type.t === 'any' ? null : zero(type);
  switch (type.t) {
    case 'slice':
      return (value as readonly Json[]).map((item) => goEncode(item, type.of()));
    case 'map': {
      const out: MutableJsonObject = {};
      for (const key of Object.keys(value as JsonObject))
        put(out, key, goEncode((value as JsonObject)[key], type.of()));
      return out;
    }
    case 'struct': {
      const out: MutableJsonObject = {};
      const fields = type.fields();
      for (const name of Object.keys(fields)) {
        const field = (value as JsonObject)[name];
        const always = type.always.includes(name);
        if (!always && (field === undefined || isZero(field, fields[name] as GoType))) continue;
        out[name] = field === undefined && !always ? null : goEncode(field, fields[name] as GoType);
      }
      return out;
    }
    default:
      return value;
  }
}

/** A struct counts as set: those that may be left out are pointers. */
function isZero(value: Json, type: GoType): boolean {
  if (isArray(value)) return value.length === 0;
  if (type.t === 'map') return isObject(value) && Object.keys(value).length === 0;
  return value === null || value === '' || value === false || value === 0;
}
