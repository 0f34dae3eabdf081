import type { KubeObject } from '../../api/object.ts';
import { cleanPath, type FileTree, utf8Text } from '../../base/files.ts';
import type { JsonObject } from '../../base/json.ts';
import { at, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { diskFiles } from '../../build/disk-files.ts';
import {
  type ChartSpec,
  printSource,
  type ReleaseSpec,
  readChartSpec,
  SOURCE_GROUP,
  type SourceReference,
} from '../../build/helm/release-spec.ts';
import type { Chart } from '../../engine/helm/chart.ts';
import { attempt } from '../../engine/helm/failure.ts';
import { mergeMaps, readValues } from '../../engine/helm/values.ts';
import { unpackChart } from '../../source/helm/unpack-chart.ts';
import { parseOciUrl } from '../../source/oci/reference.ts';
import { credentialsOf } from './chart-credentials.ts';
import { withDependencies } from './chart-dependencies.ts';
import { type ChartPorts, fetchFrom } from './chart-repository.ts';
import { loadFrom, loadPacked } from './load-chart.ts';

/** The chart of a release; an error tells the chart, its version and its source. */
export async function findChart(release: ReleaseSpec, ports: ChartPorts): Promise<Result<Chart, string>> {
  const { chart } = release;
  if ('chart' in chart) return chartOf(chart, ports);
  if (chart.kind === 'OCIRepository') return named(printSource(chart), await fromOciRepository(chart, ports));
  if (chart.kind !== 'HelmChart') return err(`chartRef of kind ${chart.kind} is not supported`);
  const object = await sourceObject(chart, ports);
  if (!object.ok) return named(printSource(chart), object);
  const spec = readChartSpec(object.value.spec, object.value.metadata.namespace ?? '');
  return spec === undefined ? err(`${printSource(chart)} names no chart`) : chartOf(spec, ports);
}

function named<T>(what: string, result: Result<T, string>): Result<T, string> {
  return result.ok ? result : err(`${what}: ${result.error}`);
}

async function chartOf(spec: ChartSpec, ports: ChartPorts): Promise<Result<Chart, string>> {
  const isRepository = spec.source.kind === 'HelmRepository';
  const version = isRepository ? ` ${spec.version === '' ? '*' : spec.version}` : '';
  const found = isRepository ? await fromRepository(spec, ports) : await fromFolder(spec, ports);
  return named(`chart '${spec.chart}'${version} of ${printSource(spec.source)}`, found);
}

async function fromFolder(spec: ChartSpec, ports: ChartPorts): Promise<Result<Chart, string>> {
  const { source } = spec;
  const folder = ports.folders.get(printSource(source));
  if (folder === undefined) {
    return err(`its files are not at hand: tell where they are with --local-sources=${printSource(source)}=PATH`);
  }
  const path = cleanPath(spec.chart);
  if (path === undefined) return err('the path leads out of the source');
  let files: FileTree;
  try {
    files = diskFiles(folder);
  } catch {
    return err(`there is no folder ${folder}`);
  }
  const chart = loadFrom(files, path, ports.warn);
  if (!chart.ok) return chart;
  const complete = await withDependencies(chart.value, { files, folder: path }, ports);
  return complete.ok ? withValuesFiles(complete.value, spec, files) : complete;
}

async function fromRepository(spec: ChartSpec, ports: ChartPorts): Promise<Result<Chart, string>> {
  const repository = await sourceObject(spec.source, ports);
  if (!repository.ok) return repository;
  const archive = await fetchFrom(repository.value, spec.chart, spec.version, ports);
  if (!archive.ok) return archive;
  const chart = loadPacked(archive.value, ports.warn);
  return chart.ok ? withValuesFiles(chart.value, spec, undefined, archive.value) : chart;
}

/** The version of a chart from an OCIRepository ends in the digest of its artifact. Source: helm-controller@1.6 mutateChartWithSourceRevision. */
async function fromOciRepository(reference: SourceReference, ports: ChartPorts): Promise<Result<Chart, string>> {
  const repository = await sourceObject(reference, ports);
  if (!repository.ok) return repository;
  const { spec } = repository.value;
  const url = stringAt(spec, 'url') ?? '';
  const place = parseOciUrl(url);
  if (place === undefined) return err(`'${url}' is no OCI URL`);
  const provider = stringAt(spec, 'provider') ?? 'generic';
  if (provider !== 'generic') return err(`provider '${provider}' is not supported`);
  const credentials = await credentialsOf(repository.value, place.registry, ports.objects);
  if (!credentials.ok) return credentials;
  const access = { credentials: credentials.value, plainHttp: at(spec, 'insecure') === true, signal: ports.signal };
  const ref = {
    tag: stringAt(spec, 'ref', 'tag') ?? 'latest',
    semver: stringAt(spec, 'ref', 'semver'),
    digest: stringAt(spec, 'ref', 'digest'),
  };
  const { pullArtifact } = await import('../../source/oci/pull-chart.ts');
  const pulled = await pullArtifact(place, ref, stringAt(spec, 'layerSelector', 'mediaType'), access);
  if (!pulled.ok) return pulled;
  const chart = loadPacked(pulled.value.content, ports.warn);
  if (!chart.ok) return chart;
  const { metadata } = chart.value;
  const digest = pulled.value.digest.slice('sha256:'.length, 'sha256:'.length + 12);
  return ok({ ...chart.value, metadata: { ...metadata, version: `${metadata.version.split('+', 1)[0]}+${digest}` } });
}

async function sourceObject(
  { kind, namespace, name }: SourceReference,
  { objects }: ChartPorts,
): Promise<Result<KubeObject, string>> {
  const found = await objects.find({ apiVersion: `${SOURCE_GROUP}/v1`, kind, namespace, name });
  if (!found.ok) return found;
  return found.value === undefined
    ? err(`${kind}/${namespace}/${name} is neither in the build nor in the cluster`)
    : ok(found.value);
}

/** The chart with the values of `valuesFiles` in place of its own: files of the source, or of the packed chart. */
function withValuesFiles(
  chart: Chart,
  spec: ChartSpec,
  files: FileTree | undefined,
  archive?: Uint8Array,
): Result<Chart, string> {
  if (spec.valuesFiles.length === 0) return ok(chart);
  const content = archive === undefined ? undefined : unpackChart(archive);
  let values: JsonObject = {};
  for (const name of spec.valuesFiles) {
    const path = cleanPath(name);
    const inChart = content?.ok === true ? content.value.find((file) => file.name === path)?.data : undefined;
    const data = path === undefined ? undefined : (inChart ?? (files === undefined ? undefined : files.read(path)));
    if (data === undefined) {
      if (spec.ignoreMissingValuesFiles) continue;
      return err(`no values file found at path '${name}'`);
    }
    const read = attempt(() => readValues(utf8Text(data) ?? ''));
    if (!read.ok) return err(`values file '${name}': ${read.error.message}`);
    values = mergeMaps(values, read.value);
  }
  return ok({ ...chart, values });
}
