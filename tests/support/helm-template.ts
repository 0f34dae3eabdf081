import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { diskFiles } from '../../src/build/disk-files.ts';
import { chartFolder } from '../../src/engine/helm/chart-folder.ts';
import { attempt, fail, type HelmError } from '../../src/engine/helm/failure.ts';
import { loadChart } from '../../src/engine/helm/load-chart.ts';
import { printRelease } from '../../src/engine/helm/print-release.ts';
import { unpackChart } from '../../src/source/helm/unpack-chart.ts';
import { parseHelmArguments } from './helm-arguments.ts';
import { renderForTest } from './helm-render.ts';

/** Errors for which helm has a half-made release to show, and says so. */
const HINTED: readonly HelmError['code'][] = ['template', 'manifest', 'incompatible'];

/** What `helm template RELEASE FOLDER ARGS` prints, standard output or error. */
export function helmTemplate(
  release: string,
  folder: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly warn?: (text: string) => void },
): string {
  const warn = options.warn ?? (() => {});
  const read = (path: string): string => {
    try {
      return readFileSync(resolve(options.cwd, path), 'utf8');
    } catch {
      return fail('values', `open ${path}: no such file or directory`);
    }
  };
  const flags = attempt(() => parseHelmArguments(args, read));
  if (!flags.ok) return `Error: ${flags.error.message}`;
  const place = resolve(options.cwd, folder);
  const files = chartFolder(diskFiles(dirname(place)), basename(place));
  if (!files.ok) return `Error: ${files.error.message}`;
  const chart = loadChart(files.value, { unpack: unpackChart, warn });
  if (!chart.ok) return `Error: ${chart.error.message}`;
  const rendered = renderForTest(chart.value, release, flags.value, warn);
  if (!rendered.ok) {
    const hint = HINTED.includes(rendered.error.code) ? '\n\nUse --debug flag to render out invalid YAML' : '';
    return `Error: ${rendered.error.message}${hint}`;
  }
  const printed = printRelease(rendered.value, flags.value.print);
  return printed.ok ? printed.value : `Error: ${printed.error.message}`;
}
