import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey, sign } from 'node:crypto';
import {
  BIT_STRING,
  bitString,
  certificateTime,
  INTEGER,
  OCTET_STRING,
  oid,
  SEQUENCE,
  SET,
  TRUE,
  tlv,
  UTF8_STRING,
} from '../../base/der.ts';

/** An X.509 certificate to be signed with ECDSA and SHA-256. */
export interface CertificateRequest {
  /** 1 to 20 bytes, the first below 0x80 and not 0. */
  readonly serial: Uint8Array;
  /** A name, or the DER form of one. */
  readonly subject: Name | Uint8Array;
  readonly issuer: Name;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Whose certificate it is: only its public half is used. */
  readonly key: KeyObject;
  readonly signer: KeyObject;
  /** With a list, the usages of a CertificateSigningRequest. */
  readonly use: 'authority' | 'server' | 'client' | readonly string[];
  /** The DER form of all alternative names, in place of `dnsNames` and `addresses`. */
  readonly altNames?: Uint8Array;
  readonly dnsNames?: readonly string[];
  /** Bytes in network order. */
  readonly addresses?: readonly Uint8Array[];
}

export interface Name {
  readonly commonName: string;
  readonly organisations?: readonly string[];
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const ORGANISATION = '2.5.4.10';
const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const ALT_NAMES = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** Bits of the key usage extension. Source: RFC 5280 section 4.2.1.3; names are those of certificates.k8s.io/v1. */
const USAGE_BITS: { readonly [usage: string]: number } = {
  signing: 0,
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
  'decipher only': 8,
};
const EXTENDED_USAGES: { readonly [usage: string]: string } = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};
/** What the named uses stand for. */
const USES = {
  authority: ['digital signature', 'cert sign'],
  server: ['digital signature', 'server auth'],
  client: ['digital signature', 'client auth'],
} as const;

/** Issues a certificate, as PEM. Source: RFC 5280 section 4. */
export function issueCertificate(request: CertificateRequest): string {
  const algorithm = tlv(SEQUENCE, oid(ECDSA_WITH_SHA256));
  const body = tlv(
    SEQUENCE,
    tlv(0xa0, tlv(INTEGER, Uint8Array.of(2))),
    tlv(INTEGER, request.serial),
    algorithm,
    name(request.issuer),
    tlv(SEQUENCE, isoTime(request.notBeforeMs), isoTime(request.notAfterMs)),
    name(request.subject),
    publicKeyInfo(request.key),
    tlv(0xa3, tlv(SEQUENCE, ...extensions(request))),
  );
  const signature = sign('sha256', body, { key: request.signer, dsaEncoding: 'der' });
  const whole = tlv(SEQUENCE, body, algorithm, tlv(BIT_STRING, Uint8Array.of(0), signature));
  const text = Buffer.from(whole).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
}

function extensions({
  use,
  key,
  signer,
  altNames,
  dnsNames = [],
  addresses = [],
}: CertificateRequest): readonly Uint8Array[] {
  const out: Uint8Array[] = [];
  const usages = typeof use === 'string' ? USES[use] : use;
  if (use === 'authority') out.push(extension(BASIC_CONSTRAINTS, true, tlv(SEQUENCE, TRUE)));
  else if (typeof use !== 'string') out.push(extension(BASIC_CONSTRAINTS, true, tlv(SEQUENCE)));
  const bits = usages.map((usage) => USAGE_BITS[usage]).filter((bit) => bit !== undefined);
  if (bits.length > 0) out.push(extension(KEY_USAGE, true, bitString(bits)));
  const extended = new Set(usages.map((usage) => EXTENDED_USAGES[usage]).filter((id) => id !== undefined));
  if (extended.size > 0) out.push(extension(EXTENDED_KEY_USAGE, false, tlv(SEQUENCE, ...[...extended].map(oid))));
  out.push(extension(SUBJECT_KEY_ID, false, tlv(OCTET_STRING, keyId(key))));
  out.push(extension(AUTHORITY_KEY_ID, false, tlv(SEQUENCE, tlv(0x80, keyId(signer)))));
  if (altNames !== undefined) out.push(extension(ALT_NAMES, false, altNames));
  else if (dnsNames.length + addresses.length > 0) {
    const names = [
      ...dnsNames.map((dns) => tlv(0x82, Buffer.from(dns, 'ascii'))),
      ...addresses.map((address) => tlv(0x87, address)),
    ];
    out.push(extension(ALT_NAMES, false, tlv(SEQUENCE, ...names)));
  }
  return out;
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return tlv(SEQUENCE, oid(id), ...(critical ? [TRUE] : []), tlv(OCTET_STRING, value));
}

function publicKeyInfo(key: KeyObject): Uint8Array {
  const shown = key.type === 'private' ? createPublicKey(key) : key;
  return shown.export({ type: 'spki', format: 'der' });
}

/** Any unique value will do; this is the method 4 of RFC 7093, over the whole key. */
function keyId(key: KeyObject): Uint8Array {
  return createHash('sha256').update(publicKeyInfo(key)).digest().subarray(0, 20);
}

function name(subject: Name | Uint8Array): Uint8Array {
  if (subject instanceof Uint8Array) return subject;
  const { organisations = [], commonName } = subject;
  const part = (id: string, value: string): Uint8Array =>
    tlv(SET, tlv(SEQUENCE, oid(id), tlv(UTF8_STRING, Buffer.from(value))));
  return tlv(SEQUENCE, ...organisations.map((value) => part(ORGANISATION, value)), part(COMMON_NAME, commonName));
}

function isoTime(ms: number): Uint8Array {
  return certificateTime(new Date(ms).toISOString());
}
