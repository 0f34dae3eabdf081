import { createCipheriv, createDecipheriv, createHash, createHmac, type KeyObject, randomBytes } from 'node:crypto';
import { checkJwt } from './check-jwt.ts';
import type { LoopbackInternet, ServiceAnswer, ServiceRequest } from './loopback-internet.ts';

interface Keys {
  readonly secret: string;
  readonly session?: string;
  /** What the holder is, as STS names it. */
  readonly arn: string;
}

export interface AwsOptions {
  readonly region: string;
  /** Who may take on a role with a token: role -> subject. */
  readonly trusted?: Readonly<Record<string, string>>;
  /** Who may take on a role with keys: role -> ARN. */
  readonly assumable?: Readonly<Record<string, string>>;
  /** Checks tokens of service accounts. */
  readonly clusterKey?: KeyObject;
  /** Who may use keys of KMS; all by default. */
  readonly mayDecrypt?: (arn: string) => boolean;
  readonly cluster?: { readonly name: string; readonly endpoint: string; readonly ca: string };
}

/** STS, KMS and EKS of one region that check signatures by computing them again, and really encrypt. */
export class FakeAws {
  readonly #options: AwsOptions;
  readonly #keys = new Map<string, Keys>();
  readonly #master = new Map<string, Buffer>();

  constructor(internet: LoopbackInternet, options: AwsOptions) {
    this.#options = options;
    const { region } = options;
    internet.serve(`sts.${region}.amazonaws.com`, (request) => this.#sts(request));
    internet.serve(`kms.${region}.amazonaws.com`, (request) => this.#kms(request));
    internet.serve(`eks.${region}.amazonaws.com`, (request) => this.#eks(request));
  }

  /** Keys of a user or a role. */
  issue(arn: string, withSession = false): { accessKeyId: string; secretAccessKey: string; sessionToken?: string } {
    const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const secret = randomBytes(30).toString('base64');
    const session = withSession ? randomBytes(60).toString('base64') : undefined;
    this.#keys.set(accessKeyId, { secret, arn, ...(session === undefined ? {} : { session }) });
    return { accessKeyId, secretAccessKey: secret, ...(session === undefined ? {} : { sessionToken: session }) };
  }

  /** A data key as KMS would have wrapped it for sops. */
  wrap(arn: string, dataKey: Uint8Array, context: Readonly<Record<string, string>> = {}): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#masterKey(arn), iv);
    cipher.setAAD(aad(context));
    const data = Buffer.concat([cipher.update(dataKey), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), data]).toString('base64');
  }

  /** Who sent a pre-signed `k8s-aws-v1.` token, as EKS learns it; throws when it is not right for the cluster. */
  callerOf(token: string, cluster: string): string {
    const url = new URL(Buffer.from(token.replace(/^k8s-aws-v1\./, ''), 'base64url').toString());
    if (url.host !== `sts.${this.#options.region}.amazonaws.com`) throw new Error(`host ${url.host}`);
    if (url.searchParams.get('Action') !== 'GetCallerIdentity') throw new Error('action');
    if (Number(url.searchParams.get('X-Amz-Expires')) > 900) throw new Error('expires');
    const signedHeaders = url.searchParams.get('X-Amz-SignedHeaders') ?? '';
    if (!signedHeaders.split(';').includes('x-k8s-aws-id')) throw new Error('the cluster is not signed');
    return this.#signer({
      method: 'GET',
      host: url.host,
      target: url.pathname + url.search,
      url,
      headers: { host: url.host, 'x-k8s-aws-id': cluster },
      body: '',
    }).arn;
  }

  #masterKey(arn: string): Buffer {
    let key = this.#master.get(arn);
    if (key === undefined) {
      key = randomBytes(32);
      this.#master.set(arn, key);
    }
    return key;
  }

  #sts(request: ServiceRequest): ServiceAnswer {
    const form = new URLSearchParams(request.body);
    const role = form.get('RoleArn') ?? '';
    try {
      if ((form.get('RoleSessionName') ?? '').length > 64) throw new Error('RoleSessionName is too long');
      if (form.get('Action') === 'AssumeRoleWithWebIdentity') {
        const { clusterKey, trusted = {} } = this.#options;
        if (clusterKey === undefined) throw new Error('no provider');
        const { sub } = checkJwt(form.get('WebIdentityToken') ?? '', clusterKey, 'sts.amazonaws.com');
        if (trusted[role] !== sub) throw new Error(`Not authorized to perform sts:AssumeRoleWithWebIdentity`);
      } else {
        const { arn } = this.#signer(request);
        if (this.#options.assumable?.[role] !== arn) throw new Error(`User: ${arn} is not authorized to assume it`);
      }
    } catch (cause) {
      const message = (cause as Error).message;
      return {
        status: 403,
        body: `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>${message}</Message></Error></ErrorResponse>`,
      };
    }
    const { accessKeyId, secretAccessKey, sessionToken } = this.issue(role, true);
    const action = form.get('Action') ?? '';
    return {
      body: `<${action}Response><${action}Result><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken}</SessionToken><Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials></${action}Result></${action}Response>`,
    };
  }

  #kms(request: ServiceRequest): ServiceAnswer {
    const refuse = (type: string, message: string): ServiceAnswer => ({
      status: 400,
      body: JSON.stringify({ __type: type, message }),
    });
    let arn: string;
    try {
      arn = this.#signer(request).arn;
    } catch (cause) {
      return refuse('com.amazon.coral.service#InvalidSignatureException', (cause as Error).message);
    }
    if (this.#options.mayDecrypt?.(arn) === false) return refuse('AccessDeniedException', `User: ${arn} may not`);
    if (request.headers['x-amz-target'] !== 'TrentService.Decrypt') return refuse('UnknownOperationException', '');
    const { KeyId, CiphertextBlob, EncryptionContext = {} } = JSON.parse(request.body) as Record<string, never>;
    const bytes = Buffer.from(CiphertextBlob as unknown as string, 'base64');
    const decipher = createDecipheriv(
      'aes-256-gcm',
      this.#masterKey(KeyId as unknown as string),
      bytes.subarray(0, 12),
    );
    decipher.setAAD(aad(EncryptionContext));
    decipher.setAuthTag(bytes.subarray(12, 28));
    try {
      const plain = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
      return { body: JSON.stringify({ KeyId, Plaintext: plain.toString('base64') }) };
    } catch {
      return refuse('InvalidCiphertextException', '');
    }
  }

  #eks(request: ServiceRequest): ServiceAnswer {
    try {
      this.#signer(request);
    } catch (cause) {
      return { status: 403, body: JSON.stringify({ message: (cause as Error).message }) };
    }
    const { cluster } = this.#options;
    if (cluster === undefined || request.url.pathname !== `/clusters/${cluster.name}`) {
      return { status: 404, body: JSON.stringify({ message: 'No cluster found for name' }) };
    }
    const data = Buffer.from(cluster.ca).toString('base64');
    return {
      body: JSON.stringify({
        cluster: { name: cluster.name, endpoint: cluster.endpoint, certificateAuthority: { data } },
      }),
    };
  }

  /** Source: AWS General Reference, Signature Version 4. */
  #signer({ method, target, url, headers, body }: ServiceRequest): Keys {
    const inQuery = url.searchParams.has('X-Amz-Signature');
    const header = Object.fromEntries(
      [...(headers['authorization'] ?? '').matchAll(/(Credential|SignedHeaders|Signature)=([^, ]+)/g)].map((one) => [
        one[1],
        one[2],
      ]),
    ) as Record<string, string | undefined>;
    const part = (name: string): string => (inQuery ? url.searchParams.get(`X-Amz-${name}`) : header[name]) ?? '';
    const [accessKeyId = '', ...scope] = part('Credential').split('/');
    const known = this.#keys.get(accessKeyId);
    if (known === undefined) throw new Error('The security token included in the request is invalid.');
    const time = inQuery ? url.searchParams.get('X-Amz-Date') : headers['x-amz-date'];
    const age = Date.now() - Date.parse((time ?? '').replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
    if (!(Math.abs(age) < 15 * 60_000)) throw new Error('Signature expired');
    const session = inQuery ? url.searchParams.get('X-Amz-Security-Token') : headers['x-amz-security-token'];
    if ((session ?? undefined) !== known.session) throw new Error('The security token is invalid');
    const service = url.host.split('.')[0];
    if (scope[1] !== this.#options.region || scope[2] !== service || scope[3] !== 'aws4_request') {
      throw new Error(`Credential should be scoped to ${this.#options.region}/${service}`);
    }
    const names = part('SignedHeaders').split(';');
    const query = (target.split('?')[1] ?? '')
      .split('&')
      .filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='))
      .map((pair) => pair.replaceAll('+', '%20'))
      .sort()
      .join('&');
    const canonical = [
      method,
      url.pathname,
      query,
      ...names.map((name) => `${name}:${headers[name] ?? ''}`),
      '',
      names.join(';'),
      createHash('sha256').update(body).digest('hex'),
    ].join('\n');
    const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), createHash('sha256').update(canonical).digest('hex')];
    const key = scope.reduce<Buffer>((last, step) => hmac(last, step), Buffer.from(`AWS4${known.secret}`));
    if (hmac(key, text.join('\n')).toString('hex') !== part('Signature')) {
      throw new Error('The request signature we calculated does not match');
    }
    return known;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function aad(context: Readonly<Record<string, string>>): Buffer {
  return Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));
}
