import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { objections, parseConstraint, satisfies } from '../../../src/engine/semver/constraint.ts';
import {
  compareVersions,
  parseStrictVersion,
  parseTagVersion,
  parseVersion,
  printVersion,
  type Version,
} from '../../../src/engine/semver/version.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

interface Vector {
  readonly id: string;
  readonly op: 'match' | 'parse' | 'strictparse' | 'fluxparse' | 'compare' | 'sort' | 'latest';
  readonly constraint: string;
  readonly version: string;
  readonly versions: readonly string[];
  readonly a: string;
  readonly b: string;
  readonly expect: unknown;
}

export const set: ConformanceSet = {
  name: 'semver',
  async run(directory): Promise<readonly CaseResult[]> {
    const vectors = JSON.parse(readFileSync(join(directory, 'vectors.json'), 'utf8')) as readonly Vector[];
    return vectors.map((vector) => {
      const got = play(vector);
      if (isDeepStrictEqual(got, vector.expect)) return { id: vector.id, passed: true };
      return {
        id: vector.id,
        passed: false,
        detail: `want ${JSON.stringify(vector.expect)}\ngot  ${JSON.stringify(got)}`,
      };
    });
  },
};

function play(vector: Vector): unknown {
  switch (vector.op) {
    case 'match':
      return match(vector.constraint, vector.version);
    case 'strictparse':
    case 'parse': {
      const version = (vector.op === 'parse' ? parseVersion : parseStrictVersion)(vector.version);
      if (!version.ok) return { error: version.error };
      const { major, minor, patch, ...rest } = version.value;
      const numbers = { major: Number(major), minor: Number(minor), patch: Number(patch) };
      return { ...numbers, ...rest, string: printVersion(version.value) };
    }
    case 'fluxparse': {
      const version = parseTagVersion(vector.version);
      return version.ok ? { string: printVersion(version.value) } : { error: version.error };
    }
    case 'compare':
      return { compare: compareVersions(must(vector.a), must(vector.b)) };
    case 'sort': {
      const versions = vector.versions.map(parseVersion);
      const bad = versions.find((version) => !version.ok);
      if (bad !== undefined && !bad.ok) return { error: bad.error };
      return {
        sorted: vector.versions
          .map(must)
          .sort(compareVersions)
          .map(({ original }) => original),
      };
    }
    case 'latest': {
      const constraint = parseConstraint(vector.constraint);
      if (!constraint.ok) return { constraintError: constraint.error };
      const versions = vector.versions.flatMap((text) => {
        const version = parseTagVersion(text);
        return version.ok && satisfies(version.value, constraint.value) ? [version.value] : [];
      });
      return { sortedDesc: versions.sort((a, b) => compareVersions(b, a)).map(({ original }) => original) };
    }
  }
}

function match(text: string, versionText: string): unknown {
  const constraint = parseConstraint(text);
  if (!constraint.ok) return { constraintError: constraint.error };
  const version = parseVersion(versionText);
  if (!version.ok) return { versionError: version.error };
  if (satisfies(version.value, constraint.value)) return { match: true };
  return { match: false, reasons: objections(version.value, constraint.value) };
}

function must(text: string): Version {
  const version = parseVersion(text);
  if (!version.ok) throw new Error(`${text}: ${version.error}`);
  return version.value;
}
