import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { isArray, isObject, parseJson, stringAt, stringifyJson } from '../../base/json.ts';
import { jsonSyntaxError } from '../../base/json-syntax.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { goValue } from '../../engine/merge/go-print.ts';
import { applyJsonPatch } from '../../engine/merge/json-patch.ts';
import { applyMergePatch } from '../../engine/merge/merge-patch.ts';
import { applyStrategicMerge, patchAsApplied } from '../../engine/merge/strategic-merge.ts';
import { decodeGo } from '../../engine/schema/go-decode.ts';
import { inGoOrder, inMapOrder } from '../../engine/schema/go-order.ts';
import { builtinSchema, definitionName, resolveBuiltin } from '../data/builtins.ts';
import { goFieldOrder } from '../data/field-order.ts';
import type { StatusError } from '../registry.ts';
import { goKind, unsupportedMediaType, wrongTypeMeta } from './body.ts';
import type { Decoded } from './codec.ts';
import { json, kube } from './draft.ts';
import { duplicateFields, wholeFractions } from './duplicate-fields.ts';
import type { Kernel } from './kernel.ts';
import { checkIdentity } from './objects.ts';
import type { ResourceRequest } from './request.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import { badRequest, invalid, invalidValue } from './status.ts';
import { judgeProblems } from './write.ts';
import { fieldValidation } from './write-options.ts';

export type MergeKind = 'json' | 'merge' | 'strategic';

const KINDS: ReadonlyMap<string, MergeKind | 'apply'> = new Map([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
  ['application/apply-patch+yaml', 'apply'],
]);
const FOR_CUSTOM =
  'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';

/** What the media type of a request asks for; compared as it is written, up to the parameters. */
export function patchKind({ type, headers }: ResourceRequest): Result<MergeKind | 'apply', StatusError> {
  const kind = KINDS.get((headers['content-type'] ?? '').split(';')[0] as string);
  if (kind === undefined) return err(unsupportedMediaType('415: Unsupported Media Type', {}));
  // The accessor of custom resources knows no Go types to merge by.
  if (kind === 'strategic' && type.definition !== undefined) return err(unsupportedMediaType(FOR_CUSTOM));
  return ok(kind);
}

/** What encoding/json is asked to fill with a patch. */
const TARGETS = { json: '[]handlers.jsonPatchOp', object: 'map[string]interface {}' } as const;

/**
 * The object that a JSON, merge or strategic merge patch in the request's body makes of `before`, an object of `type`: read and
 * defaulted. Refusals read as those of kubernetes@1.34 apiserver/pkg/endpoints/handlers/patch.go.
 */
export function patchObject(
  kernel: Kernel,
  request: ResourceRequest,
  type: ResourceType,
  kind: MergeKind,
  before: KubeObject,
): Result<KubeObject, StatusError> {
  const text = new TextDecoder().decode(request.body);
  const parsed = readPatch(kind, text);
  if (!parsed.ok) return parsed;
  const { value: body } = parsed;
  const problems = patchProblems(kind, text, body, fieldValidation(request.query) !== 'Ignore');
  if (!problems.ok) return problems;
  const encoded = asEncoded(type, before);
  const patched = applyPatch(type, kind, encoded, body);
  if (!patched.ok) return patched;
  const quoted = (): string =>
    kind === 'strategic' ? goValue(patchAsApplied(encoded, body)) : stringifyJson(patched.value);
  return readPatched(kernel, request, type, kind, {
    patched: patched.value,
    quoted,
    problems: problems.value,
    fractions: fractionsOf(kind, text, body),
  });
}

/** Where in the patched object the patch's numbers are that Go reads as no integers. */
function fractionsOf(kind: MergeKind, text: string, body: Json): ReadonlyMap<string, string> {
  const written = wholeFractions(text);
  if (kind !== 'json' || written.size === 0) return written;
  const out = new Map<string, string>();
  for (const [path, number] of written) {
    const [, index, rest = ''] = /^\[(\d+)\]\.value(.*)$/s.exec(path) ?? [];
    const target = index === undefined ? undefined : stringAt((body as readonly Json[])[Number(index)], 'path');
    const steps = (target ?? '').split('/').slice(1);
    const base = steps.map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join('');
    out.set(base.replace(/^\./, '') + rest, number);
  }
  return out;
}

function readPatch(kind: MergeKind, text: string): Result<Json, StatusError> {
  let body: Json;
  try {
    body = parseJson(text);
  } catch (cause) {
    const why = cause instanceof RangeError ? 'exceeded max depth' : jsonSyntaxError(text);
    return err(badRequest(kind === 'strategic' ? why : `error decoding patch: ${why}`));
  }
  // encoding/json takes a null for every type; only the merge patch library looks once more.
  if (body === null) return kind === 'merge' ? err(badRequest('Invalid JSON Patch')) : ok(kind === 'json' ? [] : {});
  if (kind === 'json' ? isArray(body) : isObject(body)) return ok(body);
  const why = `json: cannot unmarshal ${goKind(body)} into Go value of type ${TARGETS[kind === 'json' ? 'json' : 'object']}`;
  return err(badRequest(kind === 'strategic' ? why : `error decoding patch: ${why}`));
}

const OPERATION_FIELDS = ['op', 'path', 'from'];

/** What strict decoding says about the patch itself; the operations of a JSON patch are typed. */
function patchProblems(
  kind: MergeKind,
  text: string,
  body: Json,
  strict: boolean,
): Result<readonly string[], StatusError> {
  const duplicates = duplicateFields(text).map((field) => `duplicate field "${field}"`);
  if (kind !== 'json' || !strict) return ok(duplicates);
  const unknown: string[] = [];
  for (const [index, operation] of (body as readonly Json[]).entries()) {
    if (operation === null) continue;
    const wrong = (value: Json, into: string): Result<never, StatusError> =>
      err(badRequest(`error decoding patch: json: cannot unmarshal ${goKind(value)} into Go ${into}`));
    if (!isObject(operation)) return wrong(operation, 'value of type handlers.jsonPatchOp');
    for (const [key, value] of Object.entries(operation)) {
      if (OPERATION_FIELDS.includes(key)) {
        if (typeof value !== 'string' && value !== null)
          return wrong(value, `struct field jsonPatchOp.${key} of type string`);
      } else if (key !== 'value') unknown.push(`unknown field "[${index}].${key}"`);
    }
  }
  return ok([...duplicates, ...unknown].map((problem) => `json patch ${problem}`));
}

/** The object as the server encodes it before patching: what a patch does not open keeps this order in messages. */
function asEncoded(type: ResourceType, object: KubeObject): JsonObject {
  if (type.definition !== undefined) return inMapOrder(json(object)) as JsonObject;
  const definition = definitionName(object.apiVersion, object.kind);
  return definition === undefined
    ? json(object)
    : (inGoOrder(json(object), definition, resolveBuiltin, goFieldOrder) as JsonObject);
}

function applyPatch(type: ResourceType, kind: MergeKind, current: JsonObject, body: Json): Result<Json, StatusError> {
  if (kind === 'json') {
    const result = applyJsonPatch(current, body);
    if (result.ok) return result;
    const { code, message } = result.error;
    if (code === 'too-many')
      return err({ code: 413, reason: 'RequestEntityTooLarge', message: `Request entity too large: ${message}` });
    if (code === 'syntax') return err(badRequest(message));
    return err({ code: 422, reason: 'Invalid', message, details: {} });
  }
  if (kind === 'merge') return ok(applyMergePatch(current, body));
  const schema = builtinSchema(apiVersionOf(type), type.kind);
  if (schema === undefined) return err(unsupportedMediaType(FOR_CUSTOM));
  const result = applyStrategicMerge(current, body as JsonObject, schema, resolveBuiltin);
  if (result.ok) return result;
  const { code, message } = result.error;
  if (code === 'bad-request') return err(badRequest(message));
  if (code === 'unprocessable') return err({ code: 422, reason: 'Invalid', message, details: {} });
  return err({ code: 500, reason: '', message });
}

interface PatchResult {
  readonly patched: Json;
  /** Strategic merges are quoted as Go prints the patch, the others as the JSON that came out. */
  readonly quoted: () => string;
  /** Of the patch's text. */
  readonly problems: readonly string[];
  readonly fractions: ReadonlyMap<string, string>;
}

function readPatched(
  kernel: Kernel,
  request: ResourceRequest,
  type: ResourceType,
  kind: MergeKind,
  { patched, quoted, problems, fractions }: PatchResult,
): Result<KubeObject, StatusError> {
  const { path } = request;
  const refuse = (why: string): Result<never, StatusError> =>
    err(invalid({ group: '', kind: '' }, '', [invalidValue('patch', quoted(), why)]));
  const moved = type.definition === undefined ? undefined : changedKind(type, patched);
  if (moved !== undefined) return err(moved);
  const decoded =
    kind === 'strategic' ? fromUnstructured(type, patched) : decodePatched(kernel, type, patched, fractions);
  if (!decoded.ok) return refuse(decoded.error);
  const problem = judgeProblems(request, [...problems, ...decoded.value.problems]);
  if (problem !== undefined) return refuse(problem);
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

/** A custom resource stays of its kind. Source: apiextensions-apiserver@0.34 pkg/registry/customresource/validator.go validateTypeMeta. */
function changedKind(type: ResourceType, patched: Json): StatusError | undefined {
  const [apiVersion = '', kind = ''] = ['apiVersion', 'kind'].map((key) => stringAt(patched, key));
  const wanted = apiVersionOf(type);
  if (kind === '' || apiVersion === '' || (kind === type.kind && apiVersion === wanted)) return undefined;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return invalid({ group, kind }, stringAt(patched, 'metadata', 'name') ?? '', [
    ...(kind === type.kind ? [] : [invalidValue('kind', kind, `must be ${type.kind}`)]),
    ...(apiVersion === wanted ? [] : [invalidValue('apiVersion', apiVersion, `must be ${wanted}`)]),
  ]);
}

/** What a JSON patch or a merge patch left is read as a body is, without a default for its kind. */
function decodePatched(
  kernel: Kernel,
  type: ResourceType,
  patched: Json,
  fractions: ReadonlyMap<string, string>,
): Result<Decoded, string> {
  const wrong = wrongTypeMeta(patched);
  if (wrong !== undefined || !isObject(patched)) return err(wrong ?? '');
  if (type.definition === undefined && (stringAt(patched, 'apiVersion') ?? '') === '') {
    // Read as the server's internal type, whose fields have no JSON names.
    const unknown = Object.keys(patched).filter((key) => key !== 'kind' && key !== 'apiVersion');
    return ok({
      object: kube({ apiVersion: apiVersionOf(type), kind: type.kind, metadata: {} }),
      problems: unknown.map((key) => `unknown field "${key}"`),
    });
  }
  const decoded = kernel.codec.decode(type, { value: patched, duplicates: [], fractions });
  if (decoded.ok) return decoded;
  return err(decoded.error.message.replace(/^.*? cannot be handled as an? \w+: /, ''));
}

/** A strategic merge's result is converted, not decoded: its kind is what it was, and errors have other words. */
export function fromUnstructured(type: ResourceType, patched: Json): Result<Decoded, string> {
  const apiVersion = apiVersionOf(type);
  const definition = definitionName(apiVersion, type.kind) ?? '';
  const ordered = inGoOrder(patched, definition, resolveBuiltin, goFieldOrder);
  const result = decodeGo(ordered, definition, resolveBuiltin, { wording: 'unstructured' });
  if (!result.ok) return err(result.error.message);
  return ok({
    object: kube({ ...result.value.value, apiVersion, kind: type.kind }),
    problems: result.value.unknown.map((path) => `unknown field "${path}"`),
  });
}
