import { cleanPath, type FileTree, realPath, utf8Text } from '../../base/files.ts';
import { field, isArray, isObject, type Json, type JsonObject, type MutableJsonObject, put } from '../../base/json.ts';
import { err, type Result } from '../../base/result.ts';
import { Executor } from '../gotemplate/execute.ts';
import { TemplateSet } from '../gotemplate/template-set.ts';
import { GoError } from '../gotemplate/value.ts';
import type { ChartRequest } from '../kustomize/run-build.ts';
import { templateFunctions } from '../sprig/functions.ts';
import type { TemplateHost } from '../sprig/host.ts';
import { DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION, parseKubeVersion } from './capabilities.ts';
import { chartFolder } from './chart-folder.ts';
import { attempt, fail } from './failure.ts';
import { loadChart, type UnpackChart } from './load-chart.ts';
import { printRelease } from './print-release.ts';
import { renderChart } from './render-chart.ts';
import { floats, mergeMaps, readValues } from './values.ts';

export interface InflatePorts {
  readonly host: TemplateHost;
  readonly unpack: UnpackChart;
  readonly warn: (message: string) => void;
}

/**
 * The manifests of a chart that a kustomization's `helmCharts` names. Charts are looked for in `chartHome` alone: none is pulled.
 * Source: kustomize api@0.21.1 internal/builtins/HelmChartInflationGenerator.go, types/helmchartargs.go.
 */
export function inflateChart(request: ChartRequest, ports: InflatePorts): Result<string, string> {
  const printed = attempt(() => inflate(request, ports));
  return printed.ok ? printed : err(`chart '${textOf(request.chart, 'name')}': ${printed.error.message}`);
}

function inflate({ chart: config, files, directory }: ChartRequest, ports: InflatePorts): string {
  const { host, unpack, warn } = ports;
  const at = (path: string): string => cleanPath(path.startsWith('/') ? path : `${directory}/${path}`) ?? path;
  const name = textOf(config, 'name');
  const folder = chartPath(config, files, at);
  const chart = loadChart(must(chartFolder(files, folder)), { unpack, warn });
  const values = valuesOf(config, files, `${folder}/values.yaml`, at);
  const version = textOf(config, 'kubeVersion');
  const kubeVersion = version === '' ? DEFAULT_KUBE_VERSION : parseKubeVersion(version);
  if (kubeVersion === undefined) return fail('values', `invalid kube version '${version}'`);
  const rendered = renderChart(must(chart), values, {
    release: {
      name: releaseName(config, name, host),
      namespace: textOf(config, 'namespace') || 'default',
      revision: 1,
      isUpgrade: false,
    },
    capabilities: { kubeVersion, apiVersions: [...DEFAULT_API_VERSIONS, ...textsOf(config, 'apiVersions')] },
    host,
    warn,
  });
  const print = {
    includeCrds: field(config, 'includeCRDs') === true,
    skipTests: field(config, 'skipTests') === true,
    withoutHooks: field(config, 'skipHooks') === true,
  };
  return must(printRelease(must(rendered), print));
}

function chartPath(config: JsonObject, files: FileTree, at: (path: string) => string): string {
  const [name, version, repo] = ['name', 'version', 'repo'].map((key) => textOf(config, key)) as [
    string,
    string,
    string,
  ];
  const home = textOf(config, 'chartHome') || 'charts';
  const pulled = version !== '' && repo !== '' ? `/${name}-${version}` : '';
  const path = at(`${home}${pulled}/${name}`);
  const real = realPath(files, path);
  if (real !== undefined && files.kind(real) === 'directory') return path;
  if (repo === '') fail('chart', `no repo specified for pull, no chart found at '${path}'`);
  return fail('chart', `no chart found at '${path}', and none is pulled from ${repo}`);
}

function valuesOf(config: JsonObject, files: FileTree, own: string, at: (path: string) => string): JsonObject {
  const read = (path: string): JsonObject => {
    const bytes = files.read(path);
    return bytes === undefined ? fail('values', `no values file at '${path}'`) : readValues(utf8Text(bytes) ?? '');
  };
  const file = textOf(config, 'valuesFile');
  const inline = field(config, 'valuesInline');
  const merge = textOf(config, 'valuesMerge');
  let values: JsonObject;
  if (!isObject(inline) || Object.keys(inline).length === 0) values = read(file === '' ? own : at(file));
  else {
    const given = floats(inline) as JsonObject;
    if (merge === 'replace') values = given;
    else {
      const base = read(file === '' ? own : at(file));
      values = merge === 'merge' ? mergedOver(given, base) : mergedOver(base, given);
    }
  }
  for (const path of textsOf(config, 'additionalValuesFiles')) values = mergeMaps(values, read(at(path)));
  return values;
}

/** `over` merged over `under` as kyaml merges: null takes a key away. Source: kyaml@0.21.1 yaml/merge2. */
function mergedOver(under: JsonObject, over: JsonObject): JsonObject {
  const out: MutableJsonObject = {};
  for (const key of Object.keys(under)) if (field(over, key) !== null) put(out, key, under[key] as Json);
  for (const key of Object.keys(over)) {
    const value = over[key] as Json;
    const before = field(under, key);
    if (value !== null) put(out, key, isObject(value) && isObject(before) ? mergedOver(before, value) : value);
  }
  return out;
}

/** A release without a name gets one of the time, as `--generate-name` gives it. */
function releaseName(config: JsonObject, chart: string, host: TemplateHost): string {
  const template = textOf(config, 'nameTemplate');
  const given = textOf(config, 'releaseName');
  if (given !== '') return given;
  if (template === '') return `${chart}-${host.now() / 1_000_000_000n}`;
  try {
    const set = new TemplateSet('name-template', templateFunctions(host));
    set.parse('name-template', template);
    return new Executor(set).execute('name-template', null);
  } catch (failure) {
    if (!(failure instanceof GoError)) throw failure;
    return fail('template', failure.message);
  }
}

function must<T>(result: Result<T, { readonly code: Parameters<typeof fail>[0]; readonly message: string }>): T {
  return result.ok ? result.value : fail(result.error.code, result.error.message);
}

function textOf(config: JsonObject, key: string): string {
  const value = field(config, key);
  return typeof value === 'string' ? value : '';
}

function textsOf(config: JsonObject, key: string): readonly string[] {
  const value = field(config, key);
  return isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
