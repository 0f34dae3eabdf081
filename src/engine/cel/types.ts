import { dereference, type ResolveSchema, type Schema } from '../schema/schema.ts';

/** A static type. `dyn` fits everything. */
export type CelType =
  | { readonly kind: 'simple'; readonly name: string }
  | { readonly kind: 'dyn' }
  /** Of what does not check: fits everything, so that one mistake is told once. */
  | { readonly kind: 'error' }
  /** A type parameter of a function, or a type yet to be found. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** The type of types. */
  | { readonly kind: 'type'; readonly of?: CelType }
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
export const TYPE: CelType = { kind: 'type' };
export const ERROR: CelType = { kind: 'error' };
export const typeOfType = (of: CelType): CelType => ({ kind: 'type', of });
export const parameter = (name: string): CelType => ({ kind: 'parameter', name });
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

/** As errors of checking print it: `list(int)`, `map(string, dyn)`. (cel-go@0.26 checker/format.go) */
export function printType(type: CelType): string {
  switch (type.kind) {
    case 'simple':
      return type.name;
    case 'dyn':
      return 'dyn';
    case 'error':
      return '!error!';
    case 'parameter':
      return type.name;
    case 'type':
      return type.of === undefined ? 'type' : `type(${printType(type.of)})`;
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

/** As the type's own name goes, which `type()` gives too: `google.protobuf.Timestamp`. (cel-go@0.26 common/types/types.go) */
export function declaredTypeName(type: CelType): string {
  switch (type.kind) {
    case 'simple':
      return OWN_NAMES[type.name] ?? type.name;
    case 'list':
      return `list(${declaredTypeName(type.item)})`;
    case 'map':
      return `map(${declaredTypeName(type.key)}, ${declaredTypeName(type.value)})`;
    case 'optional':
      return `optional_type(${declaredTypeName(type.value)})`;
    case 'type':
      return type.of === undefined ? 'type' : `type(${declaredTypeName(type.of)})`;
    default:
      return printType(type);
  }
}

const OWN_NAMES: { readonly [name: string]: string } = {
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  null: 'null_type',
};

/** Whether two types are one and the same. */
export function sameType(a: CelType, b: CelType): boolean {
  switch (a.kind) {
    case 'simple':
    case 'parameter':
    case 'struct':
      return b.kind === a.kind && b.name === a.name;
    case 'object':
      return b.kind === 'object' && b.schema === a.schema;
    case 'list':
      return b.kind === 'list' && sameType(a.item, b.item);
    case 'map':
      return b.kind === 'map' && sameType(a.key, b.key) && sameType(a.value, b.value);
    case 'optional':
      return b.kind === 'optional' && sameType(a.value, b.value);
    case 'type':
      return b.kind === 'type' && (a.of === undefined || b.of === undefined ? a.of === b.of : sameType(a.of, b.of));
    default:
      return a.kind === b.kind;
  }
}

/** The type that a schema declares. (apiserver@0.34 pkg/cel/common/schemas.go) */
export function typeOfSchema(schema: Schema | undefined, resolve: ResolveSchema, resource = false): CelType {
  if (schema === undefined) return DYN;
  const own = dereference(schema, resolve);
  if (own['x-kubernetes-int-or-string'] === true || own.format === 'int-or-string') return DYN;
  switch (own.type) {
    case 'object':
      if (own.properties === undefined && typeof own.additionalProperties === 'object')
        return map(STRING, typeOfSchema(own.additionalProperties, resolve));
      // Without properties it has no fields that an expression could name, whatever it preserves.
      return {
        kind: 'object',
        schema: own,
        resolve,
        resource: resource || own['x-kubernetes-embedded-resource'] === true,
      };
    case 'array':
      return list(typeOfSchema(own.items, resolve));
    case 'string':
      if (own.format === 'date-time' || own.format === 'date') return TIMESTAMP;
      if (own.format === 'duration') return DURATION;
      if (own.format === 'byte') return BYTES;
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
