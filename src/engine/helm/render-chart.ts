import type { JsonObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { type Chart, type CrdFile, crdsOf } from './chart.ts';
import { coalesceValues } from './coalesce.ts';
import { checkDependencies, isCompatible, processDependencies } from './dependencies.ts';
import { attempt, fail, type HelmError, wrapped } from './failure.ts';
import { type Hook, type Manifest, sortManifests } from './manifests.ts';
import { releaseNameObjection } from './release-name.ts';
import { renderTemplates, type TemplateOptions } from './render-templates.ts';
import { checkValues } from './values-schema.ts';

export interface RenderOptions extends TemplateOptions {
  readonly skipSchemaValidation?: boolean;
}

/** A chart rendered for a release. */
export interface RenderedChart {
  /** In install order, without hooks. */
  readonly manifests: readonly Manifest[];
  readonly hooks: readonly Hook[];
  readonly notes: string;
  /** Files of `crds/`, which are no templates. */
  readonly crds: readonly CrdFile[];
}

const NOTES = 'NOTES.txt';

/**
 * What `helm install` would make of a chart and a user's values, before anything is sent to a cluster.
 * Source: helm@4.1.4 pkg/cmd/install.go, pkg/action/install.go, pkg/action/action.go renderResources.
 */
export function renderChart(
  chart: Chart,
  values: JsonObject,
  options: RenderOptions,
): Result<RenderedChart, HelmError> {
  return attempt(() => {
    const { release, capabilities, warn } = options;
    if (chart.metadata.type === 'library') fail('chart', 'library charts are not installable');
    if (chart.metadata.deprecated) warn('this chart is deprecated');
    checkDependencies(chart);
    const objection = releaseNameObjection(release.name);
    if (objection !== undefined) fail('values', `release name check failed: ${objection}`);
    const enabled = wrapped('chart dependencies processing failed', () => processDependencies(chart, values, warn));
    const combined = coalesceValues(enabled, values, warn);
    if (options.skipSchemaValidation !== true) checkValues(enabled, combined);
    const { kubeVersion } = chart.metadata;
    if (kubeVersion !== '' && !isCompatible(kubeVersion, capabilities.kubeVersion.normalized)) {
      const found = capabilities.kubeVersion.version;
      fail('incompatible', `chart requires kubeVersion: ${kubeVersion} which is incompatible with Kubernetes ${found}`);
    }
    const files = new Map(renderTemplates(enabled, combined, options));
    const notes = files.get(`${chart.metadata.name}/templates/${NOTES}`) ?? '';
    for (const name of files.keys()) if (name.endsWith(NOTES)) files.delete(name);
    return { ...sortManifests(files, warn), notes, crds: crdsOf(enabled) };
  });
}
