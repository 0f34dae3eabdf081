import { createHash, timingSafeEqual } from 'node:crypto';

/** What `--artifact-digest-algo` accepts. */
export const DIGEST_ALGORITHMS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** `<algorithm>:<hex>` of `bytes`. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha1: 40, sha256: 64, sha384: 96, sha512: 128 };

/** Splits `<algorithm>:<hex>`; undefined for an unknown algorithm or a hash of the wrong length. */
export function parseDigest(digest: string): { readonly algorithm: DigestAlgorithm; readonly hex: string } | undefined {
  const [, name, hex] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(digest) ?? [];
  const algorithm = DIGEST_ALGORITHMS.find((known) => known === name);
  if (algorithm === undefined || hex?.length !== HEX_LENGTH[algorithm]) return undefined;
  return { algorithm, hex };
}

/** Whether `bytes` have this digest; false for a digest that cannot be read. */
export function matchesDigest(bytes: Uint8Array, digest: string): boolean {
  const parsed = parseDigest(digest);
  if (parsed === undefined) return false;
  return timingSafeEqual(createHash(parsed.algorithm).update(bytes).digest(), Buffer.from(parsed.hex, 'hex'));
}
