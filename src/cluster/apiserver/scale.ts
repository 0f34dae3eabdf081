import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, put, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { ApplyInput, ManagedFieldsContext } from '../../engine/merge/managed-fields.ts';
import { applyServerSide, trackUpdate } from '../../engine/merge/managed-fields.ts';
import { builtinSchema, resolveBuiltin } from '../data/builtins.ts';
import type { StatusError } from '../registry.ts';
import { decodeBody } from './body.ts';
import { draft, json, kube, withMeta } from './draft.ts';
import type { Kernel } from './kernel.ts';
import { applyFailure } from './managed-fields.ts';
import { checkIdentity } from './objects.ts';
import type { Outcome } from './operation.ts';
import { convertApplied, isForced, readApplied } from './patch-apply.ts';
import { patchKind, patchObject } from './patch-object.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import type { ReplicasPath } from './scale-managers.ts';
import { parentManagers, SCALE_VERSION, scaleManagers } from './scale-managers.ts';
import { printSelector } from './selector-text.ts';
import { badRequest, conflict, invalid, invalidValue, notFound } from './status.ts';
import { decodeObject, operationOf } from './write.ts';
import { checkWriteOptions } from './write-options.ts';

/** Where a kind keeps what its scale says. */
interface Paths {
  readonly replicas: readonly string[];
  readonly statusReplicas: readonly string[];
  /** Path to a selector text; built-in kinds have a selector object in their spec. */
  readonly selector: readonly string[] | undefined;
}

function pathsOf(type: ResourceType, name: string = type.version): Paths {
  if (type.definition === undefined)
    return { replicas: ['spec', 'replicas'], statusReplicas: ['status', 'replicas'], selector: undefined };
  const versions = field(type.definition.spec, 'versions');
  const version = isArray(versions) ? versions.find((one) => stringAt(one, 'name') === name) : undefined;
  const scale = at(version, 'subresources', 'scale');
  const split = (key: string): readonly string[] | undefined => stringAt(scale, key)?.replace(/^\./, '').split('.');
  return {
    replicas: split('specReplicasPath') ?? [],
    statusReplicas: split('statusReplicasPath') ?? [],
    selector: split('labelSelectorPath') ?? [],
  };
}

/** An object's scale, as `/scale` shows it. */
export function scaleOf(type: ResourceType, object: KubeObject): JsonObject {
  const paths = pathsOf(type);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = at(json(object), ...paths.replicas);
  const selector =
    paths.selector === undefined
      ? printSelector(at(json(object), 'spec', 'selector'))
      : at(json(object), ...paths.selector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: uid ?? '',
      resourceVersion: resourceVersion ?? '',
      creationTimestamp: creationTimestamp ?? '',
    },
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: {
      replicas: Number(at(json(object), ...paths.statusReplicas) ?? 0),
      ...(typeof selector === 'string' && selector !== '' ? { selector } : {}),
    },
  };
}

/** `object` with as many replicas as its scale says. */
export function withReplicas(type: ResourceType, object: KubeObject, replicas: Json): KubeObject {
  const copy = draft(object);
  set(copy, pathsOf(type).replicas, replicas);
  return kube(copy);
}

export function readScale(kernel: Kernel, { type, path }: ResourceRequest): Result<Reply, StatusError> {
  const object = kernel.objects.entry(type, path.namespace, path.name as string)?.object;
  return object === undefined
    ? err(notFound(type, path.name as string))
    : ok(answer(scaleOf(type, kernel.codec.fromStorage(type, object))));
}

/** The kind that clients send, whatever is scaled. */
function scaleType(type: ResourceType): ResourceType {
  const { definition: _custom, ...rest } = type;
  return { ...rest, group: 'autoscaling', version: 'v1', kind: 'Scale' };
}

/** PUT and PATCH of a scale: changes the replicas of the object behind it. */
export async function writeScale(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path } = request;
  const name = path.name as string;
  const kind = request.method === 'PATCH' ? patchKind(request) : ok(undefined);
  if (!kind.ok) return kind;
  const bad = checkWriteOptions(
    kind.value === undefined ? 'UpdateOptions' : 'PatchOptions',
    request.query,
    kind.value === 'apply',
  );
  if (bad !== undefined) return err(bad);
  const applied = kind.value === 'apply' ? readApplied({ ...request, type: scaleType(type) }) : ok(undefined);
  if (!applied.ok) return applied;
  const operation = operationOf(request, 'update');
  const transform = (current: KubeObject): Outcome => {
    const shown = kernel.codec.fromStorage(type, current);
    const owners = shown.metadata.managedFields ?? [];
    const before = withMeta(kube(scaleOf(type, shown)), (meta) => {
      const managers = scaleManagers(owners, replicasPath(type));
      meta.managedFields = managers.length === 0 ? undefined : managers;
    });
    const { manager } = operation;
    const context = scaleContext(kernel);
    let wanted: Outcome;
    if (applied.value !== undefined) {
      const force = isForced(request);
      wanted = mergeApplied(request, { ...context, live: json(before), applied: json(applied.value), manager, force });
    } else {
      const read =
        kind.value === undefined || kind.value === 'apply'
          ? readScaleBody(kernel, request)
          : patchObject(kernel, request, scaleType(type), kind.value, before);
      if (!read.ok) return read;
      wanted = ok(kube(trackUpdate({ ...context, before: json(before), after: json(read.value), manager })));
    }
    if (!wanted.ok) return wanted;
    const scale = wanted.value;
    const refused = checkScale(type, scale, current);
    if (refused !== undefined) return err(refused);
    const copy = draft(shown);
    set(copy, pathsOf(type).replicas, at(json(scale), 'spec', 'replicas') ?? 0);
    const managers = parentManagers(owners, scale.metadata.managedFields ?? [], apiVersionOf(type), replicasPath(type));
    const changed = withMeta(kube(copy), (meta) => {
      meta.managedFields = managers.length === 0 ? undefined : managers;
    });
    return ok(kernel.codec.toStorage(type, changed));
  };
  const outcome = await kernel.objects.update(operation, name, transform, { derived: true, tracked: true });
  return outcome.ok ? ok(answer(scaleOf(type, kernel.codec.fromStorage(type, outcome.value)))) : outcome;
}

function scaleContext(kernel: Kernel): ManagedFieldsContext {
  return {
    schema: builtinSchema(SCALE_VERSION, 'Scale'),
    resolve: resolveBuiltin,
    apiVersion: SCALE_VERSION,
    time: kernel.objects.now(),
    subresource: 'scale',
  };
}

/** Built-in kinds with a scale have it in all of their versions. */
function replicasPath(type: ResourceType): ReplicasPath {
  return (apiVersion) => {
    const [version = '', group = ''] = apiVersion.split('/').toReversed();
    if (group !== type.group) return undefined;
    const { replicas } = pathsOf(type, version);
    return replicas.length === 0 ? undefined : replicas;
  };
}

/** What applying a scale makes of it. */
function mergeApplied(request: ResourceRequest, input: ApplyInput): Outcome {
  const merged = applyServerSide(input);
  if (!merged.ok) return err(applyFailure(merged.error));
  const type = scaleType(request.type);
  const read = convertApplied(type, kube(merged.value.object), kube(input.applied));
  if (!read.ok) return read;
  const wrong = checkIdentity(type, read.value.object, request.path.namespace, request.path.name);
  return wrong === undefined ? ok(read.value.object) : err(wrong);
}

function readScaleBody(kernel: Kernel, request: ResourceRequest): Result<KubeObject, StatusError> {
  const body = decodeBody(request.headers['content-type'], request.body, 'Scale');
  if (!body.ok) return body;
  const target = scaleType(request.type);
  const scale = decodeObject(kernel, { ...request, type: target }, body.value);
  if (!scale.ok) return scale;
  if ((scale.value.metadata.name ?? '') === '')
    return err(
      badRequest(
        `the name of the object (${request.path.name ?? ''} based on URL) was undeterminable: name must be provided`,
      ),
    );
  const wrong = checkIdentity(target, scale.value, request.path.namespace, request.path.name);
  return wrong === undefined ? scale : err(wrong);
}

function checkScale(type: ResourceType, scale: KubeObject, current: KubeObject): StatusError | undefined {
  const { name } = current.metadata;
  const version = scale.metadata.resourceVersion ?? '';
  if (version !== '' && version !== current.metadata.resourceVersion) return conflict(type, name);
  const replicas = at(json(scale), 'spec', 'replicas');
  if (typeof replicas !== 'number' || replicas >= 0) return undefined;
  // A built-in kind has its scale checked, a custom resource the field behind it.
  return type.definition === undefined
    ? invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
        invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
      ])
    : invalid(type, name, [
        invalidValue(`.${pathsOf(type).replicas.join('.')}`, replicas, 'should be a non-negative integer'),
      ]);
}

function set(object: MutableJsonObject, path: readonly string[], value: Json): void {
  let current = object;
  for (const key of path.slice(0, -1)) {
    const next = field(current, key);
    const child: MutableJsonObject = isObject(next) ? (next as MutableJsonObject) : {};
    put(current, key, child);
    current = child;
  }
  put(current, path.at(-1) as string, value);
}
