import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryFiles } from '../../../src/base/files.ts';
import { templateHost } from '../../../src/build/helm/template-host.ts';
import { inflateChart } from '../../../src/engine/helm/inflate-chart.ts';
import { type BuildOptions, buildKustomization } from '../../../src/engine/kustomize/build.ts';
import { unpackChart } from '../../../src/source/helm/unpack-chart.ts';
import type { CaseResult, ConformanceSet } from '../set.ts';

interface Case {
  readonly name: string;
  readonly target: string;
  readonly options: { reorder?: 'legacy'; addManagedbyLabel?: boolean; loadRestrictor?: string; enableHelm?: boolean };
  readonly files: Readonly<Record<string, string>>;
  readonly expect: {
    readonly exit: number;
    readonly stdout?: string;
    readonly errorLine?: string;
    readonly warnings?: readonly string[];
  };
}

/** Kustomizations that kustomize v5.8.1 built: the same bytes, or the same first line of the error. */
export const set: ConformanceSet = {
  name: 'kustomize',
  async run(directory) {
    const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as { cases: { file: string }[] };
    return index.cases.map(({ file }) => play(JSON.parse(readFileSync(join(directory, file), 'utf8')) as Case));
  },
};

function play({ name, target, options, files, expect }: Case): CaseResult {
  const build: BuildOptions = {
    rootPath: '{root}',
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    ...(options.reorder === 'legacy' && { reorder: 'legacy' }),
    ...(options.addManagedbyLabel === true && { addManagedByLabel: true }),
    ...(options.loadRestrictor === 'LoadRestrictionsNone' && { loadRestrictor: 'none' }),
    ...(options.enableHelm === true && {
      helm: (request) => inflateChart(request, { host: templateHost, unpack: unpackChart, warn: () => {} }),
    }),
  };
  const rooted = { ...build, rootPath: '/{root}' };
  let got: { readonly text: string; readonly failed: boolean; readonly warnings: readonly string[] };
  try {
    const result = buildKustomization(memoryFiles(files), target, rooted);
    got = result.ok
      ? { text: result.value.yaml, failed: false, warnings: result.value.warnings }
      : { text: `Error: ${result.error.message}`.replaceAll('/{root}', '{root}'), failed: true, warnings: [] };
  } catch (failure) {
    return {
      id: name,
      passed: false,
      detail: failure instanceof Error ? (failure.stack ?? failure.message) : String(failure),
    };
  }
  if (expect.exit !== 0) {
    const want = expect.errorLine ?? '';
    const line = got.text.split('\n')[0] as string;
    const passed = got.failed && (want === '' || line === want);
    return passed ? { id: name, passed } : { id: name, passed, detail: `want ${want}\ngot  ${line}` };
  }
  const missing = (expect.warnings ?? []).filter((line) => line.startsWith('# ') && !got.warnings.includes(line));
  if (!got.failed && got.text === expect.stdout && missing.length === 0) return { id: name, passed: true };
  return { id: name, passed: false, detail: firstDifference(expect.stdout ?? '', got.text) + missing.join('\n') };
}

/** The lines around the first one that differs. */
export function firstDifference(want: string, got: string): string {
  const a = want.split('\n');
  const b = got.split('\n');
  const at = a.findIndex((line, index) => line !== b[index]);
  const from = Math.max(0, (at < 0 ? a.length : at) - 3);
  const show = (lines: readonly string[]): string => lines.slice(from, from + 8).join('\n');
  return `from line ${from + 1}, want\n${show(a)}\ngot\n${show(b)}\n`;
}
