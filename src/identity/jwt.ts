import { Buffer } from 'node:buffer';
import { constants, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { type Json, type JsonObject, parseJson, stringifyJson } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';

/** Signs a JSON Web Token with an RSA key. Source: RFC 7515, RFC 7518 (RS256, PS256). */
export function signJwt(algorithm: 'RS256' | 'PS256', header: JsonObject, claims: JsonObject, key: KeyObject): string {
  const head = encoded({ alg: algorithm, typ: 'JWT', ...header });
  const input = `${head}.${encoded(claims)}`;
  const padding =
    algorithm === 'RS256'
      ? { padding: constants.RSA_PKCS1_PADDING }
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return `${input}.${sign('sha256', Buffer.from(input), { key, ...padding }).toString('base64url')}`;
}

/** An RSA private key of PEM text; the error never holds any of it. */
export function readRsaKey(pem: string, passphrase = ''): Result<KeyObject, string> {
  try {
    const key = createPrivateKey({ key: pem, format: 'pem', ...(passphrase === '' ? {} : { passphrase }) });
    return key.asymmetricKeyType === 'rsa' ? ok(key) : err('the private key is not an RSA key');
  } catch {
    return err('the private key cannot be read');
  }
}

/** The claims of a token, unchecked: for tokens that were just handed out to us. */
export function readJwtPayload(token: string): Json | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  try {
    return parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function encoded(value: JsonObject): string {
  return Buffer.from(stringifyJson(value)).toString('base64url');
}
