import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, isObject, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { toJson } from '../../engine/cel/operators.ts';
import { CelMap, type CelValue } from '../../engine/cel/values.ts';
import { applyJsonPatch } from '../../engine/merge/json-patch.ts';
import { atomicPaths, mergeTyped, type Typing, validateTyped } from '../../engine/merge/typed.ts';
import type { Codec } from '../apiserver/codec.ts';
import { json } from '../apiserver/draft.ts';
import type { ResourceType } from '../apiserver/resource-type.ts';
import { internal } from '../apiserver/status.ts';
import { resolveBuiltin } from '../data/builtins.ts';
import type { StatusError } from '../registry.ts';
import type { AdmissionCel } from './admission-cel.ts';

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
  const misplaced = misplacedType(made.value, 'Object');
  if (misplaced !== undefined) return failed(`type mismatch: ${misplaced}`);
  const value = toJson(made.value);
  if (!isObject(value as Json)) return failed('error applying patch: the patch is no object');
  const patch: JsonObject = { ...(value as JsonObject), apiVersion: object.apiVersion, kind: object.kind };
  const schema = codec.schema(type);
  const wrong = [...nulls(patch, ''), ...validateTyped(patch, schema, TYPING, true)];
  if (wrong.length > 0)
    return failed(`error applying patch: failed to convert patch object to typed object: ${told(wrong)}`);
  const atomics = atomicPaths(patch, schema, TYPING);
  if (atomics.length > 0)
    return failed(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    );
  const decoded = codec.decode(type, {
    value: mergeTyped(json(object), patch, schema, TYPING) as JsonObject,
    duplicates: [],
  });
  if (!decoded.ok) return failed(plain(decoded.error.message));
  return ok(codec.default(type, decoded.value.object));
}

function told(errors: readonly string[]): string {
  return errors.length === 1 ? (errors[0] as string) : ['errors:', ...errors.map((text) => `  ${text}`)].join('\n');
}

/** CEL's null is no JSON to the one who types it. */
function nulls(value: Json, path: string): readonly string[] {
  if (value === null) return [`${path}: expected map, got &{NULL_VALUE}`];
  if (isArray(value)) return value.flatMap((item, index) => nulls(item, `${path}[${index}]`));
  if (!isObject(value)) return [];
  return Object.keys(value).flatMap((name) => nulls(value[name] as Json, `${path}.${name}`));
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
  const listed = toJson(made.value) as Json;
  // Fields that are not set are Go's zero values.
  const operations = isArray(listed) ? listed.map((one) => (isObject(one) ? { op: '', ...one } : one)) : listed;
  const result = applyJsonPatch(json(object), operations);
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

/** The first `Object.x{}` that stands at another field than its name says. Source: kubernetes@1.34 apiserver/pkg/cel/mutation/dynamic/objects.go. */
function misplacedType(value: CelValue, expected: string): string | undefined {
  if (isListValue(value)) {
    for (const item of value) {
      const found = misplacedType(item, expected);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!(value instanceof CelMap)) return undefined;
  const { typeName } = value;
  if (typeName !== undefined && typeName !== expected)
    return `unexpected type name "${typeName}", expected "${expected}", which matches field name path from root Object type`;
  for (const [key, item] of value.entries) {
    const found = misplacedType(item, `${expected}.${String(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isListValue(value: CelValue): value is readonly CelValue[] {
  return Array.isArray(value);
}

/** The `mutations` of a policy. */
export function mutationsOf(policy: KubeObject): readonly Json[] {
  const list = field(policy.spec, 'mutations');
  return isArray(list) ? list : [];
}
