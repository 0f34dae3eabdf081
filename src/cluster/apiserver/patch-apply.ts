import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { printYamlError } from '../../engine/yaml/error.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import type { StatusError } from '../registry.ts';
import { goKind } from './body.ts';
import type { Decoded } from './codec.ts';
import { json, kube, withMeta } from './draft.ts';
import type { Kernel } from './kernel.ts';
import { checkIdentity } from './objects.ts';
import { fromUnstructured } from './patch-object.ts';
import { presenter } from './read.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import { badRequest, conflict, notFound } from './status.ts';
import { inNamespace, judgeProblems, operationOf, warningLines } from './write.ts';
import { fieldValidation } from './write-options.ts';

/** Server-side apply. Source: kubernetes@1.34 apiserver/pkg/endpoints/handlers/patch.go applyPatcher. */
export async function apply(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path } = request;
  const name = path.name as string;
  const applied = readApplied(request);
  if (!applied.ok) return applied;
  const object = applied.value;
  const force = isForced(request);
  const operation = operationOf(request, 'update');
  const { managedFields } = kernel.objects.options;
  for (;;) {
    const entry = kernel.objects.entry(type, path.namespace, name);
    if (entry === undefined) {
      if (path.subresource !== undefined) return err(notFound(type, name));
      if ((object.metadata.uid ?? '') !== '')
        return err(
          conflict(
            type,
            name,
            `uid mismatch: the provided object specified uid ${object.metadata.uid ?? ''}, and no existing object was found`,
          ),
        );
      const made = managedFields.apply(operation, undefined, object, force, kernel.objects.now());
      if (!made.ok) return made;
      const ready = finish(kernel, request, made.value, object);
      if (!ready.ok) return ready;
      const created = await kernel.objects.create({ ...operation, verb: 'create' }, ready.value, { tracked: true });
      if (!created.ok && created.error.reason === 'AlreadyExists') continue;
      return created.ok ? ok(answer(presenter(kernel, request).object(created.value), 201)) : created;
    }
    const outcome = await kernel.objects.update(
      operation,
      name,
      (current) => {
        const live = kernel.codec.fromStorage(type, current);
        const merged = managedFields.apply(operation, live, object, force, kernel.objects.now());
        return merged.ok ? finish(kernel, request, merged.value, object) : merged;
      },
      { tracked: true, derived: true },
    );
    if (
      !outcome.ok &&
      outcome.error.code === 404 &&
      outcome.error.details?.['name'] === name &&
      path.subresource === undefined
    )
      continue;
    return outcome.ok ? ok(answer(presenter(kernel, request).object(outcome.value))) : outcome;
  }
}

export function isForced({ query }: ResourceRequest): boolean {
  return ['true', '1'].includes(query.get('force') ?? '');
}

/** An applied object as it will be stored: typed, defaulted, with its identity. */
function finish(
  kernel: Kernel,
  request: ResourceRequest,
  object: KubeObject,
  applied: KubeObject,
): Result<KubeObject, StatusError> {
  const { type, path } = request;
  const decoded =
    type.definition === undefined
      ? convertApplied(type, object, applied)
      : kernel.codec.decode(type, { value: json(object), duplicates: [] });
  if (!decoded.ok) return decoded;
  if (type.definition !== undefined && decoded.value.problems.length > 0) {
    const problem = judgeProblems(request, decoded.value.problems);
    if (problem !== undefined) return err(badRequest(problem));
  }
  // The name on the URL is looked at last. (kubernetes@1.34 endpoints/handlers/patch.go applyPatch)
  const wrong = checkIdentity(type, decoded.value.object, path.namespace, path.name);
  if (wrong !== undefined) return err(wrong);
  const whole = kernel.codec.default(type, decoded.value.object);
  const named = withMeta(inNamespace(type.namespaced, whole, path.namespace), (meta) => {
    meta.name = path.name as string;
  });
  return ok(kernel.codec.toStorage(type, named));
}

/** `merged` read as its type; refusals name the object as it was applied. */
export function convertApplied(
  type: ResourceType,
  merged: KubeObject,
  applied: KubeObject,
): Result<Decoded, StatusError> {
  const converted = fromUnstructured(type, json(merged));
  if (converted.ok) return converted;
  const [namespace, name] = ['namespace', 'name'].map((key) => stringAt(json(applied), 'metadata', key) ?? '');
  const kind = `${apiVersionOf(type).includes('/') ? '' : '/'}${apiVersionOf(type)}, Kind=${type.kind}`;
  const reason = converted.error.replace(/^(?=illegal base64 data)/, 'error decoding from json: ');
  const message = `failed to convert new object (${namespace}/${name}; ${kind}) to proper version: unable to convert unstructured object to ${kind}: ${reason}`;
  return err({ code: 500, reason: '', message });
}

/** The object in an apply's body, which is YAML (JSON included). */
export function readApplied(request: ResourceRequest): Result<KubeObject, StatusError> {
  const text = new TextDecoder().decode(request.body);
  const lenient = parseYaml(text);
  if (!lenient.ok)
    return err(badRequest(`error decoding YAML: error converting YAML to JSON: ${printYamlError(lenient.error)}`));
  const strict = parseYaml(text, { strict: true });
  if (!strict.ok) {
    const why = `error converting YAML to JSON: ${printYamlError(strict.error)}`;
    const mode = fieldValidation(request.query);
    if (mode === 'Strict') return err(badRequest(`error strict decoding YAML: ${why}`));
    if (mode === 'Warn') for (const line of warningLines(why)) request.warn(line);
  }
  const { value } = lenient;
  if (value === null) return err(badRequest('invalid object type: /, Kind='));
  if (!isObject(value))
    return err(
      badRequest(
        `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${goKind(value)} into Go value of type map[string]interface {}`,
      ),
    );
  const wrong = checkApplied(request, value);
  if (wrong !== undefined) return err(wrong);
  const metadata = field(value, 'metadata');
  const meta = isObject(metadata) ? metadata : {};
  // The namespace is added only once the object is merged: messages name the object as it was sent.
  return ok(kube({ ...value, metadata: meta }));
}

function checkApplied({ type }: ResourceRequest, value: JsonObject): StatusError | undefined {
  const apiVersion = stringAt(value, 'apiVersion') ?? '';
  const kind = stringAt(value, 'kind') ?? '';
  if (apiVersion !== apiVersionOf(type) || kind !== type.kind) {
    const shown = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
    return badRequest(`invalid object type: ${shown}, Kind=${kind}`);
  }
  const metadata = field(value, 'metadata');
  if (isObject(metadata)) {
    const managed = field(metadata, 'managedFields');
    if (isArray(managed) && managed.length > 0) return badRequest('metadata.managedFields must be nil');
  }
  return undefined;
}
