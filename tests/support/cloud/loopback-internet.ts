import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import { issueCertificate } from '../../../src/cluster/apiserver/certificate.ts';

/** A request as a service of a cloud gets it. */
export interface ServiceRequest {
  readonly method: string;
  /** `host` or `host:port`, as the client wrote it. */
  readonly host: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ServiceAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Service = (request: ServiceRequest) => ServiceAnswer | Promise<ServiceAnswer>;

/** The host names of the clouds on loopback: real connections, real TLS with the names checked; other names do not exist. */
export interface LoopbackInternet {
  readonly connect: buildConnector.connector;
  /** PEM of the authority that signs the servers' certificates. */
  readonly authority: string;
  /** `METHOD https://host/path` of every request so far. */
  readonly requests: readonly string[];
  /** Where a service is really reached, for programs that are told an address: `http://127.0.0.1:port`. */
  plainAddress(host: string): Promise<string>;
  /** `place` is a host, perhaps with a path: what lies below it is served; the longest one counts. */
  serve(place: string, service: Service): void;
  close(): Promise<void>;
}

export async function startInternet(): Promise<LoopbackInternet> {
  const services = new Map<string, Service>();
  const requests: string[] = [];
  const pki = authority();
  const serviceFor = (host: string, target: string): Service | undefined => {
    const places = [...services.keys()].filter((place) => place === host || `${host}${target}`.startsWith(`${place}/`));
    return services.get(places.sort((a, b) => b.length - a.length)[0] ?? '');
  };
  const answer =
    (scheme: string, as?: string) =>
    async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of message) chunks.push(chunk as Buffer);
      const host = as ?? message.headers.host ?? '';
      const target = message.url ?? '/';
      const url = new URL(`${scheme}://${host}${target}`);
      requests.push(`${message.method} ${url.origin}${url.pathname}`);
      const service = serviceFor(host, target);
      const made = (await service?.({
        method: message.method ?? '',
        host: message.headers.host ?? '',
        target,
        url,
        headers: message.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString('utf8'),
      })) ?? { status: 404, body: `nothing is served for ${host}` };
      response.writeHead(made.status ?? 200, made.headers ?? {}).end(made.body);
    };
  const http = createServer((message, response) => void answer('http')(message, response));
  const plain = [http];
  const secure = createTlsServer(
    {
      SNICallback: (name, done) => done(null, pki.contextFor(name)),
      ...pki.certificateFor('127.0.0.1'),
    },
    (message, response) => void answer('https')(message, response),
  );
  const ports = await Promise.all([listen(http), listen(secure)]);
  const connector = buildConnector({ ca: pki.authority });
  return {
    authority: pki.authority,
    requests,
    connect(options, done) {
      const { protocol, hostname, port } = options;
      const host = port === '' || port === undefined ? hostname : `${hostname}:${port}`;
      if (![...services.keys()].some((place) => place.split('/')[0] === host)) {
        done(new Error(`getaddrinfo ENOTFOUND ${host}`), null);
        return;
      }
      const isSecure = protocol === 'https:';
      connector(
        {
          ...options,
          hostname: '127.0.0.1',
          host: '127.0.0.1',
          port: String(isSecure ? ports[1] : ports[0]),
          ...(isSecure && isIP(hostname) === 0 ? { servername: hostname } : {}),
        },
        done,
      );
    },
    async plainAddress(host) {
      const server = createServer((message, response) => void answer('http', host)(message, response));
      plain.push(server);
      return `http://127.0.0.1:${await listen(server)}`;
    },
    serve: (place, service) => void services.set(place, service),
    async close() {
      await Promise.all(
        [...plain, secure].map((server) => {
          server.closeAllConnections();
          return new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function authority(): {
  readonly authority: string;
  certificateFor(name: string): { readonly cert: string; readonly key: string };
  contextFor(name: string): ReturnType<typeof createSecureContext>;
} {
  const generate = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const signer = generate();
  const issuer = { commonName: 'loopback-internet' };
  const now = Date.now();
  const common = { issuer, signer, notBeforeMs: now - 3_600_000, notAfterMs: now + 3_600_000 };
  const serial = () => Uint8Array.from([1, ...randomBytes(12)]);
  const certificateFor = (name: string) => {
    const key = generate();
    const address = isIP(name) === 4 ? { addresses: [Uint8Array.from(name.split('.').map(Number))] } : {};
    const cert = issueCertificate({
      ...common,
      ...address,
      key,
      serial: serial(),
      subject: { commonName: name },
      use: 'server',
      dnsNames: isIP(name) === 0 ? [name] : [],
    });
    return { cert, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
  };
  return {
    authority: issueCertificate({ ...common, key: signer, serial: serial(), subject: issuer, use: 'authority' }),
    certificateFor,
    contextFor: (name) => createSecureContext(certificateFor(name)),
  };
}
