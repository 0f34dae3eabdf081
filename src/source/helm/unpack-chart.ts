import { gunzipSync } from 'node:zlib';
import { err, ok, type Result } from '../../base/result.ts';
import { type ChartFile, MAX_CHART_BYTES, MAX_CHART_FILES, MAX_FILE_BYTES } from '../../engine/helm/chart.ts';
import { withoutMark } from '../../engine/helm/chart-folder.ts';
import { readTar } from '../artifact/tar.ts';

/** Headers and padding of the archive, beside what its files hold. */
const MAX_ARCHIVE_BYTES = MAX_CHART_BYTES + MAX_CHART_FILES * 1024;

/**
 * Files of a packed chart, without the folder that holds them all. Links, names that lead out of it, and bombs are refused.
 * Source: helm@4.1.4 pkg/chart/loader/archive.
 */
export function unpackChart(archive: Uint8Array): Result<readonly ChartFile[], string> {
  let tar: Uint8Array;
  try {
    tar = gunzipSync(archive, { maxOutputLength: MAX_ARCHIVE_BYTES });
  } catch (failure) {
    const { code, message } = failure as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE')
      return err(`decompressed chart is larger than the maximum size ${MAX_CHART_BYTES}`);
    return err(`it is no gzip archive: ${message}`);
  }
  const entries = readTar(tar, { entries: MAX_CHART_FILES, nameBytes: 4096, depth: 64 });
  if (!entries.ok) return entries;
  const files: ChartFile[] = [];
  for (const { name, directory, content } of entries.value) {
    if (directory) continue;
    const slash = name.indexOf('/');
    if (slash < 0) {
      return err(
        name === 'Chart.yaml' ? 'chart yaml not in base directory' : `${name}: is outside of the chart's folder`,
      );
    }
    if (content.length > MAX_FILE_BYTES) {
      return err(`decompressed chart file "${name}" is larger than the maximum file size ${MAX_FILE_BYTES}`);
    }
    files.push({ name: name.slice(slash + 1), data: withoutMark(content) });
  }
  return files.length === 0 ? err('no files in chart archive') : ok(files);
}
