import type { KubeObject } from '../../api/object.ts';
import type { Json } from '../../base/json.ts';
import { at, field, isArray, stringAt } from '../../base/json.ts';
import { discoveryDocuments } from '../data/builtins.ts';
import { optionalGroups } from '../data/optional-groups.ts';
import type { ResourceType, SubresourceType } from './resource-type.ts';
import { apiVersionOf, storageOf } from './resource-type.ts';
import { byPriority } from './version-priority.ts';

/** Versions in which the store holds kinds that are served in several. Source: kubernetes@1.34 pkg/kubeapiserver/default_storage_factory_builder.go. */
const STORED_AS: Readonly<Record<string, string>> = {
  '/events': 'v1',
  'autoscaling/horizontalpodautoscalers': 'autoscaling/v2',
  'admissionregistration.k8s.io/mutatingadmissionpolicies': 'admissionregistration.k8s.io/v1beta1',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': 'admissionregistration.k8s.io/v1beta1',
};

/** Verbs of a custom resource, in discovery's order. */
const CUSTOM_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

function strings(value: Json | undefined): readonly string[] {
  return isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The kinds now served: built in ones always, and those of established CRDs. */
export class ResourceTable {
  readonly #byPath = new Map<string, ResourceType>();
  readonly #definitions = new Map<string, readonly string[]>();
  /** Group versions in the order of discovery. */
  readonly #builtins: readonly ResourceType[];
  #generation = 0;

  /** Group versions served beside those that always are. */
  readonly optional: readonly string[];

  constructor(optional: readonly string[] = []) {
    this.optional = optional;
    this.#builtins = [...readBuiltins(), ...readOptional(optional)];
    for (const type of this.#builtins) this.#byPath.set(pathKey(type), type);
  }

  /** Grows with every change of the custom part, so that what is derived from it can be cached. */
  get generation(): number {
    return this.#generation;
  }

  find(group: string, version: string, plural: string): ResourceType | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  all(): readonly ResourceType[] {
    return [...this.#byPath.values()];
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.all().some((type) => type.group === group && type.version === version);
  }

  /** The type in its storage version. */
  stored(group: string, plural: string): ResourceType | undefined {
    let last: ResourceType | undefined;
    for (const type of this.#byPath.values()) {
      if (type.group !== group || type.plural !== plural) continue;
      if (apiVersionOf(type) === type.storageApiVersion) return type;
      last = type;
    }
    return last;
  }

  byKind(apiVersion: string, kind: string): ResourceType | undefined {
    for (const type of this.#byPath.values()) if (type.kind === kind && apiVersionOf(type) === apiVersion) return type;
    return undefined;
  }

  /** All versions of whatever is stored at `storage`. */
  versionsOf(storage: string): readonly ResourceType[] {
    return this.all().filter((type) => type.storage === storage);
  }

  define(definition: KubeObject): void {
    this.undefine(definition.metadata.name);
    const types = typesOf(definition);
    for (const type of types) this.#byPath.set(pathKey(type), type);
    this.#definitions.set(definition.metadata.name, types.map(pathKey));
    this.#generation++;
  }

  undefine(name: string): void {
    for (const key of this.#definitions.get(name) ?? []) this.#byPath.delete(key);
    if (this.#definitions.delete(name)) this.#generation++;
  }
}

function pathKey({ group, version, plural }: ResourceType): string {
  return `${group}/${version}/${plural}`;
}

interface DiscoveryResource {
  readonly resource: string;
  readonly responseKind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly scope: string;
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly {
    readonly subresource: string;
    readonly responseKind?: { readonly group: string; readonly version: string; readonly kind: string };
    readonly verbs: readonly string[];
  }[];
}
interface DiscoveryList {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly DiscoveryResource[] }[];
  }[];
}

function readBuiltins(): readonly ResourceType[] {
  const documents = discoveryDocuments() as unknown as Readonly<Record<string, DiscoveryList>>;
  const types: ResourceType[] = [];
  for (const list of Object.values(documents))
    for (const item of list.items)
      for (const { version, resources } of item.versions)
        for (const resource of resources) types.push(builtin(item.metadata.name ?? '', version, resource));
  return types;
}

function readOptional(names: readonly string[]): readonly ResourceType[] {
  return names.flatMap((name) => {
    const found = optionalGroups()[name];
    if (found === undefined) return [];
    const { version, resources } = found.discovery as unknown as DiscoveryList['items'][number]['versions'][number];
    return resources.map((resource) => builtin(found.group, version, resource));
  });
}

function builtin(group: string, version: string, resource: DiscoveryResource): ResourceType {
  const { kind } = resource.responseKind;
  const subresources = new Map<string, SubresourceType>();
  for (const sub of resource.subresources ?? []) {
    const response = sub.responseKind;
    subresources.set(sub.subresource, {
      name: sub.subresource,
      kind: response?.kind ?? kind,
      group: response?.group === undefined || response.group === '' ? group : response.group,
      version: response?.version === undefined || response.version === '' ? version : response.version,
      verbs: sub.verbs,
    });
  }
  const storage = storageOf(group, resource.resource);
  return {
    group,
    version,
    plural: resource.resource,
    singular: resource.singularResource,
    kind,
    listKind: `${kind}List`,
    namespaced: resource.scope === 'Namespaced',
    verbs: resource.verbs,
    shortNames: resource.shortNames ?? [],
    categories: resource.categories ?? [],
    subresources,
    storage,
    storageApiVersion: STORED_AS[storage] ?? apiVersionOf({ group, version }),
    ...(DEPRECATED[`${group}/${version}/${kind}`] === undefined
      ? {}
      : { deprecation: DEPRECATED[`${group}/${version}/${kind}`] as string }),
  };
}

const DEPRECATED: Readonly<Record<string, string>> = {
  '/v1/Endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  '/v1/ComponentStatus': 'v1 ComponentStatus is deprecated in v1.19+',
};

/** The types that a CRD defines, one for each served version. */
export function typesOf(definition: KubeObject): readonly ResourceType[] {
  const spec = definition.spec ?? {};
  const group = stringAt(spec, 'group') ?? '';
  const names = at(definition as unknown as Json, 'status', 'acceptedNames') ?? field(spec, 'names');
  const plural = stringAt(spec, 'names', 'plural') ?? '';
  const kind = stringAt(spec, 'names', 'kind') ?? '';
  const versions = field(spec, 'versions');
  if (!isArray(versions)) return [];
  const storageVersion = versions.find((version) => field(version, 'storage') === true);
  const storageApiVersion = `${group}/${stringAt(storageVersion, 'name') ?? ''}`;
  return versions
    .filter((version) => field(version, 'served') === true)
    .map((item) => {
      const version = stringAt(item, 'name') ?? '';
      const subresources = new Map<string, SubresourceType>();
      if (at(item, 'subresources', 'status') !== undefined)
        subresources.set('status', { name: 'status', kind, group, version, verbs: ['get', 'patch', 'update'] });
      if (at(item, 'subresources', 'scale') !== undefined)
        subresources.set('scale', {
          name: 'scale',
          kind: 'Scale',
          group: 'autoscaling',
          version: 'v1',
          verbs: ['get', 'patch', 'update'],
        });
      const deprecated = field(item, 'deprecated') === true;
      return {
        group,
        version,
        plural,
        singular: stringAt(names, 'singular') ?? kind.toLowerCase(),
        kind,
        listKind: stringAt(names, 'listKind') ?? `${kind}List`,
        namespaced: stringAt(spec, 'scope') === 'Namespaced',
        verbs: CUSTOM_VERBS,
        shortNames: strings(field(names, 'shortNames')),
        categories: strings(field(names, 'categories')),
        subresources,
        storage: storageOf(group, plural),
        storageApiVersion,
        definition,
        ...(deprecated
          ? { deprecation: stringAt(item, 'deprecationWarning') ?? deprecationOf(definition, version) }
          : {}),
      };
    });
}

/** Source: apiextensions-apiserver@0.34 pkg/apiserver/customresource_handler.go defaultDeprecationWarning. */
function deprecationOf(definition: KubeObject, version: string): string {
  const group = stringAt(definition.spec, 'group') ?? '';
  const kind = stringAt(definition.spec, 'names', 'kind') ?? '';
  const versions = field(definition.spec, 'versions');
  const [newest] = (isArray(versions) ? versions : [])
    .filter((one) => field(one, 'served') === true && field(one, 'deprecated') !== true)
    .map((one) => stringAt(one, 'name') ?? '')
    .filter((name) => byPriority(name, version) < 0)
    .toSorted(byPriority);
  const better = newest === undefined ? '' : `; use ${group}/${newest} ${kind}`;
  return `${group}/${version} ${kind} is deprecated${better}`;
}
