import { cleanPath, type FileTree } from '../../base/files.ts';
import { stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { SOURCE_GROUP } from '../../build/helm/release-spec.ts';
import { type Chart, MAX_CHART_DEPTH } from '../../engine/helm/chart.ts';
import type { Dependency } from '../../engine/helm/metadata.ts';
import { type ChartPorts, fetchFrom } from './chart-repository.ts';
import { loadFrom, loadPacked } from './load-chart.ts';

/** Where the chart lies whose dependencies are looked for. */
interface Place {
  readonly files: FileTree;
  readonly folder: string;
}

/**
 * A chart of a source with the dependencies that its `charts/` does not hold: folders that `file://` names, and charts of repositories.
 * Source: source-controller@1.9 internal/helm/chart/dependency_manager.go.
 */
export async function withDependencies(
  chart: Chart,
  place: Place,
  ports: ChartPorts,
  depth = 0,
): Promise<Result<Chart, string>> {
  if (depth > MAX_CHART_DEPTH) return err(`charts are nested deeper than ${MAX_CHART_DEPTH}`);
  const there = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  const added: Chart[] = [];
  const looked = new Set<string>();
  for (const wanted of chart.metadata.dependencies) {
    const key = `${wanted.name}|${wanted.version}|${wanted.repository}`;
    if (there.has(wanted.name) || looked.has(key)) continue;
    looked.add(key);
    const found = await find(wanted, place, ports, depth);
    if (!found.ok) return err(`dependency '${wanted.name}': ${found.error}`);
    added.push(found.value);
  }
  return ok(added.length === 0 ? chart : { ...chart, dependencies: [...chart.dependencies, ...added] });
}

async function find(
  { name, version, repository }: Dependency,
  place: Place,
  ports: ChartPorts,
  depth: number,
): Promise<Result<Chart, string>> {
  if (repository === '' || repository.startsWith('file://')) {
    const folder = repository === '' ? `charts/${name}` : repository.slice('file://'.length);
    const path = cleanPath(folder.startsWith('/') ? folder : `${place.folder}/${folder}`);
    if (path === undefined) return err(`'${repository}' leads out of the source`);
    const chart = loadFrom(place.files, path, ports.warn);
    return chart.ok ? withDependencies(chart.value, { files: place.files, folder: path }, ports, depth + 1) : chart;
  }
  if (!/^(https?|oci):\/\//.test(repository)) return err(`repository '${repository}' is no URL that can be read`);
  const archive = await fetchFrom(repositoryOf(repository, ports), name, version, ports);
  return archive.ok ? loadPacked(archive.value, ports.warn) : archive;
}

/** The HelmRepository of the build that has this URL, for its credentials; else one without. */
function repositoryOf(url: string, { objects }: ChartPorts): Parameters<typeof fetchFrom>[0] {
  const plain = (text: string | undefined): string => (text ?? '').replace(/\/+$/, '');
  for (const object of objects.values()) {
    if (object.kind === 'HelmRepository' && plain(stringAt(object.spec, 'url')) === plain(url)) return object;
  }
  return { apiVersion: `${SOURCE_GROUP}/v1`, kind: 'HelmRepository', metadata: { name: '' }, spec: { url } };
}
