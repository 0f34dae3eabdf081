import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import type { StatusError } from '../registry.ts';
import { authenticate } from './authentication.ts';
import { MAX_BODY_BYTES } from './body.ts';
import { encode, warningHeader } from './encode.ts';
import { headersOf } from './headers.ts';
import type { Pki } from './pki.ts';
import { loadPki } from './pki.ts';
import { failure } from './reply.ts';
import type { ApiServer } from './server.ts';
import { handleUpgrade } from './upgrade.ts';

export interface ListenOptions {
  /** Loopback by default. */
  readonly host?: string;
  /** Any free one by default. */
  readonly port?: number;
}

/** A socket on which the API is served. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly pki: Pki;
  close(): Promise<void>;
}

/** Requests being read or worked on at once; watches and logs do not count. Source: kubernetes@1.34 max-requests-inflight + max-mutating-requests-inflight. */
const MAX_IN_FLIGHT = 600;
/** Longest time for a request's body to come. Source: kubernetes@1.34 apiserver request-timeout. */
const BODY_TIMEOUT_MS = 60_000;

type Request = Http2ServerRequest | IncomingMessage;
type Response = Http2ServerResponse | ServerResponse;

/** @throws when the port is taken or not allowed. */
export async function listen(
  server: ApiServer,
  { host = '127.0.0.1', port = 0 }: ListenOptions,
  dataDirectory: string | undefined,
): Promise<Listening> {
  const { kernel } = server;
  const pki = loadPki(dataDirectory === undefined ? undefined : join(dataDirectory, 'pki'), kernel.clock.now());
  const sockets = new Set<Socket>();
  let inFlight = 0;
  const tls = createSecureServer({
    allowHTTP1: true,
    cert: pki.server.certificate,
    key: pki.server.key,
    ca: pki.authority,
    requestCert: true,
    rejectUnauthorized: false,
    settings: { maxConcurrentStreams: 1000 },
  });
  tls.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
  });
  tls.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => socket.destroy());
  });
  tls.on('sessionError', () => undefined);
  tls.on('clientError', (_error, socket) => socket.destroy());
  tls.on('request', (request: Request, response: Response) => {
    const busy = inFlight >= MAX_IN_FLIGHT;
    let counted = !busy;
    if (counted) inFlight++;
    const done = (): void => {
      if (counted) inFlight--;
      counted = false;
    };
    response.on('close', done);
    const answered = busy ? refuse(request, response, TOO_MANY) : answer(server, request, response, done);
    answered.catch((cause: unknown) => {
      // A client that went away in the middle of its request is no failure of ours.
      if (response.destroyed || isAborted(cause)) return;
      kernel.log.error('request failed', {
        error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
      });
      if (response.headersSent) (response as ServerResponse).destroy();
      else void refuse(request, response, outage(cause)).catch(() => response.destroy());
    });
  });
  tls.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    handleUpgrade(server, request, socket, head).catch((cause: unknown) => {
      kernel.log.error('upgrade failed', { error: cause instanceof Error ? cause.message : String(cause) });
      socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    tls.once('error', reject);
    tls.listen(port, host, () => {
      tls.off('error', reject);
      resolve();
    });
  });
  const address = tls.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    host,
    port: address.port,
    url: `https://${shown}:${address.port}`,
    pki,
    close: async () => {
      const closed = new Promise<void>((resolve) => tls.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** `waits` is called when the answer becomes a stream that may stay open. */
async function answer(server: ApiServer, request: Request, response: Response, waits: () => void): Promise<void> {
  const { clock } = server.kernel;
  const headers = headersOf(request);
  const user = await authenticate(server.kernel, headers, request.socket as TLSSocket);
  const abort = new AbortController();
  response.on('close', () => abort.abort());
  const late = clock.after(BODY_TIMEOUT_MS, () => response.destroy());
  const body = await readBody(request).finally(late);
  if (body === undefined) return refuse(request, response, TOO_LARGE);
  const served = user.ok
    ? await server.serve(
        { method: request.method ?? 'GET', path: request.url ?? '/', headers, body, signal: abort.signal },
        user.value,
      )
    : { reply: failure(user.error), warnings: [], yaml: false, pretty: false };
  if (served.reply.content.kind === 'stream') waits();
  await write(response, await encode(served, headers), request.method === 'HEAD', clock);
}

const TOO_LARGE: StatusError = {
  code: 413,
  reason: 'RequestEntityTooLarge',
  message: `Request entity too large: limit is ${MAX_BODY_BYTES}`,
};
/** Source: kubernetes@1.34 apiserver/pkg/server/filters/maxinflight.go. */
const TOO_MANY: StatusError = {
  code: 429,
  reason: 'TooManyRequests',
  message: 'Too many requests, please try again later.',
  details: { retryAfterSeconds: 1 },
};

/** What a client is told of a fault: a disk that is full is worth knowing, the rest is in the log. */
function outage(cause: unknown): StatusError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const known = /^E[A-Z]+$/.test(code) ? `: ${code}` : '';
  return { code: 500, reason: 'InternalError', message: `Internal error occurred${known}` };
}

function isAborted(cause: unknown): boolean {
  return ['ECONNRESET', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    (cause as NodeJS.ErrnoException).code ?? '',
  );
}

async function refuse(request: Request, response: Response, error: StatusError): Promise<void> {
  const served = { reply: failure(error), warnings: [], yaml: false, pretty: false };
  await write(response, await encode(served, headersOf(request)), false, undefined);
}

async function write(
  to: Response,
  encoded: Awaited<ReturnType<typeof encode>>,
  headOnly: boolean,
  clock: Clock | undefined,
): Promise<void> {
  // The HTTP/2 compatibility response has the same methods.
  const response = to as ServerResponse;
  for (const [name, value] of Object.entries(encoded.headers)) if (name !== 'warning') response.setHeader(name, value);
  if (encoded.warnings.length > 0) response.setHeader('warning', encoded.warnings.map(warningHeader).map(inBytes));
  response.statusCode = encoded.status;
  if (encoded.whole !== undefined) {
    response.end(headOnly ? undefined : encoded.whole);
    return;
  }
  if (typeof response.flushHeaders === 'function') response.flushHeaders();
  else to.writeHead(encoded.status);
  const { stallMs } = encoded;
  for await (const chunk of encoded.body) {
    if (response.destroyed || response.writableEnded) break;
    if (chunk.length === 0 || response.write(chunk)) continue;
    const stalled = stallMs === undefined ? undefined : clock?.after(stallMs, () => response.destroy());
    await drained(response);
    stalled?.();
  }
  response.end();
}

function drained(response: Response): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

/** Undefined when the body is above the limit; the rest of it is not read. */
async function readBody(request: Request): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    // A client that is still writing would not read the answer: a little more is read and dropped.
    else if (size > 4 * MAX_BODY_BYTES) return undefined;
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks);
}

/** Headers are bytes: text in them goes as UTF-8, which Node writes only when each byte is a character. */
function inBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
