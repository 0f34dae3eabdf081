import { Buffer } from 'node:buffer';
import { stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { explainAnswer, jsonBody } from '../../identity/answers.ts';
import type { AwsIdentity } from '../../identity/aws/aws-identity.ts';
import { awsEndpoint } from '../../identity/aws/endpoint.ts';
import { type AwsCredentials, signed } from '../../identity/aws/sign.ts';
import type { CloudPorts } from '../../identity/cloud-ports.ts';
import type { AwsKmsKey } from '../sops/metadata.ts';
import { bytesOf } from './base64.ts';

const ARN = /^arn:aws[\w-]*:kms:(.+):[0-9]+:(?:key|alias)\/.+$/;

/** Has AWS KMS decrypt a data key. Source: sops@3.13 kms/keysource.go DecryptContext. */
export async function openAwsKmsKey(
  ports: CloudPorts,
  identity: AwsIdentity,
  credentialsFor: (region: string) => Promise<Result<AwsCredentials, string>>,
  { arn, role, context, encrypted }: AwsKmsKey,
  signal: AbortSignal,
): Promise<Result<Uint8Array, string>> {
  const blob = bytesOf(encrypted, 'base64');
  if (blob === undefined) return err('error base64-decoding encrypted data key');
  const region = ARN.exec(arn)?.[1];
  if (region === undefined) return err(`no valid ARN found in '${arn}'`);
  const failed = 'failed to decrypt sops data key with AWS KMS';
  const endpoint = awsEndpoint('kms', region, ports.env);
  if (!endpoint.ok) return err(`${failed}: ${endpoint.error}`);
  const given = await credentialsFor(region);
  if (!given.ok) return err(`${failed}: ${given.error}`);
  if (given.value.accessKeyId === '' || given.value.secretAccessKey === '') {
    return err(`${failed}: the credentials lack aws_access_key_id or aws_secret_access_key`);
  }
  const acting = role === '' ? given : await identity.asRole(given.value, role, region);
  if (!acting.ok) return acting;
  const request = await signed(
    {
      method: 'POST',
      url: `${endpoint.value}/`,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.Decrypt' },
      body: JSON.stringify({
        KeyId: arn,
        CiphertextBlob: blob.toString('base64'),
        ...(context.length === 0 ? {} : { EncryptionContext: Object.fromEntries(context) }),
      }),
    },
    acting.value,
    { service: 'kms', region },
    ports.clock,
  );
  const answer = await ports.web(request, signal);
  if (!answer.ok) return err(`${failed}: ${answer.error}`);
  if (answer.value.status !== 200) return err(`${failed}: ${explainAnswer(answer.value)}`);
  const plain = stringAt(jsonBody(answer.value), 'Plaintext');
  return plain === undefined ? err(`${failed}: the answer has no plain text`) : ok(Buffer.from(plain, 'base64'));
}
