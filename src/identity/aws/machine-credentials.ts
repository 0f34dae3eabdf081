import { field, isObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../answers.ts';
import { type CloudPorts, fileText } from '../cloud-ports.ts';
import type { Expiring } from '../token-cache.ts';
import type { WebAnswer } from '../web.ts';
import type { AwsCredentials } from './sign.ts';

type Found = Result<Expiring<AwsCredentials>, string>;

/** Where ECS and EKS Pod Identity answer without TLS. Source: aws-sdk-go-v2 config/resolve_credentials.go. */
const PLAIN_HOSTS: ReadonlySet<string> = new Set(['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]']);

/** Credentials of the container (ECS, EKS Pod Identity), where the environment names their place. */
export async function containerCredentials(ports: CloudPorts): Promise<Found | undefined> {
  const { env } = ports;
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
  const url = relative ? `http://169.254.170.2${relative}` : env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  if (!url) return undefined;
  if (!URL.canParse(url)) return err('AWS_CONTAINER_CREDENTIALS_FULL_URI is not a URL');
  const { protocol, hostname } = new URL(url);
  const isLoopback = /^127\.|^\[::1\]$|^localhost$/.test(hostname);
  if (protocol !== 'https:' && !isLoopback && !PLAIN_HOSTS.has(hostname)) {
    return err(`AWS_CONTAINER_CREDENTIALS_FULL_URI: ${hostname} may not be asked without TLS`);
  }
  const variable = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE';
  const file = env[variable];
  const token = file ? fileText(ports, variable, file) : (env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] ?? '');
  if (typeof token !== 'string') return err(token.error);
  const authorization = token.trim();
  const answer = await ports.web({
    method: 'GET',
    url,
    direct: true,
    headers: authorization === '' ? {} : { authorization },
  });
  return answer.ok ? credentialsOf(answer.value, 'the credentials of the container') : err(answer.error);
}

const IMDS = 'http://169.254.169.254';
const IMDS_PATH = '/latest/meta-data/iam/security-credentials/';

/** Credentials of the machine's role, by IMDS version 2. */
export async function instanceCredentials(ports: CloudPorts): Promise<Found | undefined> {
  const { env } = ports;
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined;
  const base = (env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || IMDS).replace(/\/+$/, '');
  const session = await ports.web({
    method: 'PUT',
    url: `${base}/latest/api/token`,
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' },
    direct: true,
  });
  if (!session.ok) return err(session.error);
  if (session.value.status !== 200) return err(`the instance's metadata: ${explainAnswer(session.value)}`);
  const headers = { 'x-aws-ec2-metadata-token': session.value.text };
  const roles = await ports.web({ method: 'GET', url: `${base}${IMDS_PATH}`, headers, direct: true });
  if (!roles.ok) return err(roles.error);
  const role = roles.value.text.split('\n')[0]?.trim() ?? '';
  if (roles.value.status !== 200 || role === '') return err('the instance has no role');
  const answer = await ports.web({
    method: 'GET',
    url: `${base}${IMDS_PATH}${encodeURIComponent(role)}`,
    headers,
    direct: true,
  });
  return answer.ok ? credentialsOf(answer.value, "the credentials of the instance's role") : err(answer.error);
}

function credentialsOf(answer: WebAnswer, what: string): Found {
  if (answer.status !== 200) return err(`${what}: ${explainAnswer(answer)}`);
  const body = jsonBody(answer);
  const accessKeyId = stringAt(body, 'AccessKeyId');
  const secretAccessKey = stringAt(body, 'SecretAccessKey');
  if (!isObject(body) || !accessKeyId || !secretAccessKey) return err(`${what}: the answer has none`);
  const sessionToken = stringAt(body, 'Token');
  const expiration = field(body, 'Expiration');
  const expiresAtMs = typeof expiration === 'string' ? Date.parse(expiration) : Number.NaN;
  return ok({
    value: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
    expiresAtMs: Number.isNaN(expiresAtMs) ? 0 : expiresAtMs,
  });
}
