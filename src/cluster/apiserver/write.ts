import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { StatusError } from '../registry.ts';
import type { DecodedBody } from './body.ts';
import { decodeBody } from './body.ts';
import type { DeleteOptions, Deletion } from './deletion.ts';
import { deleteObject, parseDeleteOptions } from './deletion.ts';
import { withMeta } from './draft.ts';
import type { Kernel } from './kernel.ts';
import { list } from './list.ts';
import { checkIdentity } from './objects.ts';
import type { Operation } from './operation.ts';
import { presenter } from './read.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { isDryRun, managerOf } from './request.ts';
import { badRequest, forbidden, notFound } from './status.ts';
import { strategyOf } from './strategy.ts';
import { checkWriteOptions, fieldValidation } from './write-options.ts';

export function operationOf(request: ResourceRequest, verb: Operation['verb']): Operation {
  const { type, path, user, warn } = request;
  return {
    type,
    namespace: path.namespace,
    name: path.name ?? '',
    subresource: path.subresource,
    verb,
    user,
    dryRun: isDryRun(request),
    manager: managerOf(request),
    warn,
    options: writeOptions(request),
  };
}

/** The options as admission is shown them. */
function writeOptions({ query }: ResourceRequest): JsonObject {
  const out: { [key: string]: Json } = {};
  for (const key of ['fieldManager', 'fieldValidation']) if ((query.get(key) ?? '') !== '') out[key] = query.get(key);
  if (query.has('dryRun')) out['dryRun'] = query.getAll('dryRun');
  return out;
}

function deletionOptions(options: DeleteOptions & { readonly dryRun: readonly string[] }): JsonObject {
  const { propagation, gracePeriodSeconds, uid, resourceVersion, dryRun } = options;
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(uid === undefined && resourceVersion === undefined
      ? {}
      : {
          preconditions: {
            ...(uid === undefined ? {} : { uid }),
            ...(resourceVersion === undefined ? {} : { resourceVersion }),
          },
        }),
    ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
    ...(dryRun.length === 0 ? {} : { dryRun }),
  };
}

/** The object in the body, defaulted, in the version of the request; unknown fields refused or warned about. */
export function readObject(kernel: Kernel, request: ResourceRequest): Result<KubeObject, StatusError> {
  const body = decodeBody(request.headers['content-type'], request.body, request.type.kind);
  return body.ok ? decodeObject(kernel, request, body.value) : body;
}

export function decodeObject(
  kernel: Kernel,
  request: ResourceRequest,
  body: DecodedBody,
): Result<KubeObject, StatusError> {
  const { type } = request;
  const decoded = kernel.codec.decode(type, body);
  if (!decoded.ok) return decoded;
  const problem = judgeProblems(request, decoded.value.problems);
  if (problem !== undefined) {
    return err(
      badRequest(
        `${type.kind} in version ${JSON.stringify(type.version)} cannot be handled as a ${type.kind}: ${problem}`,
      ),
    );
  }
  return ok(kernel.codec.default(type, decoded.value.object));
}

/** What Strict refuses, as one text; Warn adds warnings and lets it pass. */
export function judgeProblems(request: ResourceRequest, problems: readonly string[]): string | undefined {
  if (problems.length === 0) return undefined;
  const mode = fieldValidation(request.query);
  if (mode === 'Strict') return `strict decoding error: ${problems.join(', ')}`;
  if (mode === 'Warn') for (const problem of problems) for (const line of warningLines(problem)) request.warn(line);
  return undefined;
}

const YAML_PROBLEMS = /^(?:error converting YAML to JSON: )?yaml: unmarshal errors:\n/;

/** A YAML error lists its problems by line. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/rest.go parseYAMLWarnings. */
export function warningLines(problem: string): readonly string[] {
  const list = problem.replace(YAML_PROBLEMS, '');
  return list === problem ? [problem] : list.split('\n').map((line) => line.trim());
}

export async function create(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path, query } = request;
  const bad = checkWriteOptions('CreateOptions', query);
  if (bad !== undefined) return err(bad);
  const decoded = readObject(kernel, request);
  if (!decoded.ok) return decoded;
  const wrong = checkIdentity(type, decoded.value, path.namespace, undefined);
  if (wrong !== undefined) return err(wrong);
  if ((decoded.value.metadata.resourceVersion ?? '') !== '')
    return err({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' });
  if (type.definition?.metadata.deletionTimestamp !== undefined)
    return err(
      forbidden(
        type,
        decoded.value.metadata.name ?? '',
        'create not allowed while custom resource definition is terminating',
      ),
    );
  const object = inNamespace(type.namespaced, decoded.value, path.namespace);
  if (type.deprecation !== undefined) request.warn(type.deprecation);
  const outcome = await kernel.objects.create(operationOf(request, 'create'), kernel.codec.toStorage(type, object));
  if (!outcome.ok) return outcome;
  return ok(answer(presenter(kernel, request).object(outcome.value), 201));
}

export function inNamespace(namespaced: boolean, object: KubeObject, namespace: string | undefined): KubeObject {
  return withMeta(object, (meta) => {
    if (namespaced) meta.namespace = namespace;
  });
}

export async function update(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path, query } = request;
  const bad = checkWriteOptions('UpdateOptions', query);
  if (bad !== undefined) return err(bad);
  const decoded = readObject(kernel, request);
  if (!decoded.ok) return decoded;
  const name = path.name as string;
  if ((decoded.value.metadata.name ?? '') === '')
    return err(badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`));
  const wrong = checkIdentity(type, decoded.value, path.namespace, name);
  if (wrong !== undefined) return err(wrong);
  const object = kernel.codec.toStorage(type, inNamespace(type.namespaced, decoded.value, path.namespace));
  const operation = operationOf(request, 'update');
  if (
    strategyOf(type).createOnUpdate === true &&
    path.subresource === undefined &&
    kernel.objects.entry(type, path.namespace, name) === undefined
  ) {
    const version = object.metadata.resourceVersion ?? '';
    if (version !== '' && version !== '0') return err(notFound(type, name));
    const created = await kernel.objects.create(
      { ...operation, verb: 'create' },
      withMeta(object, (meta) => {
        meta.resourceVersion = undefined;
      }),
    );
    return created.ok ? ok(answer(presenter(kernel, request).object(created.value), 201)) : created;
  }
  if (type.deprecation !== undefined) request.warn(type.deprecation);
  const outcome = await kernel.objects.update(operation, name, () => ok(object));
  return outcome.ok ? ok(answer(presenter(kernel, request).object(outcome.value))) : outcome;
}

function deleteBody(request: ResourceRequest): Result<JsonObject | undefined, StatusError> {
  if (request.body.length === 0) return ok(undefined);
  const body = decodeBody(request.headers['content-type'], request.body, 'DeleteOptions');
  // Options have no decoder of their own: what it says comes as it is, as an outage. (kubernetes@1.34 endpoints/handlers/delete.go)
  const outage = (message: string): Result<never, StatusError> => err({ code: 500, reason: '', message });
  if (!body.ok) {
    const why = /^the object provided is unrecognized \(must be of type DeleteOptions\): ([^]*) \([^]*\)$/.exec(
      body.error.message,
    );
    return why === null ? body : outage(why[1] as string);
  }
  const { kind, apiVersion } = body.value.value;
  if (typeof kind === 'string' && kind !== '' && kind !== 'DeleteOptions')
    return outage(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion ?? '')} in scheme "pkg/runtime/scheme.go:110"`,
    );
  return ok(body.value.value);
}

export async function remove(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path } = request;
  const body = deleteBody(request);
  if (!body.ok) return body;
  const options = parseDeleteOptions(body.value, request.query);
  if (!options.ok) return options;
  if (type.storage === 'batch/jobs' && options.value.propagation === undefined)
    request.warn(
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    );
  if (type.deprecation !== undefined) request.warn(type.deprecation);
  const operation = {
    ...operationOf(request, 'delete'),
    dryRun: options.value.dryRun.includes('All'),
    options: deletionOptions(options.value),
  };
  const outcome = await deleteObject(kernel.objects, operation, path.name as string, options.value);
  return outcome.ok ? ok(deletionReply(kernel, request, outcome.value)) : outcome;
}

function deletionReply(kernel: Kernel, request: ResourceRequest, { deleted, object }: Deletion): Reply {
  const { type } = request;
  if (!deleted || strategyOf(type).returnsDeleted === true) return answer(presenter(kernel, request).object(object));
  const { name, uid } = object.metadata;
  return answer({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(type.group === '' ? {} : { group: type.group }),
      kind: type.plural,
      uid: uid ?? '',
    },
  });
}

/** Deletes what a list selects, and answers with it. */
export async function removeCollection(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path, query } = request;
  const body = deleteBody(request);
  if (!body.ok) return body;
  const options = parseDeleteOptions(body.value, query);
  if (!options.ok) return options;
  const listing = list(kernel.store, type, path.namespace, query);
  if (!listing.ok) return listing;
  const operation = {
    ...operationOf(request, 'delete'),
    dryRun: options.value.dryRun.includes('All'),
    options: deletionOptions(options.value),
    collection: true,
  };
  const failed = await kernel.conversions.prepare(type, listing.value.items);
  if (failed !== undefined) return err(failed);
  for (const item of listing.value.items) {
    const { name, namespace } = item.metadata;
    const outcome = await deleteObject(kernel.objects, { ...operation, name, namespace }, name, options.value);
    if (!outcome.ok && outcome.error.code !== 404) return outcome;
  }
  return ok(answer(presenter(kernel, request).list(listing.value)));
}
