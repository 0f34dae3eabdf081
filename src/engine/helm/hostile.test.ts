import { describe, expect, it } from 'vitest';
import { templateHost } from '../../build/helm/template-host.ts';
import { DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION } from './capabilities.ts';
import { type ChartFile, MAX_FILE_BYTES } from './chart.ts';
import { loadChart } from './load-chart.ts';
import { renderChart } from './render-chart.ts';
import { userValues } from './user-values.ts';

const CHART = 'apiVersion: v2\nname: c\nversion: 0.1.0\n';

function files(record: Readonly<Record<string, string>>): readonly ChartFile[] {
  return Object.entries({ 'Chart.yaml': CHART, ...record }).map(([name, text]) => ({
    name,
    data: new TextEncoder().encode(text),
  }));
}

/** The notes that a chart of these files renders, or the error. */
function notes(record: Readonly<Record<string, string>>): string {
  const ports = { unpack: () => ({ ok: false, error: 'no archive' }) as const, warn: () => {} };
  const chart = loadChart(files(record), ports);
  if (!chart.ok) return `${chart.error.code}: ${chart.error.message}`;
  const rendered = renderChart(
    chart.value,
    {},
    {
      release: { name: 'r', namespace: 'n', revision: 1, isUpgrade: false },
      capabilities: { kubeVersion: DEFAULT_KUBE_VERSION, apiVersions: DEFAULT_API_VERSIONS },
      host: templateHost,
      warn: () => {},
    },
  );
  return rendered.ok ? rendered.value.notes : `${rendered.error.code}: ${rendered.error.message}`;
}

const template = (text: string): string => notes({ 'templates/NOTES.txt': text });
const schema = (value: unknown, values = 'a: 1'): string =>
  notes({ 'values.schema.json': JSON.stringify(value), 'values.yaml': values });

describe('a hostile template', () => {
  it.each([
    ['{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}', 'has a nested reference name: x'],
    ['{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}', 'exceeded maximum template depth'],
    ['{{ define "x" }}{{ tpl "{{ include \\"x\\" . }}" . }}{{ end }}{{ include "x" . }}', 'template: '],
    ['{{ range until 1000000000 }}{{ end }}', 'is more than the'],
    ['{{ repeat 1000000000 "x" }}', 'is more than the'],
    [
      '{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}x{{ end }}{{ end }}{{ end }}',
      'rendering takes more than',
    ],
    ['{{ $x := "xxxxxxxx" }}{{ range until 64 }}{{ $x = printf "%s%s" $x $x }}{{ end }}', 'than'],
    ['{{ range until 1000 }}{{ genPrivateKey "ed25519" }}{{ end }}', 'more than 10'],
    ['{{ env "HOME" }}', 'function "env" not defined'],
  ])('%s ends', (text, why) => {
    expect(template(text)).toContain(why);
  });

  it.each([
    ['{{ .Files.Get "../../../etc/passwd" }}|{{ .Files.Get "/etc/passwd" }}', '|'],
    ['{{ getHostByName "localhost" }}|{{ lookup "v1" "Secret" "" "" }}', '|map[]'],
  ])('%s sees nothing of the world', (text, seen) => {
    expect(template(text)).toBe(seen);
  });
});

describe('a hostile chart', () => {
  it.each([
    [{ 'Chart.yaml': 'apiVersion: v2\nname: ..\nversion: 1.0.0\n' }, '".." is not allowed'],
    [{ 'Chart.yaml': 'apiVersion: v2\nname: ../../x\nversion: 1.0.0\n' }, '"../../x" is invalid'],
    [
      { 'Chart.yaml': `${CHART}dependencies: [{name: a, version: 1.0.0, alias: ../x}]\n` },
      'disallowed characters in the alias',
    ],
    [{ 'Chart.yaml': `${CHART}dependencies: [null]\n` }, 'dependencies: '],
    [{ 'Chart.yaml': '[1, 2' }, 'cannot load Chart.yaml'],
    [{ 'values.yaml': '- a\n' }, 'cannot unmarshal array into Go value'],
    [{ 'values.yaml': `${'{a: '.repeat(800)}1${'}'.repeat(800)}` }, 'nested deeper'],
    [{ 'values.yaml': `a0: &a0 [x]\n${bomb(40)}` }, 'excessive aliasing'],
    [{ 'x.bin': 'x'.repeat(MAX_FILE_BYTES + 1) }, 'larger than the maximum file size'],
    [deep(40), 'nested deeper than 16'],
    [{ 'charts/a.tgz': 'no archive' }, 'error unpacking subchart a.tgz in c: no archive'],
  ] as const)('%# is refused', (record, why) => {
    expect(notes(record as Readonly<Record<string, string>>)).toContain(why);
  });

  it('keeps __proto__ as data', () => {
    const values = notes({
      'values.yaml': '__proto__: {a: 1}\nb: {__proto__: {c: 2}}\n',
      'templates/NOTES.txt': '{{ toJson .Values }}',
    });
    expect(values).toBe('{"__proto__":{"a":1},"b":{"__proto__":{"c":2}}}');
    expect(({} as { a?: number }).a).toBeUndefined();
  });

  it('gets no further with aliases of aliases', () => {
    const aliases = Array.from({ length: 40 }, (_, index) => `{name: x, version: 0.1.0, alias: x${index}}`).join(', ');
    const record: Record<string, string> = {};
    for (let depth = 0, path = ''; depth < 6; depth++, path += 'charts/x/') {
      const name = depth === 0 ? 'c' : 'x';
      record[`${path}Chart.yaml`] = `apiVersion: v2\nname: ${name}\nversion: 0.1.0\ndependencies: [${aliases}]\n`;
    }
    record['charts/x/charts/x/charts/x/charts/x/charts/x/charts/x/Chart.yaml'] =
      'apiVersion: v2\nname: x\nversion: 0.1.0\n';
    expect(notes(record)).toContain('limit: ');
  });
});

/** Each line doubles the one before it. */
function bomb(lines: number): string {
  return Array.from({ length: lines }, (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]\n`).join(
    '',
  );
}

function deep(levels: number): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: levels }, (_, depth) => [`${'charts/c/'.repeat(depth)}Chart.yaml`, CHART]),
  );
}

describe('a hostile schema', () => {
  it.each([
    [{ $ref: 'http://169.254.169.254/latest' }, 'nothing is fetched'],
    [{ $ref: 'file:///etc/passwd' }, 'nothing is fetched'],
    [{ $ref: '#' }, 'lead in a circle'],
    [
      { $defs: { a: { $ref: '#/$defs/b' }, b: { allOf: [{ $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' },
      'lead in a circle',
    ],
    [{ properties: { a: { pattern: '(?=x)' } } }, 'ok'],
    [doubling(60), 'steps'],
    [{ properties: { a: { enum: [2] } } }, "at '/a': value must be 2"],
  ])('%# is bounded', (value, why) => {
    const said = schema(value);
    expect(said === '' ? 'ok' : said).toContain(why);
  });

  it('is refused when it is nested without end', () => {
    const text = `${'{"not":'.repeat(50_000)}{}${'}'.repeat(50_000)}`;
    expect(notes({ 'values.schema.json': text })).toContain('exceeded max depth');
    const less = `${'{"not":'.repeat(500)}{}${'}'.repeat(500)}`;
    expect(notes({ 'values.schema.json': less })).toContain('nested too deep');
  });

  it('has patterns that take linear time', () => {
    expect(schema({ properties: { a: { pattern: '^(a+)+$' } } }, `a: ${'a'.repeat(5000)}!`)).toContain(
      'does not match pattern',
    );
  });
});

function doubling(levels: number): unknown {
  const $defs = Object.fromEntries(
    Array.from({ length: levels }, (_, index) => {
      const next = { $ref: `#/$defs/d${index + 1}` };
      return [`d${index}`, { allOf: [{ properties: { z: next } }, { anyOf: [next, next] }, next] }];
    }),
  );
  return { $defs: { ...$defs, [`d${levels}`]: { type: 'string' } }, $ref: '#/$defs/d0' };
}

describe('hostile flags', () => {
  it.each([
    ['a[70000]=1', 'greater than maximum supported index of 65536'],
    [`${'a.'.repeat(40)}b=1`, 'maximum supported nested level of 30'],
    ['a[-1]=1', 'negative -1 index not allowed'],
    ['__proto__.x=1', 'ok'],
  ])('--set %s', (text, why) => {
    const values = userValues({ typed: [text] });
    expect(values.ok ? 'ok' : values.error.message).toContain(why);
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});
