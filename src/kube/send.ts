import type { Clock } from '../base/clock.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../base/http.ts';
import { type Json, parseJson } from '../base/json.ts';
import { err, ok } from '../base/result.ts';
import { MAX_BODY_BYTES, readText } from './body.ts';
import type { KubeError, KubeResult } from './client.ts';
import { statusError } from './errors.ts';
import type { RequestLimiter } from './request-limiter.ts';

export interface SendOptions {
  readonly handler: HttpHandler;
  readonly clock: Clock;
  readonly random: () => number;
  readonly limiter: RequestLimiter | undefined;
  /** Longest time for one attempt of a request that is not a stream. */
  readonly requestTimeoutMs: number;
  readonly observe: ((request: { readonly method: string; readonly code: number }) => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Repetitions of a request that the server asked to send later (client-go: maxRetries 10, with Retry-After of 1 s). */
const MAX_RETRIES = 6;
const MAX_RETRY_AFTER_MS = 30_000;
const FIRST_RETRY_MS = 500;

/** When a request may be sent again: never twice for one that could have had its effect. */
export type Repeat = 'idempotent' | 'refused-only' | 'never';

/**
 * Sends a request and reads the whole answer, again when the server says 429 or 503. Throws only when `signal` is aborted.
 * Errors: the server's Status; code 0 with reason `ConnectionFailed`, `Timeout` or `InvalidAnswer` when there was no usable answer.
 */
export async function sendRequest(
  options: SendOptions,
  request: Omit<HttpRequest, 'signal'>,
  repeat: Repeat,
  signal: AbortSignal | undefined,
): Promise<KubeResult<Answer>> {
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const answer = await attemptOnce(options, request, signal);
    const failure = answer.ok ? failureOf(answer.value) : answer.error;
    if (failure === undefined) return answer;
    if (attempt >= MAX_RETRIES || !mayRepeat(failure, repeat)) return err(failure);
    const pause = Math.min(failure.retryAfterMs ?? FIRST_RETRY_MS * 2 ** attempt, MAX_RETRY_AFTER_MS);
    await sleep(options.clock, pause * (1 + 0.2 * options.random()), signal);
  }
}

/** Sends a request whose body is read as it comes. Errors as for {@link sendRequest}, without repetition. */
export async function openStream(
  options: SendOptions,
  request: Omit<HttpRequest, 'signal'>,
  signal: AbortSignal,
): Promise<KubeResult<HttpResponse>> {
  signal.throwIfAborted();
  await waitForTurn(options, signal);
  let response: HttpResponse;
  // A connection that was lost without a word must not hold a stream that never begins.
  const deadline = new AbortController();
  const cancel = options.clock.after(options.requestTimeoutMs, () => deadline.abort());
  try {
    response = await options.handler({ ...request, signal: AbortSignal.any([signal, deadline.signal]) });
  } catch (cause) {
    signal.throwIfAborted();
    return err(deadline.signal.aborted ? timedOut(options) : connectionError(cause));
  } finally {
    cancel();
  }
  options.observe?.({ method: request.method, code: response.status });
  if (response.status < 300) return ok(response);
  try {
    const text = await readText(response.body, MAX_BODY_BYTES);
    return err(failureOf({ status: response.status, headers: response.headers, text }) as KubeError);
  } catch (cause) {
    signal.throwIfAborted();
    return err(connectionError(cause));
  }
}

async function attemptOnce(
  options: SendOptions,
  request: Omit<HttpRequest, 'signal'>,
  signal: AbortSignal | undefined,
): Promise<KubeResult<Answer>> {
  await waitForTurn(options, signal);
  const deadline = new AbortController();
  const cancel = options.clock.after(options.requestTimeoutMs, () => deadline.abort());
  const both = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
  try {
    const response = await options.handler({ ...request, signal: both });
    const text = await readText(response.body);
    options.observe?.({ method: request.method, code: response.status });
    return ok({ status: response.status, headers: response.headers, text });
  } catch (cause) {
    signal?.throwIfAborted();
    if (deadline.signal.aborted) return err(timedOut(options));
    if (cause instanceof RangeError) return err({ code: 0, reason: 'InvalidAnswer', message: cause.message });
    return err(connectionError(cause));
  } finally {
    cancel();
  }
}

function timedOut({ requestTimeoutMs }: SendOptions): KubeError {
  return { code: 0, reason: 'Timeout', message: `no answer within ${requestTimeoutMs / 1000}s` };
}

function mayRepeat(failure: KubeError, repeat: Repeat): boolean {
  switch (repeat) {
    case 'never':
      return false;
    case 'refused-only':
      // The server took nothing of a request that it answers with 429.
      return failure.code === 429;
    case 'idempotent':
      return failure.code === 429 || failure.code === 503;
  }
}

function failureOf({ status, headers, text }: Answer): KubeError | undefined {
  if (status < 300 || status === 304) return undefined;
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  const later = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
  let body: Json | string = text;
  if (text.startsWith('{')) {
    try {
      body = parseJson(text);
    } catch {
      body = text;
    }
  }
  return statusError(status, body, later);
}

/** The failure behind nested causes (`AggregateError` of several addresses, undici's `TypeError: fetch failed`). */
function connectionError(cause: unknown): KubeError {
  let inner: unknown = cause;
  for (let depth = 0; depth < 5; depth++) {
    if (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors[0];
    else if (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
    else break;
  }
  const message = inner instanceof Error ? inner.message : String(inner);
  return { code: 0, reason: 'ConnectionFailed', message: `the server could not be reached: ${message}` };
}

async function waitForTurn(options: SendOptions, signal: AbortSignal | undefined): Promise<void> {
  const waitMs = options.limiter?.reserve() ?? 0;
  if (waitMs > 0) await sleep(options.clock, waitMs, signal);
}

/** Resolves after `delayMs`; rejects with the signal's reason when it is aborted before. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const stop = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    signal?.addEventListener('abort', stop, { once: true });
  });
}
