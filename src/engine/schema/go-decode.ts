import { isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { canonicalBase64, corruptBase64 } from './base64.ts';
import { quote } from './field-error.ts';
import { isDateTime } from './formats.ts';
import { canonicalQuantity, QUANTITY_ERROR } from './quantity.ts';
import { dereference, type ResolveSchema, type Schema } from './schema.ts';
import { ZERO_FIELDS } from './zero-fields.generated.ts';

export interface GoDecoded {
  /** The object as a Go server would print it again: no nulls, no zero values of `omitempty` fields, structs present. */
  readonly value: JsonObject;
  /** Paths of unknown fields in document order: `spec.containers[0].bogus`. Put `unknown field "` and `"` around each. */
  readonly unknown: readonly string[];
}

export interface GoDecodeOptions {
  /**
   * `json`: as encoding/json words a wrong type (bodies, JSON and merge patches). `unstructured`: as
   * `runtime.FromUnstructured` does (strategic merge patches): `unrecognized type: int64`.
   */
  readonly wording?: 'json' | 'unstructured';
  /** Numbers of the text that are whole but not written so, as `1.0`, by path: no Go integer reads them. */
  readonly fractions?: ReadonlyMap<string, string> | undefined;
}

class WrongType extends Error {}

/**
 * Reads a value into the Go type behind a built-in definition, and out again. Fails with the Go decoder's words, to be
 * wrapped by the caller: `Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal ...`.
 * @param definition full definition name, `io.k8s.api.apps.v1.Deployment`
 */
export function decodeGo(
  value: Json,
  definition: string,
  resolve: ResolveSchema,
  options: GoDecodeOptions = {},
): Result<GoDecoded, { readonly message: string }> {
  const decoder = new GoDecoder(resolve, options.wording ?? 'json', options.fractions ?? new Map());
  try {
    const out = decoder.struct(value, definition, resolve(definition) ?? {}, '', '');
    return ok({ value: out, unknown: decoder.unknown });
  } catch (error) {
    if (error instanceof WrongType) return err({ message: error.message });
    throw error;
  }
}

type Fields = { readonly [definition: string]: ReadonlySet<string> };

/** The fields of kinds that are not in k8s.io/api, beside the generated ones of those that are. */
function fieldSets(generated: { readonly [definition: string]: readonly string[] }, more: Fields): Fields {
  const sets = Object.entries(generated).map(([name, fields]) => [name, new Set(fields)] as const);
  return { ...Object.fromEntries(sets), ...more };
}

const ZEROS = JSON.parse(ZERO_FIELDS) as {
  readonly [list in 'keep' | 'drop']: { readonly [definition: string]: readonly string[] };
};

/** Scalars that are no pointers in Go and have `omitempty`: a zero is dropped. Numbers and booleans not listed are kept. */
const DROP_ZERO: Fields = fieldSets(ZEROS.drop, {
  ObjectMeta: new Set(['generation']),
  APIServiceSpec: new Set(['insecureSkipTLSVerify']),
});

/** Strings that are pointers in Go: an empty one is kept. */
const KEEP_EMPTY: Fields = fieldSets(ZEROS.keep, {
  CustomResourceSubresourceScale: new Set(['labelSelectorPath']),
  CustomResourceDefinitionVersion: new Set(['deprecationWarning']),
});

/** Fields that Go always prints, though the documents do not call them required. */
const ALWAYS: { readonly [definition: string]: { readonly [field: string]: Json } } = {
  Role: { rules: null },
  ClusterRole: { rules: null },
  Event: { eventTime: null, reportingComponent: '', reportingInstance: '' },
  StatefulSetStatus: { availableReplicas: 0 },
  ResourceFieldSelector: { divisor: '0' },
  TypedLocalObjectReference: { apiGroup: null },
  TypedObjectReference: { apiGroup: null },
  HorizontalPodAutoscalerStatus: { currentMetrics: null },
  NodeCondition: { lastHeartbeatTime: null, lastTransitionTime: null },
  PodCondition: { lastProbeTime: null, lastTransitionTime: null },
  DeploymentCondition: { lastUpdateTime: null, lastTransitionTime: null },
  ReplicaSetCondition: { lastTransitionTime: null },
  ReplicationControllerCondition: { lastTransitionTime: null },
  StatefulSetCondition: { lastTransitionTime: null },
  DaemonSetCondition: { lastTransitionTime: null },
  JobCondition: { lastProbeTime: null, lastTransitionTime: null },
  HorizontalPodAutoscalerCondition: { lastTransitionTime: null },
  PersistentVolumeClaimCondition: { lastProbeTime: null, lastTransitionTime: null },
  CustomResourceDefinitionCondition: { lastTransitionTime: null },
  CertificateSigningRequestCondition: { lastUpdateTime: null, lastTransitionTime: null },
  FlowSchemaCondition: { lastTransitionTime: null },
  Condition: { lastTransitionTime: null },
};
/** The same for kinds that print differently by version. */
const ALWAYS_IN: { readonly [definition: string]: { readonly [field: string]: Json } } = {
  'io.k8s.api.core.v1.Event': { firstTimestamp: null, lastTimestamp: null },
  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus': {},
};

const shortName = (definition: string): string => definition.slice(definition.lastIndexOf('.') + 1);

const MAX_EXACT = 2n ** 53n - 1n;

const jsonKind = (value: Json): string =>
  isArray(value)
    ? 'array'
    : isObject(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value === 'bigint'
          ? 'number'
          : typeof value;

class GoDecoder {
  readonly resolve: ResolveSchema;
  readonly wording: 'json' | 'unstructured';
  readonly fractions: ReadonlyMap<string, string>;
  readonly unknown: string[] = [];

  constructor(resolve: ResolveSchema, wording: 'json' | 'unstructured', fractions: ReadonlyMap<string, string>) {
    this.resolve = resolve;
    this.wording = wording;
    this.fractions = fractions;
  }

  /** `path` has indices, for unknown fields; `goPath` is Go's error context: `spec.containers.ports`. */
  struct(value: Json, definition: string, schema: Schema, path: string, goPath: string): JsonObject {
    const name = shortName(definition);
    if (value === null) return this.zeroStruct(schema, definition);
    if (!isObject(value))
      throw new WrongType(`json: cannot unmarshal ${jsonKind(value)} into Go value of type ${goType(definition)}`);
    const properties = schema.properties ?? {};
    const out: MutableJsonObject = {};
    for (const key of Object.keys(value)) {
      const inner = path === '' ? key : `${path}.${key}`;
      if (!Object.hasOwn(properties, key)) {
        this.unknown.push(inner);
        continue;
      }
      const child = value[key] as Json;
      if (child === null) continue;
      const context: Context = { owner: name, path: inner, goPath: goPath === '' ? key : `${goPath}.${key}` };
      const given = this.value(child, properties[key] as Schema, context);
      // Storage keeps no difference between an empty list and none; an empty list of managers asks for a reset.
      const isEmpty = isArray(given) && given.length === 0 && key !== 'managedFields';
      const read = isEmpty ? null : given;
      if (!this.omitted(read, name, key, schema, properties[key] as Schema)) put(out, key, read);
    }
    return this.fillStruct(out, schema, definition);
  }

  private zeroStruct(schema: Schema, definition: string): JsonObject {
    return this.fillStruct({}, schema, definition);
  }

  /** Structs and fields without `omitempty` are printed also when nobody set them. */
  private fillStruct(out: MutableJsonObject, schema: Schema, definition: string): JsonObject {
    const wanted = new Set(schema.required);
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      if (Object.hasOwn(out, key)) continue;
      const { default: preset } = property;
      const needed = wanted.has(key);
      if (isObject(preset) && Object.keys(preset).length === 0) {
        const inner = definitionOf(property);
        const target = inner === undefined ? undefined : this.resolve(inner);
        if (target?.properties !== undefined) put(out, key, this.zeroStruct(target, inner ?? ''));
      } else if (needed && (preset === '' || preset === 0 || preset === false)) put(out, key, preset);
      else if (needed && preset === undefined && isCollection(property)) put(out, key, null);
    }
    const always = { ...(ALWAYS_IN[definition] ?? ALWAYS[shortName(definition)]) };
    if (definition.endsWith('.core.v1.Event')) Object.assign(always, ALWAYS['Event']);
    for (const [key, value] of Object.entries(always)) {
      if (!Object.hasOwn(out, key) && Object.hasOwn(schema.properties ?? {}, key)) put(out, key, value);
    }
    return out;
  }

  private omitted(value: Json, owner: string, key: string, schema: Schema, property: Schema): boolean {
    if (value === '') return !KEEP_EMPTY[owner]?.has(key) && schema.required?.includes(key) !== true;
    if (value === 0 || value === false) return DROP_ZERO[owner]?.has(key) === true;
    if (value === null) return schema.required?.includes(key) !== true;
    if (isObject(value) && Object.keys(value).length === 0) {
      return property.additionalProperties !== undefined && schema.required?.includes(key) !== true;
    }
    return false;
  }

  private value(value: Json, property: Schema, context: Context): Json {
    const definition = definitionOf(property);
    if (definition !== undefined) {
      const special = this.special(value, definition, context);
      if (special !== undefined) return special;
      const target = this.resolve(definition) ?? {};
      if (target.properties !== undefined) {
        if (!isObject(value)) throw this.wrong(value, context, goType(definition), 'struct');
        return this.struct(value, definition, target, context.path, context.goPath);
      }
      if (target.type === 'object' && target.additionalProperties === undefined)
        return this.emptyStruct(value, definition, context);
      return this.plain(value, dereference(property, this.resolve), context);
    }
    return this.plain(value, property, context);
  }

  private emptyStruct(value: Json, definition: string, context: Context): Json {
    if (!isObject(value)) throw this.wrong(value, context, goType(definition), 'struct');
    for (const key of Object.keys(value)) this.unknown.push(`${context.path}.${key}`);
    return {};
  }

  /** Types with a JSON reader of their own; undefined for all others. */
  private special(value: Json, definition: string, context: Context): Json | undefined {
    switch (shortName(definition)) {
      case 'Quantity': {
        const text =
          typeof value === 'string'
            ? value
            : typeof value === 'number' || typeof value === 'bigint'
              ? String(value)
              : undefined;
        const canonical = text === undefined ? undefined : canonicalQuantity(text);
        if (canonical === undefined) throw new WrongType(QUANTITY_ERROR);
        return canonical;
      }
      case 'IntOrString':
        if (typeof value === 'string' || typeof value === 'bigint') return value;
        return this.integer(value, { format: 'int32' }, { ...context, nested: true });
      case 'Time':
      case 'MicroTime':
        return this.time(value, shortName(definition) === 'MicroTime', context);
      case 'RawExtension':
      case 'FieldsV1':
      case 'JSON':
        return value;
      case 'JSONSchemaPropsOrArray':
      case 'JSONSchemaPropsOrBool':
      case 'JSONSchemaPropsOrStringArray': {
        if (!isObject(value)) return value;
        const inner = `${definition.slice(0, definition.lastIndexOf('.') + 1)}JSONSchemaProps`;
        return this.struct(value, inner, this.resolve(inner) ?? {}, context.path, context.goPath);
      }
      default:
        return undefined;
    }
  }

  private time(value: Json, micro: boolean, context: Context): Json {
    const layout = micro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00';
    if (typeof value !== 'string') throw this.wrong(value, { ...context, nested: true }, 'string', 'string');
    if (isDateTime(value)) return utc(value, micro);
    const year = /^\d{4}/.exec(value);
    const [rest, part] = year === null ? [value, '2006'] : [value.slice(4), '-'];
    throw new WrongType(`parsing time ${quote(value)} as "${layout}": cannot parse ${quote(rest)} as "${part}"`);
  }

  private plain(value: Json, schema: Schema, context: Context): Json {
    switch (schema.type) {
      case 'string':
        if (typeof value !== 'string')
          throw this.wrong(value, context, schema.format === 'byte' ? '[]uint8' : 'string', 'string');
        if (schema.format !== 'byte') return value;
        checkBase64(value);
        return canonicalBase64(value);
      case 'boolean':
        if (typeof value !== 'boolean') throw this.wrong(value, context, 'bool', 'bool');
        return value;
      case 'integer':
        return this.integer(value, schema, context);
      case 'number':
        if (typeof value !== 'number' && typeof value !== 'bigint')
          throw this.wrong(value, context, 'float64', 'float64');
        return value;
      case 'array': {
        const items = schema.items ?? {};
        if (!isArray(value)) throw this.wrong(value, context, `[]${goTypeOf(items)}`, 'slice');
        return value.map((item, index) => {
          const inner = { ...context, path: `${context.path}[${index}]` };
          if (item !== null) return this.value(item, items, inner);
          const definition = definitionOf(items);
          return definition === undefined ? '' : this.zeroStruct(this.resolve(definition) ?? {}, definition);
        });
      }
      case 'object': {
        const { additionalProperties } = schema;
        if (typeof additionalProperties !== 'object') return value;
        if (!isObject(value)) throw this.wrong(value, context, `map[string]${goTypeOf(additionalProperties)}`, 'map');
        const out: MutableJsonObject = {};
        for (const key of Object.keys(value)) {
          const item = value[key] as Json;
          const inner = { ...context, path: `${context.path}.${key}` };
          put(out, key, item === null ? zeroOf(additionalProperties) : this.value(item, additionalProperties, inner));
        }
        return out;
      }
      default:
        return value;
    }
  }

  private integer(value: Json, schema: Schema, context: Context): Json {
    const bits = schema.format === 'int64' ? 64 : 32;
    const type = `int${bits}`;
    const written = this.fractions.get(context.path);
    if (written !== undefined) throw this.wrong(value, context, type, type, ` ${written}`);
    const whole =
      typeof value === 'bigint'
        ? value
        : typeof value === 'number' && Number.isInteger(value)
          ? BigInt(value)
          : undefined;
    if (whole === undefined) throw this.wrong(value, context, type, type, typeof value === 'number' ? ` ${value}` : '');
    const limit = 2n ** BigInt(bits - 1);
    if (whole >= -limit && whole < limit) return value;
    if (this.wording === 'json') throw this.wrong(value, context, type, type, ` ${whole}`);
    // reflect.Value.Convert drops the high bits.
    const wrapped = BigInt.asIntN(bits, whole);
    return wrapped >= -MAX_EXACT && wrapped <= MAX_EXACT ? Number(wrapped) : wrapped;
  }

  private wrong(
    value: Json,
    { owner, goPath, nested = false }: Context,
    type: string,
    kind: string,
    literal = '',
  ): WrongType {
    if (this.wording === 'unstructured')
      return new WrongType(
        nested
          ? `json: cannot unmarshal ${jsonKind(value)}${literal} into Go value of type ${type}`
          : conversionError(value, kind),
      );
    return new WrongType(
      `json: cannot unmarshal ${jsonKind(value)}${literal} into Go struct field ${owner}.${goPath} of type ${type}`,
    );
  }
}

/** What Go calls the type of a value in an unstructured object. */
function reflectKind(value: Json): string {
  if (isArray(value)) return 'slice';
  if (isObject(value)) return 'map';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'number' && !Number.isInteger(value)
    ? 'float64'
    : typeof value === 'string'
      ? 'string'
      : 'int64';
}

/** Why `runtime.FromUnstructured` does not take a value for a Go kind. Source: kubernetes@1.34 apimachinery/pkg/runtime/converter.go. */
function conversionError(value: Json, kind: string): string {
  const given = reflectKind(value);
  if (kind === 'struct') return `cannot restore struct from: ${given}`;
  if (kind === 'slice' || kind === 'map') return `cannot restore ${kind} from ${given}`;
  // Go would make a character of an integer, and cut a fraction: refused in these words. Other pairs do not convert at all.
  const convertible = given === 'int64' ? kind === 'string' : given === 'float64' && kind.startsWith('int');
  return convertible ? `cannot convert ${given} to ${kind}` : `unrecognized type: ${kind}`;
}

interface Context {
  readonly owner: string;
  readonly path: string;
  readonly goPath: string;
  /** The type reads JSON itself. */
  readonly nested?: boolean;
}

/** Name of the definition a property refers to. */
function definitionOf(property: Schema): string | undefined {
  return property.$ref ?? property.allOf?.[0]?.$ref;
}

function isCollection(property: Schema): boolean {
  return property.type === 'array' || (property.type === 'object' && property.additionalProperties !== undefined);
}

function zeroOf(schema: Schema): Json {
  if (schema.type === 'string') return '';
  if (schema.type === 'integer' || schema.type === 'number') return 0;
  if (schema.type === 'boolean') return false;
  return definitionOf(schema)?.endsWith('.Quantity') === true ? '0' : {};
}

/** `v1.PodSpec` of `io.k8s.api.core.v1.PodSpec`. */
function goType(definition: string): string {
  const parts = definition.split('.');
  return parts.slice(-2).join('.');
}

function goTypeOf(schema: Schema): string {
  const definition = definitionOf(schema);
  if (definition !== undefined) return goType(definition);
  switch (schema.type) {
    case 'string':
      return schema.format === 'byte' ? '[]uint8' : 'string';
    case 'boolean':
      return 'bool';
    case 'integer':
      return schema.format ?? 'int64';
    case 'number':
      return 'float64';
    case 'array':
      return `[]${goTypeOf(schema.items ?? {})}`;
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `map[string]${goTypeOf(schema.additionalProperties)}`
        : 'map[string]interface {}';
    default:
      return 'interface {}';
  }
}

function checkBase64(text: string): void {
  const offset = corruptBase64(text);
  if (offset !== undefined) throw new WrongType(`illegal base64 data at input byte ${offset}`);
}

/** The time in UTC, with the digits that Kubernetes prints. */
function utc(text: string, micro: boolean): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)[tT](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[zZ]|([+-])(\d\d):?(\d\d))$/.exec(text);
  if (match === null) return text;
  const fraction = micro ? `.${(match[7] ?? '').slice(0, 6).padEnd(6, '0')}` : '';
  if (match[8] === undefined)
    return `${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}${fraction}Z`;
  const offset = (Number(match[9]) * 60 + Number(match[10])) * (match[8] === '-' ? 1 : -1);
  let [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  let minutes = Number(match[4]) * 60 + Number(match[5]) + offset;
  if (minutes < 0) {
    minutes += 1440;
    day--;
    if (day === 0) {
      month = month === 1 ? 12 : month - 1;
      if (month === 12) year--;
      day = daysIn(year, month);
    }
  } else if (minutes >= 1440) {
    minutes -= 1440;
    day++;
    if (day > daysIn(year, month)) {
      day = 1;
      month = month === 12 ? 1 : month + 1;
      if (month === 1) year++;
    }
  }
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${match[6]}${fraction}Z`;
}

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 31;
}
