import type { Json } from '../../base/json.ts';

/** The OpenAPI v3 subset of CRDs and of Kubernetes' own documents, by Kubernetes' names. Unknown keys are ignored. */
export interface Schema {
  /** Name of a definition, without the `#/components/schemas/` in front. */
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: Json;
  readonly nullable?: boolean;
  readonly enum?: readonly Json[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

/** One entry of `x-kubernetes-validations` (apiextensions/v1 ValidationRule). */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

/** Finds a definition by its name; undefined when there is none. */
export type ResolveSchema = (name: string) => Schema | undefined;

/** For schemas without references, such as those of CRDs. */
export const NO_REFERENCES: ResolveSchema = () => undefined;

/** What an API server reports about one field (apimachinery `field.Error`): `message` is `Invalid value: "x": ...`. */
export interface FieldError {
  /** `spec.containers[0].image`; '' for the object as a whole is printed `<nil>`. */
  readonly field: string;
  readonly reason: FieldErrorReason;
  readonly message: string;
}
export type FieldErrorReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

const resolved = new WeakMap<Schema, Schema>();

/** `schema` with its `$ref`, or the single `$ref` of its `allOf`, replaced by the definition; siblings of the reference win. */
export function dereference(schema: Schema, resolve: ResolveSchema): Schema {
  const only = schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined;
  const name = schema.$ref ?? only;
  if (name === undefined) return schema;
  const known = resolved.get(schema);
  if (known !== undefined) return known;
  const target = resolve(name);
  if (target === undefined) return schema;
  const { $ref: _ref, allOf: _allOf, ...siblings } = schema;
  const out = { ...dereference(target, resolve), ...siblings };
  resolved.set(schema, out);
  return out;
}

/** Schema of property `name` of an object of `schema`, or that of its other properties; undefined when undeclared. */
export function propertySchema(schema: Schema, name: string, resolve: ResolveSchema): Schema | undefined {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) {
    return dereference(properties[name] as Schema, resolve);
  }
  return typeof additionalProperties === 'object' ? dereference(additionalProperties, resolve) : undefined;
}
