import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import { stringAt, stringifyJson } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { applyBuiltinDefaults } from '../../engine/schema/builtin-defaults.ts';
import { decodeGo } from '../../engine/schema/go-decode.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { builtinSchema, definitionName, resolveBuiltin } from '../data/builtins.ts';
import type { StatusError } from '../registry.ts';
import type { DecodedBody } from './body.ts';
import { unrecognized } from './body.ts';
import { convert } from './convert.ts';
import type { CustomResources } from './custom-resources.ts';
import { json, kube } from './draft.ts';
import type { ResourceTable } from './resource-table.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import { badRequest, invalid, invalidValue } from './status.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Decoded {
  /** In the version of the request. */
  readonly object: KubeObject;
  /** `unknown field "x"`, `duplicate field "y"`. */
  readonly problems: readonly string[];
}

/** Turns what clients send into typed objects, and stored objects into what clients asked for. */
export class Codec {
  readonly #table: ResourceTable;
  readonly #custom: CustomResources;
  readonly #empty = new Map<string, KubeObject>();

  constructor(table: ResourceTable, custom: CustomResources) {
    this.#table = table;
    this.#custom = custom;
  }

  /** The schema for merging and for field ownership: of the kind itself, metadata included. */
  schema(type: ResourceType): Schema | undefined {
    return type.definition === undefined
      ? builtinSchema(apiVersionOf(type), type.kind)
      : this.#custom.wholeSchema(type);
  }

  /** Checks a body's kind, types and fields; what fieldValidation says about unknown fields is the caller's. */
  decode(type: ResourceType, body: DecodedBody): Result<Decoded, StatusError> {
    const expected = apiVersionOf(type);
    const apiVersion = stringAt(body.value, 'apiVersion') ?? '';
    const kind = stringAt(body.value, 'kind') ?? '';
    const preset = type.definition === undefined;
    const mismatch = this.#checkKind(
      type,
      apiVersion === '' && preset ? expected : apiVersion,
      kind === '' && preset ? type.kind : kind,
      body.value,
    );
    if (mismatch !== undefined) return err(mismatch);
    const whole: JsonObject = { ...body.value, apiVersion: expected, kind: type.kind };
    const duplicates = body.duplicates.map((path) => (path.startsWith('yaml: ') ? path : `duplicate field "${path}"`));
    if (type.definition !== undefined) {
      const decoded = this.#custom.decode(type, whole);
      if (!decoded.ok) return decoded;
      return ok({ object: decoded.value.object, problems: [...duplicates, ...decoded.value.problems] });
    }
    const schema = builtinSchema(expected, type.kind);
    if (schema === undefined) return ok({ object: kube(whole), problems: duplicates });
    const read: JsonObject =
      body.merged === undefined ? whole : { ...body.merged, apiVersion: expected, kind: type.kind };
    const typed = decodeGo(read, definitionName(expected, type.kind) ?? '', resolveBuiltin, {
      fractions: body.fractions,
    });
    if (!typed.ok)
      return err(
        badRequest(
          `${type.kind} in version ${JSON.stringify(type.version)} cannot be handled as a ${type.kind}: ${typed.error.message}`,
        ),
      );
    const unknown = typed.value.unknown.map((path) => `unknown field "${path}"`);
    const problems = [...duplicates, ...unknown];
    const { positions } = body;
    if (positions !== undefined) problems.sort((a, b) => (positions.get(a) ?? 0) - (positions.get(b) ?? 0));
    return ok({ object: kube(typed.value.value as JsonObject), problems });
  }

  #checkKind(type: ResourceType, apiVersion: string, kind: string, value: JsonObject): StatusError | undefined {
    const expected = apiVersionOf(type);
    if (type.definition !== undefined) {
      // An object without a kind is none at all. (kubernetes@1.34 apimachinery/pkg/apis/meta/v1/unstructured)
      if (kind === '') {
        const text = stringifyJson(value);
        const why = `Object 'Kind' is missing in '${text}'`;
        return unrecognized(type.kind, why, new TextEncoder().encode(text));
      }
      if (apiVersion !== expected)
        return badRequest(
          `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
        );
      if (kind !== type.kind)
        return invalid({ group: type.group, kind }, stringAt(value, 'metadata', 'name') ?? '', [
          invalidValue('kind', kind, `must be ${type.kind}`),
        ]);
      return undefined;
    }
    if (apiVersion === expected && kind === type.kind) return undefined;
    const version = JSON.stringify(apiVersion.slice(apiVersion.indexOf('/') + 1));
    const known =
      this.#table.byKind(apiVersion, kind) !== undefined ||
      builtinSchema(apiVersion, kind) !== undefined ||
      (apiVersion === 'v1' && kind === 'List');
    const head = `${kind} in version ${version} cannot be handled as a ${type.kind}`;
    if (!known)
      return badRequest(
        `${head}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:110"`,
      );
    // It is read as what it says it is before anybody asks whether that fits.
    const definition = definitionName(apiVersion, kind);
    const read = definition === undefined ? undefined : decodeGo(value, definition, resolveBuiltin);
    if (read !== undefined && !read.ok) return badRequest(`${head}: ${read.error.message}`);
    if (apiVersion !== expected && kind === type.kind)
      return badRequest(
        `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
      );
    return badRequest(
      `${head}: converting (${goPackage(apiVersion)}.${kind}) to (${internalPackage(type.group)}.${type.kind}): unknown conversion`,
    );
  }

  /** An object of the server's own making, with the zero values that its Go type would have. */
  normalize(type: ResourceType, object: KubeObject): KubeObject {
    const schema = type.definition === undefined ? builtinSchema(object.apiVersion, type.kind) : undefined;
    if (schema === undefined) return object;
    const typed = decodeGo(json(object), definitionName(object.apiVersion, type.kind) ?? '', resolveBuiltin);
    return typed.ok ? kube(typed.value.value as JsonObject) : object;
  }

  /** The zero value of a built-in kind's Go type, as it prints. */
  empty(type: ResourceType): KubeObject {
    const apiVersion = apiVersionOf(type);
    const id = `${apiVersion}/${type.kind}`;
    let empty = this.#empty.get(id);
    if (empty === undefined) {
      empty = this.normalize(type, kube({ apiVersion, kind: type.kind, metadata: {} }));
      this.#empty.set(id, empty);
    }
    return empty;
  }

  /** Defaults of the request's version, as decoding applies them. */
  default(type: ResourceType, object: KubeObject): KubeObject {
    return type.definition === undefined
      ? kube(applyBuiltinDefaults(json(object)))
      : this.#custom.default(type, object);
  }

  toStorage(type: ResourceType, object: KubeObject): KubeObject {
    if (type.definition !== undefined) return this.#custom.convert(type, object, type.storageApiVersion);
    return convert(object, type, type.storageApiVersion);
  }

  /** A stored object as this type's version shows it; custom resources get the defaults of that version. */
  fromStorage(type: ResourceType, object: KubeObject): KubeObject {
    if (type.definition !== undefined) return this.#custom.read(type, object);
    return convert(object, type, apiVersionOf(type));
  }
}

function goPackage(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/** The Go package of a group's internal types, as messages name it. */
export function internalPackage(group: string): string {
  return group === '' ? 'core' : (group.split('.')[0] as string);
}
