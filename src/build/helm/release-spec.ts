import { createHash } from 'node:crypto';
import { groupOf, type KubeObject } from '../../api/object.ts';
import { at, isArray, isObject, type Json, type JsonObject, stringAt } from '../../base/json.ts';
import { MAX_RELEASE_NAME } from '../../engine/helm/release-name.ts';

export const HELM_GROUP = 'helm.toolkit.fluxcd.io';
export const SOURCE_GROUP = 'source.toolkit.fluxcd.io';

/** A source or a chart that a release names. */
export interface SourceReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A chart, and where it comes from. */
export interface ChartSpec {
  /** Name in a Helm repository, or path in another source. */
  readonly chart: string;
  readonly version: string;
  readonly source: SourceReference;
  readonly valuesFiles: readonly string[];
  readonly ignoreMissingValuesFiles: boolean;
}

/** Where a release takes values from. */
export interface ValuesReference {
  readonly kind: string;
  readonly name: string;
  readonly key: string;
  readonly targetPath: string;
  readonly optional: boolean;
  readonly literal: boolean;
}

/** What of a HelmRelease shapes the objects that it applies. Source: helm-controller@1.6 api/v2/helmrelease_types.go. */
export interface ReleaseSpec {
  /** Namespace and name of the HelmRelease. */
  readonly namespace: string;
  readonly name: string;
  readonly releaseName: string;
  readonly releaseNamespace: string;
  readonly storageNamespace: string;
  readonly chart: ChartSpec | SourceReference;
  readonly values: JsonObject;
  readonly valuesFrom: readonly ValuesReference[];
  readonly postRenderers: readonly Json[];
  readonly commonMetadata: JsonObject;
  readonly installCrds: boolean;
  readonly upgradeCrds: boolean;
  readonly skipSchemaOnInstall: boolean;
  readonly skipSchemaOnUpgrade: boolean;
  readonly suspended: boolean;
}

export function isHelmRelease(object: KubeObject): boolean {
  return object.kind === 'HelmRelease' && groupOf(object.apiVersion) === HELM_GROUP;
}

/** Reads a HelmRelease of any version; undefined when it names no chart. */
export function readRelease(object: KubeObject): ReleaseSpec | undefined {
  const { spec } = object;
  const { name, namespace = 'default' } = object.metadata;
  const chart = readChart(spec, namespace);
  if (chart === undefined) return undefined;
  const text = (...path: readonly string[]): string => stringAt(spec, ...path) ?? '';
  const targetNamespace = text('targetNamespace');
  const composed = targetNamespace === '' ? name : `${targetNamespace}-${name}`;
  const values = at(spec, 'values');
  const common = at(spec, 'commonMetadata');
  const skips = (action: string): boolean => at(spec, action, 'disableSchemaValidation') === true;
  return {
    namespace,
    name,
    releaseName: shortened(text('releaseName') === '' ? composed : text('releaseName')),
    releaseNamespace: targetNamespace === '' ? namespace : targetNamespace,
    storageNamespace: text('storageNamespace') === '' ? namespace : text('storageNamespace'),
    chart,
    values: isObject(values) ? values : {},
    valuesFrom: list(at(spec, 'valuesFrom')).map(readReference),
    postRenderers: list(at(spec, 'postRenderers')),
    commonMetadata: isObject(common) ? common : {},
    installCrds: crds(spec, 'install', 'Create'),
    upgradeCrds: crds(spec, 'upgrade', 'Skip'),
    skipSchemaOnInstall: skips('install'),
    skipSchemaOnUpgrade: skips('upgrade'),
    suspended: at(spec, 'suspend') === true,
  };
}

/** A chart that `spec.chart.spec` of a HelmRelease, or `spec` of a HelmChart, describes. */
export function readChartSpec(spec: Json | undefined, namespace: string): ChartSpec | undefined {
  const chart = stringAt(spec, 'chart');
  const source = at(spec, 'sourceRef');
  if (chart === undefined || source === undefined) return undefined;
  const files = list(at(spec, 'valuesFiles'));
  // v2beta1 had one file more.
  const single = stringAt(spec, 'valuesFile');
  return {
    chart,
    version: stringAt(spec, 'version') ?? '*',
    source: readSource(source, namespace),
    valuesFiles: [...(single === undefined ? [] : [single]), ...files.filter((file) => typeof file === 'string')],
    ignoreMissingValuesFiles: at(spec, 'ignoreMissingValuesFiles') === true,
  };
}

/** `Kind/namespace/name`. */
export function printSource({ kind, namespace, name }: SourceReference): string {
  return `${kind}/${namespace}/${name}`;
}

function readChart(spec: JsonObject | undefined, namespace: string): ChartSpec | SourceReference | undefined {
  const reference = at(spec, 'chartRef');
  if (reference !== undefined) return readSource(reference, namespace);
  return readChartSpec(at(spec, 'chart', 'spec'), namespace);
}

function readSource(reference: Json, namespace: string): SourceReference {
  return {
    kind: stringAt(reference, 'kind') ?? '',
    namespace: stringAt(reference, 'namespace') ?? namespace,
    name: stringAt(reference, 'name') ?? '',
  };
}

function readReference(reference: Json): ValuesReference {
  const key = stringAt(reference, 'valuesKey') ?? '';
  return {
    kind: stringAt(reference, 'kind') ?? '',
    name: stringAt(reference, 'name') ?? '',
    key: key === '' ? 'values.yaml' : key,
    targetPath: stringAt(reference, 'targetPath') ?? '',
    optional: at(reference, 'optional') === true,
    literal: at(reference, 'literal') === true,
  };
}

/** Whether `crds/` are applied; `skipCRDs` is v2beta1's word. */
function crds(spec: JsonObject | undefined, action: string, otherwise: string): boolean {
  if (at(spec, action, 'skipCRDs') === true) return false;
  return (stringAt(spec, action, 'crds') ?? otherwise) !== 'Skip';
}

function list(value: Json | undefined): readonly Json[] {
  return isArray(value) ? value : [];
}

/** Helm takes no longer names. Source: helm-controller@1.6 internal/release/name.go ShortenName. */
function shortened(name: string): string {
  if (name.length <= MAX_RELEASE_NAME) return name;
  return `${name.slice(0, 40)}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}
