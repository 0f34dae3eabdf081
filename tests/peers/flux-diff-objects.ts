import type { KubeObject } from '../../src/api/object.ts';

const OWNER = { 'kustomize.toolkit.fluxcd.io/name': 'fleet', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' };

/** An object of a case, with its name. */
export function named(name: string, object: object): KubeObject {
  const { metadata, ...rest } = object as KubeObject;
  return { ...rest, metadata: { ...metadata, name, namespace: 'apps' } };
}

/** The same as the Kustomization `fleet` applied it. */
export function owned(name: string, object: object): KubeObject {
  const { metadata, ...rest } = named(name, object);
  return { ...rest, metadata: { ...metadata, labels: { ...metadata.labels, ...OWNER } } };
}

/** A definition that takes any structure. */
export function anyKind(group: string, version: string, kind: string, plural = `${kind.toLowerCase()}s`): KubeObject {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural },
      scope: 'Namespaced',
      versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}
