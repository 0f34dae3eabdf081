import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, put, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { applyJsonPatch } from '../../engine/merge/json-patch.ts';
import { applyMergePatch } from '../../engine/merge/merge-patch.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import type { StatusError } from '../registry.ts';
import { decodeBody, mediaType } from './body.ts';
import { draft, json, kube } from './draft.ts';
import type { Kernel } from './kernel.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import type { ResourceType } from './resource-type.ts';
import { printSelector } from './selector-text.ts';
import { badRequest, conflict, invalid, invalidValue, notFound } from './status.ts';
import { operationOf } from './write.ts';

/** Where a kind keeps what its scale says. */
interface Paths {
  readonly replicas: readonly string[];
  readonly statusReplicas: readonly string[];
  /** Path to a selector text; built-in kinds have a selector object in their spec. */
  readonly selector: readonly string[] | undefined;
}

function pathsOf(type: ResourceType): Paths {
  if (type.definition === undefined)
    return { replicas: ['spec', 'replicas'], statusReplicas: ['status', 'replicas'], selector: undefined };
  const versions = field(type.definition.spec, 'versions');
  const version = isArray(versions) ? versions.find((one) => stringAt(one, 'name') === type.version) : undefined;
  const scale = at(version, 'subresources', 'scale');
  const split = (key: string): readonly string[] | undefined => stringAt(scale, key)?.replace(/^\./, '').split('.');
  return {
    replicas: split('specReplicasPath') ?? [],
    statusReplicas: split('statusReplicasPath') ?? [],
    selector: split('labelSelectorPath') ?? [],
  };
}

function scaleOf(type: ResourceType, object: KubeObject): JsonObject {
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

export function readScale(kernel: Kernel, { type, path }: ResourceRequest): Result<Reply, StatusError> {
  const object = kernel.objects.entry(type, path.namespace, path.name as string)?.object;
  return object === undefined
    ? err(notFound(type, path.name as string))
    : ok(answer(scaleOf(type, kernel.codec.fromStorage(type, object))));
}

/** PUT and PATCH of a scale: changes the replicas of the object behind it. */
export async function writeScale(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path } = request;
  const name = path.name as string;
  const outcome = await kernel.objects.update(
    operationOf(request, 'update'),
    name,
    (current) => {
      const shown = kernel.codec.fromStorage(type, current);
      const wanted = wantedScale(request, scaleOf(type, shown));
      if (!wanted.ok) return wanted;
      const asked = stringAt(wanted.value, 'metadata', 'name') ?? '';
      if (asked !== name)
        return err(
          asked === ''
            ? badRequest('name must be provided')
            : badRequest(`the name of the object (${asked}) does not match the name on the URL (${name})`),
        );
      const version = stringAt(wanted.value, 'metadata', 'resourceVersion') ?? '';
      if (version !== '' && version !== current.metadata.resourceVersion) return err(conflict(type, name));
      const replicas = at(wanted.value, 'spec', 'replicas') ?? 0;
      if (typeof replicas !== 'number')
        return err(
          badRequest(
            'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32',
          ),
        );
      if (replicas < 0)
        return err(
          invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
            invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
          ]),
        );
      const copy = draft(shown);
      set(copy, pathsOf(type).replicas, replicas);
      return ok(kernel.codec.toStorage(type, kube(copy)));
    },
    { unconditional: true },
  );
  return outcome.ok ? ok(answer(scaleOf(type, kernel.codec.fromStorage(type, outcome.value)))) : outcome;
}

function wantedScale(request: ResourceRequest, scale: JsonObject): Result<Json, StatusError> {
  if (request.method === 'PUT') {
    const body = decodeBody(request.headers['content-type'], request.body, 'Scale');
    if (!body.ok) return body;
    const kind = stringAt(body.value.value, 'kind') ?? 'Scale';
    const apiVersion = stringAt(body.value.value, 'apiVersion') ?? 'autoscaling/v1';
    if (kind !== 'Scale') {
      const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
      return err(
        badRequest(
          `${kind} in version ${JSON.stringify(version)} cannot be handled as a Scale: converting (${version}.${kind}) to (autoscaling.Scale): unknown conversion`,
        ),
      );
    }
    return ok(body.value.value);
  }
  const parsed = parseYaml(new TextDecoder().decode(request.body));
  if (!parsed.ok) return err(badRequest('error decoding patch'));
  switch (mediaType(request.headers['content-type'])) {
    case 'application/json-patch+json': {
      const patched = applyJsonPatch(scale, parsed.value);
      return patched.ok ? patched : err({ code: 422, reason: 'Invalid', message: patched.error.message, details: {} });
    }
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
    case 'application/apply-patch+yaml':
      return ok(applyMergePatch(scale, parsed.value));
    default:
      return err({ code: 415, reason: 'UnsupportedMediaType', message: '415: Unsupported Media Type', details: {} });
  }
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
