import { at, field, isArray, isObject, type Json, type JsonObject, stringAt } from '../../base/json.ts';
import { parseYaml } from '../yaml/parse.ts';
import { BUILTIN_DEFINITIONS } from './builtin-schema.ts';
import { fail } from './failure.ts';

/** What strategic merge needs to know of a type: its fields, and how its lists merge. */
export interface Schema {
  /** Fields by name; a wild card stands for all others. */
  readonly field: (name: string) => Schema | undefined;
  /** Type of a list's items; undefined when it is no list or unknown. */
  readonly elements: () => Schema | undefined;
  /** Keys that identify an item of a merged list; undefined when the list is replaced whole. An empty one: items are primitive. */
  readonly mergeKeys: readonly string[] | undefined;
  /** Whether the schema gives a strategy at all. */
  readonly hasStrategy: boolean;
}

/** Scope of the kinds that kyaml knows without a schema (openapi.go, precomputedIsNamespaceScoped): those that have none. */
const CLUSTER_SCOPED: ReadonlySet<string> = new Set(
  [
    'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration ValidatingWebhookConfiguration',
    'admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration ValidatingWebhookConfiguration',
    'apiextensions.k8s.io/v1 CustomResourceDefinition',
    'apiextensions.k8s.io/v1beta1 CustomResourceDefinition',
    'apiregistration.k8s.io/v1 APIService',
    'apiregistration.k8s.io/v1beta1 APIService',
    'certificates.k8s.io/v1 CertificateSigningRequest',
    'certificates.k8s.io/v1beta1 CertificateSigningRequest',
    'flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema PriorityLevelConfiguration',
    'networking.k8s.io/v1 IngressClass',
    'networking.k8s.io/v1beta1 IngressClass',
    'node.k8s.io/v1 RuntimeClass',
    'node.k8s.io/v1beta1 RuntimeClass',
    'policy/v1beta1 PodSecurityPolicy',
    'rbac.authorization.k8s.io/v1 ClusterRole ClusterRoleBinding',
    'rbac.authorization.k8s.io/v1beta1 ClusterRole ClusterRoleBinding',
    'scheduling.k8s.io/v1 PriorityClass',
    'scheduling.k8s.io/v1beta1 PriorityClass',
    'storage.k8s.io/v1 CSIDriver CSINode StorageClass VolumeAttachment',
    'storage.k8s.io/v1beta1 CSIDriver CSINode StorageClass VolumeAttachment',
    'v1 ComponentStatus Namespace Node NodeProxyOptions PersistentVolume',
  ].flatMap((line) => {
    const [apiVersion, ...kinds] = line.split(' ');
    return kinds.map((kind) => `${apiVersion}|${kind}`);
  }),
);

/** Versions of Kubernetes' OpenAPI that are built in. */
const BUILTIN_VERSION = 'v1.21.2';

type SchemaPart = { readonly json: Json } | { readonly builtin: string };

/**
 * The schemas of one build. kyaml keeps them in a global that is filled when first asked; which schema is used depends on when
 * that is, and this class keeps the same states (openapi.go).
 */
export class SchemaStore {
  private readonly kinds = new Map<string, string>();
  private readonly definitions = new Map<string, SchemaPart>();
  private readonly scopes = new Map<string, boolean>();
  private custom: string | undefined;
  private version = '';
  private initialized = false;
  private builtin: 'no' | 'later' | 'yes' = 'no';
  private readonly parsed = new Map<string, Schema>();

  /** Takes the `openapi` field of a kustomization; only the first one that says something counts, unless `reset`. */
  use(openapi: Readonly<Record<string, string>>, content: string | undefined, reset: boolean): void {
    if ((this.version !== '' || this.custom !== undefined) && !reset) return;
    const version = openapi['version'];
    if (content !== undefined) {
      if (version !== undefined) fail('builtin version and custom schema provided, cannot use both');
      this.custom = content;
      this.version = 'custom';
      this.initialized = false;
      return;
    }
    this.version = version ?? '';
    if (this.version === '') return;
    if (this.version !== BUILTIN_VERSION) fail('the specified OpenAPI version is not built in');
    this.custom = undefined;
    this.initialized = false;
  }

  isClusterScoped(apiVersion: string, kind: string): boolean {
    const key = `${apiVersion}|${kind}`;
    if (CLUSTER_SCOPED.has(key)) return true;
    if (!this.initialized) {
      if (this.custom !== undefined) this.initialize();
      else if (this.builtin === 'no') this.builtin = 'later';
    }
    return this.scopes.get(key) === false;
  }

  forKind(apiVersion: string, kind: string): Schema | undefined {
    this.initialize();
    const name = this.kinds.get(`${apiVersion}|${kind}`);
    return name === undefined ? undefined : this.definition(name);
  }

  private initialize(): void {
    if (this.initialized) return;
    this.initialized = true;
    if (this.custom !== undefined) this.addCustom(this.custom);
    else this.addBuiltin();
    if (this.builtin === 'later') this.addBuiltin();
  }

  private addBuiltin(): void {
    this.builtin = 'yes';
    for (const line of BUILTIN_DEFINITIONS.trim().split('\n')) {
      const [short, kinds] = line.split(' ', 2) as [string, string];
      const name = longName(short);
      this.definitions.set(name, { builtin: line });
      this.parsed.delete(name);
      if (kinds !== '-') for (const kind of kinds.split(';')) this.kinds.set(kind, name);
    }
  }

  private addCustom(text: string): void {
    const read = parseYaml(text);
    if (!read.ok) fail(`invalid schema file: ${read.error.message}`);
    const definitions = field(read.value, 'definitions');
    if (isObject(definitions)) {
      for (const name of Object.keys(definitions)) {
        const json = definitions[name] as Json;
        this.definitions.set(name, { json });
        this.parsed.delete(name);
        const kinds = field(json, 'x-kubernetes-group-version-kind');
        if (isArray(kinds)) for (const kind of kinds) this.kinds.set(typeKey(kind), name);
      }
    }
    const paths = field(read.value, 'paths');
    if (!isObject(paths)) return;
    for (const path of Object.keys(paths)) {
      const kind = at(paths[path], 'get', 'x-kubernetes-group-version-kind');
      if (!isObject(kind)) continue;
      const key = typeKey(kind);
      if (path.includes('namespaces/{namespace}')) this.scopes.set(key, true);
      else if (!this.scopes.has(key)) this.scopes.set(key, false);
    }
  }

  private definition(name: string): Schema | undefined {
    const ready = this.parsed.get(name);
    if (ready !== undefined) return ready;
    const part = this.definitions.get(name);
    if (part === undefined) return undefined;
    const schema = 'json' in part ? this.fromJson(part.json) : this.fromLine(part.builtin);
    if (schema !== undefined) this.parsed.set(name, schema);
    return schema;
  }

  private fromLine(line: string): Schema {
    const fields = new Map<string, Schema>();
    for (const text of line.split(' ').slice(2)) {
      const match = /^(?<name>\w+)(?<kind>\.|\[\]|\*|)(?<ref>[^=]*)(?:=(?<keys>.*))?$/.exec(text)?.groups;
      if (match === undefined) continue;
      const { name = '', kind = '', ref = '', keys } = match;
      const target = (): Schema | undefined => (ref === '' ? undefined : this.definition(longName(ref)));
      if (kind === '.') {
        fields.set(name, lazy(target));
        continue;
      }
      fields.set(name, {
        field: kind === '*' ? target : () => undefined,
        elements: kind === '[]' ? target : () => undefined,
        mergeKeys: keys === undefined ? undefined : keys === '' ? [] : keys.split(','),
        hasStrategy: keys !== undefined,
      });
    }
    return { field: (name) => fields.get(name), elements: () => undefined, mergeKeys: undefined, hasStrategy: false };
  }

  private fromJson(json: Json): Schema | undefined {
    if (!isObject(json)) return undefined;
    const properties = field(json, 'properties');
    const additional = field(json, 'additionalProperties');
    const strategy = stringAt(json, 'x-kubernetes-patch-strategy');
    const type = field(json, 'type');
    const isList = type === 'array' || (isArray(type) && type.length === 1 && type[0] === 'array');
    const items = field(json, 'items');
    return {
      field: (name) => {
        const found = field(properties, name) ?? (isObject(additional) ? additional : undefined);
        return found === undefined ? undefined : this.resolve(found);
      },
      elements: () => (isList && isObject(items) ? this.resolve(items) : undefined),
      mergeKeys: strategy?.split(',').includes('merge') === true ? mergeKeysOf(json) : undefined,
      hasStrategy: strategy !== undefined,
    };
  }

  private resolve(json: Json): Schema | undefined {
    const ref = stringAt(json, '$ref');
    if (ref === undefined || ref === '') return this.fromJson(json);
    return this.definition(ref.replace('#/definitions/', ''));
  }
}

function mergeKeysOf(json: JsonObject): readonly string[] {
  const list = field(json, 'x-kubernetes-list-map-keys');
  if (isArray(list)) return list.filter((key) => typeof key === 'string');
  const key = stringAt(json, 'x-kubernetes-patch-merge-key');
  return key === undefined ? [] : [key];
}

/** A reference that is followed when it is needed, as definitions refer to each other in circles. */
function lazy(target: () => Schema | undefined): Schema {
  let found: Schema | undefined;
  const get = (): Schema | undefined => {
    found ??= target();
    return found;
  };
  return {
    field: (name) => get()?.field(name),
    elements: () => get()?.elements(),
    mergeKeys: undefined,
    hasStrategy: false,
  };
}

function typeKey(kind: Json): string {
  const group = stringAt(kind, 'group') ?? '';
  const version = stringAt(kind, 'version') ?? '';
  return `${group === '' ? version : `${group}/${version}`}|${stringAt(kind, 'kind') ?? ''}`;
}

const PREFIXES: readonly (readonly [string, string])[] = [
  ['~', 'io.k8s.api.'],
  ['^', 'io.k8s.apimachinery.pkg.apis.meta.'],
  ['%', 'io.k8s.apiextensions-apiserver.pkg.apis.'],
  ['+', 'io.k8s.kube-aggregator.pkg.apis.'],
];

function longName(name: string): string {
  for (const [short, long] of PREFIXES) if (name.startsWith(short)) return long + name.slice(1);
  return name;
}
