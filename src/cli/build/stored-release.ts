import { gunzipSync } from 'node:zlib';
import type { KubeObject, ObjectRef } from '../../api/object.ts';
import { type Json, parseJson, stringAt } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import type { ReleaseSpec } from '../../build/helm/release-spec.ts';
import { parseYamlDocuments } from '../../engine/yaml/parse.ts';
import type { KubeClient } from '../../kube/client.ts';
import { dataOf } from './known-objects.ts';

/** Bytes of an unpacked release: its Secret holds at most 1 MiB packed. */
const MAX_RELEASE_BYTES = 64 * 1024 * 1024;

/** The objects of a release's newest deployed revision, as Helm stored them; none where it stored nothing. */
export async function storedObjects(
  client: KubeClient,
  { releaseName, releaseNamespace, storageNamespace }: ReleaseSpec,
  signal: AbortSignal,
): Promise<Result<readonly ObjectRef[], string>> {
  const labelSelector = `owner=helm,status=deployed,name=${releaseName}`;
  const listed = await client.list(
    { apiVersion: 'v1', kind: 'Secret' },
    { namespace: storageNamespace, labelSelector, signal },
  );
  if (!listed.ok) return err(`its stored release cannot be read: ${listed.error.message}`);
  const newest = listed.value.items.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0];
  if (newest === undefined) return ok([]);
  const manifest = manifestOf(dataOf(newest).get('release') ?? '');
  if (manifest === undefined)
    return err(`Secret/${storageNamespace}/${newest.metadata.name} holds no release of Helm's`);
  const documents = parseYamlDocuments(manifest);
  if (!documents.ok) return err(`Secret/${storageNamespace}/${newest.metadata.name}: the manifest is no YAML`);
  const refs: ObjectRef[] = [];
  for (const document of documents.value) {
    const ref = await placed(client, document, releaseNamespace);
    if (ref !== undefined) refs.push(ref);
  }
  return ok(refs);
}

function revisionOf({ metadata }: KubeObject): number {
  return Number(metadata.labels?.['version'] ?? 0);
}

/** Helm stores base64 of gzipped JSON; old releases are not packed. Source: helm@4.1.4 pkg/storage/driver/util.go. */
function manifestOf(stored: string): string | undefined {
  const bytes = Buffer.from(stored, 'base64');
  try {
    const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 0x08;
    const text = isPacked ? gunzipSync(bytes, { maxOutputLength: MAX_RELEASE_BYTES }) : bytes;
    return stringAt(parseJson(text.toString()), 'manifest');
  } catch {
    return undefined;
  }
}

async function placed(client: KubeClient, document: Json, namespace: string): Promise<ObjectRef | undefined> {
  const apiVersion = stringAt(document, 'apiVersion') ?? '';
  const kind = stringAt(document, 'kind') ?? '';
  const name = stringAt(document, 'metadata', 'name') ?? '';
  if (apiVersion === '' || kind === '' || name === '') return undefined;
  const found = await client.resource({ apiVersion, kind });
  if (found.ok && !found.value.namespaced) return { apiVersion, kind, name };
  return { apiVersion, kind, name, namespace: stringAt(document, 'metadata', 'namespace') ?? namespace };
}
