import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { realPath } from '../../../src/base/files.ts';
import { diskFiles } from '../../../src/build/disk-files.ts';
import { chartFolder } from '../../../src/engine/helm/chart-folder.ts';
import { attempt, fail } from '../../../src/engine/helm/failure.ts';
import { loadChart } from '../../../src/engine/helm/load-chart.ts';
import { printRelease } from '../../../src/engine/helm/print-release.ts';
import { parseHelmArguments } from '../../support/helm-arguments.ts';
import { renderForTest } from '../../support/helm-render.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';
import { firstDifference } from './kustomize.ts';

interface Case {
  readonly name: string;
  readonly chart: string;
  readonly release: string;
  readonly args: readonly string[];
  readonly exit: number;
  readonly expected?: string;
  readonly error?: string;
  readonly warnings?: string;
}

/** Charts that `helm template` rendered: the same bytes, the same error and the same warnings. */
export const set: ConformanceSet = {
  name: 'charts',
  async run(directory) {
    const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as { cases: readonly Case[] };
    return index.cases.map((one) => play(directory, one));
  },
};

function play(directory: string, { name, chart, release, args, expected, error, warnings }: Case): CaseResult {
  const heard: string[] = [];
  const got = template(directory, chart, release, args, (text) => heard.push(text));
  const missing = (warnings ?? '').split('\n').flatMap((line) => {
    const [, quoted, plain] = /msg="(?:warning: )?([^"]*)"(.*)/.exec(line) ?? [];
    const text = `${quoted ?? ''}${plain ?? ''}`;
    return line === '' || heard.some((one) => one.replace(/^warning: /, '') === text) ? [] : [text];
  });
  const want = expected === undefined ? (error ?? '') : readFileSync(join(directory, expected), 'utf8');
  if (inOrder(got) === inOrder(want) && missing.length === 0) return { id: name, passed: true };
  const unheard = missing.map((text) => `no warning: ${text} (but ${heard.join('; ')})\n`).join('');
  return { id: name, passed: false, detail: firstDifference(want, got) + unheard };
}

/** Lines of a schema's objections have no fixed order. */
function inOrder(text: string): string {
  if (!text.startsWith("Error: values don't meet")) return text;
  return text.trimEnd().split('\n').sort().join('\n');
}

function template(
  directory: string,
  folder: string,
  release: string,
  args: readonly string[],
  warn: (text: string) => void,
): string {
  const root = diskFiles(directory);
  const read = (path: string): string => {
    const bytes = realPath(root, path) === undefined ? undefined : root.read(path);
    if (bytes === undefined) return fail('values', `open ${path}: no such file or directory`);
    return new TextDecoder().decode(bytes);
  };
  const options = attempt(() => parseHelmArguments(args, read));
  if (!options.ok) return `Error: ${options.error.message}`;
  const files = chartFolder(root, folder);
  if (!files.ok) return `Error: ${files.error.message}`;
  const chart = loadChart(files.value, { unpack: () => ({ ok: false, error: 'no archive is recorded' }), warn });
  if (!chart.ok) return `Error: ${chart.error.message}`;
  const rendered = renderForTest(chart.value, release, options.value, warn);
  if (!rendered.ok) {
    const hint = ['template', 'manifest', 'incompatible'].includes(rendered.error.code);
    return `Error: ${rendered.error.message}${hint ? '\n\nUse --debug flag to render out invalid YAML' : ''}`;
  }
  const printed = printRelease(rendered.value, options.value.print);
  return printed.ok ? printed.value : `Error: ${printed.error.message}`;
}
