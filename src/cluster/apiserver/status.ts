import type { Json, JsonObject } from '../../base/json.ts';
import type { StatusError } from '../registry.ts';

/** One finding about one field, as `field.Error` of kubernetes@1.34 apimachinery/pkg/util/validation/field/errors.go. */
export interface Cause {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

interface Named {
  readonly group: string;
  readonly plural: string;
}

export function qualified({ group, plural }: Named): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function details(resource: Named, name: string): { readonly [key: string]: Json } {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

export function notFound(resource: Named, name: string): StatusError {
  return {
    code: 404,
    reason: 'NotFound',
    message: `${qualified(resource)} ${goQuote(name)} not found`,
    details: details(resource, name),
  };
}

export function alreadyExists(resource: Named, name: string): StatusError {
  return {
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(resource)} ${goQuote(name)} already exists`,
    details: details(resource, name),
  };
}

/** A generated name that is taken, after all retries. */
export function generateNameConflict(resource: Named, name: string): StatusError {
  return {
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(resource)} ${goQuote(name)} already exists, the server was not able to generate a unique name for the object`,
    details: { ...details(resource, name), retryAfterSeconds: 1 },
  };
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(resource: Named, name: string, why: string = MODIFIED): StatusError {
  return {
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualified(resource)} ${goQuote(name)}: ${why}`,
    details: details(resource, name),
  };
}

export function forbidden(resource: Named, name: string, why: string): StatusError {
  const what = qualified(resource);
  const message =
    what === ''
      ? `forbidden: ${why}`
      : name === ''
        ? `${what} is forbidden: ${why}`
        : `${what} ${goQuote(name)} is forbidden: ${why}`;
  return { code: 403, reason: 'Forbidden', message, details: details(resource, name) };
}

export function badRequest(message: string): StatusError {
  return { code: 400, reason: 'BadRequest', message };
}

export function internal(message: string): StatusError {
  return {
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ message }] },
  };
}

export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string | undefined,
  causes: readonly Cause[],
): StatusError {
  const what = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const shown = causes.map(({ field, message }) => `${field}: ${message}`);
  const unique = [...new Set(shown)];
  return {
    code: 422,
    reason: 'Invalid',
    message: `${what} ${goQuote(name ?? '')} is invalid: ${unique.length === 1 ? unique[0] : `[${unique.join(', ')}]`}`,
    details: {
      ...(name === undefined || name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      ...(kind.kind === '' ? {} : { kind: kind.kind }),
      causes: causes.map(({ reason, field, message }) => ({ reason, message, field })),
    },
  };
}

export function methodNotAllowed(): StatusError {
  return {
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  };
}

export function pathNotFound(): StatusError {
  return {
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  };
}

export function expired(message: string): StatusError {
  return { code: 410, reason: 'Expired', message };
}

export function tooLargeVersion(asked: number, current: number): StatusError {
  return {
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  };
}

export function statusBody(error: StatusError): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    ...(error.reason === '' ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: error.details }),
    code: error.code,
  };
}

/** A string as Go's `%q` prints it. */
export function goQuote(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (code === 10) out += '\\n';
    else if (code === 9) out += '\\t';
    else if (code === 13) out += '\\r';
    else if (code === 7) out += '\\a';
    else if (code === 8) out += '\\b';
    else if (code === 12) out += '\\f';
    else if (code === 11) out += '\\v';
    else if (code < 32 || code === 127) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += character;
  }
  return `${out}"`;
}

/** The value part of a field error, as `field.Error.ErrorBody` prints it. */
export function shown(value: Json | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'object')
    return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
  return String(value);
}

export function invalidValue(field: string, value: Json | undefined, message: string): Cause {
  return {
    reason: 'FieldValueInvalid',
    field,
    message: `Invalid value: ${shown(value)}${message === '' ? '' : `: ${message}`}`,
  };
}

export function required(field: string, message = ''): Cause {
  return { reason: 'FieldValueRequired', field, message: `Required value${message === '' ? '' : `: ${message}`}` };
}

export function duplicate(field: string, value: Json): Cause {
  return { reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${shown(value)}` };
}

export function unsupported(field: string, value: Json | undefined, supported: readonly string[]): Cause {
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${shown(value)}${supported.length === 0 ? '' : `: supported values: ${supported.map(goQuote).join(', ')}`}`,
  };
}

export function forbiddenField(field: string, message: string): Cause {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${message}` };
}

export function tooLong(field: string, _value: Json, maximum: number): Cause {
  return {
    reason: 'FieldValueTooLong',
    field,
    message: `Too long: may not be more than ${maximum} bytes`,
  };
}

export function tooMany(field: string, actual: number, maximum: number): Cause {
  return {
    reason: 'FieldValueTooMany',
    field,
    message: `Too many: ${actual}: must have at most ${maximum} items`,
  };
}

export function typeInvalid(field: string, value: Json, message: string): Cause {
  return { reason: 'FieldValueTypeInvalid', field, message: `Invalid value: ${shown(value)}: ${message}` };
}
