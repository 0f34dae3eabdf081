import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodePem } from '../../engine/sprig/pem.ts';
import { issueCertificate } from './template-certificate.ts';
import { generateKey, keyPem, readKey } from './template-keys.ts';

const subject = {
  addresses: [],
  dnsNames: [],
  notBeforeMs: Date.UTC(2024, 0, 1),
  notAfterMs: Date.UTC(2051, 0, 1),
  isAuthority: false,
};

/** An authority with a key of `kind`, and a certificate that it signed. */
function chain(kind: 'rsa2048' | 'ecdsa' | 'ed25519'): {
  readonly authority: X509Certificate;
  readonly leaf: X509Certificate;
} {
  const key = generateKey(kind);
  const authority = issueCertificate({ ...subject, commonName: 'the authority', key, isAuthority: true });
  const leaf = issueCertificate({
    ...subject,
    commonName: 'Grüße',
    key: generateKey('ecdsa'),
    dnsNames: ['a.test'],
    addresses: [Uint8Array.of(192, 0, 2, 1)],
    signer: { certificate: decodePem(authority)?.bytes ?? new Uint8Array(), key },
  });
  return { authority: new X509Certificate(authority), leaf: new X509Certificate(leaf) };
}

describe('certificates of templates', () => {
  test.each(['rsa2048', 'ecdsa', 'ed25519'] as const)('are signed by an authority with a key of %s', (kind) => {
    const { authority, leaf } = chain(kind);
    expect(authority.ca).toBe(true);
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(authority.publicKey)).toBe(true);
    expect(leaf.checkIssued(authority)).toBe(true);
    expect(leaf.subject).toBe('CN=Grüße');
    expect(leaf.subjectAltName).toBe('DNS:a.test, IP Address:192.0.2.1');
    expect(new Date(leaf.validTo).getUTCFullYear()).toBe(2051);
  });

  test('are not signed with the key of another authority', () => {
    const { authority } = chain('ecdsa');
    const signer = { certificate: authority.raw, key: generateKey('ecdsa') };
    const ask = { ...subject, commonName: 'x', key: generateKey('ecdsa'), signer };
    expect(() => issueCertificate(ask)).toThrow("x509: provided PrivateKey doesn't match parent's PublicKey");
  });

  test('are refused for a name that no certificate can hold, and for DSA', () => {
    const key = generateKey('ecdsa');
    expect(() => issueCertificate({ ...subject, commonName: 'x', key, dnsNames: ['ü.test'] })).toThrow(
      'error creating certificate: x509: "ü.test" cannot be encoded as an IA5String',
    );
    expect(() => issueCertificate({ ...subject, commonName: 'x', key: generateKey('dsa') })).toThrow(
      'does not implement crypto.Signer',
    );
  });
});

describe('private keys of templates', () => {
  test.each([
    ['rsa2048', 'RSA PRIVATE KEY'],
    ['dsa', 'DSA PRIVATE KEY'],
    ['ecdsa', 'EC PRIVATE KEY'],
    ['ed25519', 'PRIVATE KEY'],
  ] as const)('of kind %s are written as %s, and read again', (kind, type) => {
    const pem = generateKey(kind);
    expect(decodePem(pem)?.type).toBe(type);
    expect(keyPem(readKey(pem))).toBe(pem);
    const pkcs8 = createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(keyPem(readKey(pkcs8))).toBe(pem);
  });

  test.each([
    ['', 'no PEM data in input'],
    [
      '-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n',
      'no private key data in PEM block of type CERTIFICATE',
    ],
    ['-----BEGIN X PRIVATE KEY-----\naGk=\n-----END X PRIVATE KEY-----\n', 'invalid private key type X PRIVATE KEY'],
    ['-----BEGIN PRIVATE KEY-----\naGk=\n-----END PRIVATE KEY-----\n', 'decoding PEM as PKCS#8: '],
  ])('are refused: %j', (pem, message) => {
    expect(() => readKey(pem)).toThrow(message);
  });
});
