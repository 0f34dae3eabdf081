import { err, type Result } from '../../base/result.ts';
import { type FuncMap, func } from '../gotemplate/func.ts';
import { pointerTo, STRING, structType, UINT64 } from '../gotemplate/go-type.ts';
import { int } from '../gotemplate/make-value.ts';
import { unquote } from '../gotemplate/quote.ts';
import { GoError, type GoType, type Method, Struct, Typed, type Value } from '../gotemplate/value.ts';
import { parseConstraint, satisfies } from '../semver/constraint.ts';
import { compareVersions, parseVersion, printVersion, type Version } from '../semver/version.ts';
import type { Equality } from './deep-equal.ts';
import type { JsonForm } from './json-form.ts';

/** Versions. Source: sprig@3.3.0 semver.go, Masterminds/semver@3.4.0 version.go. */
export function semverFunctions(): FuncMap {
  return new Map([
    ['semver', func([STRING], (text) => versionValue(unwrap(parseVersion(text))))],
    [
      'semverCompare',
      func([STRING, STRING], (constraint, version) => {
        const range = unwrap(asHelmSays(parseConstraint(constraint)));
        return satisfies(unwrap(parseVersion(version)), range);
      }),
    ],
  ]);
}

/** The version of Masterminds/semver that Helm is built with does not quote a bad constraint. */
function asHelmSays<T>(result: Result<T, string>): Result<T, string> {
  const match = result.ok ? null : /^improper constraint: (".*")$/s.exec(result.error);
  return match === null ? result : err(`improper constraint: ${unquote(match[1] as string)}`);
}

function unwrap<T>(result: Result<T, string>): T {
  if (!result.ok) throw new GoError(result.error);
  return result.value;
}

class VersionData implements Equality, JsonForm {
  readonly version: Version;

  constructor(version: Version) {
    this.version = version;
  }

  jsonForm(): string {
    return printVersion(this.version);
  }

  equals(other: unknown): boolean {
    return other instanceof VersionData && other.version.original === this.version.original;
  }
}

const VERSION: GoType<Struct> = pointerTo(
  structType('semver.Version', {
    text: (value) => printVersion(versionOf(value)),
    methods: new Map(
      Array.from(versionMethods(), ([name, method]) => [name, (value: Value) => method(versionOf(value))] as const),
    ),
  }),
);

function versionValue(version: Version): Value {
  return new Struct(VERSION, new Map(), new VersionData(version));
}

const NO_VERSION: Version = { major: 0n, minor: 0n, patch: 0n, prerelease: '', metadata: '', original: '' };

function versionOf(value: Value): Version {
  return value instanceof Struct && value.data instanceof VersionData ? value.data.version : NO_VERSION;
}

function versionMethods(): Map<string, (version: Version) => ReturnType<Method>> {
  const field = (pick: (version: Version) => Value) => (version: Version) => func([], () => pick(version));
  const compare = (test: (order: number) => Value) => (version: Version) =>
    func([VERSION], (other) => test(compareVersions(version, versionOf(other))));
  const next = (step: (version: Version) => Pick<Version, 'major' | 'minor' | 'patch'>) =>
    field((version) => {
      const stepped = { ...version, ...step(version), prerelease: '', metadata: '' };
      const prefix = version.original.startsWith('v') ? 'v' : '';
      return new Struct(
        PLAIN_VERSION,
        new Map(),
        new VersionData({ ...stepped, original: prefix + printVersion(stepped) }),
      );
    });
  return new Map<string, (version: Version) => ReturnType<Method>>([
    ['Compare', compare((order) => int(Math.sign(order)))],
    ['Equal', compare((order) => order === 0)],
    ['GreaterThan', compare((order) => order > 0)],
    ['GreaterThanEqual', compare((order) => order >= 0)],
    ['LessThan', compare((order) => order < 0)],
    ['LessThanEqual', compare((order) => order <= 0)],
    ['Major', field(({ major }) => new Typed(UINT64, major))],
    ['Minor', field(({ minor }) => new Typed(UINT64, minor))],
    ['Patch', field(({ patch }) => new Typed(UINT64, patch))],
    ['Prerelease', field(({ prerelease }) => prerelease)],
    ['Metadata', field(({ metadata }) => metadata)],
    ['Original', field(({ original }) => original)],
    ['String', field(printVersion)],
    ['IncMajor', next(({ major }) => ({ major: major + 1n, minor: 0n, patch: 0n }))],
    ['IncMinor', next(({ major, minor }) => ({ major, minor: minor + 1n, patch: 0n }))],
    // A prerelease comes before its patch version, so that is the next one.
    [
      'IncPatch',
      next(({ major, minor, patch, prerelease }) => ({ major, minor, patch: prerelease === '' ? patch + 1n : patch })),
    ],
  ]);
}

/** Methods that Go declares on the pointer: a version that IncPatch and its like give has none of them. */
const POINTER_METHODS: ReadonlySet<string> = new Set(
  'Compare Equal GreaterThan GreaterThanEqual LessThan LessThanEqual Original'.split(' '),
);
const PLAIN_VERSION: GoType<Struct> = structType('semver.Version', {
  text: (value) => printVersion(versionOf(value)),
  methods: new Map(Array.from(VERSION.methods ?? []).filter(([name]) => !POINTER_METHODS.has(name))),
});
