import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChartFile } from '../../../src/engine/helm/chart.ts';
import { attempt, fail } from '../../../src/engine/helm/failure.ts';
import { loadChart } from '../../../src/engine/helm/load-chart.ts';
import { parseHelmArguments } from '../../support/helm-arguments.ts';
import { renderForTest } from '../../support/helm-render.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

type Files = Readonly<Record<string, string>>;

interface Fixture {
  readonly chartYaml: string;
  readonly valuesYaml: string;
  readonly files: Files;
  readonly releaseName: string;
}

interface Vector {
  readonly id: string;
  readonly template: string;
  readonly values?: string;
  readonly chart?: string;
  readonly templates?: Files;
  readonly schema?: string;
  readonly vfiles?: Files;
  readonly args?: readonly string[];
  readonly expect: { readonly output?: string; readonly error?: string; readonly errorCore?: string };
}

/** Templates that helm rendered as a chart's notes: the same text, or the same error in full. */
export const set: ConformanceSet = {
  name: 'gotmpl',
  async run(directory) {
    const read = (name: string): unknown => JSON.parse(readFileSync(join(directory, name), 'utf8'));
    const fixture = read('_fixture.json') as Fixture;
    const names = readdirSync(directory).filter((name) => name.endsWith('.json') && !name.startsWith('_'));
    return names.sort().flatMap((name) => (read(name) as readonly Vector[]).map((vector) => play(fixture, vector)));
  },
};

function play(fixture: Fixture, vector: Vector): CaseResult {
  const { id, expect } = vector;
  let got: string;
  try {
    got = notes(fixture, vector);
  } catch (failure) {
    return { id, passed: false, detail: failure instanceof Error ? (failure.stack ?? '') : String(failure) };
  }
  const want = expect.error === undefined ? `output: ${expect.output}` : `error: ${expect.error}`;
  if (inOrder(got) === inOrder(want)) return { id, passed: true };
  return { id, passed: false, detail: `${vector.template}\nwant ${want}\ngot  ${got}` };
}

function inOrder(text: string): string {
  return text.startsWith("error: values don't meet") ? text.trimEnd().split('\n').sort().join('\n') : text;
}

function notes(fixture: Fixture, vector: Vector): string {
  const own = vector.values === undefined ? fixture.files : {};
  const files: ChartFile[] = Object.entries({
    'Chart.yaml': vector.chart ?? fixture.chartYaml,
    'values.yaml': vector.values ?? fixture.valuesYaml,
    ...own,
    ...Object.fromEntries(Object.entries(vector.templates ?? {}).map(([name, text]) => [`templates/${name}`, text])),
    ...(vector.schema !== undefined && { 'values.schema.json': vector.schema }),
    'templates/NOTES.txt': vector.template,
  }).map(([name, text]) => ({ name, data: new TextEncoder().encode(text) }));
  const failed = (message: string): string => `error: ${message}`;
  const readFile = (name: string): string =>
    vector.vfiles?.[name.replace(/^@/, '')] ?? fail('values', `open ${name}: no such file or directory`);
  const options = attempt(() => parseHelmArguments(vector.args ?? [], readFile));
  if (!options.ok) return failed(options.error.message);
  const chart = loadChart(files, { unpack: () => ({ ok: false, error: 'no archive is recorded' }), warn: () => {} });
  if (!chart.ok) return failed(chart.error.message);
  const rendered = renderForTest(chart.value, fixture.releaseName, options.value);
  return rendered.ok ? `output: ${rendered.value.notes}` : failed(rendered.error.message);
}
