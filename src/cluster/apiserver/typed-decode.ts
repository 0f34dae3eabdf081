import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { isArray, isObject, put } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { resolveBuiltin } from '../data/builtins.ts';
import { checkTime } from './go-time.ts';
import { isAlwaysWritten, isDroppedZero, isNeverDefaulted } from './go-zero.ts';
import { parseQuantity, printQuantity } from './quantity.ts';

export interface Typed {
  readonly value: Json;
  /** Paths of fields that the kind does not have. */
  readonly unknown: readonly string[];
}

const API = 'io.k8s.apimachinery.pkg.';
const OBJECT_META = `${API}apis.meta.v1.ObjectMeta`;

class Refused extends Error {}

interface Place {
  /** Name of the definition whose field this is: `ContainerPort`. */
  readonly struct: string;
  /** Without indices, as encoding/json names it. */
  readonly goPath: string;
  /** With indices, as strict decoding names it. */
  readonly path: string;
}

interface Run {
  readonly unknown: string[];
}

/** Checks the metadata of an object without a typed schema, as a custom resource's is. */
export function decodeMeta(value: JsonObject): Result<JsonObject, string> {
  const { metadata } = value;
  if (metadata === undefined || metadata === null) return ok({ ...value, metadata: {} });
  const schema = resolveBuiltin(OBJECT_META) as Schema;
  // Unknown fields of metadata are what pruning reports: they stay here.
  const run: Run = { unknown: [] };
  try {
    // Metadata is decoded by itself: its fields have no path before their name.
    if (!isObject(metadata))
      return err(`json: cannot unmarshal ${kindOf(metadata)} into Go value of type v1.ObjectMeta`);
    const typed = struct(
      metadata as JsonObject,
      schema,
      'ObjectMeta',
      { struct: 'ObjectMeta', goPath: '', path: 'metadata' },
      run,
    );
    const extra: MutableJsonObject = {};
    for (const key of Object.keys(metadata as JsonObject))
      if (!Object.hasOwn(schema.properties ?? {}, key)) put(extra, key, (metadata as JsonObject)[key] as Json);
    return ok({ ...value, metadata: { ...typed, ...extra } });
  } catch (cause) {
    if (cause instanceof Refused) return err(cause.message);
    throw cause;
  }
}

interface Reference {
  readonly name: string | undefined;
  readonly schema: Schema;
}

function follow(schema: Schema): Reference {
  const name = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
  if (name === undefined) return { name: undefined, schema };
  return { name, schema: resolveBuiltin(name) ?? {} };
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** `io.k8s.api.core.v1.PodSpec` is `v1.PodSpec` in Go. */
function goType(schema: Schema): string {
  const { name, schema: target } = follow(schema);
  if (name !== undefined && target.properties !== undefined) {
    const parts = name.split('.');
    return `${parts.at(-2)}.${parts.at(-1)}`;
  }
  if (name !== undefined) return name.endsWith('Quantity') ? 'resource.Quantity' : shortName(name);
  switch (schema.type) {
    case 'array':
      return `[]${goType(schema.items ?? {})}`;
    case 'object':
      return `map[string]${typeof schema.additionalProperties === 'object' ? goType(schema.additionalProperties) : 'interface {}'}`;
    case 'integer':
      return schema.format === 'int64' ? 'int64' : 'int32';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float64';
    default:
      return schema.format === 'byte' ? '[]uint8' : 'string';
  }
}

function kindOf(value: Json): string {
  if (isArray(value)) return 'array';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return 'number';
  return 'object';
}

function mismatch(value: Json, place: Place, type: string): never {
  throw new Refused(
    `json: cannot unmarshal ${kindOf(value)} into Go struct field ${place.struct}.${place.goPath} of type ${type}`,
  );
}

function struct(value: JsonObject, schema: Schema, name: string, place: Place, run: Run): JsonObject {
  const out: MutableJsonObject = {};
  const { properties = {}, required = [] } = schema;
  // Fields in the client's order, so that problems come as Go finds them.
  const unknown: string[] = [];
  for (const key of Object.keys(value)) {
    const path = place.path === '' ? key : `${place.path}.${key}`;
    if (!Object.hasOwn(properties, key)) {
      // selfLink left the types, and the decoder still knows it.
      if (!(name === 'ObjectMeta' && key === 'selfLink')) unknown.push(path);
      continue;
    }
  }
  for (const key of Object.keys(properties)) {
    const declared = properties[key] as Schema;
    const path = place.path === '' ? key : `${place.path}.${key}`;
    const goPath = place.goPath === '' ? key : `${place.goPath}.${key}`;
    const inner: Place = { struct: name, goPath, path };
    const given = Object.hasOwn(value, key) ? (value[key] as Json) : undefined;
    const needed = required.includes(key);
    const result =
      given === undefined || given === null
        ? zero(declared, needed, name, key, inner, run)
        : present(given, declared, needed, name, key, inner, run);
    if (result !== undefined) put(out, key, result);
  }
  run.unknown.push(...unknown);
  return out;
}

/** What Go writes for a field that nobody set. */
function zero(schema: Schema, needed: boolean, name: string, key: string, place: Place, run: Run): Json | undefined {
  if (isAlwaysWritten(name, key)) return schema.type === 'string' && schema.format === undefined ? '' : null;
  if (isNeverDefaulted(name, key)) return undefined;
  const { name: reference, schema: target } = follow(schema);
  const isStruct = target.properties !== undefined;
  if (isStruct && isObject(schema.default)) return struct({}, target, shortName(reference ?? ''), place, run);
  if (!needed) return undefined;
  if (isStruct) return undefined;
  if (reference?.endsWith('.Quantity') === true) return '0';
  if (reference?.endsWith('.IntOrString') === true) return 0;
  if (reference?.endsWith('.Time') === true || reference?.endsWith('.MicroTime') === true) return null;
  switch (target.type) {
    case 'string':
      return schema.format === 'byte' ? null : typeof schema.default === 'string' ? schema.default : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}

function present(
  value: Json,
  schema: Schema,
  needed: boolean,
  name: string,
  key: string,
  place: Place,
  run: Run,
): Json | undefined {
  const typed = decode(value, schema, place, run);
  if (needed) return typed;
  if (typeof typed === 'string' || typeof typed === 'number' || typeof typed === 'boolean') {
    return isDroppedZero(name, key, typed) && !isScalarReference(schema) ? undefined : typed;
  }
  if (isArray(typed)) return typed.length === 0 ? undefined : typed;
  const { schema: target } = follow(schema);
  // An empty map goes; a struct without fields (`subresources.status` of a CRD) stays.
  if (isObject(typed) && target.additionalProperties !== undefined && Object.keys(typed).length === 0) return undefined;
  return typed;
}

/** IntOrString, Quantity and times are structs in Go: their zero is written. */
function isScalarReference(schema: Schema): boolean {
  const { name } = follow(schema);
  return name !== undefined && (name.endsWith('IntOrString') || name.endsWith('Quantity'));
}

function decode(value: Json, schema: Schema, place: Place, run: Run): Json {
  const { name, schema: target } = follow(schema);
  if (name !== undefined) {
    const special = decodeSpecial(value, name, place);
    if (special !== undefined) return special;
    if (target.properties !== undefined) {
      if (!isObject(value)) return mismatch(value, place, goType(schema));
      return struct(value, target, shortName(name), { ...place, struct: shortName(name) }, run);
    }
  }
  return plain(value, target, place, run);
}

function plain(value: Json, target: Schema, place: Place, run: Run): Json {
  switch (target.type) {
    case 'array': {
      if (target.items === undefined) return value;
      if (!isArray(value)) return mismatch(value, place, goType(target));
      return value.map((item, index) =>
        item === null
          ? nullItem(target.items as Schema, { ...place, path: `${place.path}[${index}]` }, run)
          : decode(item, target.items as Schema, { ...place, path: `${place.path}[${index}]` }, run),
      );
    }
    case 'object': {
      const { additionalProperties } = target;
      if (typeof additionalProperties !== 'object') return value;
      if (!isObject(value)) return mismatch(value, place, goType(target));
      const out: MutableJsonObject = {};
      for (const key of Object.keys(value)) {
        const item = value[key] as Json;
        const inner = { ...place, path: `${place.path}.${key}` };
        put(
          out,
          key,
          item === null ? nullItem(additionalProperties, inner, run) : decode(item, additionalProperties, inner, run),
        );
      }
      return out;
    }
    case 'string':
      if (typeof value !== 'string') return mismatch(value, place, goType(target));
      if (target.format === 'byte') checkBase64(value);
      return value;
    case 'integer':
      return integer(value, target, place);
    case 'number':
      if (typeof value !== 'number' && typeof value !== 'bigint') return mismatch(value, place, 'float64');
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') return mismatch(value, place, 'bool');
      return value;
    default:
      return value;
  }
}

/** A null in a list or map is the zero of its type. */
function nullItem(schema: Schema, place: Place, run: Run): Json {
  const { name, schema: target } = follow(schema);
  if (target.properties !== undefined) return struct({}, target, shortName(name ?? ''), place, run);
  if (name?.endsWith('Quantity') === true) return '0';
  switch (target.type) {
    case 'string':
      return target.format === 'byte' ? null : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}

const INT32_LIMIT = 2 ** 31;

function integer(value: Json, target: Schema, place: Place): Json {
  const type = target.format === 'int64' ? 'int64' : 'int32';
  if (typeof value === 'bigint') {
    if (type === 'int64' && value < 2n ** 63n && value >= -(2n ** 63n)) return value;
    throw new Refused(
      `json: cannot unmarshal number ${value} into Go struct field ${place.struct}.${place.goPath} of type ${type}`,
    );
  }
  if (typeof value !== 'number') return mismatch(value, place, type);
  if (!Number.isInteger(value) || (type === 'int32' && (value >= INT32_LIMIT || value < -INT32_LIMIT)))
    throw new Refused(
      `json: cannot unmarshal number ${value} into Go struct field ${place.struct}.${place.goPath} of type ${type}`,
    );
  return value;
}

/** Types with a JSON form of their own; undefined for every other. */
function decodeSpecial(value: Json, name: string, place: Place): Json | undefined {
  switch (name) {
    case `${API}api.resource.Quantity`: {
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint')
        throw new Refused(
          `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
        );
      const parsed = parseQuantity(String(value));
      if (typeof parsed === 'string') throw new Refused(parsed);
      return printQuantity(parsed);
    }
    case `${API}util.intstr.IntOrString`:
      if (typeof value === 'string') return value;
      if (typeof value === 'number' && Number.isInteger(value)) return value;
      return mismatch(value, place, typeof value === 'boolean' ? 'string' : 'int32');
    case `${API}apis.meta.v1.Time`:
    case `${API}apis.meta.v1.MicroTime`: {
      if (typeof value !== 'string')
        throw new Refused(`json: cannot unmarshal ${kindOf(value)} into Go value of type string`);
      const time = checkTime(value, name.endsWith('MicroTime'));
      if (!time.ok) throw new Refused(time.error);
      return time.value;
    }
    case `${API}apis.meta.v1.FieldsV1`:
    case `${API}runtime.RawExtension`:
    case 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON':
    case 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray':
    case 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool':
    case 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray':
      return value;
    default:
      return undefined;
  }
}

/** Source: go@1.26 encoding/base64, standard alphabet with padding; line breaks are skipped. */
function checkBase64(text: string): void {
  const clean = text.replace(/[\r\n]/g, '');
  const bad = /[^A-Za-z0-9+/]/.exec(clean.replace(/={1,2}$/, ''));
  if (bad !== null) throw new Refused(`illegal base64 data at input byte ${bad.index}`);
  if (clean.length % 4 !== 0) {
    const rest = clean.length - (clean.length % 4);
    throw new Refused(`illegal base64 data at input byte ${clean.includes('=') ? clean.length : rest}`);
  }
}
