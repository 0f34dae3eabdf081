import type { KubeObject, ObjectRef } from '../api/object.ts';
import { ok } from '../base/result.ts';
import type { KubeClient } from '../kube/client.ts';
import { type CliContext, type CliResult, failed, refused } from './command.ts';
import { conditionOf, type ReadyState } from './kinds.ts';

/** Pause before a watch that the server ended is begun again. */
const REWATCH_MS = 250;

/**
 * Waits until `judge` says something of the object, which is followed by a watch. Fails when the object goes away, and when
 * `--timeout` passes: with what the object said last, which is what the user has to look after.
 */
export async function waitFor<T>(
  context: CliContext,
  client: KubeClient,
  ref: ObjectRef,
  judge: (object: KubeObject) => T | undefined,
): Promise<CliResult<T>> {
  const options = {
    ...(ref.namespace === undefined ? {} : { namespace: ref.namespace }),
    fieldSelector: `metadata.name=${ref.name}`,
  };
  let last: KubeObject | undefined;
  let told: string | undefined;
  const look = (object: KubeObject): T | undefined => {
    last = object;
    const verdict = judge(object);
    const ready = conditionOf(object, 'Ready');
    if (verdict === undefined && ready !== undefined && isExpected(ready) && ready.message !== told) {
      told = ready.message;
      context.progress.wait(told);
    }
    return verdict;
  };
  while (!context.timedOut()) {
    const listed = await client.list(ref, options);
    if (!listed.ok) return refused(listed.error);
    const [object] = listed.value.items;
    if (object === undefined) return failed(`${ref.kind} '${ref.name}' not found`);
    const verdict = look(object);
    if (verdict !== undefined) return ok(verdict);
    const stop = new AbortController();
    const signal = AbortSignal.any([context.signal, stop.signal]);
    try {
      for await (const event of client.watch(ref, {
        ...options,
        resourceVersion: listed.value.resourceVersion,
        signal,
      })) {
        if (event.type === 'ERROR') break;
        if (event.type === 'BOOKMARK') continue;
        if (event.type === 'DELETED') return failed(`${ref.kind} '${ref.name}' was deleted while waiting for it`);
        const seen = look(event.object);
        if (seen !== undefined) return ok(seen);
      }
      await context.sleep(REWATCH_MS);
    } catch (error) {
      if (!context.timedOut()) throw error;
    } finally {
      stop.abort();
    }
  }
  const message = last === undefined ? undefined : conditionOf(last, 'Ready')?.message;
  return failed(`timed out waiting${message === undefined ? '' : `: ${message}`}`);
}

/** What comes by itself, and is waited for: a dependency, an artifact that is still being fetched. */
function isExpected({ status, reason, message }: ReadyState): boolean {
  if (status !== 'False') return false;
  return reason === 'DependencyNotReady' || message.startsWith('Source artifact not found');
}

/** What Ready says once the controller is through with the object's present generation; undefined before that. */
export function concluded(object: KubeObject): { readonly ready: boolean; readonly message: string } | undefined {
  const { generation } = object.metadata;
  if (generation !== undefined && object.status?.['observedGeneration'] !== generation) {
    return stalledMessage(object);
  }
  const ready = conditionOf(object, 'Ready');
  if (ready === undefined || ready.status === 'Unknown') return undefined;
  if (ready.status === 'True') return { ready: true, message: ready.message };
  if (isExpected(ready)) return undefined;
  const reconciling = conditionOf(object, 'Reconciling');
  // A failure that will be tried again is told now; Progressing means that the try itself still runs.
  if (reconciling?.status === 'True' && reconciling.reason === 'Progressing') return undefined;
  return { ready: false, message: ready.message };
}

/** A failed reconciliation leaves the generation unobserved: its message is told too, once nothing runs any more. */
function stalledMessage(object: KubeObject): { readonly ready: boolean; readonly message: string } | undefined {
  const ready = conditionOf(object, 'Ready');
  const reconciling = conditionOf(object, 'Reconciling');
  if (ready?.status !== 'False' || ready.observedGeneration !== object.metadata.generation) return undefined;
  if (reconciling?.status === 'True' && reconciling.reason !== 'ProgressingWithRetry') return undefined;
  if (isExpected(ready)) return undefined;
  return { ready: false, message: ready.message };
}
