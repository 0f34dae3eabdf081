import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CertificateRequest, issueCertificate } from './certificate.ts';

export interface KeyPair {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** The certificates of one cluster. */
export interface Pki {
  readonly authority: string;
  /** PEM; undefined for a directory of a version that did not keep it. */
  readonly authorityKey?: string;
  readonly server: KeyPair;
  /** Of the administrator: CN kubernetes-admin, O system:masters. */
  readonly admin: KeyPair;
}

const AUTHORITY = { commonName: 'weir-ca' };
const TEN_YEARS_MS = 10 * 365 * 86400_000;
/** Certificates begin a little in the past, for clocks that are not together. */
const SKEW_MS = 3600_000;
const FILES = {
  authority: 'ca.crt',
  authorityKey: 'ca.key',
  serverCertificate: 'server.crt',
  serverKey: 'server.key',
  adminCertificate: 'admin.crt',
  adminKey: 'admin.key',
} as const;

/** The cluster's certificates: those in `directory`, or new ones, kept there when a directory is given. */
export function loadPki(directory: string | undefined, nowMs: number): Pki {
  if (directory !== undefined && existsSync(join(directory, FILES.adminKey))) {
    const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
    return {
      authority: read(FILES.authority),
      ...(existsSync(join(directory, FILES.authorityKey)) ? { authorityKey: read(FILES.authorityKey) } : {}),
      server: { certificate: read(FILES.serverCertificate), key: read(FILES.serverKey) },
      admin: { certificate: read(FILES.adminCertificate), key: read(FILES.adminKey) },
    };
  }
  const pki = makePki(nowMs);
  if (directory !== undefined) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text, { mode: 0o600 });
    write(FILES.authority, pki.authority);
    write(FILES.authorityKey, pki.authorityKey);
    write(FILES.serverCertificate, pki.server.certificate);
    write(FILES.serverKey, pki.server.key);
    write(FILES.adminCertificate, pki.admin.certificate);
    // Last: its presence says that all are there.
    write(FILES.adminKey, pki.admin.key);
  }
  return pki;
}

function makePki(nowMs: number): Required<Pki> {
  const authorityKey = generate();
  const common = {
    issuer: AUTHORITY,
    signer: authorityKey,
    notBeforeMs: nowMs - SKEW_MS,
    notAfterMs: nowMs + TEN_YEARS_MS,
  };
  const issue = (
    key: KeyObject,
    rest: Pick<CertificateRequest, 'subject' | 'use' | 'dnsNames' | 'addresses'>,
  ): KeyPair => ({
    certificate: issueCertificate({ ...common, ...rest, key, serial: serial() }),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });
  return {
    authority: issue(authorityKey, { subject: common.issuer, use: 'authority' }).certificate,
    authorityKey: authorityKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    server: issue(generate(), {
      subject: { commonName: 'kube-apiserver' },
      use: 'server',
      dnsNames: [
        'localhost',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
      ],
      addresses: [
        Uint8Array.of(127, 0, 0, 1),
        Uint8Array.from({ length: 16 }, (_, index) => (index === 15 ? 1 : 0)),
        Uint8Array.of(10, 96, 0, 1),
      ],
    }),
    admin: issue(generate(), {
      subject: { commonName: 'kubernetes-admin', organisations: ['system:masters'] },
      use: 'client',
    }),
  };
}

/** Issues a certificate for what somebody asked for, signed by the cluster's authority; PEM. */
export function signRequest(
  authorityKey: KeyObject,
  request: Pick<CertificateRequest, 'subject' | 'key' | 'use' | 'altNames' | 'notBeforeMs' | 'notAfterMs'>,
): string {
  return issueCertificate({ ...request, issuer: AUTHORITY, signer: authorityKey, serial: serial() });
}

function generate(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** 127 random bits: positive, and the first byte is not 0. */
function serial(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 1;
  return bytes;
}
