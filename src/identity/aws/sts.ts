import { err, ok, type Result } from '../../base/result.ts';
import { told } from '../answers.ts';
import type { CloudPorts } from '../cloud-ports.ts';
import type { Expiring } from '../token-cache.ts';
import type { WebAnswer, WebRequest } from '../web.ts';
import { awsEndpoint } from './endpoint.ts';
import { type AwsCredentials, signed } from './sign.ts';

/** An hour, STS's own default, where an answer does not say until when. */
const DEFAULT_LIFE_MS = 3_600_000;
/** Source: AWS STS API reference, RoleSessionName. */
const MAX_SESSION_NAME = 64;

export interface WebIdentity {
  readonly region: string;
  readonly roleArn: string;
  readonly sessionName: string;
  readonly token: string;
}

/** Credentials of a role for a token that another party signed; the request needs no signature. */
export function assumeRoleWithWebIdentity(
  ports: CloudPorts,
  { region, roleArn, sessionName, token }: WebIdentity,
): Promise<Result<Expiring<AwsCredentials>, string>> {
  const action = 'AssumeRoleWithWebIdentity';
  return call(ports, region, action, { ...roleOf(roleArn, sessionName), WebIdentityToken: token }, undefined);
}

/** Credentials of a role that `credentials` may take on. */
export function assumeRole(
  ports: CloudPorts,
  credentials: AwsCredentials,
  role: Omit<WebIdentity, 'token'>,
): Promise<Result<Expiring<AwsCredentials>, string>> {
  return call(ports, role.region, 'AssumeRole', roleOf(role.roleArn, role.sessionName), credentials);
}

function roleOf(roleArn: string, sessionName: string): Readonly<Record<string, string>> {
  return { RoleArn: roleArn, RoleSessionName: sessionName.slice(0, MAX_SESSION_NAME) };
}

async function call(
  ports: CloudPorts,
  region: string,
  action: string,
  parameters: Readonly<Record<string, string>>,
  credentials: AwsCredentials | undefined,
): Promise<Result<Expiring<AwsCredentials>, string>> {
  const endpoint = awsEndpoint('sts', region, ports.env);
  if (!endpoint.ok) return endpoint;
  const request: WebRequest = {
    method: 'POST',
    url: `${endpoint.value}/`,
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', accept: 'text/xml' },
    body: new URLSearchParams({ Action: action, Version: '2011-06-15', ...parameters }).toString(),
  };
  const scope = { service: 'sts', region } as const;
  const answer = await ports.web(
    credentials === undefined ? request : await signed(request, credentials, scope, ports.clock),
  );
  if (!answer.ok) return err(`STS ${action}: ${answer.error}`);
  if (answer.value.status !== 200) return err(`STS ${action}: ${explain(answer.value)}`);
  const { text } = answer.value;
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = [
    'AccessKeyId',
    'SecretAccessKey',
    'SessionToken',
    'Expiration',
  ].map((name) => element(text, name));
  if (!accessKeyId || !secretAccessKey || !sessionToken) return err(`STS ${action}: the answer has no credentials`);
  const expiresAtMs = Date.parse(expiration ?? '');
  return ok({
    value: { accessKeyId, secretAccessKey, sessionToken },
    expiresAtMs: Number.isNaN(expiresAtMs) ? ports.clock.now() + DEFAULT_LIFE_MS : expiresAtMs,
  });
}

function explain({ status, text }: WebAnswer): string {
  return told(status, [element(text, 'Code'), element(text, 'Message')]);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** The text of the first element of that name: STS answers in XML whose names do not repeat. */
function element(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`);
  const end = xml.indexOf(`</${name}>`, start);
  if (start < 0 || end < 0) return undefined;
  return xml
    .slice(start + name.length + 2, end)
    .replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity] ?? '');
}
