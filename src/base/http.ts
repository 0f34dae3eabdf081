/**
 * HTTP as a function, so that a cluster is reached the same way over a socket and in process.
 * Header names are lower case. `path` holds the query string.
 */

/** The part of an AbortSignal that the pure layers need; every AbortSignal is one. */
export interface Cancellation {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Aborting ends the request and, for a watch or a log, its stream. */
  readonly signal?: Cancellation;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body, or its chunks as they come (watch, follow). Consumers must read or abort it. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Answers a request. Throws only when there is no answer (connection refused, aborted); an HTTP error is a response. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;
