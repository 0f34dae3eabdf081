import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { templateHost } from '../../build/helm/template-host.ts';
import { Executor } from '../gotemplate/execute.ts';
import { canonical } from '../gotemplate/go-string.ts';
import { MAP, namedType } from '../gotemplate/go-type.ts';
import { TemplateSet } from '../gotemplate/template-set.ts';
import { GoError, TypedMap, type Value } from '../gotemplate/value.ts';
import { parseYaml } from '../yaml/parse.ts';
import { templateFunctions } from './functions.ts';
import type { TemplateHost } from './host.ts';
import { fromJson } from './json-value.ts';

interface Vector {
  readonly values: string;
  readonly template: string;
  readonly output?: string;
  /** What the function says, without where. */
  readonly error?: string;
}

const { values, vectors } = JSON.parse(readFileSync(new URL('./testdata/functions.json', import.meta.url), 'utf8')) as {
  readonly values: Readonly<Record<string, string>>;
  readonly vectors: readonly Vector[];
};

/** The type of `.Values`. */
const VALUES = namedType('common.Values', MAP);
/** A clock that stands still, so that ages can be compared. */
const NOW = 1_735_689_600n * 1_000_000_000n;
const host: TemplateHost = { ...templateHost, now: () => NOW };

/** What a template gives with `.Values`, or the last part of its error. */
function render(text: string, yaml = '{}', with_: TemplateHost = host): string {
  const parsed = parseYaml(yaml);
  if (!parsed.ok) throw new Error(parsed.error.message);
  const set = new TemplateSet('t', templateFunctions(with_));
  const root = new TypedMap(VALUES, fromJson(parsed.value) as Map<string, Value>);
  const data: Value = new Map<string, Value>([['Values', root]]);
  try {
    set.parse('t', text);
    return canonical(new Executor(set, { missingKey: 'zero' }).execute('t', data)).replaceAll('<no value>', '');
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    return `error: ${error.message.replace(/^[\s\S]*?error calling \w+: /, '')}`;
  }
}

describe('template functions', () => {
  test('give what helm gave', () => {
    const got = vectors.map(({ template, values: name }) => ({ template, got: render(template, values[name]) }));
    const want = vectors.map(({ template, output, error }) => ({ template, got: output ?? `error: ${error}` }));
    expect(got).toEqual(want);
    expect(vectors.length).toBeGreaterThan(2000);
  });

  test.each([
    ['{{ now | date "2006-01-02T15:04:05" }}', '2025-01-01T00:00:00'],
    ['{{ ago (toDate "2006-01-02" "2024-12-31") }}', '24h0m0s'],
    ['{{ ago 1735689510 }}', '1m30s'],
    ['{{ ago "no time" }}', '0s'],
    ['{{ durationRound (toDate "2006-01-02" "2023-12-30") }}', '1y'],
    ['{{ date "2006" "no time" }}', '2025'],
    ['{{ getHostByName "example.com" }}|', '|'],
  ])('%s is %s at a fixed time', (text, want) => {
    expect(render(text)).toBe(want);
  });

  test('show local time in the zone of the host', () => {
    const there: TemplateHost = { ...host, localZone: 'America/New_York' };
    expect(render('{{ now }} {{ toDate "2006-01-02" "2024-07-01" }}', '{}', there)).toBe(
      '2024-12-31 19:00:00 -0500 EST 2024-07-01 00:00:00 -0400 EDT',
    );
  });

  test('take an address of a host name where that is allowed', () => {
    const online: TemplateHost = { ...host, addressesOf: (name) => (name === 'a.test' ? ['192.0.2.1'] : []) };
    expect(render('{{ getHostByName "a.test" }}', '{}', online)).toBe('192.0.2.1');
    expect(render('{{ getHostByName "b.test" }}', '{}', online)).toBe('error: invalid argument to Intn');
  });

  test('do not give the environment', () => {
    const functions = templateFunctions(host);
    expect(functions.has('env')).toBe(false);
    expect(functions.has('expandenv')).toBe(false);
  });

  test.each([
    ['{{ randAlphaNum 200 }}', /^[0-9A-Za-z]{200}$/],
    ['{{ randAlpha 50 }}', /^[A-Za-z]{50}$/],
    ['{{ randNumeric 50 }}', /^\d{50}$/],
    ['{{ randAscii 200 }}', /^[ -~]{200}$/],
    ['{{ randBytes 9 }}', /^[0-9A-Za-z+/]{12}$/],
    ['{{ randInt 3 6 }}', /^[345]$/],
    ['{{ shuffle "aab" }}', /^(?:aab|aba|baa)$/],
    ['{{ bcrypt "secret" }}', /^\$2a\$10\$[./0-9A-Za-z]{53}$/],
    ['{{ htpasswd "me" "secret" }}', /^me:\$2a\$10\$/],
    ['{{ genPrivateKey "rsa" }}', /^-----BEGIN RSA PRIVATE KEY-----\n/],
    ['{{ genPrivateKey "ecdsa" }}', /^-----BEGIN EC PRIVATE KEY-----\n/],
    ['{{ genPrivateKey "ed25519" }}', /^-----BEGIN PRIVATE KEY-----\n/],
  ])('%s gives something random of its kind', (text, shape) => {
    expect(render(text)).toMatch(shape);
  });
});

describe('bounds (A12, A13)', () => {
  test.each([
    ['{{ repeat 1000000000 "x" }}', 'repeat: result of 1000000000 bytes'],
    ['{{ range until 1000000000 }}x{{ end }}', 'until: list of 1000000000 elements'],
    ['{{ untilStep 0 1000000000 1 }}', 'untilStep: list of 1000000000 elements'],
    ['{{ seq 1000000000 }}', 'seq: list of 1000000000 elements'],
    ['{{ randAlpha 1000000000 }}', 'randAlpha: result of 1000000000 bytes'],
    ['{{ randBytes 1000000000 }}', 'randBytes: result of 1333333336 bytes'],
    ['{{ indent 1000000000 "x" }}', 'indent: result of 1000000000 bytes'],
    ['{{ nindent 1000000 (repeat 1000 "\\n") }}', 'nindent: result of'],
    ['{{ replace "a" (repeat 100000 "b") (repeat 100000 "a") }}', 'replace: result of'],
    ['{{ regexReplaceAll "a" (repeat 100000 "a") (repeat 100000 "b") }}', 'regexReplaceAll: result of'],
    ['{{ join (repeat 1000000 "x") (until 1000) }}', 'join: result of'],
    ['{{ wrapWith 1 (repeat 1000000 "x") (repeat 1000 "a") }}', 'wrap: result of'],
    ['{{ splitList "" (repeat 2000000 "x") }}', 'split: list of 2000000 elements'],
    ['{{ range until 100 }}{{ genPrivateKey "ed25519" }}{{ end }}', 'genPrivateKey: more than 10 new keys'],
    ['{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ deepCopy $d }}', 'deepCopy: value is nested'],
    ['{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toYamlPretty $d }}', 'toYamlPretty: value is nested'],
    ['{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toToml $d }}', 'toToml: value is nested'],
  ])('%s fails with a clear error', (text, message) => {
    expect(render(text)).toContain(`error: ${message}`);
  });

  test.each(['toJson', 'toYaml', 'toYamlPretty', 'toToml', 'deepCopy'])(
    '%s does not unfold what is shared a billion times',
    (name) => {
      const doubled = Array.from({ length: 26 }, () => '{{ $d = dict "a" $d "b" $d }}').join('');
      expect(render(`{{ $d := dict }}${doubled}{{ ${name} $d | len }}`)).toMatch(/^error: /);
    },
  );

  test('a map that holds itself is no JSON', () => {
    expect(render('{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toJson $d }}|')).toBe('|');
    expect(render('{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ mustToJson $d }}')).toBe(
      'error: json: unsupported value: encountered a cycle via map[string]interface {}',
    );
  });

  test('hostile regular expressions take linear time', () => {
    expect(render('{{ regexMatch "^(a+)+$" (printf "%s!" (repeat 50000 "a")) }}')).toBe('false');
  });
});
