import type { TLSSocket } from 'node:tls';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { Kernel } from './kernel.ts';
import type { User } from './user.ts';
import { ANONYMOUS, AUTHENTICATED } from './user.ts';
import { tokenOf } from './web-socket-answer.ts';

export const UNAUTHORIZED: StatusError = { code: 401, reason: 'Unauthorized', message: 'Unauthorized' };

/** Who the client is: by token, by certificate, or nobody. */
export async function authenticate(
  kernel: Kernel,
  headers: Readonly<Record<string, string>>,
  socket: TLSSocket,
): Promise<Result<User, StatusError>> {
  const authorization = headers['authorization'] ?? '';
  const token = /^bearer +(\S+)/i.exec(authorization)?.[1] ?? tokenOf(headers['sec-websocket-protocol']);
  if (token !== undefined) {
    const verified = kernel.tokens.verify(token);
    return verified.ok ? ok(verified.value.user) : err(UNAUTHORIZED);
  }
  const user = certificateUser(socket);
  return ok(user ?? ANONYMOUS);
}

function certificateUser(socket: TLSSocket): User | undefined {
  if (socket.authorized !== true || typeof socket.getPeerCertificate !== 'function') return undefined;
  const certificate = socket.getPeerCertificate();
  const subject = certificate.subject as unknown as Readonly<Record<string, string | readonly string[]>> | undefined;
  const name = subject?.['CN'];
  if (typeof name !== 'string' || name === '') return undefined;
  const organisations = subject?.['O'];
  const groups = organisations === undefined ? [] : typeof organisations === 'string' ? [organisations] : organisations;
  const fingerprint = (certificate.fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
  return {
    name,
    groups: [...groups, AUTHENTICATED],
    extra: fingerprint === '' ? {} : { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  };
}
