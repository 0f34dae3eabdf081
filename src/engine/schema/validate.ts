import { equal, field, isArray, isObject, type Json, type JsonObject, stringifyJson } from '../../base/json.ts';
import { duplicate, invalid, notSupported, required, tooLong, tooMany, typeInvalid } from './field-error.ts';
import { fitsFormat, isKnownFormat } from './formats.ts';
import { matchesPattern } from './patterns.ts';
import { dereference, type FieldError, NO_REFERENCES, type ResolveSchema, type Schema } from './schema.ts';

export interface ValidateOptions {
  readonly resolve?: ResolveSchema;
  /** The stored object of an update: what did not change and was wrong before is let through (CRD ratcheting). */
  readonly old?: Json;
}

/**
 * What of `value` breaks the schema, as kube-openapi's validator words it, then duplicates in `set` and `map` lists.
 * CEL rules are not looked at: see `validateRules`. (kube-openapi@1.34 pkg/validation/validate; apiextensions-apiserver listtype)
 */
export function validate(value: Json, schema: Schema, options: ValidateOptions = {}): FieldError[] {
  const resolve = options.resolve ?? NO_REFERENCES;
  const errors: FieldError[] = [];
  check(value, dereference(schema, resolve), '', options.old, resolve, errors);
  duplicates(value, dereference(schema, resolve), '', options.old, resolve, errors);
  return errors;
}

/** Whole numbers beyond it were read as floats. */
function isInt64(value: bigint): boolean {
  return value >= -(2n ** 63n) && value < 2n ** 63n;
}

function typeOf(value: Json): { type: string; format: string } {
  if (value === null) return { type: 'null', format: '' };
  if (isArray(value)) return { type: 'array', format: '' };
  if (typeof value === 'string' || typeof value === 'boolean') return { type: typeof value, format: '' };
  if (typeof value === 'bigint')
    return isInt64(value) ? { type: 'integer', format: 'int64' } : { type: 'number', format: 'double' };
  if (typeof value === 'number') {
    return Number.isInteger(value) && Math.abs(value) < 2 ** 63
      ? { type: 'integer', format: 'int64' }
      : { type: 'number', format: 'double' };
  }
  return { type: 'object', format: '' };
}

/** Errors go to `errors`; `path` is `spec.a[0]`. */
function check(
  value: Json,
  schema: Schema,
  path: string,
  old: Json | undefined,
  resolve: ResolveSchema,
  errors: FieldError[],
): void {
  if (value === null && schema.nullable === true) return;
  const found: FieldError[] = [];
  checkOwn(value, schema, path, found);
  checkCombined(value, schema, path, resolve, found);
  if (schema['x-kubernetes-embedded-resource'] === true && isObject(value)) checkEmbedded(value, path, found);
  const unchanged = old !== undefined && equal(value, old);
  if (!unchanged) errors.push(...found);
  if (isArray(value)) {
    if (schema.items === undefined) return;
    const items = dereference(schema.items, resolve);
    const pairs = correlate(value, old, schema);
    value.forEach((item, index) => check(item, items, `${path}[${index}]`, pairs(index), resolve, errors));
  } else if (isObject(value)) {
    const { properties, additionalProperties } = schema;
    const others = typeof additionalProperties === 'object' ? dereference(additionalProperties, resolve) : undefined;
    for (const name of Object.keys(value).toSorted()) {
      const declared = properties !== undefined && Object.hasOwn(properties, name);
      const inner = declared ? dereference(properties[name] as Schema, resolve) : others;
      const innerPath = path === '' ? name : `${path}.${name}`;
      if (inner !== undefined) check(value[name] as Json, inner, innerPath, field(old, name), resolve, errors);
    }
  }
}

/** The old item that belongs to an item: by key in map lists; other lists have none, unless they are equal. */
export function correlate(
  value: readonly Json[],
  old: Json | undefined,
  schema: Schema,
): (index: number) => Json | undefined {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (!isArray(old) || schema['x-kubernetes-list-type'] !== 'map' || keys === undefined) return () => undefined;
  const id = (item: Json): string => stringifyJson(keys.map((key) => field(item, key) ?? null));
  const byKey = new Map(old.map((item) => [id(item), item]));
  return (index) => byKey.get(id(value[index] as Json));
}

function allowedTypes(schema: Schema): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  return schema.type === undefined || schema.type === '' ? [] : [schema.type];
}

function checkOwn(value: Json, schema: Schema, path: string, errors: FieldError[]): void {
  const wrongType = checkType(value, schema, path);
  if (wrongType !== undefined) {
    errors.push(wrongType);
    return;
  }
  if (typeof value === 'string') checkString(value, schema, path, errors);
  else if (typeof value === 'number' || typeof value === 'bigint') checkNumber(value, schema, path, errors);
  else if (isArray(value)) {
    const { minItems, maxItems } = schema;
    if (minItems !== undefined && value.length < minItems) {
      errors.push(invalid(path, value.length, `${path} in body should have at least ${minItems} items`));
    }
    if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems));
  } else if (isObject(value)) {
    const { minProperties, maxProperties } = schema;
    const count = Object.keys(value).length;
    if (minProperties !== undefined && count < minProperties) {
      errors.push(invalid(path, count, `${path} in body should have at least ${minProperties} properties`));
    }
    if (maxProperties !== undefined && count > maxProperties) errors.push(tooMany(path, count, maxProperties));
    for (const name of schema.required ?? []) {
      if (!Object.hasOwn(value, name)) errors.push(required(path === '' ? name : `${path}.${name}`));
    }
  }
  if (schema.enum !== undefined && !schema.enum.some((allowed) => equal(allowed, value))) {
    errors.push(
      notSupported(
        path,
        value,
        schema.enum.map((item) => (typeof item === 'string' ? item : stringifyJson(item))),
      ),
    );
  }
}

/** Source: apiextensions-apiserver@0.34 schema/objectmeta/validation.go validateEmbeddedResource. */
function checkEmbedded(value: JsonObject, path: string, errors: FieldError[]): void {
  for (const key of ['apiVersion', 'kind']) {
    const inner = path === '' ? key : `${path}.${key}`;
    const text = field(value, key);
    if (text === undefined) errors.push(required(inner));
    else if (text === '') errors.push(invalid(inner, text, 'must not be empty'));
    else if (typeof text === 'string') {
      const wrong = key === 'kind' ? kindProblem(text) : versionProblem(text);
      if (wrong !== undefined) errors.push(invalid(inner, text, wrong));
    }
  }
}

function versionProblem(text: string): string | undefined {
  return text.split('/').length > 2 ? `unexpected GroupVersion string: ${text}` : undefined;
}

function kindProblem(text: string): string | undefined {
  if (text.length <= 63 && /^[a-z]([-a-z0-9]*[a-z0-9])?$/i.test(text)) return undefined;
  return text.length > 63
    ? 'may have mixed case, but should otherwise match: must be no more than 63 characters'
    : "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
}

function checkType(value: Json, schema: Schema, path: string): FieldError | undefined {
  const types = allowedTypes(schema);
  const { type, format } = typeOf(value);
  if (types.length === 0) return undefined;
  const fits = types.includes(type) || (type === 'integer' && types.includes('number'));
  if (value === null) return typeInvalid(path, 'null', `${path} in body must be of type ${types.join(',')}: "null"`);
  const given = isKnownFormat(schema.format ?? '') ? (schema.format as string) : '';
  const numeric = types.includes('number') || types.includes('integer');
  if (fits) {
    if (typeof value === 'string' && given !== '' && !numeric && !fitsFormat(given, value)) {
      return typeInvalid(path, value, `${path} in body must be of type ${given}: ${JSON.stringify(value)}`);
    }
    return undefined;
  }
  if (typeof value !== 'string' && !isArray(value) && given !== '') {
    return typeInvalid(path, format, `${path} in body must be of type ${given}: "${format}"`);
  }
  return typeInvalid(path, type, `${path} in body must be of type ${types.join(',')}: "${type}"`);
}

function checkString(value: string, schema: Schema, path: string, errors: FieldError[]): void {
  const { minLength, maxLength, pattern } = schema;
  const length = Array.from(value).length;
  // The first that is wrong is all that is said. (kube-openapi@1.34 validation/validate/validator.go stringValidator)
  if (maxLength !== undefined && length > maxLength) errors.push(tooLong(path, maxLength));
  else if (minLength !== undefined && length < minLength) {
    errors.push(invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
  } else if (pattern !== undefined && pattern !== '' && !matchesPattern(pattern, value)) {
    errors.push(invalid(path, value, `${path} in body should match '${pattern}'`));
  }
}

function checkNumber(value: number | bigint, schema: Schema, path: string, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf } = schema;
  if (multipleOf !== undefined) {
    // Integers are divided as such. (kube-openapi@1.34 validation/validate/values.go MultipleOfNativeType)
    const whole = typeof value === 'bigint' || Number.isInteger(value);
    const factor = whole ? Math.trunc(multipleOf) : multipleOf;
    if (factor === 0) errors.push(invalid(path, 0, `factor MultipleOf declared for ${path} must be positive: 0`));
    else if (!Number.isInteger(Number(value) / factor))
      errors.push(invalid(path, value, `${path} in body should be a multiple of ${multipleOf}`));
  }
  if (maximum !== undefined) {
    const exclusive = schema.exclusiveMaximum === true;
    if (exclusive ? value >= maximum : value > maximum) {
      errors.push(
        invalid(path, value, `${path} in body should be less than ${exclusive ? '' : 'or equal to '}${maximum}`),
      );
    }
  }
  if (minimum !== undefined) {
    const exclusive = schema.exclusiveMinimum === true;
    if (exclusive ? value <= minimum : value < minimum) {
      errors.push(
        invalid(path, value, `${path} in body should be greater than ${exclusive ? '' : 'or equal to '}${minimum}`),
      );
    }
  }
}

function checkCombined(value: Json, schema: Schema, path: string, resolve: ResolveSchema, errors: FieldError[]): void {
  const failures = (inner: Schema): FieldError[] => {
    const found: FieldError[] = [];
    check(value, dereference(inner, resolve), path, undefined, resolve, found);
    return found;
  };
  const name = JSON.stringify(path);
  if (schema.anyOf !== undefined && schema.anyOf.length > 0) {
    const results = schema.anyOf.map(failures);
    if (results.every((result) => result.length > 0)) {
      errors.push(invalid('', '', `${name} must validate at least one schema (anyOf)`), ...best(results));
    }
  }
  if (schema.oneOf !== undefined && schema.oneOf.length > 0) {
    const results = schema.oneOf.map(failures);
    const valid = results.filter((result) => result.length === 0).length;
    if (valid !== 1) {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
      errors.push(invalid('', '', `${name} must validate one and only one schema (oneOf). ${found}`));
      if (valid === 0) errors.push(...best(results));
    }
  }
  if (schema.allOf !== undefined && schema.allOf.length > 0) {
    const results = schema.allOf.map(failures);
    const valid = results.filter((result) => result.length === 0).length;
    if (valid !== results.length) {
      const none = valid === 0 ? '. None validated' : '';
      errors.push(invalid('', '', `${name} must validate all the schemas (allOf)${none}`), ...results.flat());
    }
  }
  if (schema.not !== undefined && failures(schema.not).length === 0) {
    errors.push(invalid('', '', `${name} must not validate the schema (not)`));
  }
}

function best(results: readonly FieldError[][]): readonly FieldError[] {
  return results.reduce((a, b) => (b.length < a.length ? b : a), results[0] ?? []);
}

function duplicates(
  value: Json,
  schema: Schema,
  path: string,
  old: Json | undefined,
  resolve: ResolveSchema,
  errors: FieldError[],
): void {
  if (isArray(value)) {
    const listType = schema['x-kubernetes-list-type'];
    if ((listType === 'set' || listType === 'map') && !(old !== undefined && equal(value, old))) {
      duplicateItems(value, schema, path, errors);
    }
    if (schema.items === undefined) return;
    const items = dereference(schema.items, resolve);
    const pairs = correlate(value, old, schema);
    value.forEach((item, index) => duplicates(item, items, `${path}[${index}]`, pairs(index), resolve, errors));
  } else if (isObject(value)) {
    const { properties, additionalProperties } = schema;
    const others = typeof additionalProperties === 'object' ? dereference(additionalProperties, resolve) : undefined;
    for (const name of Object.keys(value)) {
      const declared = properties !== undefined && Object.hasOwn(properties, name);
      const inner = declared ? dereference(properties[name] as Schema, resolve) : others;
      const innerPath = path === '' ? name : declared ? `${path}.${name}` : `${path}[${name}]`;
      if (inner !== undefined) duplicates(value[name] as Json, inner, innerPath, field(old, name), resolve, errors);
    }
  }
}

function duplicateItems(value: readonly Json[], schema: Schema, path: string, errors: FieldError[]): void {
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined;
  const seen: Json[] = [];
  const reported: Json[] = [];
  value.forEach((item, index) => {
    let id: Json = item;
    if (keys !== undefined) {
      if (!isObject(item)) return;
      id = Object.fromEntries(
        keys
          .filter((key) => Object.hasOwn(item, key))
          .toSorted()
          .map((key) => [key, item[key] as Json]),
      );
    }
    if (!seen.some((other) => equal(other, id))) seen.push(id);
    else if (!reported.some((other) => equal(other, id))) {
      reported.push(id);
      errors.push(duplicate(`${path}[${index}]`, id));
    }
  });
}
