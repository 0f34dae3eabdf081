import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../../base/files.ts';
import { buildKustomization } from './build.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function build(data: string, kustomization = 'resources: [a.yaml]\n'): string {
  const files = memoryFiles({
    'kustomization.yaml': kustomization,
    'a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n${data}`,
  });
  const result = buildKustomization(files, '', { sha256 });
  return result.ok ? result.value.yaml : `failed: ${result.error.message.slice(0, 2000)}`;
}

const levels = Array.from({ length: 12 }, (_, level) =>
  level === 0
    ? 'x0: &x0 [x, x, x, x, x, x, x, x, x, x]'
    : `x${level}: &x${level} [${Array(10)
        .fill(`*x${level - 1}`)
        .join(', ')}]`,
);

describe('a build of hostile YAML', () => {
  it.each([
    ['an alias bomb (B01)', `${levels.join('\n')}\n`],
    ['lists 20,000 deep (B07)', `data: ${'['.repeat(20_000)}\n`],
    ['a node that holds itself (B08)', 'data: &d\n  self: *d\n'],
  ])('fails for %s', (_name, data) => {
    expect(build(data)).toMatch(/^failed: /);
    expect(build('', `x: y\n${data}`)).toMatch(/^failed: /);
  });

  it('keeps `__proto__` and `constructor` as data, wherever they are (B02)', () => {
    const output = build(
      'data:\n  __proto__: one\n  constructor: two\n',
      'resources: [a.yaml]\ncommonAnnotations: {__proto__: three}\npatches:\n- target: {kind: ConfigMap}\n  patch: "- {op: add, path: /data/prototype, value: four}"\n',
    );
    expect(output).toContain('data:\n  __proto__: one\n  constructor: two\n  prototype: four\n');
    expect(output).toContain('annotations:\n    __proto__: three\n');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('keeps large integers to the last digit (B03)', () => {
    expect(build('spec:\n  big: 9223372036854775807\n  exact: 9007199254740993\n')).toContain(
      'big: 9223372036854775807\n  exact: 9007199254740993\n',
    );
  });

  it.each([
    ['1e400', '1e400'],
    ['1.0', '1'],
    ['1e3', '1000'],
    ['18446744073709551615', '18446744073709551615'],
    ['18446744073709551616', '1.8446744073709552e+19'],
    ['1e21', '1e+21'],
  ])('B04: reads the number %s as kustomize does', (text, printed) => {
    expect(build(`spec:\n  v: ${text}\n`)).toContain(`spec:\n  v: ${printed}\n`);
  });

  it.each(['.inf', '-.inf', '.nan'])('B04: refuses %s, which JSON does not have', (text) => {
    expect(build(`spec:\n  v: ${text}\n`)).toMatch(/^failed: .*unsupported value: /);
  });

  it.each(['n', 'no', 'y', 'off'])('B05: keeps the key `%s` as the text that it is', (key) => {
    expect(build(`data:\n  ${key}: "1"\n`)).toContain(`data:\n  "${key}": "1"\n`);
  });

  it('B05: prints a date as Go does, and keeps text that looks like a time', () => {
    expect(build('spec:\n  day: 2024-01-02\n  at: 2024-1-2T3:4:5.60+01:00\n  time: 1:30\n')).toContain(
      'spec:\n  at: "2024-01-02T03:04:05.6+01:00"\n  day: "2024-01-02T00:00:00Z"\n  time: "1:30"\n',
    );
  });

  it('B06: gives keys that are numbers the same order and the same digest, however they were written', () => {
    const first = build('data:\n  "10": x\n  "2": z\n  b: c\n');
    expect(build('data:\n  b: c\n  "2": z\n  "10": x\n')).toBe(first);
    expect(first).toContain('data:\n  "2": z\n  "10": x\n  b: c\n');
    const generated = (literals: string): string =>
      build('', `resources: [a.yaml]\nconfigMapGenerator: [{name: g, literals: [${literals}]}]\n`);
    expect(generated('k10=x, k2=z, b=c')).toBe(generated('b=c, k2=z, k10=x'));
  });

  it('refuses a duplicate key and says where it is (B05)', () => {
    expect(build('data:\n  a: "1"\n  a: "2"\n')).toMatch(/^failed: .*line 7.*already/s);
  });
});
