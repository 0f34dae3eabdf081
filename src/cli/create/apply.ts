import { type KubeObject, refOf } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { ok } from '../../base/result.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type CliContext, type CliResult, done, failed, refused } from '../command.ts';
import type { CliKind } from '../kinds.ts';
import { FIELD_MANAGER } from '../reconcile.ts';
import { concluded, waitFor } from '../wait.ts';

/** Prints an object as a document of a stream, as Flux's --export does. */
export async function exportObject(context: CliContext, object: KubeObject): Promise<void> {
  context.print(`---\n${await context.yaml(object as unknown as Json)}`);
}

/** Creates the object, or sets its labels and the given fields when it is there. */
export async function upsert(
  client: KubeClient,
  object: KubeObject,
  fields: Readonly<Record<string, Json>>,
): Promise<CliResult<'created' | 'updated'>> {
  const existing = await client.get(refOf(object));
  if (!existing.ok) {
    if (existing.error.code !== 404) return refused(existing.error);
    const created = await client.create(object, { fieldManager: FIELD_MANAGER });
    return created.ok ? ok('created') : refused(created.error);
  }
  const { labels } = object.metadata;
  const changed = {
    ...existing.value,
    ...fields,
    metadata: { ...existing.value.metadata, ...(labels === undefined ? {} : { labels }) },
  };
  const updated = await client.update(changed as KubeObject, { fieldManager: FIELD_MANAGER });
  return updated.ok ? ok('updated') : refused(updated.error);
}

/** Applies an object of a reconciled kind and waits until it is ready; gives what the cluster then holds. */
export async function applyAndWait(
  context: CliContext,
  client: KubeClient,
  kind: CliKind,
  object: KubeObject,
  title: string,
): Promise<CliResult<KubeObject>> {
  const { progress } = context;
  progress.action(`applying ${title}`);
  const applied = await upsert(client, object, { spec: object.spec as Json });
  if (!applied.ok) return applied;
  progress.success(`${title} ${applied.value}`);
  progress.wait(`waiting for ${title} reconciliation`);
  const waited = await waitFor(context, client, refOf(object), (seen) => {
    const end = concluded(seen);
    return end === undefined ? undefined : { end, seen };
  });
  if (!waited.ok) return waited;
  const { end, seen } = waited.value;
  return end.ready ? ok(seen) : failed(`${kind.kind} is not ready: ${end.message}`);
}

/** Writes a Secret whose values are given as text; keys that it held before and that are not given are gone. */
export async function upsertSecret(client: KubeClient, secret: KubeObject): Promise<CliResult> {
  const { stringData, ...rest } = secret as unknown as {
    readonly stringData: Readonly<Record<string, string>>;
  };
  const encoded = Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const data = Object.fromEntries(encoded) as Json;
  const result = await upsert(client, { ...rest, data } as unknown as KubeObject, { data });
  return result.ok ? done : result;
}
