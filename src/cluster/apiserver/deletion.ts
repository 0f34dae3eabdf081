import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { isArray, isObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import { json, withField, withMeta } from './draft.ts';
import type { Objects } from './objects.ts';
import type { Operation } from './operation.ts';
import { keyOf } from './resource-type.ts';
import { badRequest, conflict, invalid, invalidValue, notFound } from './status.ts';
import { strategyOf } from './strategy.ts';

export interface DeleteOptions {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** `deleted`: the object is gone, and this was its last state; otherwise it waits for its grace period or its finalizers. */
export interface Deletion {
  readonly deleted: boolean;
  readonly object: KubeObject;
}

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';
const CRDS = 'apiextensions.k8s.io/customresourcedefinitions';
const CRD_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** The options of a DELETE from its body and its query; the query alone when there is no body. */
export function parseDeleteOptions(
  body: JsonObject | undefined,
  query: URLSearchParams,
): Result<DeleteOptions & { readonly dryRun: readonly string[] }, StatusError> {
  const source = body ?? {};
  const preconditions = isObject(source['preconditions']) ? source['preconditions'] : {};
  const propagation = source['propagationPolicy'] ?? (body === undefined ? query.get('propagationPolicy') : null);
  const orphan = source['orphanDependents'] ?? (body === undefined ? query.get('orphanDependents') : null);
  const grace = source['gracePeriodSeconds'] ?? (body === undefined ? query.get('gracePeriodSeconds') : null);
  const dryRun = isArray(source['dryRun']) ? source['dryRun'].map(String) : query.getAll('dryRun');
  const kind = { group: 'meta.k8s.io', kind: 'DeleteOptions' };
  if (typeof grace === 'string' && !/^[-+]?\d+$/.test(grace))
    return err(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`));
  if (dryRun.some((value) => value !== 'All'))
    return err(
      invalid(kind, '', [
        {
          reason: 'FieldValueNotSupported',
          field: 'dryRun',
          message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
        },
      ]),
    );
  if (propagation !== null && orphan !== null)
    return err(
      invalid(kind, '', [
        invalidValue(
          'propagationPolicy',
          propagation as Json,
          'orphanDependents and deletionPropagation cannot be both set',
        ),
      ]),
    );
  if (
    propagation !== null &&
    (typeof propagation !== 'string' || !['Foreground', 'Background', 'Orphan'].includes(propagation))
  )
    return err(
      invalid(kind, '', [
        {
          reason: 'FieldValueNotSupported',
          field: 'propagationPolicy',
          message: `Unsupported value: ${JSON.stringify(propagation)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
        },
      ]),
    );
  const policy =
    propagation !== null
      ? propagation
      : orphan === null
        ? undefined
        : orphan === true || orphan === 'true'
          ? 'Orphan'
          : 'Background';
  const uid = preconditions['uid'];
  const resourceVersion = preconditions['resourceVersion'];
  return ok({
    dryRun,
    ...(policy === undefined ? {} : { propagation: policy as 'Background' }),
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
  });
}

/** Deletes an object, or marks it as being deleted. Source: kubernetes@1.34 apiserver/pkg/registry/generic/registry/store.go Delete. */
export async function deleteObject(
  objects: Objects,
  operation: Operation,
  name: string,
  options: DeleteOptions,
): Promise<Result<Deletion, StatusError>> {
  const { type, namespace } = operation;
  const { store } = objects.options;
  for (;;) {
    const entry = objects.entry(type, namespace, name);
    if (entry === undefined) return err(notFound(type, name));
    const { object } = entry;
    if (options.uid !== undefined && options.uid !== object.metadata.uid)
      return err(
        conflict(
          // The kind, where others name the resource. (kubernetes@1.34 apiserver/pkg/registry/rest/delete.go BeforeDelete)
          { group: type.group, plural: type.kind },
          name,
          `the UID in the precondition (${options.uid}) does not match the UID in record (${object.metadata.uid ?? ''}). The object might have been deleted and then recreated`,
        ),
      );
    if (options.resourceVersion !== undefined && options.resourceVersion !== object.metadata.resourceVersion)
      return err(
        conflict(
          // The kind, where others name the resource. (kubernetes@1.34 apiserver/pkg/registry/rest/delete.go BeforeDelete)
          { group: type.group, plural: type.kind },
          name,
          `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${object.metadata.resourceVersion ?? ''}). The object might have been modified`,
        ),
      );
    const refused = await objects.admit({
      ...operation,
      // Of a collection every object is deleted in the collection's name. (registry/rest/delete.go)
      name: operation.collection === true ? '' : name,
      object: undefined,
      old: object,
    });
    if (refused !== undefined) return err(refused);
    const marked = mark(objects, operation, object, options);
    if (marked === undefined) {
      const last = withoutGrace(objects, type.storage, object);
      if (operation.dryRun) return ok({ deleted: true, object: last });
      const place = { resource: type.storage, key: keyOf(object.metadata.namespace, name) };
      const first = last === object ? entry : store.commit({ ...place, expected: entry, object: last });
      if (first === undefined) continue;
      const committed = store.commit({ ...place, expected: first, object: undefined });
      if (committed === undefined) continue;
      await store.flushed();
      return ok({ deleted: true, object: lastState(committed.object) });
    }
    if (marked === object || operation.dryRun) return ok({ deleted: false, object: marked });
    const committed = store.commit({
      resource: type.storage,
      key: keyOf(object.metadata.namespace, name),
      expected: entry,
      object: marked,
    });
    if (committed === undefined) continue;
    await store.flushed();
    return ok({ deleted: false, object: committed.object });
  }
}

/** A pod goes by way of a grace period, also by one of no length: watchers see it marked before it is gone. */
function withoutGrace(objects: Objects, storage: string, object: KubeObject): KubeObject {
  if (storage !== '/pods' || object.metadata.deletionTimestamp !== undefined) return object;
  return withMeta(object, (meta) => {
    meta.deletionTimestamp = objects.now();
    meta.deletionGracePeriodSeconds = 0;
    meta.generation = (meta.generation ?? 0) + 1;
  });
}

/** A grace period that was cut short is shown as over. */
function lastState(object: KubeObject): KubeObject {
  if (object.metadata.deletionTimestamp === undefined) return object;
  return withMeta(object, (meta) => {
    meta.deletionGracePeriodSeconds = 0;
  });
}

/** The object as it waits for its end; itself when it waits already; undefined when it goes at once. */
function mark(
  objects: Objects,
  { type }: Operation,
  object: KubeObject,
  options: DeleteOptions,
): KubeObject | undefined {
  const now = objects.options.clock.now();
  const finalizers = new Set(object.metadata.finalizers ?? []);
  const strategy = strategyOf(type);
  const policy =
    options.propagation ??
    (finalizers.has(FOREGROUND) ? 'Foreground' : finalizers.has(ORPHAN) ? 'Orphan' : undefined) ??
    (strategy.orphansByDefault === true ? 'Orphan' : 'Background');
  finalizers.delete(FOREGROUND);
  finalizers.delete(ORPHAN);
  if (policy === 'Foreground') finalizers.add(FOREGROUND);
  if (policy === 'Orphan') finalizers.add(ORPHAN);
  if (type.storage === CRDS) finalizers.add(CRD_FINALIZER);
  const namespaceBusy =
    type.storage === '/namespaces' && isArray(object.spec?.['finalizers']) && object.spec['finalizers'].length > 0;
  const grace = gracePeriod(type.storage, object, options.gracePeriodSeconds);
  const already = object.metadata.deletionTimestamp !== undefined;
  if (grace === 0 && finalizers.size === 0 && !namespaceBusy) return undefined;
  const list = [...finalizers];
  const sameFinalizers =
    list.length === (object.metadata.finalizers ?? []).length &&
    list.every((finalizer) => object.metadata.finalizers?.includes(finalizer));
  const before = object.metadata.deletionGracePeriodSeconds;
  if (already && sameFinalizers && (before === undefined || grace >= before)) {
    // A pod whose grace period is being waited for goes on waiting; a forced one does not.
    return object;
  }
  const shorter = before === undefined || grace < before;
  let out = withMeta(object, (meta) => {
    meta.finalizers = list.length === 0 ? undefined : list;
    if (!already || (before !== undefined && shorter))
      meta.deletionTimestamp = new Date(now + grace * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z');
    if (type.storage === CRDS) return;
    if (type.storage !== '/namespaces' || list.length > 0) meta.deletionGracePeriodSeconds = shorter ? grace : before;
    if (!already && (meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1;
  });
  if (type.storage === '/namespaces') {
    const status = json(out)['status'];
    out = withField(out, 'status', { ...(isObject(status) ? status : {}), phase: 'Terminating' });
  }
  return out;
}

function gracePeriod(storage: string, pod: KubeObject, asked: number | undefined): number {
  if (storage !== '/pods') return 0;
  const phase = pod.status?.['phase'];
  const scheduled = pod.spec?.['nodeName'];
  if (phase === 'Succeeded' || phase === 'Failed' || typeof scheduled !== 'string' || scheduled === '') return 0;
  const period = asked ?? Number(pod.spec?.['terminationGracePeriodSeconds'] ?? 30);
  return period < 0 ? 1 : period;
}
