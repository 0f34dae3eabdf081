import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { checkJwt } from './check-jwt.ts';
import type { LoopbackInternet, ServiceAnswer, ServiceRequest } from './loopback-internet.ts';

export interface VaultOptions {
  readonly host: string;
  /** Role -> subject that may log in as it. */
  readonly roles?: Readonly<Record<string, string>>;
  readonly clusterKey?: KeyObject;
  /** The audience that tokens must have. */
  readonly audience?: string;
}

/** A transit engine that really encrypts, behind tokens, with logins by tokens of service accounts. */
export class FakeVault {
  readonly #options: VaultOptions;
  readonly #master = randomBytes(32);
  readonly #tokens = new Set<string>();
  /** Every token that was ever shown to it. */
  readonly seen: string[] = [];

  constructor(internet: LoopbackInternet, options: VaultOptions) {
    this.#options = options;
    internet.serve(options.host, (request) => this.#answer(request));
  }

  issue(): string {
    const token = `hvs.${randomBytes(18).toString('base64url')}`;
    this.#tokens.add(token);
    return token;
  }

  /** A data key as the engine would have wrapped it for sops. */
  wrap(dataKey: Uint8Array): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#master, iv);
    const data = Buffer.concat([cipher.update(dataKey), cipher.final()]);
    return `vault:v1:${Buffer.concat([iv, cipher.getAuthTag(), data]).toString('base64')}`;
  }

  #answer({ url, headers, body, method }: ServiceRequest): ServiceAnswer {
    const token = headers['x-vault-token'];
    if (token !== undefined) this.seen.push(token);
    const refuse = (status: number, message: string): ServiceAnswer => ({
      status,
      body: JSON.stringify({ errors: [message] }),
    });
    if (method !== 'PUT' && method !== 'POST') return refuse(405, 'unsupported operation');
    const given = JSON.parse(body) as Record<string, string>;
    if (url.pathname === '/v1/auth/kubernetes/login') return this.#login(given, refuse);
    if (token === undefined || !this.#tokens.has(token)) return refuse(403, `permission denied for ${token}`);
    if (url.pathname === '/v1/transit/encrypt/sops') {
      return {
        body: JSON.stringify({ data: { ciphertext: this.wrap(Buffer.from(given['plaintext'] ?? '', 'base64')) } }),
      };
    }
    if (url.pathname !== '/v1/transit/decrypt/sops') return refuse(404, 'no handler for route');
    const bytes = Buffer.from((given['ciphertext'] ?? '').replace(/^vault:v1:/, ''), 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.#master, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    try {
      const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
      return { body: JSON.stringify({ data: { plaintext: plain.toString('base64') } }) };
    } catch {
      return refuse(400, 'cipher: message authentication failed');
    }
  }

  #login(given: Record<string, string>, refuse: (status: number, message: string) => ServiceAnswer): ServiceAnswer {
    const { roles = {}, clusterKey, audience = '' } = this.#options;
    try {
      if (clusterKey === undefined) throw new Error('no auth method');
      const { sub } = checkJwt(given['jwt'] ?? '', clusterKey, audience);
      if (roles[given['role'] ?? ''] !== sub) throw new Error('service account name not authorized');
    } catch (cause) {
      return refuse(403, (cause as Error).message);
    }
    return { body: JSON.stringify({ auth: { client_token: this.issue() } }) };
  }
}
