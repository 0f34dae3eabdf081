import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import type { WebRequest } from '../web.ts';
import { presigned, type SigningScope, signed } from './sign.ts';

const clock = new ManualClock(Date.parse('2026-11-30T20:00:00Z'));
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const session = { ...keys, sessionToken: 'tok/en+==' };
const kms: WebRequest = {
  method: 'POST',
  url: 'https://kms.eu-west-1.amazonaws.com/',
  headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.Decrypt' },
  body: '{"KeyId":"k"}',
};
const eks: WebRequest = { method: 'GET', url: 'https://eks.eu-west-1.amazonaws.com/clusters/main' };
const sts: WebRequest = {
  method: 'GET',
  url: 'https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=900',
  headers: { 'x-k8s-aws-id': 'ma-in_1' },
};
const scope = (service: SigningScope['service']): SigningScope => ({ service, region: 'eu-west-1' });

// Signatures of botocore 1.43.11 (SigV4Auth, SigV4QueryAuth) for the same requests.
describe('a request to AWS', () => {
  it.each([
    [
      'kms',
      kms,
      keys,
      'host;x-amz-date;x-amz-target',
      'ca143a64e9604bff53d628840bc75754ebbcd690a23800b4bfd62684b21e5434',
    ],
    [
      'kms',
      kms,
      session,
      'host;x-amz-date;x-amz-security-token;x-amz-target',
      '9272f29d8aad705932f6e48cba69652c2f8730354be3c261e06801f1f9930f48',
    ],
    ['eks', eks, keys, 'host;x-amz-date', 'cf07be408eadbc37f47a4dece14ef69c99014ffaff0255efe8d222583f0cffd3'],
    [
      'eks',
      eks,
      session,
      'host;x-amz-date;x-amz-security-token',
      'd59948d4eac8e298c96dd75cbefda2689bd94a5d12d960c8c12522def9c9fabf',
    ],
  ] as const)('is signed for %s as botocore signs it', async (service, request, credentials, headers, signature) => {
    const { headers: sent } = await signed(request, credentials, scope(service), clock);
    expect(sent?.['authorization']).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261130/eu-west-1/${service}/aws4_request, SignedHeaders=${headers}, Signature=${signature}`,
    );
  });

  it.each([
    [keys, '77830c15a1dd85d2fe367b2458f7b5ac172b655960bed4613b2ed616c064705e'],
    [session, 'b9f85204e6befa9d79b1e39a5f0ee9cf4f78aba6286988932455a6f24bf61091'],
  ])('is pre-signed as botocore pre-signs it', async (credentials, signature) => {
    const url = new URL(await presigned(sts, credentials, scope('sts'), clock));
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('host;x-k8s-aws-id');
    expect(url.searchParams.get('X-Amz-Signature')).toBe(signature);
  });
});
