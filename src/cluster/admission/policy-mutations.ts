import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { field, isArray, isObject, put, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import type { Typing } from '../../engine/merge/atoms.ts';
import { applyJsonPatch } from '../../engine/merge/json-patch.ts';
import { mergeTyped } from '../../engine/merge/merge-typed.ts';
import { atomicPaths } from '../../engine/merge/typed-fields.ts';
import { validateTyped } from '../../engine/merge/validate-typed.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { Codec } from '../apiserver/codec.ts';
import { json } from '../apiserver/draft.ts';
import type { ResourceType } from '../apiserver/resource-type.ts';
import { internal } from '../apiserver/status.ts';
import { resolveBuiltin } from '../data/builtins.ts';
import type { StatusError } from '../registry.ts';
import type { AdmissionCel } from './admission-cel.ts';
import { readConfiguration, readOperations } from './policy-patches.ts';

/** `policy`: the policy's failurePolicy decides. `status`: the request has failed, whatever that says. */
export type MutationFailure =
  | { readonly kind: 'policy'; readonly why: string }
  | { readonly kind: 'status'; readonly status: StatusError };

const TYPING: Typing = { resolve: resolveBuiltin };
const failed = (why: string): Result<never, MutationFailure> => err({ kind: 'policy', why });
const broken = (why: string): Result<never, MutationFailure> => err({ kind: 'status', status: internalCause(why) });

function internalCause(why: string): StatusError {
  return { ...internal(why), details: { causes: [{ message: why }] } };
}

/** `object` after one of a policy's mutations, in the same version. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/policy/mutating/patch. */
export function mutateOnce(
  mutation: Json,
  object: KubeObject,
  type: ResourceType,
  cel: AdmissionCel,
  codec: Codec,
): Result<KubeObject, MutationFailure> {
  return stringAt(mutation, 'patchType') === 'JSONPatch'
    ? patched(stringAt(mutation, 'jsonPatch', 'expression') ?? '', object, type, cel, codec)
    : merged(stringAt(mutation, 'applyConfiguration', 'expression') ?? '', object, type, cel, codec);
}

function merged(
  expression: string,
  object: KubeObject,
  type: ResourceType,
  cel: AdmissionCel,
  codec: Codec,
): Result<KubeObject, MutationFailure> {
  const made = cel.run(expression);
  if (!made.ok) return failed(made.error.message);
  const read = readConfiguration(made.value);
  if (!read.ok) return failed(read.error);
  const patch: JsonObject = { ...read.value.patch, apiVersion: object.apiVersion, kind: object.kind };
  const schema = codec.schema(type);
  const wrong = read.value.foreign ?? nullError(patch, schema) ?? validateTyped(patch, schema, TYPING, false)[0];
  if (wrong !== undefined)
    return failed(`error applying patch: failed to convert patch object to typed object: ${wrong}`);
  const atomics = atomicPaths(patch, schema, TYPING);
  if (atomics.length > 0)
    return failed(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    );
  const decoded = codec.decode(type, {
    value: mergeTyped(json(object), patch, schema, TYPING) as JsonObject,
    duplicates: [],
  });
  if (!decoded.ok)
    return failed(
      `unable to convert unstructured object to ${type.group}/${type.version}, Kind=${type.kind}: ${plain(decoded.error.message)}`,
    );
  return ok(codec.default(type, decoded.value.object));
}

/** What the real server says of nulls: CEL's null is a number to it. They stand for `true` while the schema is asked, for text where that fits. */
function nullError(patch: JsonObject, schema: Schema | undefined): string | undefined {
  const before = new Set(validateTyped(patch, schema, TYPING, false));
  for (const stand of [true, '']) {
    const told = validateTyped(withNulls(patch, stand), schema, TYPING, false).find((text) => !before.has(text));
    if (told !== undefined)
      return told
        .replace(/&\{(true|)\}$/, '&{NULL_VALUE}')
        .replace(/Value:(true|"")\}$/, 'Value:0}')
        .replace(/got bool$/, 'got structpb.NullValue');
  }
  return undefined;
}

function withNulls(value: Json, stand: Json): Json {
  if (value === null) return stand;
  if (isArray(value)) return value.map((item) => withNulls(item, stand));
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const name of Object.keys(value)) put(out, name, withNulls(value[name] as Json, stand));
  return out;
}

function patched(
  expression: string,
  object: KubeObject,
  type: ResourceType,
  cel: AdmissionCel,
  codec: Codec,
): Result<KubeObject, MutationFailure> {
  const made = cel.run(expression);
  if (!made.ok) return failed(made.error.message);
  const operations = readOperations(made.value);
  if (!operations.ok) return failed(operations.error);
  const result = applyJsonPatch(json(object), operations.value);
  if (!result.ok) {
    const detail = result.error.detail ?? result.error.message;
    // A test that fails says that there is nothing to do.
    return detail.endsWith(': test failed') ? ok(object) : failed(`JSON Patch: ${detail}`);
  }
  if (!isObject(result.value)) return broken('the patched object is not an object');
  const decoded = codec.decode(type, { value: result.value, duplicates: [] });
  if (!decoded.ok) return broken(plain(decoded.error.message));
  const { problems } = decoded.value;
  if (problems.length > 0) return broken(`strict decoding error: ${problems.join(', ')}`);
  return ok(codec.default(type, decoded.value.object));
}

/** Without what decoding says of the request's body. */
function plain(message: string): string {
  return message.replace(/^.*? cannot be handled as an? \w+: /, '');
}

/** The `mutations` of a policy. */
export function mutationsOf(policy: KubeObject): readonly Json[] {
  const list = field(policy.spec, 'mutations');
  return isArray(list) ? list : [];
}
