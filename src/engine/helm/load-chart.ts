import { utf8Text } from '../../base/files.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import {
  type Chart,
  type ChartFile,
  MAX_CHART_BYTES,
  MAX_CHART_DEPTH,
  MAX_CHART_FILES,
  MAX_CHARTS,
  MAX_FILE_BYTES,
} from './chart.ts';
import { attempt, fail, type HelmError, wrapped } from './failure.ts';
import { decodeMetadata, readMetadata } from './metadata.ts';
import { readValues } from './values.ts';

/** Files of a packed chart (`.tgz`) without its top folder; the message of an error is a sentence. */
export type UnpackChart = (archive: Uint8Array) => Result<readonly ChartFile[], string>;

export interface LoadPorts {
  readonly unpack: UnpackChart;
  readonly warn: (message: string) => void;
}

/**
 * The chart that `files` are, with the charts in its `charts/`.
 * Source: helm@4.1.4 pkg/chart/v2/loader/load.go.
 */
export function loadChart(files: readonly ChartFile[], ports: LoadPorts): Result<Chart, HelmError> {
  const budget = { files: 0, bytes: 0, charts: 0 };
  return attempt(() => load(files, ports, budget, 0));
}

/** What is left over the whole chart, those inside it included. */
interface Budget {
  files: number;
  bytes: number;
  charts: number;
}

function spend(files: readonly ChartFile[], budget: Budget, depth: number): void {
  if (depth > MAX_CHART_DEPTH) fail('limit', `charts are nested deeper than ${MAX_CHART_DEPTH}`);
  if (++budget.charts > MAX_CHARTS) fail('limit', `a chart holds more than ${MAX_CHARTS} charts`);
  for (const { name, data } of files) {
    if (data.length > MAX_FILE_BYTES) {
      fail('limit', `chart file ${JSON.stringify(name)} is larger than the maximum file size ${MAX_FILE_BYTES}`);
    }
    budget.bytes += data.length;
  }
  budget.files += files.length;
  if (budget.files > MAX_CHART_FILES) fail('limit', `a chart holds more than ${MAX_CHART_FILES} files`);
  if (budget.bytes > MAX_CHART_BYTES) fail('limit', `chart is larger than the maximum size ${MAX_CHART_BYTES}`);
}

function load(files: readonly ChartFile[], ports: LoadPorts, budget: Budget, depth: number): Chart {
  spend(files, budget, depth);
  const main = files.find(({ name }) => name === 'Chart.yaml');
  if (main === undefined) return fail('chart', 'Chart.yaml file is missing');
  const named = decodeMetadata(textOf(main), 'Chart.yaml');
  const apiVersion = ((named['apiVersion'] as string | undefined) ?? '') || 'v1';
  if (depth === 0 && apiVersion !== 'v1' && apiVersion !== 'v2') fail('chart', 'unsupported chart version');
  let fields: JsonObject = named;
  let values: JsonObject = {};
  let schema: Uint8Array | undefined;
  const templates: ChartFile[] = [];
  const others: ChartFile[] = [];
  const inner = new Map<string, ChartFile[]>();
  for (const file of files) {
    const { name } = file;
    if (name === 'Chart.yaml' || name === 'Chart.lock') continue;
    if (name === 'values.yaml') values = wrapped('cannot load values.yaml', () => readValues(textOf(file)));
    else if (name === 'values.schema.json') schema = file.data;
    else if (name === 'requirements.yaml' || name === 'requirements.lock') {
      if (name === 'requirements.yaml') fields = { ...fields, ...decodeMetadata(textOf(file), name) };
      if (apiVersion === 'v1') others.push(file);
      else ports.warn(`Warning: ${name} of a chart of apiVersion "v2": dependencies belong in Chart.yaml`);
    } else if (name.startsWith('templates/')) templates.push(file);
    else if (name.startsWith('charts/') && !name.endsWith('.prov')) {
      const below = name.slice('charts/'.length);
      const [folder = ''] = below.split('/', 1);
      const group = inner.get(folder);
      if (group === undefined) inner.set(folder, [{ name: below, data: file.data }]);
      else group.push({ name: below, data: file.data });
    } else others.push(file);
  }
  const metadata = readMetadata(fields);
  const dependencies = [...inner]
    .filter(([folder]) => !/^[_.]/.test(folder))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, group]) =>
      wrapped(`error unpacking subchart ${folder} in ${metadata.name}`, () => {
        const content = folder.endsWith('.tgz') ? unpacked(folder, group, metadata.name, ports) : withoutFolder(group);
        return load(content, ports, budget, depth + 1);
      }),
    );
  return { metadata, templates, values, ...(schema !== undefined && { schema }), files: others, dependencies };
}

function unpacked(
  folder: string,
  group: readonly ChartFile[],
  chart: string,
  { unpack }: LoadPorts,
): readonly ChartFile[] {
  const [archive] = group as readonly [ChartFile];
  if (archive.name !== folder) {
    fail('chart', `error unpacking subchart tar in ${chart}: expected ${folder}, got ${archive.name}`);
  }
  const content = unpack(archive.data);
  return content.ok ? content.value : fail('chart', content.error);
}

/** A file that lies in `charts/` itself is no chart. */
function withoutFolder(group: readonly ChartFile[]): readonly ChartFile[] {
  return group
    .filter(({ name }) => name.includes('/'))
    .map(({ name, data }) => ({ name: name.slice(name.indexOf('/') + 1), data }));
}

function textOf({ name, data }: ChartFile): string {
  const text = utf8Text(data);
  return text === undefined ? fail('chart', `cannot load ${name}: it is not UTF-8`) : text;
}
