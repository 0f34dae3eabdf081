import { type FileTree, realPath } from '../../base/files.ts';
import { err, type Result } from '../../base/result.ts';
import type { Chart, ChartFile } from '../../engine/helm/chart.ts';
import { chartFolder } from '../../engine/helm/chart-folder.ts';
import { loadChart } from '../../engine/helm/load-chart.ts';
import { unpackChart } from '../../source/helm/unpack-chart.ts';

type Warn = (message: string) => void;

/** The chart in a folder, or in a `.tgz`. */
export function loadFrom(files: FileTree, path: string, warn: Warn): Result<Chart, string> {
  const real = realPath(files, path);
  const packed = real !== undefined && files.kind(real) === 'file' ? files.read(path) : undefined;
  if (packed !== undefined) return loadPacked(packed, warn);
  const content = chartFolder(files, path);
  return content.ok ? loadFiles(content.value, warn) : err(content.error.message);
}

/** A packed chart. */
export function loadPacked(archive: Uint8Array, warn: Warn): Result<Chart, string> {
  const content = unpackChart(archive);
  return content.ok ? loadFiles(content.value, warn) : content;
}

function loadFiles(content: readonly ChartFile[], warn: Warn): Result<Chart, string> {
  const chart = loadChart(content, { unpack: unpackChart, warn });
  return chart.ok ? chart : err(chart.error.message);
}
