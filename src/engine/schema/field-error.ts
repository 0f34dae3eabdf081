import { isArray, isObject, type Json, stringifyJson } from '../../base/json.ts';
import type { FieldError, FieldErrorReason } from './schema.ts';

/** Go's `%q` for the characters that stand in names and values: JSON's quoting, with Go's escapes for control characters. */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll(/\\u00([0-9a-f]{2})/g, '\\x$1');
}

/** A rejected value as apimachinery `field.Error` prints it: strings quoted, numbers bare, the rest as JSON. */
export function printValue(value: Json | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return quote(value);
  if (isArray(value) || isObject(value)) {
    return stringifyJson(value).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
  }
  return stringifyJson(value);
}

function make(reason: FieldErrorReason, field: string, head: string, detail: string): FieldError {
  return { field: field === '' ? '<nil>' : field, reason, message: detail === '' ? head : `${head}: ${detail}` };
}

export function invalid(field: string, value: Json | undefined, detail: string): FieldError {
  return make('FieldValueInvalid', field, `Invalid value: ${printValue(value)}`, detail);
}
export function typeInvalid(field: string, value: Json | undefined, detail: string): FieldError {
  return make('FieldValueTypeInvalid', field, `Invalid value: ${printValue(value)}`, detail);
}
export function required(field: string, detail = ''): FieldError {
  return make('FieldValueRequired', field, 'Required value', detail);
}
export function forbidden(field: string, detail: string): FieldError {
  return make('FieldValueForbidden', field, 'Forbidden', detail);
}
export function duplicate(field: string, value: Json | undefined): FieldError {
  return make('FieldValueDuplicate', field, `Duplicate value: ${printValue(value)}`, '');
}
export function notFound(field: string, value: Json | undefined): FieldError {
  return make('FieldValueNotFound', field, `Not found: ${printValue(value)}`, '');
}
/** `supported` is printed in the order given: sort it where the real server holds a set. */
export function notSupported(field: string, value: Json | undefined, supported: readonly string[]): FieldError {
  const list = supported.length === 0 ? '' : `supported values: ${supported.map(quote).join(', ')}`;
  return make('FieldValueNotSupported', field, `Unsupported value: ${printValue(value)}`, list);
}
export function tooLong(field: string, max: number): FieldError {
  return make('FieldValueTooLong', field, 'Too long', `may not be more than ${max} bytes`);
}
export function tooMany(field: string, actual: number, max: number): FieldError {
  return make('FieldValueTooMany', field, `Too many: ${actual}`, `must have at most ${max} items`);
}
