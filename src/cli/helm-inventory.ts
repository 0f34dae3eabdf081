import { gunzipSync } from 'node:zlib';
import { groupOf, type KubeObject } from '../api/object.ts';
import { at, isArray, type Json, parseJson, stringAt } from '../base/json.ts';
import { ok } from '../base/result.ts';
import { parseYamlDocuments } from '../engine/yaml/parse.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, failed, refused } from './command.ts';
import type { InventoryEntry } from './inventory.ts';

const HELM_GROUP = 'helm.toolkit.fluxcd.io';
const CRD = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;
/** A release fits into a Secret of a megabyte; what unpacks to more than this is no release. */
const MAX_RELEASE_BYTES = 64 * 1024 * 1024;

/**
 * What a HelmRelease installed: the manifest of its latest release as Helm stores it, and the definitions that Flux applied for
 * it. Nothing for a release that is not there yet or belongs to another cluster. Source: fluxcd/flux2@v2.9 cmd/flux/tree_kustomization.go.
 */
export async function helmInventory(
  context: CliContext,
  client: KubeClient,
  release: KubeObject,
): Promise<CliResult<readonly Omit<InventoryEntry, 'version'>[]>> {
  const history = at(release.status, 'history');
  const latest = isArray(history) ? history[0] : undefined;
  const storageNamespace = stringAt(release.status, 'storageNamespace') ?? '';
  if (release.spec?.['kubeConfig'] !== undefined || latest === undefined || storageNamespace === '') return ok([]);
  const subject = `HelmRelease '${release.metadata.namespace}/${release.metadata.name}'`;
  const name = `sh.helm.release.v1.${stringAt(latest, 'name') ?? ''}.v${Number(at(latest, 'version') ?? 0)}`;
  const secret = await client.get(
    { apiVersion: 'v1', kind: 'Secret', namespace: storageNamespace, name },
    context.signal,
  );
  if (!secret.ok) {
    if (secret.error.code === 404) return ok([]);
    return refused(secret.error, `failed to find the Helm storage object for ${subject}`);
  }
  const manifest = manifestOf(stringAt(secret.value as unknown as Json, 'data', 'release') ?? '');
  const documents = manifest === undefined ? undefined : parseYamlDocuments(manifest);
  if (documents?.ok !== true) return failed(`failed to decode the Helm storage object for ${subject}`);
  const resources = await client.resources();
  const entries = documents.value.flatMap((document) => {
    const kind = stringAt(document, 'kind');
    const objectName = stringAt(document, 'metadata', 'name');
    if (kind === undefined || objectName === undefined) return [];
    const apiVersion = stringAt(document, 'apiVersion') ?? '';
    const known = resources.ok
      ? resources.value.find((info) => info.apiVersion === apiVersion && info.kind === kind)
      : undefined;
    const fallback = known?.namespaced === true ? (stringAt(latest, 'namespace') ?? '') : '';
    const namespace = stringAt(document, 'metadata', 'namespace') ?? fallback;
    return [{ namespace, name: objectName, group: groupOf(apiVersion), kind }];
  });
  return ok([...entries, ...(await definitionsOf(client, release, entries))]);
}

/** Helm's text: base64 of a gzipped JSON, and base64 again because it is in a Secret. */
function manifestOf(data: string): string | undefined {
  try {
    const bytes = Buffer.from(Buffer.from(data, 'base64').toString('latin1'), 'base64');
    const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const json = zipped ? gunzipSync(bytes, { maxOutputLength: MAX_RELEASE_BYTES }) : bytes;
    return stringAt(parseJson(json.toString()), 'manifest');
  } catch {
    return undefined;
  }
}

async function definitionsOf(
  client: KubeClient,
  release: KubeObject,
  found: readonly Omit<InventoryEntry, 'version'>[],
): Promise<readonly Omit<InventoryEntry, 'version'>[]> {
  const applies = (field: string): boolean => !['', 'Skip'].includes(stringAt(release.spec, field, 'crds') ?? '');
  if (!applies('install') && !applies('upgrade')) return [];
  const { name, namespace = '' } = release.metadata;
  const labelSelector = `${HELM_GROUP}/name=${name},${HELM_GROUP}/namespace=${namespace}`;
  const listed = await client.list(CRD, { labelSelector });
  if (!listed.ok) return [];
  return listed.value.items
    .filter(({ metadata }) => !found.some((entry) => entry.kind === CRD.kind && entry.name === metadata.name))
    .map(({ metadata }) => ({ namespace: '', name: metadata.name, group: groupOf(CRD.apiVersion), kind: CRD.kind }));
}
