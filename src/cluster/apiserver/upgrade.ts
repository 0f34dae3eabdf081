import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { stringifyJson } from '../../base/json.ts';
import type { StatusError } from '../registry.ts';
import { authenticate } from './authentication.ts';
import { encode } from './encode.ts';
import { headersOf } from './headers.ts';
import type { ApiServer, Connection } from './server.ts';
import { isConnectionPath } from './server.ts';
import { statusBody } from './status.ts';
import { ByteQueue } from './streams/byte-queue.ts';
import type { ExecSink } from './streams/exec.ts';
import { attach, runCommand } from './streams/exec.ts';
import { PortForward } from './streams/port-forward.ts';
import type { SpdyStream } from './streams/spdy.ts';
import { SpdyConnection } from './streams/spdy.ts';
import type { User } from './user.ts';
import { protocolsOf, streamOverWebSocket } from './web-socket-answer.ts';

/** Newest first. */
const EXEC_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const FORWARD_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';
const SPDY_EXEC_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const CLOSE_CHANNEL = 255;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** How long a client may take to open the streams that its query promises. */
const STREAMS_TIMEOUT_MS = 30_000;

/** Connections that leave HTTP: exec, attach, port-forward, over WebSocket or SPDY. */
export async function handleUpgrade(
  server: ApiServer,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): Promise<void> {
  const headers = headersOf(request);
  const user = await authenticate(server.kernel, headers, socket as TLSSocket);
  const upgrade = (headers['upgrade'] ?? '').toLowerCase();
  if (user.ok && !isConnectionPath(request.url ?? '/')) {
    await answer(server, request, headers, user.value, socket, head);
    return;
  }
  const checked = user.ok
    ? server.connect({ method: request.method ?? 'GET', path: request.url ?? '/', headers }, user.value)
    : user;
  if (!checked.ok) {
    refuse(socket, checked.error);
    return;
  }
  if (upgrade === 'websocket') openWebSocket(checked.value, request, socket, head);
  else if (upgrade === 'spdy/3.1') openSpdy(checked.value, headers, socket, head);
  else refuse(socket, { code: 400, reason: 'BadRequest', message: `unable to upgrade: ${upgrade} is not supported` });
}

/** Everything else is answered as without an upgrade, but for streams: those go on over the WebSocket. */
async function answer(
  server: ApiServer,
  request: IncomingMessage,
  headers: Readonly<Record<string, string>>,
  user: User,
  socket: Socket,
  head: Buffer,
): Promise<void> {
  const abort = new AbortController();
  socket.on('error', () => socket.destroy());
  socket.on('close', () => abort.abort());
  const { method = 'GET', url = '/' } = request;
  const served = await server.serve({ method, path: url, headers, signal: abort.signal }, user);
  const encoded = await encode(served, headers);
  if (encoded.whole === undefined && headers['upgrade']?.toLowerCase() === 'websocket')
    streamOverWebSocket(encoded, server.kernel.clock, request, socket, head);
  else if (encoded.whole === undefined)
    refuse(socket, { code: 400, reason: 'BadRequest', message: 'unable to upgrade: only WebSockets are supported' });
  else end(socket, encoded.status, encoded.headers, encoded.whole);
}

function refuse(socket: Socket, error: StatusError): void {
  const body = new TextEncoder().encode(stringifyJson(statusBody(error)));
  end(socket, error.code, { 'content-type': 'application/json', 'content-length': String(body.length) }, body);
}

function end(socket: Socket, status: number, headers: Readonly<Record<string, string>>, body: Uint8Array): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}connection: close\r\n\r\n`);
  socket.end(body);
}

function openWebSocket(connection: Connection, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const forward = connection.kind === 'portforward';
  const supported = forward ? [FORWARD_PROTOCOL] : EXEC_PROTOCOLS;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (asked) => supported.find((protocol) => asked.has(protocol)) ?? false,
  });
  const asked = protocolsOf(request);
  if (!asked.some((name) => supported.includes(name))) {
    refuse(socket, {
      code: 403,
      reason: 'Forbidden',
      message: `unable to upgrade: none of ${asked.join(', ')} is supported`,
    });
    return;
  }
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => webSocket.terminate());
    if (forward) forwardOverWebSocket(connection, webSocket);
    else void execOverWebSocket(connection, webSocket);
  });
}

function forwardOverWebSocket({ program, pod }: Connection, webSocket: WebSocket): void {
  const forward = new PortForward(program, pod);
  const spdy = new SpdyConnection(
    (bytes) => webSocket.send(bytes),
    (stream) => forward.accept(stream),
  );
  webSocket.on('message', (data: Buffer) => void spdy.receive(data).catch(() => webSocket.terminate()));
  webSocket.on('close', () => spdy.close());
}

async function execOverWebSocket(connection: Connection, webSocket: WebSocket): Promise<void> {
  const stdin = new ByteQueue();
  const abort = new AbortController();
  webSocket.on('message', (data: Buffer) => {
    const channel = data[0];
    if (channel === 0) stdin.push(data.subarray(1));
    else if (channel === CLOSE_CHANNEL && data[1] === 0) stdin.end();
  });
  webSocket.on('close', () => {
    stdin.end();
    abort.abort();
  });
  const send = (channel: number, chunk: Uint8Array): void => {
    if (webSocket.readyState === webSocket.OPEN) webSocket.send(Buffer.concat([Buffer.from([channel]), chunk]));
  };
  await execute(connection, stdin, abort.signal, {
    stdout: (chunk) => send(STDOUT, chunk),
    stderr: (chunk) => send(STDERR, chunk),
    finish: (status) => {
      send(ERROR, new TextEncoder().encode(status));
      webSocket.close(1000);
    },
  });
}

async function execute(
  { kind, program, query }: Connection,
  stdin: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  sink: ExecSink,
): Promise<void> {
  if (kind === 'attach') await attach(program, signal, sink);
  else await runCommand(program, { command: query.getAll('command'), tty: isSet(query, 'tty'), stdin, signal }, sink);
}

function isSet(query: URLSearchParams, name: string): boolean {
  return ['1', 'true'].includes(query.get(name) ?? '');
}

function openSpdy(
  connection: Connection,
  headers: Readonly<Record<string, string>>,
  socket: Socket,
  head: Buffer,
): void {
  const asked = (headers['x-stream-protocol-version'] ?? '').split(',').map((name) => name.trim());
  const supported = connection.kind === 'portforward' ? ['portforward.k8s.io'] : SPDY_EXEC_PROTOCOLS;
  const protocol = supported.find((name) => asked.includes(name));
  if (protocol === undefined) {
    refuse(socket, {
      code: 403,
      reason: 'Forbidden',
      message: `unable to upgrade: none of ${asked.join(', ')} is supported`,
    });
    return;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  const accept =
    connection.kind === 'portforward'
      ? (() => {
          const forward = new PortForward(connection.program, connection.pod);
          return (stream: SpdyStream) => forward.accept(stream);
        })()
      : execOverSpdy(connection, socket);
  const spdy = new SpdyConnection((bytes) => {
    if (!socket.destroyed) socket.write(bytes);
  }, accept);
  const receive = (bytes: Buffer): void => void spdy.receive(bytes).catch(() => socket.destroy());
  socket.on('data', receive);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => spdy.close());
  if (head.length > 0) receive(head);
}

/** Begins when all streams that the query asks for are there. */
function execOverSpdy(connection: Connection, socket: Socket): (stream: SpdyStream) => void {
  const { query } = connection;
  const wanted = ['stdin', 'stdout', 'stderr'].filter((name) => isSet(query, name));
  const needed = new Set(['error', ...wanted.filter((name) => name !== 'stderr' || !isSet(query, 'tty'))]);
  const streams = new Map<string, SpdyStream>();
  const abort = new AbortController();
  socket.on('close', () => abort.abort());
  const timer = setTimeout(() => socket.destroy(), STREAMS_TIMEOUT_MS);
  socket.on('close', () => clearTimeout(timer));
  return (stream) => {
    const kind = stream.headers.get('streamtype') ?? '';
    streams.set(kind, stream);
    if (kind === 'resize' || ![...needed].every((name) => streams.has(name))) return;
    clearTimeout(timer);
    const empty = new ByteQueue();
    empty.end();
    void execute(connection, streams.get('stdin')?.input ?? empty, abort.signal, {
      stdout: (chunk) => streams.get('stdout')?.write(chunk),
      stderr: (chunk) => streams.get('stderr')?.write(chunk),
      finish: (status) => {
        streams.get('error')?.write(new TextEncoder().encode(status));
        for (const one of streams.values()) one.end();
      },
    });
  };
}
