import type { KeyObject } from 'node:crypto';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSign,
  createVerify,
  generateKeyPairSync,
} from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Json } from '../../base/json.ts';
import { at, isArray, parseJson, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { Store } from '../store/store.ts';
import type { User } from './user.ts';
import { AUTHENTICATED } from './user.ts';

export const ISSUER = 'https://kubernetes.default.svc';

/** Of ES256, as JWTs write it. Source: RFC 7518 section 3.4. */
const SIGNATURE_BYTES = 64;
/** Clocks differ. */
const LEEWAY_SECONDS = 60;
/** Nobody writes longer tokens; what is longer is not looked at. */
const MAX_TOKEN_LENGTH = 16 * 1024;

export interface BoundObject {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface TokenClaims {
  readonly namespace: string;
  readonly account: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  readonly seconds: number;
  readonly bound?: BoundObject;
}

/** Signs and checks the tokens of service accounts: ES256, bound to their account and, where asked, to one object. */
export class ServiceAccountTokens {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #uuid: () => string;
  readonly #key: KeyObject;
  readonly #public: KeyObject;
  readonly #keyId: string;

  constructor(store: Store, now: () => number, uuid: () => string, keyFile: string | undefined) {
    this.#store = store;
    this.#now = now;
    this.#uuid = uuid;
    this.#key = loadKey(keyFile);
    this.#public = createPublicKey(this.#key);
    this.#keyId = createHash('sha256')
      .update(this.#public.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
  }

  sign({ namespace, account, uid, audiences, seconds, bound }: TokenClaims): string {
    const now = Math.floor(this.#now() / 1000);
    const payload = {
      aud: audiences,
      exp: now + seconds,
      iat: now,
      iss: ISSUER,
      jti: this.#uuid(),
      'kubernetes.io': {
        namespace,
        ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
        serviceaccount: { name: account, uid },
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${account}`,
    };
    const head = encode({ alg: 'ES256', kid: this.#keyId });
    const body = `${head}.${encode(payload)}`;
    const signature = createSign('sha256').update(body).sign({ key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `${body}.${signature.toString('base64url')}`;
  }

  /** Whose token it is, and for which audiences; the error is a TokenReview's. */
  verify(
    token: string,
    audiences: readonly string[] = [ISSUER],
  ): Result<{ readonly user: User; readonly audiences: readonly string[] }, string> {
    const bad = err('invalid bearer token');
    if (token.length > MAX_TOKEN_LENGTH) return bad;
    const [head = '', body = '', signature = '', ...rest] = token.split('.');
    const signed = Buffer.from(signature, 'base64url');
    // The key decides about the algorithm, never the token.
    if (rest.length > 0 || signed.length !== SIGNATURE_BYTES || stringAt(decode(head), 'alg') !== 'ES256') return bad;
    const valid = createVerify('sha256')
      .update(`${head}.${body}`)
      .verify({ key: this.#public, dsaEncoding: 'ieee-p1363' }, signed);
    if (!valid) return bad;
    const claims = decode(body);
    const now = this.#now() / 1000;
    if (claims === undefined || stringAt(claims, 'iss') !== ISSUER) return bad;
    if (Number(at(claims, 'exp') ?? 0) <= now || Number(at(claims, 'nbf') ?? 0) > now + LEEWAY_SECONDS) return bad;
    const aud = at(claims, 'aud');
    const own = isArray(aud) ? aud.map(String) : [];
    const common = audiences.filter((audience) => own.includes(audience));
    if (common.length === 0)
      return err(
        `[invalid bearer token, token audiences ${quoteList(own)} is invalid for the target audiences ${quoteList(audiences)}]`,
      );
    const namespace = stringAt(claims, 'kubernetes.io', 'namespace') ?? '';
    const account = stringAt(claims, 'kubernetes.io', 'serviceaccount', 'name') ?? '';
    const uid = stringAt(claims, 'kubernetes.io', 'serviceaccount', 'uid') ?? '';
    const stored = this.#store.get('/serviceaccounts', `${namespace}/${account}`)?.object;
    if (stored === undefined || stored.metadata.uid !== uid) return bad;
    if (stored.metadata.deletionTimestamp !== undefined) return bad;
    const extra: Record<string, readonly string[]> = {
      'authentication.kubernetes.io/credential-id': [`JTI=${stringAt(claims, 'jti') ?? ''}`],
    };
    for (const kind of ['pod', 'secret', 'node'] as const) {
      const name = stringAt(claims, 'kubernetes.io', kind, 'name');
      if (name === undefined) continue;
      const key = kind === 'node' ? name : `${namespace}/${name}`;
      const object = this.#store.get(`/${kind}s`, key)?.object;
      if (object?.metadata.uid !== stringAt(claims, 'kubernetes.io', kind, 'uid')) return bad;
      if (kind !== 'secret') {
        extra[`authentication.kubernetes.io/${kind}-name`] = [name];
        extra[`authentication.kubernetes.io/${kind}-uid`] = [object?.metadata.uid ?? ''];
      }
    }
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED];
    return ok({
      user: { name: `system:serviceaccount:${namespace}:${account}`, uid, groups, extra },
      audiences: common,
    });
  }

  /** The public keys, as `/openid/v1/jwks` serves them. */
  jwks(): string {
    const key = this.#public.export({ format: 'jwk' });
    return JSON.stringify({
      keys: [{ use: 'sig', kty: key.kty, kid: this.#keyId, crv: key.crv, alg: 'ES256', x: key.x, y: key.y }],
    });
  }

  /** The document of `/.well-known/openid-configuration`. */
  configuration(): string {
    return JSON.stringify({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
  }
}

function quoteList(items: readonly string[]): string {
  return `[${items.map((item) => JSON.stringify(item)).join(' ')}]`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Json | undefined {
  try {
    return parseJson(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function loadKey(file: string | undefined): KeyObject {
  if (file !== undefined && existsSync(file)) return createPrivateKey(readFileSync(file));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (file !== undefined) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  return privateKey;
}
