import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import ssh2 from 'ssh2';
import { describe, expect, test } from 'vitest';
import { knownHost, scanHostKey } from './host-key.ts';
import { generateKeyPair, type KeyOptions, readKeyPair } from './key-pair.ts';

const { utils } = ssh2;

function parsed(text: string): { readonly type: string; readonly spki: string } {
  const key = utils.parseKey(text);
  if (key instanceof Error || Array.isArray(key)) throw new Error('not one key');
  const spki = createPublicKey(key.getPublicPEM()).export({ type: 'spki', format: 'der' });
  return { type: key.type, spki: spki.toString('base64') };
}

describe('a private key file', () => {
  test.each([
    ['RSA, PKCS#1', 'ssh-rsa', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 'pkcs1'],
    ['RSA, PKCS#8', 'ssh-rsa', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 'pkcs8'],
    ['P-256, SEC 1', 'ecdsa-sha2-nistp256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sec1'],
    ['P-384, PKCS#8', 'ecdsa-sha2-nistp384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'pkcs8'],
    ['P-521, PKCS#8', 'ecdsa-sha2-nistp521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'pkcs8'],
    ['Ed25519, PKCS#8', 'ssh-ed25519', () => generateKeyPairSync('ed25519'), 'pkcs8'],
  ] as const)('%s gives its public half and keeps its text', async (_, type, generate, format) => {
    const pair = generate() as { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
    const text = pair.privateKey.export({ type: format as 'pkcs8', format: 'pem' }).toString();
    const read = await readKeyPair(text, '');
    if (!read.ok) throw new Error(read.error);
    expect(read.value.privateKey).toBe(text);
    expect(read.value.publicKey).toMatch(new RegExp(`^${type} [A-Za-z0-9+/=]+\\n$`));
    expect(parsed(read.value.publicKey).spki).toBe(
      pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    );
  });

  test('is opened with its passphrase only', async () => {
    const { private: text, public: line } = utils.generateKeyPairSync('ed25519', {
      passphrase: 'open sesame',
      cipher: 'aes256-cbc',
      rounds: 16,
    });
    const read = await readKeyPair(text, 'open sesame');
    expect(read.ok && read.value.publicKey.trim()).toBe(line.trim());
    const without = await readKeyPair(text, '');
    expect(without.ok ? '' : without.error).toBe(
      'this private key is passphrase protected, give its passphrase with --password',
    );
    const wrong = await readKeyPair(text, 'shut');
    expect(wrong.ok).toBe(false);
    expect(JSON.stringify(wrong)).not.toContain('shut');
  });

  test('that is none is refused without telling its content', async () => {
    const read = await readKeyPair('hunter2', '');
    expect(read).toEqual({ ok: false, error: 'no private key found: OpenSSH or PEM format is needed' });
  });

  test('with a public key is refused', async () => {
    const { public: line } = utils.generateKeyPairSync('ed25519');
    expect((await readKeyPair(line, '')).ok).toBe(false);
  });
});

describe('a generated key pair', () => {
  test.each([
    [{ algorithm: 'ecdsa', rsaBits: 2048, ecdsaCurve: 'p384' }, 'ecdsa-sha2-nistp384'],
    [{ algorithm: 'ecdsa', rsaBits: 2048, ecdsaCurve: 'p521' }, 'ecdsa-sha2-nistp521'],
    [{ algorithm: 'rsa', rsaBits: 2048, ecdsaCurve: 'p384' }, 'ssh-rsa'],
    [{ algorithm: 'ed25519', rsaBits: 2048, ecdsaCurve: 'p384' }, 'ssh-ed25519'],
  ] as const)('%o belongs together', async (options, type) => {
    const pair = await generateKeyPair(options satisfies KeyOptions);
    expect(parsed(pair.publicKey).type).toBe(type);
    const read = await readKeyPair(pair.privateKey, '');
    expect(read.ok && read.value.publicKey.split(' ').slice(0, 2).join(' ').trim()).toBe(
      pair.publicKey.split(' ').slice(0, 2).join(' ').trim(),
    );
  });
});

async function withServer<T>(hostKeys: readonly string[], use: (port: number) => Promise<T>): Promise<T> {
  const server = new ssh2.Server({ hostKeys: [...hostKeys] }, (client) => client.on('error', () => undefined));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

describe('the scan of a host key', () => {
  test('gives a line of known_hosts, and prefers ECDSA as Flux does', async () => {
    const ed25519 = utils.generateKeyPairSync('ed25519');
    const ecdsa = utils.generateKeyPairSync('ecdsa', { bits: 256 });
    await withServer([ed25519.private, ecdsa.private], async (port) => {
      const scanned = await scanHostKey('127.0.0.1', port);
      const [type, blob] = ecdsa.public.split(' ');
      expect(scanned).toEqual({ ok: true, value: `[127.0.0.1]:${port} ${type} ${blob}`.trim() });
    });
  });

  test('fails in one sentence when nobody listens', async () => {
    const free = createServer();
    await new Promise<void>((listening) => free.listen(0, '127.0.0.1', listening));
    const { port } = free.address() as AddressInfo;
    await new Promise((closed) => free.close(closed));
    const scanned = await scanHostKey('127.0.0.1', port);
    expect(scanned.ok ? '' : scanned.error).toContain(`SSH key scan for host 127.0.0.1:${port} failed, error: `);
  });

  test.each([
    ['git.example', 22, 'git.example'],
    ['git.example', 2222, '[git.example]:2222'],
    ['[::1]', 22, '[::1]'],
    ['[::1]', 2222, '[::1]:2222'],
  ])('names %s port %i as %s', (host, port, line) => {
    expect(knownHost(host, port)).toBe(line);
  });
});
