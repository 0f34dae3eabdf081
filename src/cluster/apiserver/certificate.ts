import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey, sign } from 'node:crypto';

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

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const TRUE = Uint8Array.of(0x01, 0x01, 0xff);

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
    tlv(SEQUENCE, time(request.notBeforeMs), time(request.notAfterMs)),
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

/** Named bits, without zeros at the end; the first byte counts the bits of the last one that are not used. Source: X.690 section 11.2. */
function bitString(bits: readonly number[]): Uint8Array {
  const last = Math.max(...bits);
  const bytes = new Uint8Array(Math.floor(last / 8) + 2);
  bytes[0] = 7 - (last % 8);
  for (const bit of bits) {
    const at = 1 + Math.floor(bit / 8);
    bytes[at] = (bytes[at] as number) | (0x80 >> (bit % 8));
  }
  return tlv(BIT_STRING, bytes);
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

/** Years from 2050 on have another form. Source: RFC 5280 section 4.1.2.5. */
function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d{3}/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? tlv(UTC_TIME, Buffer.from(digits.slice(2), 'ascii'))
    : tlv(GENERALIZED_TIME, Buffer.from(digits, 'ascii'));
}

function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tlv(OBJECT_IDENTIFIER, Uint8Array.from(bytes));
}

/** Tag, length, value. Source: X.690 section 8.1. */
function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [tag];
  if (length < 0x80) head.push(length);
  else if (length < 0x100) head.push(0x81, length);
  else head.push(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Uint8Array.from(head), ...parts]);
}
