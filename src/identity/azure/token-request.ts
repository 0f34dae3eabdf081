import { createHash, type KeyObject, randomUUID, X509Certificate } from 'node:crypto';
import { field, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../answers.ts';
import type { CloudPorts } from '../cloud-ports.ts';
import { readRsaKey, signJwt } from '../jwt.ts';
import type { Expiring } from '../token-cache.ts';
import type { WebAnswer } from '../web.ts';

/** How an application proves who it is. */
export type AzureProof =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'certificate'; readonly key: KeyObject; readonly chain: readonly Buffer[]; readonly send: boolean }
  | { readonly kind: 'assertion'; readonly token: string };

export interface AzureApplication {
  /** With a slash at the end. */
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly proof: AzureProof;
}

export type AzureToken = Result<Expiring<string>, string>;

/** Tenants are part of a path. */
const TENANT = /^[A-Za-z0-9][A-Za-z0-9.-]{0,255}$/;
/** Source: MSAL for Go, accesstokens.go JWT. */
const ASSERTION_LIFE_S = 600;

/** A token for `scope` by the client credentials flow. */
export async function requestAzureToken(
  ports: CloudPorts,
  { authority, tenantId, clientId, proof }: AzureApplication,
  scope: string,
): Promise<AzureToken> {
  if (!TENANT.test(tenantId)) return err(`'${tenantId}' is not a tenant of Azure`);
  const url = `${authority}${tenantId}/oauth2/v2.0/token`;
  const proven: Readonly<Record<string, string>> =
    proof.kind === 'secret'
      ? { client_secret: proof.secret }
      : {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: proof.kind === 'assertion' ? proof.token : assertionOf(ports, proof, clientId, url),
        };
  const form = { client_id: clientId, scope, grant_type: 'client_credentials', ...proven };
  const answer = await ports.web({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  if (!answer.ok) return answer;
  return azureTokenOf(answer.value, ports, `client ${clientId} of tenant ${tenantId}`);
}

/** The token of an answer; `expires_in` is a number, or text from managed identities. */
export function azureTokenOf(answer: WebAnswer, { clock }: CloudPorts, who: string): AzureToken {
  if (answer.status !== 200) return err(`Azure refused a token to ${who}: ${explainAnswer(answer)}`);
  const body = jsonBody(answer);
  const value = stringAt(body, 'access_token');
  const seconds = Number(field(body, 'expires_in') ?? 0);
  if (!value) return err(`Azure gave no token to ${who}`);
  return ok({ value, expiresAtMs: clock.now() + (Number.isFinite(seconds) ? seconds : 0) * 1000 });
}

function assertionOf(
  { clock }: CloudPorts,
  { key, chain, send }: Extract<AzureProof, { kind: 'certificate' }>,
  clientId: string,
  audience: string,
): string {
  const now = Math.floor(clock.now() / 1000);
  const [own = Buffer.alloc(0)] = chain;
  const header = {
    'x5t#S256': createHash('sha256').update(own).digest('base64url'),
    ...(send ? { x5c: chain.map((one) => one.toString('base64')) } : {}),
  };
  const who = { iss: clientId, sub: clientId, aud: audience, jti: randomUUID() };
  return signJwt('PS256', header, { ...who, nbf: now, exp: now + ASSERTION_LIFE_S }, key);
}

/** The proof of PEM text that holds a private key and its certificate. The error never holds any of it. */
export function certificateProof(pem: string, password: string, send: boolean): Result<AzureProof, string> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const keyText =
    /-----BEGIN (?:RSA |ENCRYPTED )?PRIVATE KEY-----[\s\S]*?-----END (?:RSA |ENCRYPTED )?PRIVATE KEY-----/.exec(pem);
  if (blocks.length === 0) return err('found no certificate');
  if (keyText === null) return err('found no private key');
  const key = readRsaKey(keyText[0], password);
  if (!key.ok) return key;
  let chain: readonly X509Certificate[];
  try {
    chain = blocks.map((block) => new X509Certificate(block));
  } catch {
    return err('the certificate cannot be read');
  }
  const own = chain.find((one) => one.checkPrivateKey(key.value));
  if (own === undefined) return err('the private key belongs to none of the certificates');
  // The key's own certificate comes first. Source: MSAL for Go, confidential.go.
  const ordered = [own, ...chain.filter((one) => one !== own)].map((one) => one.raw);
  return ok({ kind: 'certificate', key: key.value, chain: ordered, send });
}
