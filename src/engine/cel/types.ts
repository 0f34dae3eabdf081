import { dereference, type ResolveSchema, type Schema } from '../schema/schema.ts';

/** A static type. `dyn` fits everything. */
export type CelType =
  | { readonly kind: 'simple'; readonly name: string }
  | { readonly kind: 'dyn' }
  | { readonly kind: 'list'; readonly item: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'optional'; readonly value: CelType }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: { readonly [name: string]: CelType } }
  | { readonly kind: 'object'; readonly schema: Schema; readonly resolve: ResolveSchema; readonly resource: boolean };

export const DYN: CelType = { kind: 'dyn' };
const simple = (name: string): CelType => ({ kind: 'simple', name });
export const BOOL: CelType = simple('bool');
export const INT: CelType = simple('int');
export const UINT: CelType = simple('uint');
export const DOUBLE: CelType = simple('double');
export const STRING: CelType = simple('string');
export const BYTES: CelType = simple('bytes');
export const NULL: CelType = simple('null');
export const TIMESTAMP: CelType = simple('timestamp');
export const DURATION: CelType = simple('duration');
export const TYPE: CelType = simple('type');
export const opaque = (name: string): CelType => simple(name);
export const list = (item: CelType): CelType => ({ kind: 'list', item });
export const map = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value });
export const optional = (value: CelType): CelType => ({ kind: 'optional', value });

/** An object with declared fields: `kubernetes.AdmissionRequest`. */
export const struct = (name: string, fields: { readonly [name: string]: CelType }): CelType => ({
  kind: 'struct',
  name,
  fields,
});

/** As errors print it: `list(int)`, `map(string, dyn)`. */
export function printType(type: CelType): string {
  switch (type.kind) {
    case 'simple':
      return type.name === 'timestamp'
        ? 'google.protobuf.Timestamp'
        : type.name === 'duration'
          ? 'google.protobuf.Duration'
          : type.name;
    case 'dyn':
      return 'dyn';
    case 'list':
      return `list(${printType(type.item)})`;
    case 'map':
      return `map(${printType(type.key)}, ${printType(type.value)})`;
    case 'optional':
      return `optional_type(${printType(type.value)})`;
    case 'struct':
      return type.name;
    case 'object':
      return 'object';
  }
}

/** Whether a value of one type may stand where the other is wanted, either being `dyn`. */
export function compatible(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || b.kind === 'dyn') return true;
  if (a.kind === 'simple' && a.name === 'null')
    return b.kind !== 'simple' || ['null', 'timestamp', 'duration'].includes(b.name);
  if (b.kind === 'simple' && b.name === 'null') return compatible(b, a);
  if (a.kind === 'object' || b.kind === 'object')
    return (a.kind === 'object' && b.kind === 'object') || a.kind === 'map' || b.kind === 'map';
  if (a.kind !== b.kind) return false;
  if (a.kind === 'struct') return a.name === (b as typeof a).name;
  if (a.kind === 'simple') return a.name === (b as typeof a).name;
  if (a.kind === 'list') return compatible(a.item, (b as typeof a).item);
  if (a.kind === 'optional') return compatible(a.value, (b as typeof a).value);
  return compatible(a.key, (b as typeof a).key) && compatible(a.value, (b as typeof a).value);
}

/** One type for both; `dyn` when they differ. */
export function join(a: CelType, b: CelType): CelType {
  if (a.kind === 'dyn' || b.kind === 'dyn') return DYN;
  return compatible(a, b) ? (a.kind === 'simple' && a.name === 'null' ? b : a) : DYN;
}

/** The type that a schema declares. (apiserver@0.34 pkg/cel/common/schemas.go) */
export function typeOfSchema(schema: Schema | undefined, resolve: ResolveSchema, resource = false): CelType {
  if (schema === undefined) return DYN;
  const own = dereference(schema, resolve);
  if (own['x-kubernetes-int-or-string'] === true || own.format === 'int-or-string') return DYN;
  switch (own.type) {
    case 'object':
      if (own.properties !== undefined) {
        return {
          kind: 'object',
          schema: own,
          resolve,
          resource: resource || own['x-kubernetes-embedded-resource'] === true,
        };
      }
      if (typeof own.additionalProperties === 'object')
        return map(STRING, typeOfSchema(own.additionalProperties, resolve));
      return DYN;
    case 'array':
      return list(typeOfSchema(own.items, resolve));
    case 'string':
      if (own.format === 'date-time' || own.format === 'date') return TIMESTAMP;
      if (own.format === 'duration') return DURATION;
      return STRING;
    case 'integer':
      return INT;
    case 'number':
      return DOUBLE;
    case 'boolean':
      return BOOL;
    default:
      return DYN;
  }
}
