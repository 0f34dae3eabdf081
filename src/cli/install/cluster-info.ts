import { ok } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CliResult, refused } from '../command.ts';

/** What is installed in a cluster, as the labels of a CRD tell it. Source: fluxcd/flux2@v2 cmd/flux/cluster_info.go. */
export interface ClusterInfo {
  readonly bootstrapped: boolean;
  readonly managedBy: string;
  readonly distribution: string;
  readonly version: string;
}

/** Undefined when nothing is installed. */
export async function clusterInfo(client: KubeClient): Promise<CliResult<ClusterInfo | undefined>> {
  const crd = await client.get({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    name: 'gitrepositories.source.toolkit.fluxcd.io',
  });
  if (!crd.ok) return crd.error.code === 404 ? ok(undefined) : refused(crd.error);
  const label = (name: string): string => crd.value.metadata.labels?.[name] ?? '';
  const version = label('app.kubernetes.io/version');
  const partOf = label('app.kubernetes.io/part-of');
  return ok({
    bootstrapped:
      label('kustomize.toolkit.fluxcd.io/name') !== '' && label('kustomize.toolkit.fluxcd.io/namespace') !== '',
    managedBy: label('app.kubernetes.io/managed-by'),
    distribution: partOf === '' ? version : `${partOf}-${version}`,
    version,
  });
}
