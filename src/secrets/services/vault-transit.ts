import { stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { jsonBody } from '../../identity/answers.ts';
import type { CloudPorts } from '../../identity/cloud-ports.ts';
import type { VaultTransitKey } from '../sops/metadata.ts';
import { bytesOf } from './base64.ts';
import { explainVault, writeVault } from './vault-request.ts';
import type { VaultTokens } from './vault-tokens.ts';

/** Has a transit engine of Vault or OpenBao decrypt a data key. Source: sops@3.13 hcvault/keysource.go DecryptContext. */
export async function openVaultTransitKey(
  ports: CloudPorts,
  tokens: VaultTokens,
  { address, enginePath, keyName, encrypted }: VaultTransitKey,
  signal: AbortSignal,
): Promise<Result<Uint8Array, string>> {
  const path = `${enginePath}/decrypt/${keyName}`;
  const failed = `failed to decrypt sops data key from Vault transit backend '${path}'`;
  const token = await tokens.of(address, signal);
  if (!token.ok) return err(`${failed}: ${token.error}`);
  const answer = await writeVault(
    ports,
    { address, path, token: token.value, body: { ciphertext: encrypted } },
    signal,
  );
  if (!answer.ok) return err(`${failed}: ${answer.error}`);
  if (answer.value.status !== 200) return err(`${failed}: ${explainVault(answer.value, token.value)}`);
  const plain = stringAt(jsonBody(answer.value), 'data', 'plaintext');
  if (plain === undefined) return err(`${failed}: no decrypted data`);
  const key = bytesOf(plain, 'base64');
  return key === undefined ? err(`${failed}: cannot decode base64 plaintext into data key bytes`) : ok(key);
}
