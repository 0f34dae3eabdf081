import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { conditions, world } from '../../../tests/support/world.ts';
import type { KubeObject } from '../../api/object.ts';
import { loadPki } from '../apiserver/pki.ts';
import { SIGNING_REQUESTS } from './resources.ts';

/** O=devs, CN=jane; made with openssl. */
const JANE = `-----BEGIN CERTIFICATE REQUEST-----
MIHaMIGAAgEAMB4xDTALBgNVBAoMBGRldnMxDTALBgNVBAMMBGphbmUwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAASdNapOAQW8QbdG19ZMHGKdmEmg/xbytQBhEiJ5
/ulVWjNx6kc24H62xQVGOcI7oLq7Ol7KQW5UD8dbFygzrLU4oAAwCgYIKoZIzj0E
AwIDSQAwRgIhAIMAFQpRoZiFWXWBCsVfPguVgEn9rhLcxoe1i4zbwkIpAiEAk8mh
FDZ2lmruiR6Hp/CJhgLF+LUldkEhf+1s0XtswUo=
-----END CERTIFICATE REQUEST-----
`;
/** O=system:nodes, CN=system:node:n1, for the names n1 and 10.0.0.1. */
const NODE = `-----BEGIN CERTIFICATE REQUEST-----
MIIBETCBuAIBADAwMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFzAVBgNVBAMMDnN5
c3RlbTpub2RlOm4xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEi7c/Z85QmlzB
0nkK1T/VBsWeUWKcb7lVsGIA+NioDtmOWT16ZzHyE/cNtRVhcrlFjU6/n1hZ5Hei
JrXq/dH4NKAmMCQGCSqGSIb3DQEJDjEXMBUwEwYDVR0RBAwwCoICbjGHBAoAAAEw
CgYIKoZIzj0EAwIDSAAwRQIhAJCNiEtn/GMNU5bbpoJm6E8ujTlDaowHIIqIAUJP
pxUhAiBYRV+1ZrU7t+Ywr7GGMnq6A3egqDYZrlNA6tRnim8jTg==
-----END CERTIFICATE REQUEST-----
`;
const CLIENT = ['digital signature', 'client auth'];

async function approved(request: string, signer: string, usages: readonly string[], seconds?: number) {
  const pki = loadPki(undefined, Date.UTC(2026, 0, 1));
  const { registry, create, run } = await world({ caPem: pki.authority, caKeyPem: pki.authorityKey as string });
  const made = await create(SIGNING_REQUESTS, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'x' },
    spec: {
      request: Buffer.from(request).toString('base64'),
      signerName: `kubernetes.io/${signer}`,
      usages,
      ...(seconds === undefined ? {} : { expirationSeconds: seconds }),
    },
  });
  await run(1000);
  const read = (): KubeObject | undefined => registry.get(SIGNING_REQUESTS, undefined, 'x');
  expect(read()?.status?.['certificate']).toBeUndefined();
  const yes = { type: 'Approved', status: 'True', reason: 'Test', message: '' };
  const decided = await registry.update(
    SIGNING_REQUESTS,
    { ...made, status: { conditions: [yes] } } as KubeObject,
    'test',
    'approval',
  );
  expect(decided.ok).toBe(true);
  await run(1000);
  const after = read();
  const pem = after?.status?.['certificate'] as string | undefined;
  return {
    authority: new X509Certificate(pki.authority),
    conditions: conditions(after),
    certificate: pem === undefined ? undefined : new X509Certificate(Buffer.from(pem, 'base64')),
  };
}

it('signs an approved request of a client for the time that it asks for', async () => {
  const { authority, certificate } = await approved(JANE, 'kube-apiserver-client', CLIENT, 3600);
  expect(certificate?.verify(authority.publicKey)).toBe(true);
  expect(certificate?.checkIssued(authority)).toBe(true);
  expect(certificate?.subject).toBe('O=devs\nCN=jane');
  expect(certificate?.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(certificate?.ca).toBe(false);
  const [from, to] = [certificate?.validFrom, certificate?.validTo].map((text) => Date.parse(text ?? ''));
  expect((to as number) - (from as number)).toBe(65 * 60_000);
});

it('signs the certificate of a kubelet for its names', async () => {
  const usages = ['digital signature', 'key encipherment', 'server auth'];
  const { certificate } = await approved(NODE, 'kubelet-serving', usages);
  expect(certificate?.subjectAltName).toBe('DNS:n1, IP Address:10.0.0.1');
});

it.each([
  ['kube-apiserver-client', JANE, [...CLIENT, 'server auth']],
  ['kube-apiserver-client', JANE, ['digital signature']],
  ['kube-apiserver-client-kubelet', JANE, CLIENT],
  ['kube-apiserver-client-kubelet', NODE, CLIENT],
  ['kubelet-serving', NODE, CLIENT],
])('fails a request of %s that asks for what the signer does not give', async (signer, request, usages) => {
  const { conditions, certificate } = await approved(request, signer, usages);
  expect(certificate).toBeUndefined();
  expect(conditions).toEqual(['Approved=True Test', 'Failed=True SignerValidationFailure']);
});
