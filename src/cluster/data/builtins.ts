import type { KubeObject } from '../../api/object.ts';
import type { JsonObject } from '../../base/json.ts';
import type { MessageTable } from '../../engine/protobuf/decode.ts';
import type { ResolveSchema, Schema } from '../../engine/schema/schema.ts';
import { BOOTSTRAP_OBJECTS } from './bootstrap-objects.generated.ts';
import { BOOTSTRAP_RBAC } from './bootstrap-rbac.generated.ts';
import { DISCOVERY } from './discovery.generated.ts';
import { OPENAPI_INDEX } from './openapi-index.generated.ts';
import { OPTIONAL_SCHEMAS } from './optional-groups.generated.ts';
import { PROTOBUF_MESSAGES } from './protobuf-messages.generated.ts';
import { SCHEMAS } from './schemas.generated.ts';

/** What kube-apiserver 1.34 serves before anybody changed it; every accessor parses its text once, on first use. */
export const KUBERNETES_VERSION = 'v1.34.1';

function lazy<T>(text: string): () => T {
  let value: T | undefined;
  return () => {
    value ??= JSON.parse(text) as T;
    return value;
  };
}

let definitions: { readonly [name: string]: Schema } | undefined;

/**
 * Component schemas by name (`io.k8s.api.core.v1.Pod`), those of kinds that are served only when asked for too; `$ref` values are
 * bare names. Descriptions are left out.
 */
export function schemaDefinitions(): { readonly [name: string]: Schema } {
  definitions ??= { ...JSON.parse(SCHEMAS), ...JSON.parse(OPTIONAL_SCHEMAS) } as { readonly [name: string]: Schema };
  return definitions;
}

/** Aggregated discovery v2 documents by path: `/api` and `/apis`. */
export const discoveryDocuments: () => { readonly '/api': JsonObject; readonly '/apis': JsonObject } = lazy(DISCOVERY);

/** The document of `/openapi/v3`, with a real server's hashes. */
export const openApiIndex: () => JsonObject = lazy(OPENAPI_INDEX);

/** Protobuf messages by full name, for `decodeProtobuf`. */
export const protobufMessages: () => MessageTable = lazy(PROTOBUF_MESSAGES);

/** The cluster roles and bindings (and namespaced roles) that a server makes at start. */
export const bootstrapRbac: () => readonly KubeObject[] = lazy(BOOTSTRAP_RBAC);

/**
 * What else a server makes at start: roles in its own namespaces, flow control, its range of addresses, its API services. The
 * conditions in their statuses have no time yet.
 */
export const bootstrapObjects: () => readonly KubeObject[] = lazy(BOOTSTRAP_OBJECTS);

/** Resolves the names in built-in schemas' `$ref`. */
export const resolveBuiltin: ResolveSchema = (name) => {
  const known = schemaDefinitions();
  return Object.hasOwn(known, name) ? known[name] : undefined;
};

let byKind: Map<string, string> | undefined;

/** Name of the definition of a built-in kind (`apps/v1`, `Deployment`), or undefined. */
export function definitionName(apiVersion: string, kind: string): string | undefined {
  if (byKind === undefined) {
    byKind = new Map();
    for (const [name, schema] of Object.entries(schemaDefinitions())) {
      const kinds = schema['x-kubernetes-group-version-kind'];
      // DeleteOptions and WatchEvent name every group; only their own one counts.
      for (const { group, version, kind: own } of kinds ?? []) {
        byKind.set(`${group === '' ? version : `${group}/${version}`}, ${own}`, name);
      }
    }
  }
  return byKind.get(`${apiVersion}, ${kind}`);
}

/** Schema of a built-in kind, to be used with {@link resolveBuiltin}; undefined for an unknown kind. */
export function builtinSchema(apiVersion: string, kind: string): Schema | undefined {
  const name = definitionName(apiVersion, kind);
  return name === undefined ? undefined : schemaDefinitions()[name];
}
