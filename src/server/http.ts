import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ViewMessage } from '../api/view.ts';
import type { StaticFiles } from './static-files.ts';

/** What the page is fed from. */
export interface Feed {
  /** The whole picture now. */
  snapshot(): ViewMessage;
  /** Calls `send` with each change after now; the returned function ends it. */
  subscribe(send: (message: ViewMessage) => void): () => void;
}

export interface PageOptions {
  readonly host: string;
  readonly port: number;
  readonly feed: Feed;
  readonly files: StaticFiles;
}

/** A client that does not read is cut off here: it connects again and gets a new snapshot. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;
/** Open pages at one time; one more is asked to come back later. */
const MAX_STREAMS = 256;
/** Proxies and browsers drop silent streams; a comment keeps this one alive. */
const HEARTBEAT_MS = 15_000;

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Serves the page and its data, read-only: only GET and HEAD exist, and only for the page's own host name
 * (a foreign Host header is DNS rebinding and gets 403).
 * @throws the listen error of node:http (EADDRINUSE, EACCES).
 */
export async function servePage(options: PageOptions): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => answer(options, streams, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return { port: portOf(server), stop: () => stop(server, streams) };
}

function answer(
  options: PageOptions,
  streams: Set<ServerResponse>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  if (!isOwnHost(request.headers.host, options.host))
    return plain(response, 403, 'this page answers only to its own host name');
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(response, 405, 'this page is read-only');
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (path === '/api/stream') return stream(options.feed, streams, request, response);
  if (path === '/api/snapshot') {
    response.setHeader('content-type', 'application/json');
    response.setHeader('cache-control', 'no-store');
    return void response.end(JSON.stringify(options.feed.snapshot()));
  }
  // Views are addresses of their own (`/graph?...`): every path without a dot is the page.
  const file = options.files.get(path) ?? (path.includes('.') ? undefined : options.files.get('/index.html'));
  if (file === undefined) return plain(response, 404, 'not found');
  response.setHeader('content-type', file.type);
  response.setHeader('cache-control', path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
  response.end(request.method === 'HEAD' ? undefined : file.bytes);
}

/** Server-sent events: one snapshot, then deltas. */
function stream(feed: Feed, streams: Set<ServerResponse>, request: IncomingMessage, response: ServerResponse): void {
  if (streams.size >= MAX_STREAMS) return plain(response, 503, 'too many pages are open');
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  if (request.method === 'HEAD') return void response.end();
  const first = framed(feed.snapshot());
  // The snapshot may itself be large: what waits behind it is what counts.
  const limit = Math.max(MAX_BACKLOG_BYTES, 2 * first.length);
  const send = (message: ViewMessage): void => {
    if (response.writableLength > limit) response.destroy();
    else response.write(framed(message));
  };
  response.write(first);
  const unsubscribe = feed.subscribe(send);
  const heartbeat = setInterval(() => response.write(': alive\n\n'), HEARTBEAT_MS);
  streams.add(response);
  const close = (): void => {
    clearInterval(heartbeat);
    unsubscribe();
    streams.delete(response);
  };
  request.on('close', close);
  response.on('close', close);
}

function framed(message: ViewMessage): string {
  return `data: ${JSON.stringify(message)}\n\n`;
}

function isOwnHost(header: string | undefined, bound: string): boolean {
  const host = header?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return host !== undefined && (host === 'localhost' || host === '127.0.0.1' || host === '::1' || host === bound);
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function stop(server: Server, streams: Set<ServerResponse>): Promise<void> {
  for (const response of streams) response.end();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
