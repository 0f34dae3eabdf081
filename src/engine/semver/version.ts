import { err, ok, type Result } from '../../base/result.ts';

/** A version as Masterminds/semver reads it. Source: github.com/Masterminds/semver/v3@3.5.0 version.go. */
export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  /** Without its dash; '' for a release. */
  readonly prerelease: string;
  /** Build metadata without its plus; does not count when versions are compared. */
  readonly metadata: string;
  /** The text it was read from. */
  readonly original: string;
}

const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const LOOSE = new RegExp(`^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?(?:-(${IDENTIFIERS}))?(?:\\+(${IDENTIFIERS}))?$`);
const MAX_UINT64 = 2n ** 64n - 1n;
/** Longer texts are no versions anyone means; the bound keeps arithmetic on hostile tags cheap. */
const MAX_LENGTH = 256;
const INVALID = 'invalid semantic version';
const LEADING_ZERO = 'version segment starts with 0';

/** Reads a version; a leading `v` and missing minor and patch are accepted. */
export function parseVersion(text: string): Result<Version, string> {
  const match = text.length > MAX_LENGTH ? null : LOOSE.exec(text);
  if (match === null) return err(INVALID);
  const [major, minor, patch] = [match[1], match[2], match[3]].map((digits) => BigInt(digits ?? '0'));
  const prerelease = match[4] ?? '';
  if (major === undefined || minor === undefined || patch === undefined) return err(INVALID);
  if (major > MAX_UINT64 || minor > MAX_UINT64 || patch > MAX_UINT64) return err(INVALID);
  if (prerelease.split('.').some((part) => /^0[0-9]+$/.test(part))) return err(LEADING_ZERO);
  return ok({ major, minor, patch, prerelease, metadata: match[5] ?? '', original: text });
}

/** Reads a version as the specification of Semantic Versioning 2.0 wants it. */
export function parseStrictVersion(text: string): Result<Version, string> {
  const core = text.split(/[-+]/, 1)[0] ?? '';
  const parts = core.split('.');
  if (parts.length !== 3 || parts.some((part) => !/^[0-9]+$/.test(part))) return err(INVALID);
  if (parts.some((part) => /^0[0-9]/.test(part))) return err(LEADING_ZERO);
  return parseVersion(text);
}

/** Reads a tag as Flux does: like {@link parseVersion}, but with all three numbers. Source: fluxcd/pkg version ParseVersion. */
export function parseTagVersion(text: string): Result<Version, string> {
  return text.split('.', 3).length === 3 ? parseVersion(text) : err(INVALID);
}

/** `1.2.3-rc.1+build`, without a leading v. */
export function printVersion({ major, minor, patch, prerelease, metadata }: Version): string {
  return `${major}.${minor}.${patch}${prerelease === '' ? '' : `-${prerelease}`}${metadata === '' ? '' : `+${metadata}`}`;
}

/** Order by precedence: negative when `a` comes first. Build metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  if (a.major !== b.major) return a.major < b.major ? -1 : 1;
  if (a.minor !== b.minor) return a.minor < b.minor ? -1 : 1;
  if (a.patch !== b.patch) return a.patch < b.patch ? -1 : 1;
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  return comparePrereleases(a.prerelease, b.prerelease);
}

export function comparePrereleases(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compareParts(left[index] ?? '', right[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '' || b === '') return a === '' ? -1 : 1;
  const left = uint64(a);
  const right = uint64(b);
  if (left === undefined && right === undefined) return a > b ? 1 : -1;
  if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
  return left > right ? 1 : -1;
}

/** A number too large for Go's uint64 is compared as text there, and so here. */
function uint64(text: string): bigint | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text);
  return value > MAX_UINT64 ? undefined : value;
}
