import { Buffer } from 'node:buffer';
import { stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../../identity/answers.ts';
import type { CloudPorts } from '../../identity/cloud-ports.ts';
import type { GcpKmsKey } from '../sops/metadata.ts';
import { bytesOf } from './base64.ts';

const RESOURCE = /^projects\/([^/]+)\/locations\/([^/]+)\/keyRings\/([^/]+)\/cryptoKeys\/([^/]+)$/;

/** Has Google Cloud KMS decrypt a data key. Source: sops@3.13 gcpkms/keysource.go DecryptContext. */
export async function openGcpKmsKey(
  ports: CloudPorts,
  token: () => Promise<Result<string, string>>,
  { resourceId, encrypted }: GcpKmsKey,
  signal: AbortSignal,
): Promise<Result<Uint8Array, string>> {
  const segments = RESOURCE.exec(resourceId)?.slice(1) ?? [];
  if (segments.length === 0 || segments.some((segment) => /^\.+$/.test(segment))) {
    return err(`cannot create GCP KMS service: no valid resource ID found in "${resourceId}"`);
  }
  const cipher = bytesOf(encrypted, 'base64');
  if (cipher === undefined) return err('the encrypted data key is not base64');
  const failed = 'failed to decrypt sops data key with GCP KMS key';
  const given = await token();
  if (!given.ok) return err(`${failed}: ${given.error}`);
  const path = resourceId.split('/').map(encodeURIComponent).join('/');
  const answer = await ports.web(
    {
      method: 'POST',
      url: `${endpointOf(ports)}/v1/${path}:decrypt`,
      headers: { authorization: `Bearer ${given.value}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ciphertext: cipher.toString('base64') }),
    },
    signal,
  );
  if (!answer.ok) return err(`${failed}: ${answer.error}`);
  if (answer.value.status !== 200) return err(`${failed}: ${explainAnswer(answer.value)}`);
  // A field that is empty is left out, as in every answer of Google's.
  return ok(Buffer.from(stringAt(jsonBody(answer.value), 'plaintext') ?? '', 'base64'));
}

/** The engine's environment may name another place, as for sops. */
function endpointOf({ env }: CloudPorts): string {
  const given = env['SOPS_GCP_KMS_ENDPOINT'];
  if (given) return (given.includes('://') ? given : `https://${given}`).replace(/\/+$/, '');
  return `https://cloudkms.${env['SOPS_GCP_KMS_UNIVERSE_DOMAIN'] || 'googleapis.com'}`;
}
