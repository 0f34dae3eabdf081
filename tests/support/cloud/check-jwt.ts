import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { ControlPlane } from '../../../src/cluster/control-plane.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** The claims of a token whose signature, times and audience are right; throws with what is wrong. */
export function checkJwt(token: string, key: KeyObject, audience: string): Claims {
  const [head = '', body = '', signature = ''] = token.split('.');
  const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg: string };
  const options = {
    ES256: { dsaEncoding: 'ieee-p1363' as const },
    RS256: { padding: constants.RSA_PKCS1_PADDING },
    PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
  }[alg];
  if (options === undefined) throw new Error(`algorithm ${alg}`);
  const signed = Buffer.from(signature, 'base64url');
  if (!verify('sha256', Buffer.from(`${head}.${body}`), { key, ...options }, signed)) throw new Error('bad signature');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  const now = Date.now() / 1000;
  if (Number(claims['exp']) <= now || Number(claims['nbf'] ?? claims['iat']) > now + 60) throw new Error('out of time');
  if (![claims['aud']].flat().includes(audience)) throw new Error(`audience ${JSON.stringify(claims['aud'])}`);
  return claims;
}

/** The header of a token. */
export function jwtHeader(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Claims;
}

/** The key by which others check the tokens of a cluster's service accounts, as they get it: from the cluster's key set. */
export async function clusterKey({ handler }: ControlPlane): Promise<KeyObject> {
  const { body } = await handler({ method: 'GET', path: '/openid/v1/jwks', headers: {} });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const { keys } = JSON.parse(Buffer.concat(chunks).toString()) as { keys: Record<string, string>[] };
  return createPublicKey({ key: keys[0] as never, format: 'jwk' });
}
