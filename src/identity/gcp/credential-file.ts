import { field, isObject, type Json, type JsonObject, parseJson, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { CloudPorts } from '../cloud-ports.ts';
import { fileText } from '../cloud-ports.ts';
import { readRsaKey, signJwt } from '../jwt.ts';
import { exchangeToken, type GcpToken, requestGcpToken } from './token-request.ts';

/** For Cloud KMS and GKE. Source: fluxcd/pkg@auth/v0.54.0 auth/gcp/provider.go. */
export const SCOPES: readonly string[] = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/userinfo.email',
];

/** Who wrote a credential file: the one who runs the engine, or a tenant. */
export type Author = 'operator' | 'tenant';

const LIFE_S = 3600;

/** Reads a credential file of Google Cloud as JSON; the error never holds any of it. */
export function readCredentialFile(text: string, author: Author): Result<JsonObject, string> {
  let file: Json;
  try {
    file = parseJson(text.trim());
  } catch {
    return err('the credentials are not JSON');
  }
  if (!isObject(file)) return err('the credentials are not a JSON object');
  const type = stringAt(file, 'type') ?? '';
  // One of the other kinds may name a file of the engine's and an address to send it to.
  const allowed = author === 'tenant' ? ['service_account', 'authorized_user'] : Object.keys(KINDS);
  return allowed.includes(type) ? ok(file) : err(`credentials of type '${type}' are not supported here`);
}

/** A token for what a credential file says. */
export function tokenOfFile(ports: CloudPorts, file: JsonObject, author: Author): Promise<GcpToken> {
  const make = KINDS[stringAt(file, 'type') as keyof typeof KINDS];
  return make(ports, file, author);
}

const KINDS = {
  service_account: ofServiceAccount,
  authorized_user: ofUser,
  external_account: ofExternalAccount,
} as const;

const TOKEN_URL = 'https://oauth2.googleapis.com/token';

/** A JWT that the account's key signs, for a token. Source: golang.org/x/oauth2@0.36 jwt/jwt.go. */
async function ofServiceAccount(ports: CloudPorts, file: JsonObject, author: Author): Promise<GcpToken> {
  const email = stringAt(file, 'client_email') ?? '';
  const url = stringAt(file, 'token_uri') || TOKEN_URL;
  if (author === 'tenant' && !isGoogle(url)) return err(`token_uri of '${email}' is not an address of Google`);
  const key = readRsaKey(stringAt(file, 'private_key') ?? '');
  if (!key.ok) return err(`service account '${email}': ${key.error}`);
  const now = Math.floor(ports.clock.now() / 1000);
  const id = stringAt(file, 'private_key_id');
  const claims = { iss: email, scope: SCOPES.join(' '), aud: url, iat: now, exp: now + LIFE_S };
  const assertion = signJwt('RS256', id ? { kid: id } : {}, claims, key.value);
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  return requestGcpToken(ports, url, form, `service account '${email}'`);
}

async function ofUser(ports: CloudPorts, file: JsonObject): Promise<GcpToken> {
  const [id, secret, refresh] = ['client_id', 'client_secret', 'refresh_token'].map(
    (name) => stringAt(file, name) ?? '',
  );
  const form = {
    grant_type: 'refresh_token',
    client_id: id ?? '',
    client_secret: secret ?? '',
    refresh_token: refresh ?? '',
  };
  return requestGcpToken(ports, TOKEN_URL, form, 'the user of the credentials');
}

/** Workload identity federation: a token of elsewhere, from a file or a URL, for one of Google. Source: golang.org/x/oauth2@0.36 google/externalaccount. */
async function ofExternalAccount(ports: CloudPorts, file: JsonObject): Promise<GcpToken> {
  const subject = await subjectToken(ports, field(file, 'credential_source'));
  if (!subject.ok) return subject;
  const impersonation = stringAt(file, 'service_account_impersonation_url');
  return exchangeToken(ports, {
    tokenUrl: stringAt(file, 'token_url') || 'https://sts.googleapis.com/v1/token',
    audience: stringAt(file, 'audience') ?? '',
    subjectType: stringAt(file, 'subject_token_type') ?? '',
    subject: subject.value,
    scopes: SCOPES,
    ...(impersonation ? { impersonationUrl: impersonation } : {}),
  });
}

async function subjectToken(ports: CloudPorts, source: Json | undefined): Promise<Result<string, string>> {
  const path = stringAt(source, 'file');
  const url = stringAt(source, 'url');
  const format = field(source, 'format');
  let text: string;
  if (path) {
    const read = fileText(ports, 'credential_source.file', path);
    if (typeof read !== 'string') return err(read.error);
    text = read;
  } else if (url) {
    const given = field(source, 'headers');
    const headers = isObject(given) ? (given as Readonly<Record<string, string>>) : {};
    const answer = await ports.web({ method: 'GET', url, headers, direct: true });
    if (!answer.ok) return err(`credential_source.url: ${answer.error}`);
    if (answer.value.status !== 200) return err(`credential_source.url: status ${answer.value.status}`);
    text = answer.value.text;
  } else return err('credential_source has neither file nor url');
  if (stringAt(format, 'type') !== 'json') return ok(text.trim());
  try {
    const token = stringAt(parseJson(text), stringAt(format, 'subject_token_field_name') ?? 'access_token');
    return token ? ok(token) : err('credential_source: the JSON has no such field');
  } catch {
    return err('credential_source: the text is not JSON');
  }
}

function isGoogle(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, port } = new URL(url);
  return protocol === 'https:' && port === '' && hostname.endsWith('.googleapis.com');
}
