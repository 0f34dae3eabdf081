import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../base/json.ts';
import { field, isArray, stringAt, stringifyJson } from '../../base/json.ts';
import { discoveryDocuments } from '../data/builtins.ts';
import { optionalGroups } from '../data/optional-groups.ts';
import type { Reply } from './reply.ts';
import { answer, pageNotFound } from './reply.ts';
import type { ResourceTable } from './resource-table.ts';
import type { ResourceType } from './resource-type.ts';
import { byPriority } from './version-priority.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface Group {
  readonly name: string;
  readonly versions: readonly string[];
}

/** The documents by which clients learn what is served, in both generations. */
export class Discovery {
  readonly #table: ResourceTable;
  #generation = -1;
  readonly #cache = new Map<string, { readonly value: JsonObject; readonly etag: string }>();

  constructor(table: ResourceTable) {
    this.#table = table;
  }

  /** `/api` and `/apis` as APIGroupDiscoveryList. */
  aggregated(path: '/api' | '/apis', ifNoneMatch: string | undefined): Reply {
    if (this.#generation !== this.#table.generation) {
      this.#cache.clear();
      this.#generation = this.#table.generation;
    }
    let document = this.#cache.get(path);
    if (document === undefined) {
      const builtin = discoveryDocuments()[path];
      const value: JsonObject =
        path === '/api'
          ? builtin
          : {
              ...builtin,
              items: [...this.#builtinGroups(builtin['items'] as readonly Json[]), ...this.#customGroups()],
            };
      const etag = `"${createHash('sha512').update(stringifyJson(value)).digest('hex').toUpperCase()}"`;
      document = { value, etag };
      this.#cache.set(path, document);
    }
    const headers = { etag: document.etag, vary: 'Accept' };
    if (ifNoneMatch === document.etag) return { status: 304, headers, content: { kind: 'none' } };
    return { ...answer(document.value), headers, type: AGGREGATED };
  }

  #builtinGroups(items: readonly Json[]): readonly Json[] {
    const { optional } = this.#table;
    if (optional.length === 0) return items;
    return items.map((item) => {
      const name = stringAt(item, 'metadata', 'name') ?? '';
      const versions = field(item, 'versions');
      const more = optional.map((one) => optionalGroups()[one]).filter((one) => one?.group === name);
      return more.length === 0 || !isArray(versions)
        ? item
        : { ...(item as JsonObject), versions: [...versions, ...more.map((one) => one?.discovery as Json)] };
    });
  }

  #customGroups(): readonly Json[] {
    return this.#customOnly().map(({ name, versions }) => ({
      metadata: { name, creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        resources: this.#table
          .all()
          .filter((type) => type.group === name && type.version === version)
          .map(aggregatedResource),
        freshness: 'Current',
      })),
    }));
  }

  #customOnly(): readonly Group[] {
    const builtin = new Set(
      this.#table
        .all()
        .filter(({ definition }) => definition === undefined)
        .map(({ group }) => group),
    );
    return this.#groups().filter(({ name }) => !builtin.has(name));
  }

  #groups(): readonly Group[] {
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.#table.all()) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) versions.push(version);
      groups.set(group, versions);
    }
    return [...groups].map(([name, versions]) => ({ name, versions: [...versions].sort(byPriority) }));
  }

  /** `/api`, in the old way. */
  versions(address: string): Reply {
    return answer({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
    });
  }

  groupList(): Reply {
    const groups = this.#groups()
      .filter(({ name }) => name !== '')
      .map((group) => this.#group(group));
    return answer({ kind: 'APIGroupList', apiVersion: 'v1', groups });
  }

  group(name: string): Reply {
    const group = this.#groups().find((candidate) => candidate.name === name);
    if (group === undefined) return pageNotFound();
    return answer({ kind: 'APIGroup', apiVersion: 'v1', ...this.#group(group) });
  }

  #group({ name, versions }: Group): JsonObject {
    const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions: all, preferredVersion: all[0] as JsonObject };
  }

  /** `/api/v1`, `/apis/G/V`; undefined when not served. */
  resourceList(group: string, version: string): Reply | undefined {
    const types = this.#table.all().filter((type) => type.group === group && type.version === version);
    if (types.length === 0) return undefined;
    const resources = types.flatMap((type) => [
      {
        name: type.plural,
        singularName: type.singular,
        namespaced: type.namespaced,
        kind: type.kind,
        verbs: type.verbs,
        ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
        ...(type.categories.length === 0 ? {} : { categories: type.categories }),
      },
      ...[...type.subresources.values()].map((sub) => ({
        name: `${type.plural}/${sub.name}`,
        singularName: '',
        namespaced: type.namespaced,
        ...(sub.group === type.group && sub.version === type.version ? {} : { group: sub.group, version: sub.version }),
        kind: sub.kind,
        verbs: sub.verbs,
      })),
    ]);
    return answer({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: group === '' ? version : `${group}/${version}`,
      // Custom resources come in the order of their definition, built-in ones by name.
      resources: types.some(({ definition }) => definition !== undefined)
        ? resources
        : [...resources].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    });
  }
}

function aggregatedResource(type: ResourceType): Json {
  return {
    resource: type.plural,
    responseKind: { group: type.group, version: type.version, kind: type.kind },
    scope: type.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: type.singular,
    verbs: type.verbs,
    ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
    ...(type.categories.length === 0 ? {} : { categories: type.categories }),
    ...(type.subresources.size === 0
      ? {}
      : {
          subresources: [...type.subresources.values()].map((sub) => ({
            subresource: sub.name,
            responseKind: { group: sub.group, version: sub.version, kind: sub.kind },
            verbs: sub.verbs,
          })),
        }),
  };
}
