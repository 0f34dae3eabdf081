import type { Kustomization } from '../../api/kinds/kustomization.ts';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import { at, field, isObject, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNoMatch, isNotFound } from '../../kube/errors.ts';
import type { InformerPool } from '../../kube/informer-pool.ts';
import type { ArtifactLocation } from '../../source/artifact/artifact.ts';

export const SOURCE_GROUP = 'source.toolkit.fluxcd.io';
const SOURCE_VERSION = `${SOURCE_GROUP}/v1`;
export const SOURCE_KINDS = ['GitRepository', 'OCIRepository', 'Bucket', 'ExternalArtifact'] as const;
const ORIGIN_REVISION = 'org.opencontainers.image.revision';

/** A source's artifact, as its status tells it. */
export interface SourceArtifact {
  readonly location: ArtifactLocation;
  readonly revision: string;
  readonly originRevision: string | undefined;
}

export interface SourceError {
  readonly code: 'NotFound' | 'AccessDenied' | 'Unreadable';
  /** As Flux words it. */
  readonly message: string;
}

export interface SourcePorts {
  readonly client: KubeClient;
  readonly informers: InformerPool;
}

export interface SourceRules {
  readonly noCrossNamespaceRefs: boolean;
  readonly externalArtifact: boolean;
}

export function sourceRef({ metadata, spec }: Kustomization): ObjectRef {
  const { kind, name, namespace } = spec.sourceRef;
  return { apiVersion: SOURCE_VERSION, kind, name, namespace: namespace || (metadata.namespace ?? '') };
}

/** Reads the source of a Kustomization; undefined when it has no artifact yet. Source: kustomize-controller@1.9 getSource. */
export async function readSource(
  object: Kustomization,
  ports: SourcePorts,
  rules: SourceRules,
): Promise<Result<SourceArtifact | undefined, SourceError>> {
  const ref = sourceRef(object);
  const place = `${ref.namespace}/${ref.name}`;
  if (rules.noCrossNamespaceRefs && ref.namespace !== object.metadata.namespace) {
    const message = `can't access '${ref.kind}/${place}', cross-namespace references have been blocked`;
    return err({ code: 'AccessDenied', message });
  }
  if (ref.kind === 'ExternalArtifact' && !rules.externalArtifact) {
    const message = `can't access '${ref.kind}/${place}', ExternalArtifact feature gate is disabled`;
    return err({ code: 'AccessDenied', message });
  }
  const found = await read(ref, ports);
  if (found.ok) return ok(artifactOf(found.value));
  if (isNotFound(found.error) && !isNoMatch(found.error)) {
    return err({ code: 'NotFound', message: `${ref.kind}.${SOURCE_GROUP} "${ref.name}" not found` });
  }
  return err({ code: 'Unreadable', message: `unable to get source '${place}': ${found.error.message}` });
}

/** From the cache when the kind is watched. */
async function read(ref: ObjectRef, { client, informers }: SourcePorts): ReturnType<KubeClient['get']> {
  const { apiVersion, kind, namespace, name } = ref;
  const informer = informers.watch({ apiVersion, kind });
  const cached = informer.isSynced() ? informer.get(namespace, name) : undefined;
  return cached === undefined ? client.get(ref) : ok(cached);
}

export function artifactOf(source: KubeObject): SourceArtifact | undefined {
  const artifact = field(source.status, 'artifact');
  const url = stringAt(artifact, 'url');
  const digest = stringAt(artifact, 'digest');
  const revision = stringAt(artifact, 'revision');
  if (!isObject(artifact) || url === undefined || digest === undefined || revision === undefined) return undefined;
  const origin = at(artifact, 'metadata', ORIGIN_REVISION);
  const path = stringAt(artifact, 'path');
  return {
    location: { url, digest, revision, ...(path === undefined ? {} : { path }) },
    revision,
    originRevision: typeof origin === 'string' && origin !== '' ? origin : undefined,
  };
}
