import { execFileSync } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HttpRequest } from '../base/http.ts';
import { err, ok } from '../base/result.ts';
import { readLines, readText } from './body.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { createSocketTransport, type SocketTransport } from './transport-socket.ts';

let folder = '';
const pem = (name: string): string => readFileSync(join(folder, name), 'utf8');
const closers: (() => Promise<void> | void)[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-transport-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca');
  for (const [name, subject] of [
    ['server', '/CN=server'],
    ['client', '/O=group/CN=user'],
  ] as const) {
    openssl('req', ...key.slice(0, -2), '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    writeFileSync(join(folder, 'ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...sign, '-out', `${name}.crt`);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function listen(server: Server | Http2SecureServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<{ destroy(): unknown }>();
  server.on('connection', (socket) => sockets.add(socket));
  server.on('secureConnection', (socket) => sockets.add(socket));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function plain(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(listener))}`;
}

function transport(access: ClusterAccess, options = {}): SocketTransport {
  const made = createSocketTransport(access, options);
  closers.push(() => made.close());
  return made;
}

const get = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  path,
  headers: {},
  ...more,
});

describe('over plain HTTP', () => {
  test('sends path prefix, query, body and each impersonated group in a header of its own', async () => {
    const seen: { url: string | undefined; groups: string[]; body: string }[] = [];
    const server = await plain((request, response) => {
      const groups = request.rawHeaders.filter((_, index) =>
        /^impersonate-group$/i.test(request.rawHeaders[index - 1] ?? ''),
      );
      void readText(request).then((body) => {
        seen.push({ url: request.url, groups, body });
        response.writeHead(201, { 'x-a': ['1', '2'] }).end('done');
      });
    });
    const { handler } = transport({ server: `${server}/k8s/c1/` });
    const answer = await handler({
      method: 'POST',
      path: '/api/v1?x=%20',
      headers: { 'impersonate-group': 'g1, g2' },
      body: Buffer.from('{}'),
    });
    expect([answer.status, answer.headers['x-a'], await readText(answer.body)]).toEqual([201, '1, 2', 'done']);
    expect(seen).toEqual([{ url: '/k8s/c1/api/v1?x=%20', groups: ['g1', 'g2'], body: '{}' }]);
  });

  test.each([
    [{ token: 't' }, 'Bearer t'],
    [{ username: 'u', password: 'p' }, `Basic ${Buffer.from('u:p').toString('base64')}`],
  ])('authenticates with %j', async (credentials, expected) => {
    const server = await plain((request, response) => response.end(request.headers.authorization));
    const answer = await transport({ server, ...credentials }).handler(get('/'));
    expect(await readText(answer.body)).toBe(expected);
  });

  test('reads a token file again when the server refuses the token', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'old\n');
    const server = await plain((request, response) => {
      const fresh = request.headers.authorization === 'Bearer new';
      response.writeHead(fresh ? 200 : 401).end(request.headers.authorization);
    });
    const { handler } = transport({ server, tokenFile });
    expect((await handler(get('/'))).status).toBe(401);
    writeFileSync(tokenFile, 'new\n');
    expect((await handler(get('/'))).status).toBe(200);
  });

  test('asks for a token before each request, and sends nothing without one', async () => {
    let requests = 0;
    const server = await plain((request, response) => {
      requests++;
      response.end(request.headers.authorization);
    });
    const tokens = [ok('one'), ok('two'), err('the cloud says no')];
    const { handler } = transport({ server }, { token: () => Promise.resolve(tokens.shift() ?? err('none')) });
    expect(await readText((await handler(get('/'))).body)).toBe('Bearer one');
    expect(await readText((await handler(get('/'))).body)).toBe('Bearer two');
    await expect(handler(get('/'))).rejects.toThrow('the cloud says no');
    expect(requests).toBe(2);
  });

  test('streams chunks as they come and stops with the signal', async () => {
    let closed = false;
    const server = await plain((request, response) => {
      response.write('one\n');
      request.on('close', () => {
        closed = true;
      });
    });
    const stop = new AbortController();
    const answer = await transport({ server }).handler(get('/?watch=true', { signal: stop.signal }));
    const lines = readLines(answer.body);
    expect((await lines.next()).value).toBe('one');
    stop.abort();
    await expect(lines.next()).rejects.toThrow(/abort/i);
    await expect.poll(() => closed).toBe(true);
  });

  test('lets no request wait behind open watches', async () => {
    const server = await plain((request, response) => {
      if (request.url === '/watch') response.write('x\n');
      else response.end('ok');
    });
    const { handler } = transport({ server });
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const watches = await Promise.all(
      Array.from({ length: 20 }, () => handler(get('/watch', { signal: stop.signal }))),
    );
    expect(await readText((await handler(get('/other'))).body)).toBe('ok');
    expect(watches).toHaveLength(20);
    stop.abort();
  });

  test('throws when nobody listens', async () => {
    const port = await listen(createServer());
    await closers.pop()?.();
    await expect(transport({ server: `http://127.0.0.1:${port}` }).handler(get('/'))).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe('over TLS', () => {
  /** As an API server: it would rather speak HTTP/2, and takes HTTP/1.1. */
  async function secure(): Promise<string> {
    const options = {
      allowHTTP1: true,
      cert: pem('server.crt'),
      key: pem('server.key'),
      ca: pem('ca.crt'),
      requestCert: true,
      rejectUnauthorized: false,
    };
    const server = createSecureServer(options, ({ url, httpVersion, socket }, response) => {
      const { subject } = (socket as TLSSocket).getPeerCertificate();
      if (url === '/watch') response.write('x\n');
      else response.end(`${httpVersion} ${String(subject?.CN ?? 'nobody')}`);
    });
    return `https://127.0.0.1:${await listen(server)}`;
  }
  const client = (): Partial<ClusterAccess> => ({ clientCertificate: pem('client.crt'), clientKey: pem('client.key') });

  test('presents the client certificate, over HTTP/1.1', async () => {
    const { handler } = transport({ server: await secure(), ca: pem('ca.crt'), ...client() });
    expect(await readText((await handler(get('/'))).body)).toBe('1.1 user');
  });

  test('answers beside 120 watches', async () => {
    const { handler } = transport({ server: await secure(), ca: pem('ca.crt') });
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    await Promise.all(Array.from({ length: 120 }, () => handler(get('/watch', { signal: stop.signal }))));
    expect(await readText((await handler(get('/'))).body)).toBe('1.1 nobody');
    stop.abort();
  });

  test('refuses a server whose authority it does not know, unless told not to check', async () => {
    const server = await secure();
    await expect(transport({ server }).handler(get('/'))).rejects.toThrow(/certificate/);
    const answer = await transport({ server, insecureSkipTlsVerify: true }).handler(get('/'));
    expect(answer.status).toBe(200);
    await readText(answer.body);
  });

  test('takes certificate and token from a credential program, and says when that fails', async () => {
    const program = join(folder, 'program');
    const status = { token: 't', clientCertificateData: pem('client.crt'), clientKeyData: pem('client.key') };
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
    writeFileSync(join(folder, 'credential.json'), JSON.stringify(credential));
    writeFileSync(program, '#!/bin/sh\ncat "$DIR/credential.json"\n');
    chmodSync(program, 0o755);
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: program,
      args: [],
      env: { DIR: folder },
      provideClusterInfo: true,
    };
    const access = { server: await secure(), ca: pem('ca.crt') };
    const env = { PATH: process.env['PATH'] };
    const { handler } = transport({ ...access, exec }, { env });
    expect(await readText((await handler(get('/'))).body)).toBe('1.1 user');
    const missing = transport(
      { ...access, exec: { ...exec, command: 'no-such-program-x', installHint: 'install it' } },
      { env },
    );
    await expect(missing.handler(get('/'))).rejects.toThrow(
      'credential program no-such-program-x is not installed; install it',
    );
  });
});
