import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ApiServer } from './server.ts';

/** Connections that leave HTTP: exec, attach, port-forward. */
export async function handleUpgrade(
  _server: ApiServer,
  _request: IncomingMessage,
  socket: Socket,
  _head: Buffer,
): Promise<void> {
  socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
}
