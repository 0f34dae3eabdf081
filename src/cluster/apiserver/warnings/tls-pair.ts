import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

interface Block {
  readonly type: string;
  readonly pem: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[\s\S]*?-----END \1-----/g;

function blocks(text: string): readonly Block[] {
  return [...text.matchAll(BLOCK)].map(([pem, type = '']) => ({ type, pem }));
}

/** Why a certificate and a key cannot serve TLS together, in the words of Go 1.24's crypto/tls X509KeyPair. */
export function pairProblem(certificate: string, key: string): string | undefined {
  const list = blocks(certificate);
  const found = list.find(({ type }) => type === 'CERTIFICATE');
  if (found === undefined) {
    if (list.length === 0) return 'tls: failed to find any PEM data in certificate input';
    if (list.length === 1 && (list[0] as Block).type.endsWith('PRIVATE KEY'))
      return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
    return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [${list.map(({ type }) => type).join(' ')}]`;
  }
  const keys = blocks(key);
  const block = keys.find(({ type }) => type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY'));
  if (block === undefined) {
    if (keys.length === 0) return 'tls: failed to find any PEM data in key input';
    if (keys.length === 1 && (keys[0] as Block).type === 'CERTIFICATE')
      return 'tls: found a certificate rather than a key in the PEM for the private key';
    return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [${keys.map(({ type }) => type).join(' ')}]`;
  }
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(found.pem);
  } catch {
    return 'x509: malformed certificate';
  }
  let secret: KeyObject;
  try {
    secret = createPrivateKey(block.pem);
  } catch {
    return 'tls: failed to parse private key';
  }
  if (parsed.checkPrivateKey(secret)) return undefined;
  return parsed.publicKey.asymmetricKeyType === secret.asymmetricKeyType
    ? 'tls: private key does not match public key'
    : 'tls: private key type does not match public key type';
}
