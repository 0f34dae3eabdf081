import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { at, field, isArray, isObject, put, stringAt } from '../../base/json.ts';
import type { Result } from '../../base/result.ts';
import { err, ok } from '../../base/result.ts';
import { applyDefaults } from '../../engine/schema/defaults.ts';
import { pruneUnknown } from '../../engine/schema/prune.ts';
import { blockingError, hasRules, validateRules } from '../../engine/schema/rules.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { validate } from '../../engine/schema/validate.ts';
import type { StatusError } from '../registry.ts';
import type { Conversions } from './conversions.ts';
import { convert } from './convert.ts';
import { json, kube, withField } from './draft.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import type { Cause } from './status.ts';
import { badRequest } from './status.ts';
import { decodeMeta } from './typed-decode.ts';

/** The instances of CRDs: pruning, defaulting and validation by their schemas. */
export class CustomResources {
  readonly #whole = new WeakMap<Schema, Schema>();
  readonly #conversions: Conversions;

  constructor(conversions: Conversions) {
    this.#conversions = conversions;
  }

  /** The object in another version of its kind, by its definition's `conversion`. */
  convert(type: ResourceType, object: KubeObject, apiVersion: string): KubeObject {
    return this.differs(type) ? this.#conversions.convert(type, object, apiVersion) : convert(object, type, apiVersion);
  }

  /** The version's structural schema; one that keeps everything when it has none. */
  schema(type: ResourceType): Schema {
    const versions = field(type.definition?.spec, 'versions');
    const version = isArray(versions)
      ? versions.find((candidate) => stringAt(candidate, 'name') === type.version)
      : undefined;
    const schema = at(version, 'schema', 'openAPIV3Schema');
    return isObject(schema) ? (schema as unknown as Schema) : {};
  }

  /** The schema with apiVersion, kind and metadata declared, for merging. */
  wholeSchema(type: ResourceType): Schema {
    const schema = this.schema(type);
    let whole = this.#whole.get(schema);
    if (whole === undefined) {
      whole = {
        ...schema,
        type: 'object',
        properties: {
          ...schema.properties,
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { $ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
        },
      };
      this.#whole.set(schema, whole);
    }
    return whole;
  }

  decode(
    type: ResourceType,
    value: JsonObject,
  ): Result<{ readonly object: KubeObject; readonly problems: readonly string[] }, StatusError> {
    const meta = decodeMeta(value);
    if (!meta.ok)
      return err(
        badRequest(
          `${type.kind} in version ${JSON.stringify(type.version)} cannot be handled as a ${type.kind}: ${meta.error}`,
        ),
      );
    const pruned = this.#preserves(type)
      ? { value: meta.value, unknown: [] }
      : pruneUnknown(meta.value, this.schema(type));
    return ok({
      object: kube(withFloats(pruned.value) as JsonObject),
      // Metadata is read before the rest is pruned.
      problems: pruned.unknown
        .toSorted((a, b) => Number(b.startsWith('metadata.')) - Number(a.startsWith('metadata.')))
        .map((path) => `unknown field "${path}"`),
    });
  }

  #preserves(type: ResourceType): boolean {
    return field(type.definition?.spec, 'preserveUnknownFields') === true;
  }

  default(type: ResourceType, object: KubeObject): KubeObject {
    const defaulted = applyDefaults(json(object), this.schema(type));
    return kube(defaulted as JsonObject);
  }

  /**
   * A stored object in this type's version: pruned and defaulted by the version it is stored in, and only pruned by the other one. (kubernetes@1.34 apiextensions-apiserver/pkg/apiserver/customresource_handler.go schemaCoercingDecoder)
   */
  read(type: ResourceType, object: KubeObject): KubeObject {
    if (this.#preserves(type) || !hasVersions(type)) return this.default(type, inVersion(object, apiVersionOf(type)));
    const stored = { ...type, version: object.apiVersion.slice(object.apiVersion.indexOf('/') + 1) };
    const known = this.default(stored, kube(pruneUnknown(json(object), this.schema(stored)).value as JsonObject));
    const versioned = this.convert(type, known, apiVersionOf(type));
    return versioned === known ? known : kube(pruneUnknown(json(versioned), this.schema(type)).value as JsonObject);
  }

  /** Whether versions differ in more than their name. */
  differs(type: ResourceType): boolean {
    return stringAt(type.definition?.spec, 'conversion', 'strategy') === 'Webhook';
  }

  validate(type: ResourceType, object: KubeObject, old: KubeObject | undefined): readonly Cause[] {
    const schema = this.schema(type);
    // Judged in the version of the request, which its schema speaks of.
    const shown = (one: KubeObject): JsonObject => json(this.differs(type) ? this.read(type, one) : one);
    const value = shown(object);
    const before = old === undefined ? {} : { old: shown(old) as Json };
    const causes = validate(value, schema, before);
    if (!hasRules(schema)) return causes;
    const blocking = blockingError(causes);
    return blocking === undefined ? [...causes, ...validateRules(value, schema, before)] : [...causes, blocking];
  }
}

function hasVersions(type: ResourceType): boolean {
  const versions = field(type.definition?.spec, 'versions');
  return isArray(versions) && versions.length > 1;
}

function inVersion(object: KubeObject, apiVersion: string): KubeObject {
  return object.apiVersion === apiVersion ? object : withField(object, 'apiVersion', apiVersion);
}

/** Whole numbers beyond 64 bits are floats, as they are in Go; others stay as they came. (kubernetes@1.34 apimachinery/pkg/util/json) */
function withFloats(value: Json): Json {
  if (typeof value === 'bigint') {
    if (value >= -(2n ** 63n) && value < 2n ** 63n) return value;
    const float = Number(value);
    // Printed without an exponent up to 1e21.
    return Math.abs(float) < 1e21 ? BigInt(float) : float;
  }
  if (isArray(value)) {
    const items = value.map(withFloats);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isObject(value)) return value;
  let out: MutableJsonObject | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key] as Json;
    const changed = withFloats(item);
    if (changed === item) continue;
    out ??= { ...value } as MutableJsonObject;
    put(out, key, changed);
  }
  return out ?? value;
}
