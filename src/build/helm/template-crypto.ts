import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, scryptSync } from 'node:crypto';
import { encodeBase64, hashSync } from 'bcryptjs';
import type { TemplateCrypto } from '../../engine/sprig/host.ts';
import { checkCertificate, issueCertificate } from './template-certificate.ts';
import { generateKey, keyPem, readKey } from './template-keys.ts';

/** The cryptography of chart templates, by node:crypto. */
export const templateCrypto: TemplateCrypto = {
  randomBytes: (count) => randomBytes(count),
  hash: (name, bytes) => createHash(name).update(bytes).digest(),
  hmacSha256: (key, bytes) => createHmac('sha256', key).update(bytes).digest(),
  scrypt: (password, salt, { n, r, p }, length) =>
    // OpenSSL refuses above 32 MiB unless told; a run needs 128 * n * r bytes and some more.
    scryptSync(password, salt, length, { N: n, r, p, maxmem: 256 * n * r }),
  bcrypt: (password, cost) => {
    const salt = `$2a$${String(cost).padStart(2, '0')}$${encodeBase64(randomBytes(16), 16)}`;
    return hashSync(Buffer.from(password).toString('utf8'), salt);
  },
  aesCbc: (direction, key, iv, blocks) => {
    const make = direction === 'encrypt' ? createCipheriv : createDecipheriv;
    const cipher = make('aes-256-cbc', key, iv).setAutoPadding(false);
    return Buffer.concat([cipher.update(blocks), cipher.final()]);
  },
  generateKey,
  normalizeKey: (pem) => keyPem(readKey(pem)),
  checkCertificate: (der) => {
    checkCertificate(der);
  },
  issueCertificate,
};
