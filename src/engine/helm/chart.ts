import type { JsonObject } from '../../base/json.ts';
import type { Metadata } from './metadata.ts';

/** A file of a chart. Names use `/` and are relative to the chart's folder. */
export interface ChartFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** A chart and the charts inside it. Source: helm@4.1.4 pkg/chart/v2/chart.go. */
export interface Chart {
  readonly metadata: Metadata;
  readonly templates: readonly ChartFile[];
  /** Defaults of `values.yaml`; numbers as {@link ./values.ts} says. */
  readonly values: JsonObject;
  /** Bytes of `values.schema.json`. */
  readonly schema?: Uint8Array;
  /** Everything else: what `.Files` shows, and `crds/`. */
  readonly files: readonly ChartFile[];
  readonly dependencies: readonly Chart[];
}

/** Bytes of one file, and of all files of a chart, as Helm bounds them. Source: helm@4.1.4 pkg/chart/loader/archive. */
export const MAX_FILE_BYTES: number = 5 * 1024 * 1024;
export const MAX_CHART_BYTES: number = 100 * 1024 * 1024;
/** Files of a chart with the charts inside it. The largest public charts have some two thousand. */
export const MAX_CHART_FILES = 20_000;
/** Charts inside of charts, downwards and in all: umbrella charts have two levels and some dozens. */
export const MAX_CHART_DEPTH = 16;
export const MAX_CHARTS = 1000;

/** A file of `crds/`, and the name that `helm template` shows for it. */
export interface CrdFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** The files of `crds/`, of the chart itself and then of its dependencies. */
export function crdsOf(chart: Chart, path: string = chart.metadata.name): readonly CrdFile[] {
  const own = chart.files
    .filter(({ name }) => name.startsWith('crds/') && /\.(yaml|yml|json)$/i.test(name))
    .map(({ name, data }) => ({ name: `${path}/${name}`, data }));
  return [...own, ...chart.dependencies.flatMap((child) => crdsOf(child, `${path}/charts/${child.metadata.name}`))];
}
