import { at, isObject, type Json, stringAt } from '../base/json.ts';
import type { KubeError } from './client.ts';

/** What a stream throws when the server refuses it. */
export class KubeStreamError extends Error {
  readonly status: KubeError;

  constructor(status: KubeError) {
    super(status.message);
    this.name = 'KubeStreamError';
    this.status = status;
  }
}

/** Reason of an HTTP status that came without a Status body. Source: kubernetes@1.34 apimachinery api/errors NewGenericServerResponse. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};
const MAX_PLAIN_MESSAGE = 1024;

/** Reads a failed answer: a Status body, or plain text. */
export function statusError(httpStatus: number, body: Json | string, retryAfterMs?: number): KubeError {
  const later = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (isObject(body) && body['kind'] === 'Status') {
    const code = at(body, 'code');
    const details = at(body, 'details');
    const seconds = at(details, 'retryAfterSeconds');
    return {
      code: typeof code === 'number' && code > 0 ? code : httpStatus,
      reason: stringAt(body, 'reason') || (REASONS[httpStatus] ?? 'Unknown'),
      message: stringAt(body, 'message') ?? '',
      ...(isObject(details) ? { details } : {}),
      ...(typeof seconds === 'number' && retryAfterMs === undefined ? { retryAfterMs: seconds * 1000 } : later),
    };
  }
  const text = typeof body === 'string' ? body.trim().slice(0, MAX_PLAIN_MESSAGE) : '';
  return {
    code: httpStatus,
    reason: REASONS[httpStatus] ?? 'Unknown',
    message: text || `the server answered with HTTP status ${httpStatus}`,
    ...later,
  };
}

export function isNotFound(error: KubeError): boolean {
  return error.code === 404;
}
/** The kind itself is unknown to the server, as opposed to an object of it. */
export function isNoMatch(error: KubeError): boolean {
  return error.reason === 'NoMatch';
}
export function isConflict(error: KubeError): boolean {
  return error.code === 409 && error.reason === 'Conflict';
}
/** Asked again, the server may well do it: it gave no answer, had no time, met a fault of its own, or others were faster. */
export function isTransient(error: KubeError): boolean {
  const { code, reason, message } = error;
  if (code === 0) return reason === 'ConnectionFailed' || reason === 'Timeout';
  // Other answers of 500 are about the object: a field that its kind does not have, for one.
  if (code === 500) return /^(?:Internal error occurred|etcdserver): /.test(message);
  return code === 429 || code === 503 || code === 504 || isConflict(error);
}
/** The resource version asked for is no longer in the server's history: list anew. */
export function isExpired(error: KubeError): boolean {
  return error.code === 410;
}
