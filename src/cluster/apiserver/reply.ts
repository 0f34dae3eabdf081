import type { Json } from '../../base/json.ts';
import type { StatusError } from '../registry.ts';
import { statusBody } from './status.ts';

/** An answer before it is encoded. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly content:
    | { readonly kind: 'json'; readonly value: Json }
    | { readonly kind: 'text'; readonly text: string; readonly type: string }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly type: string }
    | {
        readonly kind: 'stream';
        readonly chunks: AsyncIterable<Uint8Array>;
        readonly type: string;
        /** The connection is closed when its client takes nothing for so long; without it a client may take its time. */
        readonly stallMs?: number;
      }
    | { readonly kind: 'none' };
  /** Content type of a JSON answer that is not plain `application/json`. */
  readonly type?: string;
}

export function answer(value: Json, status = 200): Reply {
  return { status, content: { kind: 'json', value } };
}

export function text(body: string, status = 200, type = 'text/plain; charset=utf-8'): Reply {
  return { status, content: { kind: 'text', text: body, type } };
}

export function failure(error: StatusError): Reply {
  if (error.plain !== undefined) return text(error.plain, error.code);
  const retry = error.details?.['retryAfterSeconds'];
  const body = statusBody(error);
  return {
    status: error.code,
    ...(typeof retry === 'number' ? { headers: { 'retry-after': String(retry) } } : {}),
    content: { kind: 'json', value: body },
  };
}

/** The text of an unknown path outside the API. */
export function pageNotFound(): Reply {
  return text('404 page not found\n', 404);
}
