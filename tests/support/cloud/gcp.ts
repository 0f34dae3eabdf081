import { createCipheriv, createDecipheriv, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { bearer, guarded } from './azure.ts';
import { checkJwt } from './check-jwt.ts';
import type { LoopbackInternet, ServiceAnswer, ServiceRequest } from './loopback-internet.ts';

export interface GcpOptions {
  /** Audience of federated tokens -> subject that is let in. */
  readonly pools?: Readonly<Record<string, string>>;
  /** Audience that the cluster's tokens must have, by audience of the pool. */
  readonly tokenAudience?: Readonly<Record<string, string>>;
  readonly clusterKey?: KeyObject;
  /** Who may use the KMS; all by default. */
  readonly mayDecrypt?: (who: string) => boolean;
  readonly cluster?: { readonly name: string; readonly body: Readonly<Record<string, unknown>> };
}

const METADATA: Readonly<Record<string, string>> = {
  'project/project-id': 'shop-1',
  'instance/attributes/cluster-location': 'europe-west1',
  'instance/attributes/cluster-name': 'main',
};

/** Google's token servers, metadata, KMS and GKE: assertions are checked, and the KMS really encrypts. */
export class FakeGcp {
  readonly #options: GcpOptions;
  readonly #master = randomBytes(32);
  readonly #tokens = new Map<string, string>();
  readonly #accounts = new Map<string, KeyObject>();

  constructor(internet: LoopbackInternet, options: GcpOptions = {}) {
    this.#options = options;
    internet.serve(
      'oauth2.googleapis.com',
      guarded((request) => this.#oauth(request)),
    );
    internet.serve(
      'sts.googleapis.com',
      guarded((request) => this.#exchange(request)),
    );
    internet.serve(
      'iamcredentials.googleapis.com',
      guarded((request) => this.#impersonate(request)),
    );
    internet.serve(
      '169.254.169.254/computeMetadata',
      guarded((request) => this.#metadata(request)),
    );
    internet.serve(
      'cloudkms.googleapis.com',
      guarded((request) => this.#kms(request)),
    );
    internet.serve(
      'container.googleapis.com',
      guarded((request) => this.#gke(request)),
    );
  }

  /** The key file of a service account. */
  keyFile(email: string, more: Readonly<Record<string, string>> = {}): string {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#accounts.set(email, publicKey);
    return JSON.stringify({
      type: 'service_account',
      client_email: email,
      private_key_id: 'k1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      token_uri: 'https://oauth2.googleapis.com/token',
      ...more,
    });
  }

  /** A data key as the KMS would have wrapped it for sops. */
  wrap(resource: string, dataKey: Uint8Array): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#master, iv);
    cipher.setAAD(Buffer.from(resource));
    const data = Buffer.concat([cipher.update(dataKey), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), data]).toString('base64');
  }

  holderOf(token: string): string {
    const holder = this.#tokens.get(token);
    if (holder === undefined) throw new Error('Request had invalid authentication credentials');
    return holder;
  }

  #issue(holder: string): string {
    const token = `ya29.${randomBytes(24).toString('base64url')}`;
    this.#tokens.set(token, holder);
    return token;
  }

  #oauth({ url, body }: ServiceRequest): ServiceAnswer {
    const form = new URLSearchParams(body);
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('grant_type');
    const assertion = form.get('assertion') ?? '';
    const claimed = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as { iss: string };
    const key = this.#accounts.get(claimed.iss);
    if (key === undefined) throw new Error('account not found');
    const { scope } = checkJwt(assertion, key, url.href);
    if (!String(scope).includes('cloud-platform')) throw new Error('scope');
    return { body: JSON.stringify({ access_token: this.#issue(claimed.iss), expires_in: 3599 }) };
  }

  #exchange({ body }: ServiceRequest): ServiceAnswer {
    const form = new URLSearchParams(body);
    const { pools = {}, clusterKey, tokenAudience = {} } = this.#options;
    const audience = form.get('audience') ?? '';
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange') throw new Error('grant_type');
    if (clusterKey === undefined) throw new Error('no pool');
    const { sub } = checkJwt(form.get('subject_token') ?? '', clusterKey, tokenAudience[audience] ?? audience);
    if (pools[audience] !== sub) throw new Error('The given credential is rejected by the attribute condition');
    return { body: JSON.stringify({ access_token: this.#issue(`federated ${sub}`), expires_in: 3600 }) };
  }

  #impersonate({ url, headers, body }: ServiceRequest): ServiceAnswer {
    this.holderOf(bearer(headers));
    const email = /^\/v1\/projects\/-\/serviceAccounts\/([^/]+):generateAccessToken$/.exec(url.pathname)?.[1];
    const { scope } = JSON.parse(body) as { scope: readonly string[] };
    if (email === undefined || scope.length === 0) throw new Error('bad request');
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    return { body: JSON.stringify({ accessToken: this.#issue(email), expireTime }) };
  }

  #metadata({ url, headers }: ServiceRequest): ServiceAnswer {
    if (headers['metadata-flavor'] !== 'Google') throw new Error('Missing Metadata-Flavor:Google header');
    const path = url.pathname.replace('/computeMetadata/v1/', '');
    if (path === 'instance/service-accounts/default/token') {
      return { body: JSON.stringify({ access_token: this.#issue('the machine'), expires_in: 3000 }) };
    }
    const text = METADATA[path];
    return text === undefined ? { status: 404, body: '' } : { body: text };
  }

  #kms({ url, headers, body }: ServiceRequest): ServiceAnswer {
    const who = this.holderOf(bearer(headers));
    if (this.#options.mayDecrypt?.(who) === false) {
      const error = { code: 403, status: 'PERMISSION_DENIED', message: `${who} may not decrypt` };
      return { status: 403, body: JSON.stringify({ error }) };
    }
    const resource = /^\/v1\/(.+):decrypt$/.exec(url.pathname)?.[1] ?? '';
    const bytes = Buffer.from((JSON.parse(body) as { ciphertext: string }).ciphertext, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', this.#master, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(resource));
    decipher.setAuthTag(bytes.subarray(12, 28));
    const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
    return { body: JSON.stringify({ plaintext: plain.toString('base64') }) };
  }

  #gke({ url, headers }: ServiceRequest): ServiceAnswer {
    this.holderOf(bearer(headers));
    const { cluster } = this.#options;
    if (cluster === undefined || url.pathname !== `/v1/${cluster.name}`) {
      return { status: 404, body: JSON.stringify({ error: { status: 'NOT_FOUND', message: 'not found' } }) };
    }
    return { body: JSON.stringify(cluster.body) };
  }
}
