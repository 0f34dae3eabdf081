import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { BIT_STRING, type DerElement, derElements, MalformedDer, onlyElement, SEQUENCE } from '../../base/der.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';

/** What a PKCS#10 request for a certificate asks for. */
export interface SigningRequest {
  /** The DER form of the name. */
  readonly subject: Uint8Array;
  readonly organisations: readonly string[];
  readonly commonName: string;
  readonly key: KeyObject;
  /** The DER form of the alternative names, when it asks for any. */
  readonly altNames?: Uint8Array;
  /** How many alternative names of each kind it asks for. */
  readonly names: { readonly dns: number; readonly ip: number; readonly email: number; readonly uri: number };
}

const ORGANISATION = '55040a';
const COMMON_NAME = '550403';
const EXTENSION_REQUEST = '2a864886f70d01090e';
const ALT_NAMES = '551d11';
/** Hashes by the DER form of the signature algorithm; Ed25519 has its own. Source: RFC 8017, RFC 5758, RFC 8410. */
const HASHES: { readonly [id: string]: string | null } = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b6570': null,
};

export const NOT_PEM = 'PEM block type must be CERTIFICATE REQUEST';

/**
 * Reads a request for a certificate and checks that its maker holds the key.
 * The error is in the words of Go's x509 where it is about the signature. Source: RFC 2986.
 */
export function parseSigningRequest(pem: string): Result<SigningRequest, string> {
  const found = /-----BEGIN CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----/.exec(pem);
  if (found === null) return err(NOT_PEM);
  try {
    return parse(Buffer.from(found[1] as string, 'base64'));
  } catch (cause) {
    if (cause instanceof MalformedDer) return err(`asn1: syntax error: ${cause.message}`);
    // What node:crypto says of a key or a signature it cannot read.
    if (cause instanceof Error && 'code' in cause) return err('x509: unsupported public key');
    throw cause;
  }
}

function parse(bytes: Uint8Array): Result<SigningRequest, string> {
  const outer = onlyElement(bytes);
  if (outer.tag !== SEQUENCE) throw new MalformedDer('sequence expected');
  const [info, algorithm, signature] = derElements(outer.content);
  if (info === undefined || algorithm === undefined || signature?.tag !== BIT_STRING)
    throw new MalformedDer('sequence truncated');
  const [, subject, publicKey, ...attributes] = derElements(info.content);
  if (subject === undefined || publicKey === undefined) throw new MalformedDer('sequence truncated');
  const key = createPublicKey({ key: Buffer.from(publicKey.whole), format: 'der', type: 'spki' });
  const hash = HASHES[hex(derElements(algorithm.content)[0])];
  if (hash === undefined) return err('x509: cannot verify signature: algorithm unimplemented');
  if (!verify(hash, info.whole, key, signature.content.subarray(1))) {
    return err(key.asymmetricKeyType === 'rsa' ? 'crypto/rsa: verification error' : 'x509: ECDSA verification failure');
  }
  const parts = derElements(subject.content).flatMap((set) =>
    derElements(set.content).map((one) => derElements(one.content)),
  );
  const valuesOf = (id: string): string[] =>
    parts
      .filter(([type]) => hex(type) === id)
      .map(([, value]) => Buffer.from(value?.content ?? new Uint8Array()).toString('utf8'));
  const altNames = altNamesOf(attributes[0]);
  const kinds = altNames === undefined ? [] : derElements(onlyElement(altNames).content).map(({ tag }) => tag & 0x1f);
  const count = (kind: number): number => kinds.filter((one) => one === kind).length;
  return ok({
    subject: subject.whole,
    organisations: valuesOf(ORGANISATION),
    commonName: valuesOf(COMMON_NAME).at(-1) ?? '',
    key,
    ...(altNames === undefined ? {} : { altNames }),
    names: { email: count(1), dns: count(2), uri: count(6), ip: count(7) },
  });
}

/** The value of the extension with the alternative names, among the attributes of a request. */
function altNamesOf(attributes: DerElement | undefined): Uint8Array | undefined {
  for (const attribute of attributes === undefined ? [] : derElements(attributes.content)) {
    const [type, values] = derElements(attribute.content);
    if (hex(type) !== EXTENSION_REQUEST || values === undefined) continue;
    for (const extension of derElements(values.content).flatMap((one) => derElements(one.content))) {
      const parts = derElements(extension.content);
      if (hex(parts[0]) === ALT_NAMES) return parts.at(-1)?.content;
    }
  }
  return undefined;
}

function hex(element: DerElement | undefined): string {
  return Buffer.from(element?.content ?? new Uint8Array()).toString('hex');
}
