import { createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto';
import { err, ok, type Result } from '../../base/result.ts';

export interface KeyPair {
  /** Text of the private key file, as it was given or in OpenSSH's format. */
  readonly privateKey: string;
  /** One line of an authorized_keys file, with its line break. */
  readonly publicKey: string;
}

export interface KeyOptions {
  readonly algorithm: 'rsa' | 'ecdsa' | 'ed25519';
  readonly rsaBits: number;
  readonly ecdsaCurve: 'p256' | 'p384' | 'p521';
}

const CURVE_BITS = { p256: 256, p384: 384, p521: 521 } as const;

/** Makes a new key pair without a passphrase. */
export async function generateKeyPair(options: KeyOptions): Promise<KeyPair> {
  const { utils } = (await import('ssh2')).default;
  for (;;) {
    const pair = await makeKeyPair(options);
    // About one in a thousand of the ed25519 keys that ssh2@1.17 writes cannot be read back, by it or by OpenSSH.
    if (!(utils.parseKey(pair.privateKey) instanceof Error)) return pair;
  }
}

async function makeKeyPair({ algorithm, rsaBits, ecdsaCurve }: KeyOptions): Promise<KeyPair> {
  const { utils } = (await import('ssh2')).default;
  const pair = await new Promise<{ private: string; public: string }>((resolve, reject) => {
    const answer = (error: Error | null, keys: { private: string; public: string }): void => {
      if (error === null || error === undefined) resolve(keys);
      else reject(error);
    };
    if (algorithm === 'rsa') utils.generateKeyPair('rsa', { bits: rsaBits }, answer);
    else if (algorithm === 'ecdsa') utils.generateKeyPair('ecdsa', { bits: CURVE_BITS[ecdsaCurve] }, answer);
    else utils.generateKeyPair('ed25519', answer);
  });
  return { privateKey: `${pair.private.trim()}\n`, publicKey: `${pair.public.trim()}\n` };
}

/**
 * The key pair of a private key file: OpenSSH's format, or PEM (PKCS#1, SEC 1, PKCS#8). The text is kept as it is.
 * Errors say what is wrong and hold nothing of the key.
 */
export async function readKeyPair(privateKey: string, passphrase: string): Promise<Result<KeyPair, string>> {
  const { utils } = (await import('ssh2')).default;
  const parsed = utils.parseKey(privateKey, passphrase === '' ? undefined : passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!(key instanceof Error) && key !== undefined) {
    if (!key.isPrivateKey()) return err('the file holds a public key, a private key is needed');
    return ok({ privateKey, publicKey: `${key.type} ${key.getPublicSSH().toString('base64')}\n` });
  }
  const wire = fromPem(privateKey, passphrase);
  if (wire !== undefined) return ok({ privateKey, publicKey: `${wire.type} ${wire.blob.toString('base64')}\n` });
  if (/encrypted/i.test(key?.message ?? '')) {
    return err(
      passphrase === ''
        ? 'this private key is passphrase protected, give its passphrase with --password'
        : 'the passphrase does not open the private key',
    );
  }
  return err('no private key found: OpenSSH or PEM format is needed');
}

function fromPem(text: string, passphrase: string): { readonly type: string; readonly blob: Buffer } | undefined {
  try {
    const key = createPrivateKey({ key: text, ...(passphrase === '' ? {} : { passphrase }) });
    return sshPublicKey(createPublicKey(key).export({ format: 'jwk' }));
  } catch {
    // Not a PEM that OpenSSL reads: the caller says so.
    return undefined;
  }
}

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'nistp256', 'P-384': 'nistp384', 'P-521': 'nistp521' };

/** A public key in SSH's wire format. Source: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4. */
function sshPublicKey(jwk: JsonWebKey): { readonly type: string; readonly blob: Buffer } | undefined {
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');
  if (jwk.kty === 'RSA') {
    return { type: 'ssh-rsa', blob: frames('ssh-rsa', integer(bytes(jwk.e)), integer(bytes(jwk.n))) };
  }
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    return { type: 'ssh-ed25519', blob: frames('ssh-ed25519', bytes(jwk.x)) };
  }
  const curve = CURVES[jwk.crv ?? ''];
  if (jwk.kty !== 'EC' || curve === undefined) return undefined;
  const type = `ecdsa-sha2-${curve}`;
  const point = Buffer.concat([Buffer.from([4]), bytes(jwk.x), bytes(jwk.y)]);
  return { type, blob: frames(type, Buffer.from(curve), point) };
}

/** Two's complement: a leading zero where the first bit is set. */
function integer(bytes: Buffer): Buffer {
  return ((bytes[0] ?? 0) & 0x80) === 0 ? bytes : Buffer.concat([Buffer.from([0]), bytes]);
}

function frames(type: string, ...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(
    [Buffer.from(type), ...fields].flatMap((field) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(field.length);
      return [length, field];
    }),
  );
}
