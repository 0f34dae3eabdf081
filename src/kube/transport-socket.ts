import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Clock } from '../base/clock.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from '../base/http.ts';
import type { Result } from '../base/result.ts';
import { type ExecCredential, runExecPlugin } from './exec-credential.ts';
import { type ClusterAccess, readTextFile } from './kubeconfig.ts';
import { systemClock } from './system-clock.ts';

export interface SocketTransport {
  readonly handler: HttpHandler;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** A token that may be used now; the error says why there is none. */
export type TokenSource = () => Promise<Result<string, string>>;

export interface SocketOptions {
  /** Asked before each request, where `access` has no credentials of its own. */
  readonly token?: TokenSource;
  /** Environment of the kubeconfig's credential program. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

/** Longest wait for the head of an answer: an API server ends a request after 60 s itself. */
const HEADERS_TIMEOUT_MS = 90_000;
const CONNECT_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 60_000;
/** A token file is read again after this. Source: client-go@0.34 transport/token_source.go. */
const TOKEN_FILE_MS = 60_000;
/** Credentials are renewed this long before they end. */
const EXPIRY_MARGIN_MS = 10_000;

/** Reaches an API server over sockets, with the credentials of a kubeconfig. Handler throws when there is no connection or no credential. */
export function createSocketTransport(access: ClusterAccess, options: SocketOptions = {}): SocketTransport {
  const url = new URL(access.server);
  const prefix = url.pathname.replace(/\/+$/, '');
  const credentials = new Credentials(access, options);
  let current: { readonly certificate: string | undefined; readonly dispatcher: Dispatcher } | undefined;
  const retired: Dispatcher[] = [];

  /** Connections belong to a client certificate: another one means others. */
  function dispatcherFor(credential: ExecCredential): Dispatcher {
    const certificate = credential.clientCertificate ?? access.clientCertificate;
    if (current === undefined || current.certificate !== certificate) {
      if (current !== undefined) retired.push(current.dispatcher);
      const key = credential.clientKey ?? access.clientKey;
      current = { certificate, dispatcher: createDispatcher(access, certificate, key) };
    }
    return current.dispatcher;
  }

  async function send(request: HttpRequest, credential: ExecCredential): Promise<HttpResponse> {
    const authorization = authorizationOf(credential, access);
    const { statusCode, headers, body } = await dispatcherFor(credential).request({
      origin: url.origin,
      path: prefix + request.path,
      method: request.method as Dispatcher.HttpMethod,
      headers: wireHeaders({ ...request.headers, ...(authorization === undefined ? {} : { authorization }) }),
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(request.signal === undefined ? {} : { signal: request.signal as AbortSignal }),
      headersTimeout: HEADERS_TIMEOUT_MS,
      // Streams may be silent for minutes; the client watches over their life.
      bodyTimeout: 0,
    });
    // An error of a body that nobody reads any more (aborted) must not end the process.
    body.on('error', () => undefined);
    return { status: statusCode, headers: flatHeaders(headers), body };
  }

  return {
    async handler(request) {
      const credential = await credentials.get();
      const answer = await send(request, credential);
      if (answer.status !== 401 || !credentials.renewable) return answer;
      for await (const _chunk of answer.body) {
        // Read to its end, so that the connection can be used again.
      }
      credentials.forget();
      return send(request, await credentials.get());
    },
    async close() {
      const all = [...retired, ...(current === undefined ? [] : [current.dispatcher])];
      await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
    },
  };
}

function createDispatcher(access: ClusterAccess, cert: string | undefined, key: string | undefined): Dispatcher {
  const tls = {
    rejectUnauthorized: access.insecureSkipTlsVerify !== true,
    ...(access.ca === undefined ? {} : { ca: access.ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
  };
  const common = {
    // Every API server takes HTTP/1.1. HTTP/2 would save no connection with one request at a time on each, and makes a request dearer: the
    // engine took a quarter more CPU for creating Kustomizations (`npm run bench:kustomizations`).
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A watch holds its connection for minutes: no request may wait behind one.
    pipelining: 1,
  };
  if (access.proxyUrl !== undefined) {
    return new ProxyAgent({ ...common, uri: access.proxyUrl, requestTls: { ...tls, timeout: CONNECT_TIMEOUT_MS } });
  }
  return new Agent({
    ...common,
    connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: 30_000 },
  });
}

/** Repeated headers came joined (src/kube/rest-client.ts); an API server reads each group and extra from a header of its own. */
function wireHeaders(headers: Readonly<Record<string, string>>): Record<string, string | string[]> {
  const wire: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const repeated = name === 'impersonate-group' || name.startsWith('impersonate-extra-');
    wire[name] = repeated ? value.split(', ') : value;
  }
  return wire;
}

function flatHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function authorizationOf(credential: ExecCredential, access: ClusterAccess): string | undefined {
  if (credential.token !== undefined) return `Bearer ${credential.token}`;
  if (access.username === undefined) return undefined;
  return `Basic ${Buffer.from(`${access.username}:${access.password ?? ''}`).toString('base64')}`;
}

/** Tokens and certificates that may change while we run. */
class Credentials {
  readonly renewable: boolean;
  readonly #access: ClusterAccess;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #clock: Clock;
  readonly #token: TokenSource | undefined;
  #kept: { readonly credential: ExecCredential; readonly untilMs: number } | undefined;
  #renewing: Promise<ExecCredential> | undefined;

  constructor(access: ClusterAccess, { env = {}, clock = systemClock, token }: SocketOptions) {
    this.#access = access;
    this.#env = env;
    this.#clock = clock;
    this.#token = token;
    this.renewable = access.exec !== undefined || access.tokenFile !== undefined;
  }

  async get(): Promise<ExecCredential> {
    if (this.#token !== undefined) {
      const token = await this.#token();
      if (!token.ok) throw new Error(token.error);
      return { token: token.value };
    }
    if (!this.renewable) return this.#access.token === undefined ? {} : { token: this.#access.token };
    if (this.#kept !== undefined && this.#clock.now() < this.#kept.untilMs) return this.#kept.credential;
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  forget(): void {
    this.#kept = undefined;
  }

  async #renew(): Promise<ExecCredential> {
    const { exec, tokenFile } = this.#access;
    if (tokenFile !== undefined) {
      const token = readTextFile(tokenFile)?.trim();
      if (!token) throw new Error(`token file ${tokenFile} is missing or empty`);
      this.#kept = { credential: { token }, untilMs: this.#clock.now() + TOKEN_FILE_MS };
      return { token };
    }
    if (exec === undefined) return {};
    const made = await runExecPlugin(exec, this.#access, this.#env);
    if (!made.ok) throw new Error(made.error);
    const until = made.value.expiresAtMs ?? Number.POSITIVE_INFINITY;
    this.#kept = { credential: made.value, untilMs: until - EXPIRY_MARGIN_MS };
    return made.value;
  }
}
