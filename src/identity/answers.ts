import { isObject, type Json, parseJson, stringAt } from '../base/json.ts';
import type { WebAnswer } from './web.ts';

/** Of what a service says about an error, no more is passed on. */
const MAX_MESSAGE = 500;

/** The body as JSON; null when it is none. */
export function jsonBody({ text }: WebAnswer): Json {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

/**
 * How a service explains a refusal, for a condition: `403 AccessDenied: not allowed`. Only fields that are meant for it are read, never
 * a whole body: what answers may not be the service that was meant.
 */
export function explainAnswer(answer: WebAnswer): string {
  const body = jsonBody(answer);
  const error = isObject(body) ? body['error'] : undefined;
  // OAuth: {error, error_description}; Google and Azure: {error: {code|status, message}}; AWS: {__type, message}.
  const nested = isObject(error) ? error : body;
  const type = (stringAt(nested, '__type') ?? stringAt(nested, 'status') ?? stringAt(nested, 'code') ?? '')
    .split('#')
    .at(-1);
  const parts = [
    typeof error === 'string' ? error : type,
    stringAt(nested, 'error_description') ?? stringAt(nested, 'message') ?? stringAt(nested, 'Message'),
  ];
  return told(answer.status, parts);
}

/** A status and what is said about it, on one line and bounded. */
export function told(status: number, parts: readonly (string | undefined)[]): string {
  const words = parts.filter((part) => part !== undefined && part !== '').join(': ');
  const line = words.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line === '' ? `status ${status}` : `status ${status}: ${line.slice(0, MAX_MESSAGE)}`;
}
