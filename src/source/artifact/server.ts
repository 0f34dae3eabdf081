import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve, sep } from 'node:path';

export interface ArtifactServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Serves a store's files over plain HTTP, as Flux's storage server does on :9090, but lists no directories.
 * GET and HEAD only. Throws when the port is in use.
 */
export async function startArtifactServer(options: {
  readonly directory: string;
  readonly host: string;
  readonly port: number;
}): Promise<ArtifactServer> {
  const root = resolve(options.directory);
  const server = createServer((request, response) => {
    serve(root, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(options.port, options.host, () => done());
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function serve(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405);
  const file = locate(root, request.url ?? '/');
  if (file === undefined) return end(response, 404);
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return end(response, 404);
  try {
    const found = await handle.stat();
    if (!found.isFile()) return end(response, 404);
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': found.size,
      'last-modified': found.mtime.toUTCString(),
      'x-content-type-options': 'nosniff',
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    await new Promise<void>((done) => {
      const stream = createReadStream(file, { fd: handle.fd, autoClose: false });
      stream.on('error', () => response.destroy());
      response.on('close', done);
      stream.pipe(response);
    });
  } finally {
    await handle.close();
  }
}

/** The file that a request names, inside the root, never one still being written. */
function locate(root: string, url: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '');
  } catch {
    return undefined;
  }
  if (path.includes('\0') || path.split('/').includes('..') || path.endsWith('.tmp')) return undefined;
  const file = resolve(root, `.${sep}${path}`);
  return file.startsWith(root + sep) ? file : undefined;
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}
