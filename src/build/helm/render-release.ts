import { groupOf, type KubeObject } from '../../api/object.ts';
import { memoryFiles, utf8Text } from '../../base/files.ts';
import { at, isArray, isObject, type Json, type JsonObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { Capabilities } from '../../engine/helm/capabilities.ts';
import type { Chart } from '../../engine/helm/chart.ts';
import { renderChart } from '../../engine/helm/render-chart.ts';
import type { Lookup } from '../../engine/helm/render-templates.ts';
import { buildKustomization } from '../../engine/kustomize/build.ts';
import { printYamlError } from '../../engine/yaml/error.ts';
import { parseYamlDocuments } from '../../engine/yaml/parse.ts';
import { printYaml } from '../../engine/yaml/print.ts';
import { sha256Hex } from '../build.ts';
import { HELM_GROUP, type ReleaseSpec } from './release-spec.ts';
import { templateHost } from './template-host.ts';

export interface RenderReleaseOptions {
  readonly capabilities: Capabilities;
  readonly revision: number;
  readonly isUpgrade: boolean;
  readonly lookup?: Lookup;
  readonly warn: (message: string) => void;
}

/** An object of a release, and the template that it comes from; '' where a post-renderer made it. */
export interface ReleaseObject {
  readonly source: string;
  readonly object: KubeObject;
}

/**
 * What helm-controller would apply for a release, without hooks: the chart's objects in install order, changed by the post-renderers, then
 * with the common metadata, the labels of the release, and what Helm marks as its own.
 * Source: helm-controller@1.6 internal/postrender, helm@4.1.4 pkg/action/validate.go.
 */
export function renderRelease(
  chart: Chart,
  release: ReleaseSpec,
  values: JsonObject,
  options: RenderReleaseOptions,
): Result<readonly ReleaseObject[], string> {
  const { revision, isUpgrade, capabilities, lookup, warn } = options;
  const rendered = renderChart(chart, values, {
    release: { name: release.releaseName, namespace: release.releaseNamespace, revision, isUpgrade },
    capabilities,
    skipSchemaValidation: isUpgrade ? release.skipSchemaOnUpgrade : release.skipSchemaOnInstall,
    host: templateHost,
    warn,
    ...(lookup !== undefined && { lookup }),
  });
  if (!rendered.ok) return err(rendered.error.message);
  const manifests = readAll(rendered.value.manifests.map(({ source, text }) => ({ source, text })));
  if (!manifests.ok) return manifests;
  const processed = postRender(manifests.value, release);
  if (!processed.ok) return processed;
  const wantsCrds = isUpgrade ? release.upgradeCrds : release.installCrds;
  const crds = readAll(
    wantsCrds ? rendered.value.crds.map(({ name, data }) => ({ source: name, text: utf8Text(data) ?? '' })) : [],
  );
  if (!crds.ok) return crds;
  return ok([
    ...crds.value.map(({ source, object }) => ({ source, object: withOrigin(object, release) })),
    ...processed.value.map(({ source, object }) => ({
      source,
      object: withOrigin(withMarks(object, release), release),
    })),
  ]);
}

function readAll(
  texts: readonly { readonly source: string; readonly text: string }[],
): Result<readonly ReleaseObject[], string> {
  const objects: ReleaseObject[] = [];
  for (const { source, text } of texts) {
    const documents = parseYamlDocuments(text);
    if (!documents.ok) return err(`${source}: ${printYamlError(documents.error)}`);
    for (const document of documents.value.flatMap(itemsOf)) {
      const kind = stringAt(document, 'kind') ?? '';
      const apiVersion = stringAt(document, 'apiVersion') ?? '';
      const name = stringAt(document, 'metadata', 'name') ?? '';
      if (kind === '' || apiVersion === '' || name === '')
        return err(`${source}: an object has no apiVersion, kind or name`);
      objects.push({ source, object: document as unknown as KubeObject });
    }
  }
  return ok(objects);
}

/** Lists are applied item by item. */
function itemsOf(document: Json): readonly Json[] {
  const items = at(document, 'items');
  return (stringAt(document, 'kind') ?? '').endsWith('List') && isArray(items) ? items : [document];
}

/** Kustomize with the rendered objects as its resource. Source: helm-controller@1.6 internal/postrender/kustomize.go. */
function postRender(objects: readonly ReleaseObject[], release: ReleaseSpec): Result<readonly ReleaseObject[], string> {
  let current = objects;
  for (const renderer of release.postRenderers) {
    const spec = at(renderer, 'kustomize');
    if (!isObject(spec) || current.length === 0) continue;
    const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...spec };
    const files = memoryFiles({
      'helm-output.yaml': current.map(({ object }) => printYaml(object as unknown as Json)).join('---\n'),
      'kustomization.yaml': printYaml({ ...kustomization, resources: ['helm-output.yaml'] }),
    });
    const built = buildKustomization(files, '', { rootPath: '', sha256: sha256Hex });
    if (!built.ok) return err(`error while running post render on files: ${built.error.message}`);
    const sources = new Map(current.map(({ source, object }) => [keyOf(object), source]));
    current = built.value.objects.map((object) => {
      const typed = object as unknown as KubeObject;
      return { source: sources.get(keyOf(typed)) ?? '', object: typed };
    });
  }
  return ok(current);
}

function keyOf({ apiVersion, kind, metadata }: KubeObject): string {
  return [groupOf(apiVersion), kind, metadata.namespace ?? '', metadata.name].join('|');
}

/** The common metadata, and what Helm puts on all that it applies. */
function withMarks(object: KubeObject, release: ReleaseSpec): KubeObject {
  const common = (name: string): Readonly<Record<string, string>> =>
    (at(release.commonMetadata, name) ?? {}) as Readonly<Record<string, string>>;
  const { labels, annotations } = object.metadata;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...labels, ...common('labels'), 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        ...annotations,
        ...common('annotations'),
        'meta.helm.sh/release-name': release.releaseName,
        'meta.helm.sh/release-namespace': release.releaseNamespace,
      },
    },
  };
}

function withOrigin(object: KubeObject, { namespace, name }: ReleaseSpec): KubeObject {
  const labels = { ...object.metadata.labels, [`${HELM_GROUP}/name`]: name, [`${HELM_GROUP}/namespace`]: namespace };
  return { ...object, metadata: { ...object.metadata, labels } };
}
