import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Clock } from '../../base/clock.ts';
import type { Encoded } from './encode.ts';

/** Clients of a stream have nothing to say. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** What may wait in memory for a client that does not read. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * Sends a stream over a WebSocket: each event of a watch is a text message, other streams come in binary ones. As on the
 * real server (measured with 1.34.1) clients name their origin, and one protocol at most.
 * Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/watch.go, apimachinery/pkg/util/httpstream/wsstream.
 */
export function streamOverWebSocket(
  answer: Encoded,
  clock: Clock,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  const asked = protocolsOf(request);
  const refused = request.headers.origin === undefined ? 403 : asked.length > 1 ? 400 : undefined;
  if (refused !== undefined) {
    socket.end(`HTTP/1.1 ${refused} ${STATUS_CODES[refused] ?? ''}\r\nConnection: close\r\n\r\n`);
    return;
  }
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => asked[0] ?? false,
  });
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => webSocket.terminate());
    const lines = answer.headers['content-type'] === 'application/json';
    void send(webSocket, answer, lines, clock).catch(() => webSocket.terminate());
  });
}

async function send(webSocket: WebSocket, { body, stallMs }: Encoded, lines: boolean, clock: Clock): Promise<void> {
  for await (const chunk of body) {
    const messages = lines ? new TextDecoder().decode(chunk).match(/.+\n/g) : [chunk];
    for (const message of messages ?? []) {
      if (webSocket.readyState !== webSocket.OPEN) return;
      const sent = new Promise<void>((resolve) => {
        webSocket.send(message, () => resolve());
      });
      if (webSocket.bufferedAmount < MAX_BUFFERED_BYTES) continue;
      const stalled = stallMs === undefined ? undefined : clock.after(stallMs, () => webSocket.terminate());
      await sent;
      stalled?.();
    }
  }
  webSocket.close(1000);
}

/** A browser cannot set headers: its token comes as a protocol. Source: kubernetes@1.34 apiserver/pkg/authentication/request/websocket/protocol.go. */
const TOKEN_PROTOCOL = 'base64url.bearer.authorization.k8s.io.';

/** The protocols that a client offers, without the one that is its token. */
export function protocolsOf(request: IncomingMessage): readonly string[] {
  return offered(request.headers['sec-websocket-protocol']).filter((name) => !name.startsWith(TOKEN_PROTOCOL));
}

/** The token among the protocols; there has to be another protocol beside it. */
export function tokenOf(protocols: string | undefined): string | undefined {
  const all = offered(protocols);
  const found = all.filter((name) => name.startsWith(TOKEN_PROTOCOL));
  if (found.length !== 1 || all.length < 2) return undefined;
  return Buffer.from((found[0] as string).slice(TOKEN_PROTOCOL.length), 'base64url').toString('utf8');
}

function offered(header: string | undefined): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
