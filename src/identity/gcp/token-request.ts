import { field, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../answers.ts';
import type { CloudPorts } from '../cloud-ports.ts';
import type { Expiring } from '../token-cache.ts';

export type GcpToken = Result<Expiring<string>, string>;

/** Asks an OAuth server of Google for a token. */
export async function requestGcpToken(
  ports: CloudPorts,
  url: string,
  form: Readonly<Record<string, string>>,
  who: string,
): Promise<GcpToken> {
  const answer = await ports.web({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return err(`Google refused a token to ${who}: ${explainAnswer(answer.value)}`);
  const body = jsonBody(answer.value);
  const value = stringAt(body, 'access_token');
  const seconds = Number(field(body, 'expires_in') ?? 0);
  if (!value) return err(`Google gave no token to ${who}`);
  return ok({ value, expiresAtMs: ports.clock.now() + (Number.isFinite(seconds) ? seconds : 0) * 1000 });
}

export interface TokenExchange {
  readonly tokenUrl: string;
  readonly audience: string;
  readonly subjectType: string;
  readonly subject: string;
  readonly scopes: readonly string[];
  /** Where the exchanged token is given for one of a service account. */
  readonly impersonationUrl?: string;
}

/** A token of another party for one of Google: RFC 8693, then perhaps that of a service account. */
export async function exchangeToken(ports: CloudPorts, exchange: TokenExchange): Promise<GcpToken> {
  const { tokenUrl, audience, subject, subjectType, scopes, impersonationUrl } = exchange;
  const scope = impersonationUrl === undefined ? scopes.join(' ') : 'https://www.googleapis.com/auth/cloud-platform';
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience,
    scope,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: subject,
    subject_token_type: subjectType,
  };
  const federated = await requestGcpToken(ports, tokenUrl, form, `a federated identity of '${audience}'`);
  if (!federated.ok || impersonationUrl === undefined) return federated;
  const answer = await ports.web({
    method: 'POST',
    url: impersonationUrl,
    headers: { authorization: `Bearer ${federated.value.value}`, 'content-type': 'application/json' },
    body: JSON.stringify({ scope: scopes, lifetime: '3600s' }),
  });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) {
    return err(`Google refused to impersonate the service account: ${explainAnswer(answer.value)}`);
  }
  const body = jsonBody(answer.value);
  const value = stringAt(body, 'accessToken');
  const expiresAtMs = Date.parse(stringAt(body, 'expireTime') ?? '');
  if (!value) return err('Google gave no token of the service account');
  return ok({ value, expiresAtMs: Number.isNaN(expiresAtMs) ? ports.clock.now() : expiresAtMs });
}
