import { err, ok, type Result } from '../../base/result.ts';
import { comparePrereleases, compareVersions, parseVersion, printVersion, type Version } from './version.ts';

/** A range of versions in Masterminds' syntax. Source: github.com/Masterminds/semver/v3@3.5.0 constraints.go. */
export interface Constraint {
  /** Groups joined by `||`, each a list of comparisons that must all hold. */
  readonly groups: readonly Group[];
}
interface Group {
  readonly comparisons: readonly Comparison[];
  /** One comparison with a prerelease lets prereleases pass in its whole group. */
  readonly allowsPrereleases: boolean;
}
interface Comparison {
  readonly operator: string;
  readonly version: Version;
  readonly original: string;
  /** Some number is missing or a wildcard; which one. */
  readonly dirty: boolean;
  readonly minorDirty: boolean;
  readonly patchDirty: boolean;
}

const OPERATOR = '(?:!=|>=|=>|<=|=<|~>|=|>|<|~|\\^|)';
const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = `v?[0-9xX*]+(?:\\.[0-9xX*]+)?(?:\\.[0-9xX*]+)?(?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?`;
// Only for text whose white space was made single: every gap then has one reading, and a mismatch is found in linear time.
const ONE = `(?:(?:!=|>=|=>|<=|=<|~>|=|>|<|~|\\^) ?)?${VERSION}`;
const VALID = new RegExp(`^ ?${ONE}(?:[ ,]${ONE})* ?$`);
const EACH = new RegExp(`(${OPERATOR})\\s*(${VERSION})`, 'g');
const RANGE = new RegExp(` ?(${VERSION}) - (${VERSION}) ?`, 'g');
const PARTS = new RegExp(
  `^v?([0-9xX*]+)(?:\\.([0-9xX*]+))?(?:\\.([0-9xX*]+))?(-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?$`,
);
/** Far above any range in use; keeps the pattern match on hostile input short. */
const MAX_LENGTH = 512;

/** Reads a constraint such as `>=1.2 <2 || ~3.1`; errors are Masterminds' (`improper constraint: "…"`). */
export function parseConstraint(text: string): Result<Constraint, string> {
  if (text.length > MAX_LENGTH) return err(`improper constraint: ${JSON.stringify(`${text.slice(0, 50)}…`)}`);
  const groups: Group[] = [];
  for (const part of text.replace(/\s+/g, ' ').replace(RANGE, ' >=$1 <=$2 ').split('||')) {
    if (!VALID.test(part.replace(/ +/g, ' ').replace(/ ?, ?/g, ',')))
      return err(`improper constraint: ${JSON.stringify(part)}`);
    const comparisons: Comparison[] = [];
    for (const match of part.matchAll(EACH)) {
      const comparison = parseComparison(match[1] as string, match[2] as string);
      if (comparison === undefined) return err('constraint parser error');
      comparisons.push(comparison);
    }
    groups.push({ comparisons, allowsPrereleases: comparisons.some(({ version }) => version.prerelease !== '') });
  }
  return ok({ groups });
}

function parseComparison(operator: string, original: string): Comparison | undefined {
  const match = PARTS.exec(original);
  if (match === null) return undefined;
  const [, major = '', minor = '*', patch = '*', prerelease = ''] = match;
  const majorDirty = isWildcard(major);
  const minorDirty = !majorDirty && isWildcard(minor);
  const patchDirty = !majorDirty && !minorDirty && isWildcard(patch);
  const dirty = majorDirty || minorDirty || patchDirty;
  const numbers = majorDirty ? '0.0.0' : minorDirty ? `${major}.0.0` : patchDirty ? `${major}.${minor}.0` : '';
  const version = parseVersion(dirty ? numbers + prerelease : original);
  if (!version.ok) return undefined;
  return { operator, version: version.value, original, dirty, minorDirty, patchDirty };
}

function isWildcard(part: string): boolean {
  return part === 'x' || part === 'X' || part === '*';
}

/** Whether `version` lies in the range. */
export function satisfies(version: Version, constraint: Constraint): boolean {
  return constraint.groups.some(({ comparisons, allowsPrereleases }) =>
    comparisons.every((comparison) => objection(version, comparison, allowsPrereleases) === undefined),
  );
}

/** Why `version` lies outside of the range, a reason per failed comparison; empty when it lies inside. */
export function objections(version: Version, constraint: Constraint): readonly string[] {
  const reasons: string[] = [];
  for (const { comparisons, allowsPrereleases } of constraint.groups) {
    const found = comparisons.flatMap((comparison) => objection(version, comparison, allowsPrereleases) ?? []);
    if (found.length === 0) return [];
    for (const reason of found)
      if (reason !== prereleaseReason(version) || !reasons.includes(reason)) reasons.push(reason);
  }
  return reasons;
}

function prereleaseReason(version: Version): string {
  return `"${printVersion(version)}" is a prerelease version and the constraint is only looking for release versions`;
}

function objection(v: Version, c: Comparison, allowsPrereleases: boolean): string | undefined {
  if (v.prerelease !== '' && !allowsPrereleases) return prereleaseReason(v);
  const say = (text: string): string => `"${printVersion(v)}" ${text}`;
  const than = (text: string): string => say(`${text} "${c.original}"`);
  const order = compareVersions(v, c.version);
  switch (c.operator) {
    case '!=':
      return isOutside(v, c) ? undefined : than('is equal to');
    case '>':
      return isAbove(v, c) ? undefined : than('is less than or equal to');
    case '<':
      return order < 0 ? undefined : than('is greater than or equal to');
    case '>=':
    case '=>':
      return order >= 0 ? undefined : than('is less than');
    case '<=':
    case '=<':
      return isAtMost(v, c) ? undefined : than('is greater than');
    case '~':
    case '~>':
      return tilde(v, c, than);
    case '^':
      return caret(v, c, than);
    default:
      if (c.dirty) return tilde(v, c, than);
      return order === 0 ? undefined : than('is not equal to');
  }
}

function isOutside(v: Version, c: Comparison): boolean {
  if (!c.dirty) return compareVersions(v, c.version) !== 0;
  if (v.major !== c.version.major) return true;
  if (c.minorDirty) return false;
  if (v.minor !== c.version.minor) return true;
  if (c.patchDirty) return comparePrereleases(v.prerelease, c.version.prerelease) !== 0;
  return compareVersions(v, c.version) !== 0;
}

/** `>11` wants 12 or higher, `>11.1` wants 11.2 or higher. */
function isAbove(v: Version, c: Comparison): boolean {
  if (c.dirty) {
    if (v.major !== c.version.major) return v.major > c.version.major;
    if (c.minorDirty) return false;
    if (c.patchDirty) return v.minor > c.version.minor;
  }
  return compareVersions(v, c.version) > 0;
}

function isAtMost(v: Version, c: Comparison): boolean {
  if (!c.dirty) return compareVersions(v, c.version) <= 0;
  if (v.major > c.version.major) return false;
  return !(v.major === c.version.major && v.minor > c.version.minor && !c.minorDirty);
}

function tilde(v: Version, c: Comparison, than: (text: string) => string): string | undefined {
  if (compareVersions(v, c.version) < 0) return than('is less than');
  const { major, minor, patch } = c.version;
  // ~0.0.0, and so a bare wildcard, takes everything from there on.
  if (major === 0n && minor === 0n && patch === 0n && !c.minorDirty && !c.patchDirty) return undefined;
  if (v.major !== major) return than('does not have same major version as');
  if (v.minor !== minor && !c.minorDirty) return than('does not have same major and minor version as');
  return undefined;
}

function caret(v: Version, c: Comparison, than: (text: string) => string): string | undefined {
  const { major, minor, patch } = c.version;
  if (compareVersions(v, c.version) < 0) return than('is less than');
  if (major > 0n || c.minorDirty) return v.major === major ? undefined : than('does not have same major version as');
  if (v.major > 0n) return than('does not have same major version as');
  if (minor > 0n || c.patchDirty) {
    if (v.minor === minor) return undefined;
    return `${than('does not have same minor version as')}. Expected minor versions to match when constraint major version is 0`;
  }
  if (v.minor > 0n) return than('does not have same minor version as');
  if (v.patch === patch) return undefined;
  return `${than('does not equal')}. Expect version and constraint to equal when major and minor versions are 0`;
}
