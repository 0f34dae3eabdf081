import { Buffer } from 'node:buffer';
import { stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../../identity/answers.ts';
import { azureCloud, scopeOf } from '../../identity/azure/cloud.ts';
import type { CloudPorts } from '../../identity/cloud-ports.ts';
import type { AzureVaultKey } from '../sops/metadata.ts';
import { bytesOf } from './base64.ts';

const API_VERSION = '7.4';

/** Has an Azure Key Vault decrypt a data key. Source: sops@3.13 azkv/keysource.go DecryptContext. */
export async function openAzureVaultKey(
  ports: CloudPorts,
  token: (scope: string) => Promise<Result<string, string>>,
  { vaultUrl, keyName, version, name, encrypted }: AzureVaultKey,
  signal: AbortSignal,
): Promise<Result<Uint8Array, string>> {
  const cipher = bytesOf(encrypted, 'base64url');
  if (cipher === undefined) return err('failed to base64 decode Azure Key Vault encrypted key');
  const failed = `failed to decrypt sops data key with Azure Key Vault key '${name}'`;
  const vault = vaultOf(ports, vaultUrl);
  if (!vault.ok) return err(`${failed}: ${vault.error}`);
  const given = await token(scopeOf(vault.value.audience));
  if (!given.ok) return err(`failed to get Azure token credential to decrypt: ${given.error}`);
  const path = [keyName, version].map(encodeURIComponent).join('/');
  if (/^\.+$/.test(keyName) || /^\.+$/.test(version)) return err(`${failed}: it is no name of a key`);
  const answer = await ports.web(
    {
      method: 'POST',
      url: `${vault.value.origin}/keys/${path}/decrypt?api-version=${API_VERSION}`,
      headers: { authorization: `Bearer ${given.value}`, 'content-type': 'application/json' },
      body: JSON.stringify({ alg: 'RSA-OAEP-256', value: cipher.toString('base64url') }),
    },
    signal,
  );
  if (!answer.ok) return err(`${failed}: ${answer.error}`);
  if (answer.value.status !== 200) return err(`${failed}: ${explainAnswer(answer.value)}`);
  const plain = stringAt(jsonBody(answer.value), 'value');
  return plain === undefined ? err(`${failed}: the answer has no plain text`) : ok(Buffer.from(plain, 'base64url'));
}

/**
 * The vault of a file, with the audience of its tokens. Only hosts of Azure's own, or of the cloud that the engine's environment names:
 * the file's author chose the URL, and a token for key vaults opens all that its holder may use.
 */
function vaultOf(
  ports: CloudPorts,
  vaultUrl: string,
): Result<{ readonly origin: string; readonly audience: string }, string> {
  const cloud = azureCloud(ports);
  if (!cloud.ok) return cloud;
  if (!URL.canParse(vaultUrl)) return err('the vault has no URL');
  const { protocol, host, hostname, origin, pathname, username, password, search } = new URL(vaultUrl);
  const known = cloud.value.vaults.find(([suffix]) => hostname.endsWith(suffix));
  const isPlain = host === hostname && pathname === '/' && username + password + search === '';
  if (protocol !== 'https:' || !isPlain || known === undefined) {
    return err(`no token is sent to '${hostname}', which is no key vault of Azure`);
  }
  return ok({ origin, audience: known[1] });
}
