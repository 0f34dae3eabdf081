import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { issueCertificate } from '../../../src/cluster/apiserver/certificate.ts';
import { checkJwt, jwtHeader } from './check-jwt.ts';
import type { LoopbackInternet, Service, ServiceAnswer, ServiceRequest } from './loopback-internet.ts';

export interface AzureOptions {
  readonly tenant: string;
  /** Client -> its secret. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Client -> PEM of its certificate. */
  readonly certificates?: Readonly<Record<string, string>>;
  /** Client -> subject whose tokens it trusts. */
  readonly federated?: Readonly<Record<string, string>>;
  readonly clusterKey?: KeyObject;
  /** Client of the machine's identity. */
  readonly managed?: string;
  readonly vaultHost?: string;
  readonly cluster?: { readonly id: string; readonly kubeconfigs: readonly string[]; readonly hasEntra?: boolean };
}

interface Issued {
  readonly client: string;
  readonly audience: string;
}

/** Entra ID, the metadata of a machine, a key vault and the resource manager: proofs are checked, keys are real RSA keys. */
export class FakeAzure {
  readonly #options: AzureOptions;
  readonly #tokens = new Map<string, Issued>();
  readonly #vaultKey = generateKeyPairSync('rsa', { modulusLength: 2048 });

  constructor(internet: LoopbackInternet, options: AzureOptions) {
    this.#options = options;
    internet.serve(
      'login.microsoftonline.com',
      guarded((request) => this.#login(request)),
    );
    internet.serve(
      '169.254.169.254/metadata',
      guarded((request) => this.#machine(request)),
    );
    internet.serve(
      options.vaultHost ?? 'shop.vault.azure.net',
      guarded((request) => this.#vault(request)),
    );
    internet.serve(
      'management.azure.com',
      guarded((request) => this.#management(request)),
    );
  }

  /** A data key as a key vault would have wrapped it for sops. */
  wrap(dataKey: Uint8Array): string {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const cipher = publicEncrypt({ key: this.#vaultKey.publicKey, padding, oaepHash: 'sha256' }, dataKey);
    return cipher.toString('base64url');
  }

  /** Whose token it is, for that audience; throws for others. */
  holderOf(token: string, audience: string): string {
    const issued = this.#tokens.get(token);
    if (issued === undefined) throw new Error('unknown token');
    if (issued.audience !== audience) throw new Error(`the token is for ${issued.audience}`);
    return issued.client;
  }

  #issue(client: string, audience: string): ServiceAnswer {
    const token = randomBytes(32).toString('base64url');
    this.#tokens.set(token, { client, audience });
    return { body: JSON.stringify({ token_type: 'Bearer', access_token: token, expires_in: 3600 }) };
  }

  #login({ url, body }: ServiceRequest): ServiceAnswer {
    const { tenant, secrets = {}, certificates = {}, federated = {}, clusterKey } = this.#options;
    if (url.pathname !== `/${tenant}/oauth2/v2.0/token`) throw new Error(`no tenant at ${url.pathname}`);
    const form = Object.fromEntries(new URLSearchParams(body)) as Record<string, string | undefined>;
    const client = form['client_id'] ?? '';
    if (form['grant_type'] !== 'client_credentials') throw new Error('grant_type');
    const assertion = form['client_assertion'];
    if (assertion !== undefined && certificates[client] !== undefined) {
      const certificate = new X509Certificate(certificates[client]);
      const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
      if (jwtHeader(assertion)['x5t#S256'] !== thumbprint) throw new Error('thumbprint');
      const { iss, sub } = checkJwt(assertion, certificate.publicKey, url.href);
      if (iss !== client || sub !== client) throw new Error('issuer');
    } else if (assertion !== undefined && clusterKey !== undefined) {
      const { sub } = checkJwt(assertion, clusterKey, 'api://AzureADTokenExchange');
      if (federated[client] !== sub) throw new Error('AADSTS70021: No matching federated identity record found');
    } else if (secrets[client] === undefined || secrets[client] !== form['client_secret']) {
      throw new Error('AADSTS7000215: Invalid client secret provided');
    }
    return this.#issue(client, (form['scope'] ?? '').replace(/\/\.default$/, ''));
  }

  #machine({ url, headers }: ServiceRequest): ServiceAnswer {
    const { managed } = this.#options;
    if (headers['metadata'] !== 'true') throw new Error('Required metadata header not specified');
    const client = url.searchParams.get('client_id') ?? managed;
    if (managed === undefined || client !== managed) throw new Error('Identity not found');
    return this.#issue(managed, url.searchParams.get('resource') ?? '');
  }

  #vault({ url, headers, body }: ServiceRequest): ServiceAnswer {
    this.holderOf(bearer(headers), 'https://vault.azure.net');
    if (url.pathname !== '/keys/sops/v1/decrypt') throw new Error(`no key at ${url.pathname}`);
    const { alg, value } = JSON.parse(body) as { alg: string; value: string };
    if (alg !== 'RSA-OAEP-256') throw new Error(alg);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const plain = privateDecrypt(
      { key: this.#vaultKey.privateKey, padding, oaepHash: 'sha256' },
      Buffer.from(value, 'base64url'),
    );
    return { body: JSON.stringify({ kid: url.href, value: plain.toString('base64url') }) };
  }

  #management({ method, url, headers }: ServiceRequest): ServiceAnswer {
    this.holderOf(bearer(headers), 'https://management.core.windows.net/');
    const { cluster } = this.#options;
    if (cluster !== undefined && method === 'GET' && url.pathname === cluster.id) {
      return { body: JSON.stringify({ properties: cluster.hasEntra === false ? {} : { aadProfile: {} } }) };
    }
    if (cluster !== undefined && method === 'POST' && url.pathname === `${cluster.id}/listClusterUserCredential`) {
      const kubeconfigs = cluster.kubeconfigs.map((text, index) => ({
        name: `clusterUser${index}`,
        value: Buffer.from(text).toString('base64'),
      }));
      return { body: JSON.stringify({ kubeconfigs }) };
    }
    return { status: 404, body: JSON.stringify({ error: { code: 'ResourceNotFound', message: 'not found' } }) };
  }
}

export function bearer(headers: Readonly<Record<string, string>>): string {
  return (headers['authorization'] ?? '').replace(/^Bearer /, '');
}

/** What a service throws is its refusal. */
export function guarded(service: Service): Service {
  return async (request) => {
    try {
      return await service(request);
    } catch (cause) {
      const description = (cause as Error).message;
      return { status: 401, body: JSON.stringify({ error: 'refused', error_description: description }) };
    }
  };
}

/** An RSA key and its certificate, PEM one after the other. */
export function clientCertificate(): { readonly pem: string; readonly certificate: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const name = { commonName: 'client' };
  const now = Date.now();
  const certificate = issueCertificate({
    serial: Uint8Array.of(7),
    subject: name,
    issuer: { commonName: 'company' },
    notBeforeMs: now - 1000,
    notAfterMs: now + 3_600_000,
    key: privateKey,
    signer,
    use: 'client',
  });
  const pem = `${privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()}${certificate}`;
  return { pem, certificate };
}
