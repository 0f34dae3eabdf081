import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, isObject, parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { applyJsonPatch } from '../../engine/merge/json-patch.ts';
import { applyMergePatch } from '../../engine/merge/merge-patch.ts';
import { applyStrategicMerge, goValue } from '../../engine/merge/strategic-merge.ts';
import { decodeGo } from '../../engine/schema/go-decode.ts';
import { printYamlError } from '../../engine/yaml/error.ts';
import { parseYaml } from '../../engine/yaml/parse.ts';
import { builtinSchema, definitionName, resolveBuiltin } from '../data/builtins.ts';
import type { StatusError } from '../registry.ts';
import { mediaType, unsupportedMediaType } from './body.ts';
import { json, kube, withMeta } from './draft.ts';
import { duplicateFields } from './duplicate-fields.ts';
import { jsonSyntaxError } from './json-syntax.ts';
import type { Kernel } from './kernel.ts';
import { checkIdentity } from './objects.ts';
import { presenter } from './read.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceRequest } from './request.ts';
import { apiVersionOf } from './resource-type.ts';
import { badRequest, conflict, invalid, invalidValue, notFound } from './status.ts';
import { inNamespace, judgeProblems, operationOf } from './write.ts';
import { checkWriteOptions, fieldValidation } from './write-options.ts';

type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

const KINDS: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export async function patch(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, query, headers } = request;
  const kind = KINDS[mediaType(headers['content-type'])];
  if (kind === undefined) return err(unsupportedMediaType('415: Unsupported Media Type', {}));
  if (kind === 'strategic' && type.definition !== undefined)
    return err(
      unsupportedMediaType(
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
      ),
    );
  const bad = checkWriteOptions('PatchOptions', query, kind === 'apply');
  if (bad !== undefined) return err(bad);
  if (type.deprecation !== undefined) request.warn(type.deprecation);
  return kind === 'apply' ? apply(kernel, request) : merge(kernel, request, kind);
}

/** A malformed or unfitting patch, as kubernetes@1.34 apiserver/pkg/endpoints/handlers/patch.go refuses it. */
function rejected(message: string): StatusError {
  return {
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
    ...(message === '' ? {} : {}),
  };
}

async function merge(
  kernel: Kernel,
  request: ResourceRequest,
  kind: 'json' | 'merge' | 'strategic',
): Promise<Result<Reply, StatusError>> {
  const { type, path } = request;
  const text = new TextDecoder().decode(request.body);
  let body: Json;
  try {
    body = parseJson(text);
  } catch (cause) {
    const why = cause instanceof RangeError ? 'exceeded max depth' : jsonSyntaxError(text);
    return err(badRequest(kind === 'strategic' ? why : `error decoding patch: ${why}`));
  }
  if (kind !== 'json' && !isObject(body)) {
    const why = `json: cannot unmarshal ${goKind(body)} into Go value of type map[string]interface {}`;
    if (body === null) return err(badRequest(kind === 'merge' ? 'Invalid JSON Patch' : 'unexpected end of JSON input'));
    return err(badRequest(kind === 'strategic' ? why : `error decoding patch: ${why}`));
  }
  const duplicates = kind === 'json' ? [] : duplicateFields(text);
  const name = path.name as string;
  const outcome = await kernel.objects.update(
    operationOf(request, 'update'),
    name,
    (current) => {
      const before = kernel.codec.fromStorage(type, current);
      const patched = applyPatch(request, kind, json(before), body);
      if (!patched.ok) return patched;
      const read = readPatched(kernel, request, kind, patched.value, body, duplicates);
      if (!read.ok) return read;
      return ok(kernel.codec.toStorage(type, keepIdentity(read.value, before)));
    },
    { unconditional: true },
  );
  return outcome.ok ? ok(answer(presenter(kernel, request).object(outcome.value))) : outcome;
}

/** What no patch changes by leaving it out. */
function keepIdentity(object: KubeObject, before: KubeObject): KubeObject {
  return withMeta(object, (meta) => {
    meta.namespace ??= before.metadata.namespace;
  });
}

/** What encoding/json calls a value. */
function goKind(value: Json): string {
  if (isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}

function applyPatch(
  { type, path }: ResourceRequest,
  kind: 'json' | 'merge' | 'strategic',
  current: JsonObject,
  body: Json,
): Result<Json, StatusError> {
  if (kind === 'json') {
    const result = applyJsonPatch(current, body);
    if (result.ok) return result;
    const { code, message } = result.error;
    if (code === 'too-many')
      return err({ code: 413, reason: 'RequestEntityTooLarge', message: `Request entity too large: ${message}` });
    if (code === 'syntax') return err(badRequest(message));
    return err({ code: 422, reason: 'Invalid', message, details: {} });
  }
  if (kind === 'merge') {
    return ok(applyMergePatch(current, body));
  }
  const schema = builtinSchema(apiVersionOf(type), type.kind);
  if (schema === undefined) return err(notFound(type, path.name as string));
  if (!isObject(body)) return err(badRequest('error decoding patch: the patch is not an object'));
  const result = applyStrategicMerge(current, body, schema, resolveBuiltin);
  if (result.ok) return result;
  const { code, message } = result.error;
  if (code === 'bad-request') return err(badRequest(message));
  if (code === 'unprocessable') return err({ code: 422, reason: 'Invalid', message, details: {} });
  return err({ code: 500, reason: '', message });
}

function readPatched(
  kernel: Kernel,
  request: ResourceRequest,
  kind: 'json' | 'merge' | 'strategic',
  patched: Json,
  body: Json,
  duplicates: readonly string[],
): Result<KubeObject, StatusError> {
  const { type, path } = request;
  if (!isObject(patched)) return err(rejected('not an object'));
  // Strategic merges are quoted as Go prints the patch, the others as the JSON that came out.
  const quoted = kind === 'strategic' ? goValue(body) : stringifyJson(patched);
  const decoded = kernel.codec.decode(type, { value: patched, duplicates: [] });
  if (!decoded.ok) {
    const own = decoded.error.message
      .replace(/^.*? cannot be handled as an? \w+: /, '')
      .replace('pkg/api/legacyscheme/scheme.go:30', 'pkg/runtime/scheme.go:110');
    const detail = kind === 'strategic' ? (unstructuredError(patched) ?? own) : own;
    return err(invalid({ group: '', kind: '' }, '', [invalidValue('patch', quoted, detail)]));
  }
  const problems = [...duplicates.map((field) => `duplicate field "${field}"`), ...decoded.value.problems];
  const problem = judgeProblems(request, problems);
  if (problem !== undefined) return err(invalid({ group: '', kind: '' }, '', [invalidValue('patch', quoted, problem)]));
  const { name, namespace } = decoded.value.object.metadata;
  if (name === undefined || name === '')
    return err(
      badRequest(`the name of the object (${path.name ?? ''} based on URL) was undeterminable: name must be provided`),
    );
  if (type.namespaced && namespace !== undefined && namespace !== '' && namespace !== path.namespace)
    return err(badRequest('the namespace of the provided object does not match the namespace sent on the request'));
  const wrong = checkIdentity(type, decoded.value.object, path.namespace, path.name);
  if (wrong !== undefined) return err(wrong);
  return ok(kernel.codec.default(type, decoded.value.object));
}

/** A strategic merge's result is converted, not decoded, and fails in other words. */
function unstructuredError(patched: JsonObject): string | undefined {
  const definition = definitionName(stringAt(patched, 'apiVersion') ?? '', stringAt(patched, 'kind') ?? '');
  const result =
    definition === undefined ? undefined : decodeGo(patched, definition, resolveBuiltin, { wording: 'unstructured' });
  return result === undefined || result.ok ? undefined : result.error.message;
}

async function apply(kernel: Kernel, request: ResourceRequest): Promise<Result<Reply, StatusError>> {
  const { type, path, query } = request;
  const name = path.name as string;
  const applied = readApplied(request);
  if (!applied.ok) return applied;
  const object = applied.value;
  const force = ['true', '1'].includes(query.get('force') ?? '');
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
      const ready = finish(kernel, request, made.value);
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
        return merged.ok ? finish(kernel, request, merged.value) : merged;
      },
      { tracked: true, unconditional: true },
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

/** An applied object as it will be stored: typed, defaulted, with its identity. */
function finish(kernel: Kernel, request: ResourceRequest, object: KubeObject): Result<KubeObject, StatusError> {
  const { type, path } = request;
  const decoded = kernel.codec.decode(type, { value: json(object), duplicates: [] });
  if (!decoded.ok) return decoded;
  if (type.definition !== undefined && decoded.value.problems.length > 0) {
    const problem = judgeProblems(request, decoded.value.problems);
    if (problem !== undefined) return err(badRequest(problem));
  }
  const whole = kernel.codec.default(type, decoded.value.object);
  const named = withMeta(inNamespace(type.namespaced, whole, path.namespace), (meta) => {
    meta.name = path.name as string;
  });
  return ok(kernel.codec.toStorage(type, named));
}

/** The object in an apply's body, which is YAML (JSON included). */
function readApplied(request: ResourceRequest): Result<KubeObject, StatusError> {
  const text = new TextDecoder().decode(request.body);
  const lenient = parseYaml(text);
  if (!lenient.ok)
    return err(badRequest(`error decoding YAML: error converting YAML to JSON: ${printYamlError(lenient.error)}`));
  const strict = parseYaml(text, { strict: true });
  if (!strict.ok) {
    const why = `error converting YAML to JSON: ${printYamlError(strict.error)}`;
    const mode = fieldValidation(request.query);
    if (mode === 'Strict') return err(badRequest(`error strict decoding YAML: ${why}`));
    if (mode === 'Warn') request.warn(why);
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

function checkApplied({ type, path }: ResourceRequest, value: JsonObject): StatusError | undefined {
  const apiVersion = stringAt(value, 'apiVersion') ?? '';
  const kind = stringAt(value, 'kind') ?? '';
  if (kind === '') return { code: 500, reason: '', message: `Object 'Kind' is missing in '${stringifyJson(value)}'` };
  if (apiVersion !== apiVersionOf(type) || kind !== type.kind) {
    const asked = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
    const wanted = type.group === '' ? `/${type.version}` : apiVersionOf(type);
    if (kind !== type.kind || apiVersion !== apiVersionOf(type))
      return {
        code: 400,
        reason: 'BadRequest',
        message:
          apiVersion === apiVersionOf(type)
            ? `invalid object type: ${asked}, Kind=${kind}`
            : `Incorrect version specified in apply patch. Specified patch version: ${apiVersion}, expected: ${apiVersionOf(type)}`,
        ...(wanted === '' ? {} : {}),
      };
  }
  const metadata = field(value, 'metadata');
  if (isObject(metadata)) {
    const managed = field(metadata, 'managedFields');
    if (isArray(managed) && managed.length > 0) return badRequest('metadata.managedFields must be nil');
    const name = stringAt(metadata, 'name');
    if (name !== undefined && name !== '' && name !== path.name)
      return badRequest(`the name of the object (${name}) does not match the name on the URL (${path.name ?? ''})`);
    const namespace = stringAt(metadata, 'namespace');
    if (type.namespaced && namespace !== undefined && namespace !== '' && namespace !== path.namespace)
      return badRequest(
        `the namespace of the object (${namespace}) does not match the namespace on the URL (${path.namespace ?? ''})`,
      );
  }
  return undefined;
}
