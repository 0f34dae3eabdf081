import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** The certificates of one cluster. */
export interface Pki {
  readonly authority: string;
  readonly server: KeyPair;
  /** Of the administrator: CN kubernetes-admin, O system:masters. */
  readonly admin: KeyPair;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const TEN_YEARS_MS = 10 * 365 * 86400_000;
/** Certificates begin a little in the past, for clocks that are not together. */
const SKEW_MS = 3600_000;
const FILES = {
  authority: 'ca.crt',
  serverCertificate: 'server.crt',
  serverKey: 'server.key',
  adminCertificate: 'admin.crt',
  adminKey: 'admin.key',
} as const;

/** The cluster's certificates: those in `directory`, or new ones, kept there when a directory is given. */
export async function loadPki(directory: string | undefined, nowMs: number): Promise<Pki> {
  if (directory !== undefined && existsSync(join(directory, FILES.adminKey))) {
    const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
    return {
      authority: read(FILES.authority),
      server: { certificate: read(FILES.serverCertificate), key: read(FILES.serverKey) },
      admin: { certificate: read(FILES.adminCertificate), key: read(FILES.adminKey) },
    };
  }
  const pki = await makePki(nowMs);
  if (directory !== undefined) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o600 });
    write(FILES.authority, pki.authority);
    write(FILES.serverCertificate, pki.server.certificate);
    write(FILES.serverKey, pki.server.key);
    write(FILES.adminCertificate, pki.admin.certificate);
    // Last: its presence says that all are there.
    write(FILES.adminKey, pki.admin.key);
  }
  return pki;
}

async function makePki(nowMs: number): Promise<Pki> {
  cryptoProvider.set(webcrypto as never);
  const notBefore = new Date(nowMs - SKEW_MS);
  const notAfter = new Date(nowMs + TEN_YEARS_MS);
  const caKeys = await generate();
  const ca = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=weir-ca',
    notBefore,
    notAfter,
    keys: caKeys as never,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature, true),
    ],
  });
  const issue = async (
    subject: string,
    usage: ExtendedKeyUsage,
    names?: SubjectAlternativeNameExtension,
  ): Promise<KeyPair> => {
    const keys = await generate();
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial(),
      subject,
      issuer: ca.subject,
      notBefore,
      notAfter,
      publicKey: keys.publicKey as never,
      signingKey: caKeys.privateKey as never,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([usage]),
        ...(names === undefined ? [] : [names]),
      ],
    });
    return { certificate: `${certificate.toString('pem')}\n`, key: await privatePem(keys.privateKey) };
  };
  const names = new SubjectAlternativeNameExtension([
    { type: 'dns', value: 'localhost' },
    { type: 'dns', value: 'kubernetes' },
    { type: 'dns', value: 'kubernetes.default' },
    { type: 'dns', value: 'kubernetes.default.svc' },
    { type: 'dns', value: 'kubernetes.default.svc.cluster.local' },
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: '::1' },
    { type: 'ip', value: '10.96.0.1' },
  ]);
  return {
    authority: `${ca.toString('pem')}\n`,
    server: await issue('CN=kube-apiserver', ExtendedKeyUsage.serverAuth, names),
    admin: await issue('CN=kubernetes-admin,O=system:masters', ExtendedKeyUsage.clientAuth),
  };
}

function generate(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${bytes.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] as number) & 0x7f) | 1;
  return Buffer.from(bytes).toString('hex');
}
