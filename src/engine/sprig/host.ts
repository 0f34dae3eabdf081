/** What template functions take from the outside, so that the engine itself stays pure. */
export interface TemplateHost {
  /** Nanoseconds since 1970. */
  now(): bigint;
  /** IANA name of the zone that Go calls `Local`: `UTC` in a controller. */
  readonly localZone: string;
  readonly crypto: TemplateCrypto;
  /** Addresses of a host name, for `getHostByName`. Without it that function gives the empty string, as Helm does unless DNS is enabled. */
  readonly addressesOf?: (name: string) => readonly string[];
}

export type HashName = 'sha1' | 'sha256' | 'sha512';
export type KeyKind = 'rsa2048' | 'rsa4096' | 'dsa' | 'ecdsa' | 'ed25519';

/** Keys, hashes, randomness. Failures are {@link GoError}s with Go's text. */
export interface TemplateCrypto {
  randomBytes(count: number): Uint8Array;
  hash(name: HashName, bytes: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array;
  scrypt(password: Uint8Array, salt: Uint8Array, cost: ScryptCost, length: number): Uint8Array;
  /** `$2a$` text; at most 72 bytes of password. */
  bcrypt(password: Uint8Array, cost: number): string;
  /** AES-256 in CBC mode without padding. */
  aesCbc(direction: 'encrypt' | 'decrypt', key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Uint8Array;
  /** A new private key, as PEM in the form that Go's Sprig writes. */
  generateKey(kind: KeyKind): string;
  /** Reads a private key and writes it as Sprig does. */
  normalizeKey(pem: string): string;
  /** Reads a certificate only to see that it is one. */
  checkCertificate(der: Uint8Array): void;
  issueCertificate(request: CertificateRequest): string;
}

export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** 4 or 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
  readonly dnsNames: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isAuthority: boolean;
  /** PEM of the private key whose public half is certified. */
  readonly key: string;
  /** Who signs; without one the certificate signs itself. */
  readonly signer?: Signer;
}

export interface Signer {
  /** DER. */
  readonly certificate: Uint8Array;
  /** PEM. */
  readonly key: string;
}
