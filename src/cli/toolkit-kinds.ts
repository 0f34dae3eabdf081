import type { KubeObject } from '../api/object.ts';
import { at, type Json, stringAt } from '../base/json.ts';

/** A kind of the toolkit, whether this version serves it or not: a cluster may hold objects of Flux's other controllers. */
export interface ToolkitKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Left out of `weir stats`, as Flux leaves it out. */
  readonly uncounted?: boolean;
  /** Where the object names what it is made of, whose events are told together with its own. */
  readonly reference?: { readonly path: readonly string[]; readonly kind?: string; readonly sameNamespace?: boolean };
}

const SOURCE = 'source.toolkit.fluxcd.io/v1';
const IMAGE = 'image.toolkit.fluxcd.io/v1';

/** In the order of `weir stats`. Source: fluxcd/flux2@v2.9 cmd/flux/stats.go; events.go fluxKindMap. */
export const toolkitKinds: readonly ToolkitKind[] = [
  { apiVersion: SOURCE, kind: 'GitRepository' },
  { apiVersion: SOURCE, kind: 'OCIRepository' },
  { apiVersion: SOURCE, kind: 'HelmRepository' },
  { apiVersion: SOURCE, kind: 'HelmChart', reference: { path: ['spec', 'sourceRef'] } },
  { apiVersion: SOURCE, kind: 'Bucket' },
  {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    reference: { path: ['spec', 'sourceRef'] },
  },
  {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    reference: { path: ['spec', 'chart', 'spec', 'sourceRef'] },
  },
  {
    apiVersion: 'notification.toolkit.fluxcd.io/v1beta3',
    kind: 'Alert',
    reference: { path: ['spec', 'providerRef'], kind: 'Provider', sameNamespace: true },
  },
  { apiVersion: 'notification.toolkit.fluxcd.io/v1beta3', kind: 'Provider' },
  { apiVersion: 'notification.toolkit.fluxcd.io/v1', kind: 'Receiver' },
  { apiVersion: IMAGE, kind: 'ImageUpdateAutomation' },
  {
    apiVersion: IMAGE,
    kind: 'ImagePolicy',
    reference: { path: ['spec', 'imageRepositoryRef'], kind: 'ImageRepository' },
  },
  { apiVersion: IMAGE, kind: 'ImageRepository' },
  { apiVersion: SOURCE, kind: 'ExternalArtifact', uncounted: true },
  { apiVersion: 'source.extensions.fluxcd.io/v1beta1', kind: 'ArtifactGenerator', uncounted: true },
];

/** The kind of this name in any case, or undefined. */
export function toolkitKind(name: string): ToolkitKind | undefined {
  const wanted = name.toLowerCase();
  return toolkitKinds.find(({ kind }) => kind.toLowerCase() === wanted);
}

/** What an object refers to, with the namespace filled in; undefined when it refers to nothing. */
export function referenceOf(
  { reference }: ToolkitKind,
  object: KubeObject,
): { readonly kind: string; readonly namespace: string; readonly name: string } | undefined {
  if (reference === undefined) return undefined;
  const found = at(object as unknown as Json, ...reference.path);
  const kind = reference.kind ?? stringAt(found, 'kind');
  const name = stringAt(found, 'name');
  if (kind === undefined || name === undefined) return undefined;
  const own = object.metadata.namespace ?? '';
  return { kind, name, namespace: reference.sameNamespace === true ? own : stringAt(found, 'namespace') || own };
}
