import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, request as send } from 'undici';
import type { Clock } from '../base/clock.ts';
import { err, ok, type Result } from '../base/result.ts';

/** A request to a service outside of the cluster. Sending it twice must do no harm: it is tried again. */
export interface WebRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For a service of the machine itself: never through a proxy, and tried once where nothing answers. */
  readonly direct?: boolean;
  /** PEM of the authorities that sign the server's certificate; the public ones by default. */
  readonly authorities?: string;
}

export interface WebAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends a request. The error says that no answer came, and holds neither query, headers nor body. */
export type Web = (request: WebRequest, signal?: AbortSignal) => Promise<Result<WebAnswer, string>>;

export interface WebOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Makes connections; default: undici's. */
  readonly connect?: buildConnector.connector;
}

/** For one try. Source: fluxcd/pkg@auth/v0.54.0 auth/options.go GetHTTPClient. */
const TIMEOUT_MS = 10_000;
const TRIES = 3;
const FIRST_PAUSE_MS = 200;
/** Longest are the kubeconfigs of a cluster: some KiB each. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Answers that another try may change. */
const TRANSIENT: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/**
 * HTTP with bounds: a time limit, a limit of bytes, and few tries with pauses between them. Redirects are not followed, since they could
 * take credentials elsewhere. Proxies are those of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
 */
export function createWeb({ env, clock, connect }: WebOptions): Web {
  const either = (name: string): string => env[name.toLowerCase()] || env[name] || '';
  const proxies = {
    httpProxy: either('HTTP_PROXY'),
    httpsProxy: either('HTTPS_PROXY'),
    noProxy: either('NO_PROXY'),
  };
  const own = connect === undefined ? {} : { connect };
  const direct = new Agent(own);
  const proxied = new EnvHttpProxyAgent({ ...proxies, ...own });
  const pinned = new Map<string, Dispatcher>();

  function dispatcherFor(request: WebRequest): Dispatcher {
    const { authorities } = request;
    if (authorities === undefined) return request.direct === true ? direct : proxied;
    let dispatcher = pinned.get(authorities);
    if (dispatcher === undefined) {
      dispatcher = new EnvHttpProxyAgent({ ...proxies, connect: { ca: authorities }, requestTls: { ca: authorities } });
      pinned.set(authorities, dispatcher);
    }
    return dispatcher;
  }

  return async (request, signal) => {
    for (let attempt = 1; ; attempt++) {
      const { answer, isTransient } = await once(request, dispatcherFor(request), clock, signal);
      if (!isTransient || attempt >= TRIES) return answer;
      await new Promise<void>((resolve) => clock.after(FIRST_PAUSE_MS * 2 ** (attempt - 1), resolve));
    }
  };
}

interface Tried {
  readonly answer: Result<WebAnswer, string>;
  /** Whether another try may end otherwise. Time that was waited for in vain is not waited for again. */
  readonly isTransient: boolean;
}

async function once(
  request: WebRequest,
  dispatcher: Dispatcher,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Tried> {
  const timeout = new AbortController();
  const cancel = clock.after(TIMEOUT_MS, () => timeout.abort());
  const end = signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]);
  // undici does not give up a request for which there is no connection yet: a proxy may never open one.
  const ended = new Promise<Tried>((resolve) => {
    const tell = (): void => {
      const why = timeout.signal.aborted ? `no answer within ${TIMEOUT_MS / 1000}s` : 'the time for it is over';
      resolve(last(failed(request, why)));
    };
    if (end.aborted) tell();
    else end.addEventListener('abort', tell, { once: true });
  });
  try {
    return await Promise.race([ended, exchange(request, dispatcher, end)]);
  } finally {
    cancel();
  }
}

async function exchange(request: WebRequest, dispatcher: Dispatcher, signal: AbortSignal): Promise<Tried> {
  try {
    const { statusCode, headers, body } = await send(request.url, {
      method: request.method,
      dispatcher,
      headers: { 'user-agent': 'weir', ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body }),
      signal,
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) {
        return last(failed(request, `the answer is longer than ${MAX_ANSWER_BYTES} bytes`));
      }
      chunks.push(chunk);
    }
    const flat = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value ?? '')]);
    const answer = ok({
      status: statusCode,
      headers: Object.fromEntries(flat) as Record<string, string>,
      text: Buffer.concat(chunks).toString('utf8'),
    });
    return { answer, isTransient: TRANSIENT.has(statusCode) };
  } catch (cause) {
    return { answer: failed(request, reasonOf(cause)), isTransient: request.direct !== true };
  }
}

function last(answer: Result<WebAnswer, string>): Tried {
  return { answer, isTransient: false };
}

function failed({ method, url }: WebRequest, why: string): Result<never, string> {
  const place = URL.canParse(url) ? new URL(url) : undefined;
  return err(`${method} ${place === undefined ? 'of a broken URL' : `${place.origin}${place.pathname}`}: ${why}`);
}

/** Several addresses of one host fail as one error without words of its own. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
