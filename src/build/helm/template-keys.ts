import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { derElements, INTEGER, onlyElement, SEQUENCE, tlv } from '../../base/der.ts';
import { GoError } from '../../engine/gotemplate/value.ts';
import type { KeyKind } from '../../engine/sprig/host.ts';
import { decodePem } from '../../engine/sprig/pem.ts';

/** A new private key, as PEM in the form that Sprig writes. Source: sprig@3.3.0 crypto.go, generatePrivateKey. */
export function generateKey(kind: KeyKind): string {
  return keyPem(newKey(kind));
}

function newKey(kind: KeyKind): KeyObject {
  switch (kind) {
    case 'rsa2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'rsa4096':
      return generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey;
    case 'dsa':
      return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
    case 'ecdsa':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
  }
}

/** PEM of a key by its kind: PKCS#1 for RSA, SEC 1 for ECDSA, OpenSSL's own for DSA, else PKCS#8. */
export function keyPem(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }).toString();
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }).toString();
    case 'dsa':
      return pemText('DSA PRIVATE KEY', dsaKey(key));
    default:
      return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  }
}

export function pemText(type: string, bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN ${type}-----\n${text}\n-----END ${type}-----\n`;
}

/** Version, p, q, g, y, x. */
function dsaKey(key: KeyObject): Uint8Array {
  const [, algorithm, secret] = derElements(onlyElement(key.export({ type: 'pkcs8', format: 'der' })).content);
  const [, bits] = derElements(onlyElement(createPublicKey(key).export({ type: 'spki', format: 'der' })).content);
  const parameters = derElements(algorithm?.content ?? new Uint8Array())[1]?.content ?? new Uint8Array();
  const open = bits?.content.subarray(1) ?? new Uint8Array();
  return tlv(SEQUENCE, tlv(INTEGER, Uint8Array.of(0)), parameters, open, secret?.content ?? new Uint8Array());
}

/** Reads a private key as Sprig does. @throws GoError. Source: sprig@3.3.0 crypto.go, parsePrivateKeyPEM. */
export function readKey(pem: string): KeyObject {
  const block = decodePem(pem);
  if (block === undefined) throw new GoError('no PEM data in input');
  const { type, bytes } = block;
  if (type !== 'PRIVATE KEY' && !type.endsWith(' PRIVATE KEY')) {
    throw new GoError(`no private key data in PEM block of type ${type}`);
  }
  const der = { key: Buffer.from(bytes), format: 'der' } as const;
  switch (type) {
    case 'PRIVATE KEY':
      return reading('decoding PEM as PKCS#8', () => createPrivateKey({ ...der, type: 'pkcs8' }));
    case 'RSA PRIVATE KEY':
      return reading('parsing RSA private key from PEM', () => createPrivateKey({ ...der, type: 'pkcs1' }));
    case 'EC PRIVATE KEY':
      return reading('parsing EC private key from PEM', () => createPrivateKey({ ...der, type: 'sec1' }));
    case 'DSA PRIVATE KEY':
      return reading('parsing DSA private key from PEM', () => createPrivateKey(pemText(type, bytes)));
    default:
      throw new GoError(`invalid private key type ${type}`);
  }
}

function reading(step: string, read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch {
    // What OpenSSL says is of no help, and may hold parts of the key.
    throw new GoError(`${step}: x509: failed to parse private key`);
  }
}
