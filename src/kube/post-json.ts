import type { Buffer } from 'node:buffer';
import { request } from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { err, ok, type Result } from '../base/result.ts';

/** A two-way stream of bytes that stands for a TCP connection. */
interface Bytes {
  readonly output: AsyncIterable<Uint8Array>;
  write(chunk: Uint8Array): void | Promise<void>;
  end(): void;
  destroy(): void;
}

interface Post {
  readonly url: string;
  readonly authorities?: string;
  readonly via?: { readonly host: string; readonly port: number } | { readonly open: () => Bytes | undefined };
  readonly body: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * POSTs JSON over TLS and resolves to the answer; nothing is followed, retried or kept open.
 * Failures are worded as Go's net/http words them, since the API server shows them to its clients.
 */
export async function postJson(
  post: Post,
): Promise<Result<{ readonly status: number; readonly body: string }, string>> {
  const url = new URL(post.url);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const { via } = post;
  const host = via !== undefined && 'host' in via ? via.host : hostname;
  const port = via !== undefined && 'port' in via ? via.port : Number(url.port === '' ? 443 : url.port);
  let stream: Duplex | undefined;
  if (via !== undefined && 'open' in via) {
    const bytes = via.open();
    if (bytes === undefined) return err(`dial tcp: connect: connection refused`);
    stream = duplex(bytes);
  }
  return new Promise((resolve) => {
    let settled = false;
    const settle = (result: Result<{ readonly status: number; readonly body: string }, string>): void => {
      if (settled) return;
      settled = true;
      resolve(result);
      sent.destroy();
    };
    const sent = request(
      {
        method: 'POST',
        host: hostname,
        port,
        path: `${url.pathname}${url.search}`,
        headers: {
          Host: url.host,
          Accept: 'application/json, */*',
          'Content-Type': 'application/json',
          'Content-Length': new TextEncoder().encode(post.body).length,
          'User-Agent': 'kube-apiserver-admission',
        },
        signal: post.signal,
        createConnection: () =>
          connectTls({
            socket: stream ?? connectTcp({ host, port }),
            ALPNProtocols: ['http/1.1'],
            ...(isIP(hostname) === 0 ? { servername: hostname } : { host: hostname }),
            ...(post.authorities === undefined ? {} : { ca: post.authorities }),
          }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > post.maxBytes)
            settle(err(`http: request body too large: the answer is longer than ${post.maxBytes} bytes`));
          else chunks.push(chunk);
        });
        answer.on('end', () => settle(ok({ status: answer.statusCode ?? 0, body: text(chunks) })));
        answer.on('error', (cause) => settle(err(wording(cause, post.signal, host, port, hostname))));
      },
    );
    sent.on('error', (cause) => settle(err(wording(cause, post.signal, host, port, hostname))));
    sent.end(post.body);
  });
}

function text(chunks: readonly Buffer[]): string {
  const decoder = new TextDecoder();
  return `${chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('')}${decoder.decode()}`;
}

function duplex(bytes: Bytes): Duplex {
  const output = bytes.output[Symbol.asyncIterator]();
  return new Duplex({
    read() {
      output.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (cause: Error) => this.destroy(cause),
      );
    },
    async write(chunk: Uint8Array, _encoding, done) {
      try {
        await bytes.write(chunk);
      } catch (cause) {
        done(cause as Error);
        return;
      }
      done();
    },
    final(done) {
      bytes.end();
      done();
    },
    destroy(cause, done) {
      bytes.destroy();
      done(cause);
    },
  });
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);

/** What Go says where Node says `cause`. (go1.24 net, crypto/x509/verify.go, net/http/transport.go) */
function wording(cause: Error, signal: AbortSignal, host: string, port: number, hostname: string): string {
  if (signal.aborted) return 'context deadline exceeded';
  const { code = '' } = cause as NodeJS.ErrnoException;
  const address = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  if (UNTRUSTED.has(code)) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  switch (code) {
    case 'ECONNREFUSED': {
      const { address: ip = host } = cause as { address?: string };
      return `dial tcp ${isIP(ip) === 6 ? `[${ip}]` : ip}:${port}: connect: connection refused`;
    }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: no such host`;
    case 'ETIMEDOUT':
      return `dial tcp ${address}: i/o timeout`;
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`;
    case 'ECONNRESET':
      return 'EOF';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: ${altName(cause as Error & { cert?: { subjectaltname?: string } }, hostname)}`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'http: server gave HTTP response to HTTPS client';
    default:
      return cause.message;
  }
}

function altName(cause: Error & { readonly cert?: { readonly subjectaltname?: string } }, host: string): string {
  const names = (cause.cert?.subjectaltname ?? '')
    .split(', ')
    .filter((name) => name.startsWith(isIP(host) === 0 ? 'DNS:' : 'IP Address:'))
    .map((name) => name.slice(name.indexOf(':') + 1));
  if (names.length === 0)
    return isIP(host) === 0
      ? `certificate is not valid for any names, but wanted to match ${host}`
      : `cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  return `certificate is valid for ${names.join(', ')}, not ${host}`;
}
