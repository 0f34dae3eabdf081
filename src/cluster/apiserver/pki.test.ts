import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadPki } from './pki.ts';

const NOW = Date.UTC(2045, 5, 7, 8, 9, 10);

it('issues a server certificate for the names that clients use, signed by its authority', () => {
  const pki = loadPki(undefined, NOW);
  const authority = new X509Certificate(pki.authority);
  const server = new X509Certificate(pki.server.certificate);
  expect(authority.ca).toBe(true);
  expect(authority.verify(authority.publicKey)).toBe(true);
  expect(server.ca).toBe(false);
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(server.checkIssued(authority)).toBe(true);
  expect(server.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(server.checkIP('::1')).toBe('::1');
  expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
});

it('begins an hour ago and lasts ten years, also past the year 2050', () => {
  const admin = new X509Certificate(loadPki(undefined, NOW).admin.certificate);
  expect(Date.parse(admin.validFrom)).toBe(NOW - 3600_000);
  expect(Date.parse(admin.validTo)).toBe(NOW + 3650 * 86400_000);
  expect(admin.subject).toBe('O=system:masters\nCN=kubernetes-admin');
});

it('keeps what it made, readable for its owner only', () => {
  const directory = join(mkdtempSync(join(tmpdir(), 'weir-pki-')), 'pki');
  const mask = process.umask(0);
  try {
    const made = loadPki(directory, NOW);
    expect(loadPki(directory, NOW + 1)).toEqual(made);
    for (const name of ['server.key', 'admin.key', 'admin.crt'])
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  } finally {
    process.umask(mask);
    rmSync(directory, { recursive: true });
  }
});
