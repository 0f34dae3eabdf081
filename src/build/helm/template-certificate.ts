import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import {
  BIT_STRING,
  bitString,
  certificateTime,
  type DerElement,
  derElements,
  INTEGER,
  OCTET_STRING,
  oid,
  onlyElement,
  PRINTABLE_STRING,
  SEQUENCE,
  SET,
  TRUE,
  tlv,
  UTF8_STRING,
  unsigned,
} from '../../base/der.ts';
import { quote } from '../../engine/gotemplate/quote.ts';
import { GoError } from '../../engine/gotemplate/value.ts';
import type { CertificateRequest } from '../../engine/sprig/host.ts';
import { pemText, readKey } from './template-keys.ts';

const COMMON_NAME = '2.5.4.3';
const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const ALT_NAMES = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const NULL = Uint8Array.of(5, 0);
/** Bits of the key usage: digital signature, key encipherment, and to sign certificates. */
const USAGES = [0, 2];
const CERT_SIGN = 5;

/** A certificate as Sprig has Go make one, as PEM. @throws GoError. Source: sprig@3.3.0 crypto.go; go@1.25 crypto/x509 CreateCertificate. */
export function issueCertificate(request: CertificateRequest): string {
  const key = createPublicKey(readKey(request.key)).export({ type: 'spki', format: 'der' });
  const signer = readKey(request.signer?.key ?? request.key);
  const subject = nameOf(request.commonName);
  const parent = request.signer === undefined ? undefined : parentOf(request.signer.certificate, signer);
  const { hash, algorithm } = algorithmOf(signer);
  const body = tlv(
    SEQUENCE,
    tlv(0xa0, tlv(INTEGER, Uint8Array.of(2))),
    unsigned(randomBytes(16)),
    algorithm,
    parent?.subject ?? subject,
    tlv(SEQUENCE, isoTime(request.notBeforeMs), isoTime(request.notAfterMs)),
    subject,
    key,
    tlv(0xa3, tlv(SEQUENCE, ...extensions(request, key, subject, parent))),
  );
  const signature = sign(hash, body, signer);
  return pemText('CERTIFICATE', tlv(SEQUENCE, body, algorithm, tlv(BIT_STRING, Uint8Array.of(0), signature)));
}

/** Reads a certificate only to see that it is one. @throws GoError */
export function checkCertificate(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(der));
  } catch {
    throw new GoError('x509: malformed certificate');
  }
}

function fail(message: string): never {
  throw new GoError(`error creating certificate: ${message}`);
}

interface Parent {
  readonly subject: Uint8Array;
  readonly keyId: Uint8Array | undefined;
}

function parentOf(der: Uint8Array, signer: KeyObject): Parent {
  const certificate = checkCertificate(der);
  if (!certificate.publicKey.equals(createPublicKey(signer))) {
    return fail("x509: provided PrivateKey doesn't match parent's PublicKey");
  }
  const [body] = derElements(onlyElement(der).content);
  const [, , , , , subject, , ...rest] = derElements(body?.content ?? new Uint8Array());
  return { subject: subject?.whole ?? tlv(SEQUENCE), keyId: keyIdOf(rest.find(({ tag }) => tag === 0xa3)) };
}

function keyIdOf(extensionList: DerElement | undefined): Uint8Array | undefined {
  if (extensionList === undefined) return undefined;
  const wanted = Buffer.from(oid(SUBJECT_KEY_ID));
  for (const one of derElements(onlyElement(extensionList.content).content)) {
    const parts = derElements(one.content);
    const value = parts.at(-1)?.content;
    if (value !== undefined && wanted.equals(parts[0]?.whole ?? new Uint8Array())) return onlyElement(value).content;
  }
  return undefined;
}

function nameOf(commonName: string): Uint8Array {
  if (commonName === '') return tlv(SEQUENCE);
  const tag = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(commonName) ? PRINTABLE_STRING : UTF8_STRING;
  return tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE, oid(COMMON_NAME), tlv(tag, Buffer.from(commonName)))));
}

function extensions(
  { isAuthority, dnsNames, addresses }: CertificateRequest,
  key: Uint8Array,
  subject: Uint8Array,
  parent: Parent | undefined,
): readonly Uint8Array[] {
  const out = [
    extension(KEY_USAGE, true, bitString(isAuthority ? [...USAGES, CERT_SIGN] : USAGES)),
    extension(EXTENDED_KEY_USAGE, false, tlv(SEQUENCE, oid(SERVER_AUTH), oid(CLIENT_AUTH))),
    extension(BASIC_CONSTRAINTS, true, isAuthority ? tlv(SEQUENCE, TRUE) : tlv(SEQUENCE)),
  ];
  if (isAuthority) out.push(extension(SUBJECT_KEY_ID, false, tlv(OCTET_STRING, keyId(key))));
  const isOther = parent !== undefined && !Buffer.from(parent.subject).equals(Buffer.from(subject));
  if (isOther && parent.keyId !== undefined) {
    out.push(extension(AUTHORITY_KEY_ID, false, tlv(SEQUENCE, tlv(0x80, parent.keyId))));
  }
  if (dnsNames.length + addresses.length > 0) {
    const names = [...dnsNames.map((name) => tlv(0x82, ia5(name))), ...addresses.map((address) => tlv(0x87, address))];
    // A certificate without a subject is known by these names alone.
    out.push(extension(ALT_NAMES, subject.length === 2, tlv(SEQUENCE, ...names)));
  }
  return out;
}

function ia5(name: string): Uint8Array {
  if (!/^[\0-\x7f]*$/.test(name)) return fail(`x509: ${quote(name)} cannot be encoded as an IA5String`);
  return Buffer.from(name, 'ascii');
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return tlv(SEQUENCE, oid(id), ...(critical ? [TRUE] : []), tlv(OCTET_STRING, value));
}

/** Go's choice: the first 20 bytes of the key's SHA-256. Source: RFC 7093 section 2, method 1. */
function keyId(publicKey: Uint8Array): Uint8Array {
  const [, bits] = derElements(onlyElement(publicKey).content);
  return createHash('sha256')
    .update(bits?.content.subarray(1) ?? new Uint8Array())
    .digest()
    .subarray(0, 20);
}

/** Hash and ECDSA algorithm by curve; others have SHA-256. */
const CURVES: { readonly [curve: string]: readonly [hash: string, algorithm: string] } = {
  secp384r1: ['sha384', '1.2.840.10045.4.3.3'],
  secp521r1: ['sha512', '1.2.840.10045.4.3.4'],
};

function algorithmOf(key: KeyObject): { readonly hash: string | null; readonly algorithm: Uint8Array } {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { hash: 'sha256', algorithm: tlv(SEQUENCE, oid('1.2.840.113549.1.1.11'), NULL) };
    case 'ec': {
      const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
      const [hash, id] = CURVES[curve] ?? ['sha256', '1.2.840.10045.4.3.2'];
      return { hash, algorithm: tlv(SEQUENCE, oid(id)) };
    }
    case 'ed25519':
      return { hash: null, algorithm: tlv(SEQUENCE, oid('1.3.101.112')) };
    default:
      return fail('x509: certificate private key does not implement crypto.Signer');
  }
}

function isoTime(ms: number): Uint8Array {
  return certificateTime(new Date(ms).toISOString());
}
