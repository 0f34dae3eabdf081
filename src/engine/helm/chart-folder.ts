import { type FileTree, realPath, utf8Text } from '../../base/files.ts';
import type { Result } from '../../base/result.ts';
import { type ChartFile, MAX_CHART_BYTES, MAX_CHART_FILES } from './chart.ts';
import { attempt, fail, type HelmError } from './failure.ts';
import { HELM_IGNORE, readHelmIgnore } from './helmignore.ts';

/** Folders below the chart's own, so that links that turn in a circle end. */
const MAX_FOLDER_DEPTH = 64;

/**
 * The files of the chart in `folder` that its `.helmignore` leaves in. Links are followed inside of the tree; what leads out of it,
 * or is neither file nor folder, is an error.
 * Source: helm@4.1.4 pkg/chart/v2/loader/directory.go.
 */
export function chartFolder(files: FileTree, folder: string): Result<readonly ChartFile[], HelmError> {
  return attempt(() => {
    const at = (name: string): string => [folder, name].filter((part) => part !== '').join('/');
    if (files.kind(at('Chart.yaml')) === undefined) {
      fail('chart', `unable to detect chart at ${folder === '' ? '.' : folder}: there is no Chart.yaml`);
    }
    const rules = files.read(at(HELM_IGNORE));
    const ignored = readHelmIgnore(rules === undefined ? '' : (utf8Text(rules) ?? ''));
    const found: ChartFile[] = [];
    let bytes = 0;
    const walk = (name: string, depth: number): void => {
      if (depth > MAX_FOLDER_DEPTH) fail('limit', `${name}: folders are nested deeper than ${MAX_FOLDER_DEPTH}`);
      for (const step of files.list(at(name))) {
        const path = name === '' ? step : `${name}/${step}`;
        const real = realPath(files, at(path));
        const kind = real === undefined ? undefined : files.kind(real);
        if (kind === 'directory') {
          if (!ignored(path, true)) walk(path, depth + 1);
          continue;
        }
        if (ignored(path, false)) continue;
        const data = kind === 'file' ? files.read(at(path)) : undefined;
        if (data === undefined)
          return fail('chart', `cannot load irregular file ${path}: it is no file inside the source`);
        found.push({ name: path, data: withoutMark(data) });
        bytes += data.length;
        if (found.length > MAX_CHART_FILES) fail('limit', `a chart holds more than ${MAX_CHART_FILES} files`);
        if (bytes > MAX_CHART_BYTES) fail('limit', `chart is larger than the maximum size ${MAX_CHART_BYTES}`);
      }
    };
    walk('', 0);
    return found;
  });
}

/** Without the byte order mark. */
export function withoutMark(data: Uint8Array): Uint8Array {
  return data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data;
}
