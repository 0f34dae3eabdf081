import { field, isArray, type JsonObject, stringifyJson } from '../../base/json.ts';
import { err, type Result } from '../../base/result.ts';
import { jsonBody, told } from '../../identity/answers.ts';
import { type CloudPorts, fileText } from '../../identity/cloud-ports.ts';
import type { WebAnswer } from '../../identity/web.ts';

export interface VaultWrite {
  readonly address: string;
  /** Below `/v1/`. */
  readonly path: string;
  readonly token?: string;
  readonly body: JsonObject;
}

/** Of a list of errors, so many are told. */
const MAX_TOLD = 3;

/** Writes to a path of Vault. Authority and namespace are those of the engine's environment (`VAULT_CACERT`, `VAULT_NAMESPACE`). */
export async function writeVault(
  ports: CloudPorts,
  { address, path, token, body }: VaultWrite,
  signal: AbortSignal,
): Promise<Result<WebAnswer, string>> {
  const base = URL.canParse(address) ? new URL(address) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol))
    return err(`'${address}' is not the URL of a Vault server`);
  if (base.username + base.password + base.search + base.hash !== '') {
    return err('the address of the Vault server must be a plain URL');
  }
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) return err(`'${path}' is no path of Vault`);
  const variable = 'VAULT_CACERT';
  const file = ports.env[variable];
  const authorities = file ? fileText(ports, variable, file) : undefined;
  if (typeof authorities === 'object') return err(authorities.error);
  const namespace = ports.env['VAULT_NAMESPACE'];
  return ports.web(
    {
      method: 'PUT',
      url: `${base.origin}${base.pathname.replace(/\/+$/, '')}/v1/${segments.map(encodeURIComponent).join('/')}`,
      headers: {
        'content-type': 'application/json',
        'x-vault-request': 'true',
        ...(token === undefined ? {} : { 'x-vault-token': token }),
        ...(namespace ? { 'x-vault-namespace': namespace } : {}),
      },
      body: stringifyJson(body),
      ...(authorities === undefined ? {} : { authorities }),
    },
    signal,
  );
}

/** What Vault says about a refusal, without the credential should the answer repeat it. */
export function explainVault(answer: WebAnswer, credential: string): string {
  const errors = field(jsonBody(answer), 'errors');
  const texts = (isArray(errors) ? errors : []).filter((error) => typeof error === 'string').slice(0, MAX_TOLD);
  return told(answer.status, [texts.map((text) => text.replaceAll(credential, '***')).join(', ')]);
}
