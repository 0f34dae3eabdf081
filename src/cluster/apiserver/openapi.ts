import { createHash } from 'node:crypto';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { isArray, isObject, put, stringAt, stringifyJson } from '../../base/json.ts';
import { definitionName, openApiIndex, openApiPaths, schemaDefinitions } from '../data/builtins.ts';
import type { CustomResources } from './custom-resources.ts';
import type { Reply } from './reply.ts';
import { answer } from './reply.ts';
import type { ResourceTable } from './resource-table.ts';
import type { ResourceType } from './resource-type.ts';

const REFERENCE = '#/components/schemas/';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

/** OpenAPI v3: the index, and one document for each group version, made when asked for. */
export class OpenApi {
  readonly #table: ResourceTable;
  readonly #custom: CustomResources;
  #generation = -1;
  readonly #customDocuments = new Map<string, { readonly text: string; readonly hash: string }>();

  constructor(table: ResourceTable, custom: CustomResources) {
    this.#table = table;
    this.#custom = custom;
  }

  index(): Reply {
    const paths: MutableJsonObject = { ...(openApiIndex()['paths'] as JsonObject) };
    for (const [group, versions] of this.#customVersions())
      for (const version of versions) {
        const name = `apis/${group}/${version}`;
        put(paths, name, {
          serverRelativeURL: `/openapi/v3/${name}?hash=${this.#customDocument(group, version).hash}`,
        });
      }
    return { ...answer({ paths }), type: 'text/plain; charset=utf-8' };
  }

  /** The document `apis/apps/v1`; undefined when there is none. `hash` that matches makes it cacheable for ever. */
  document(name: string, hash: string | null): Reply | undefined {
    const custom = this.#customVersions();
    const [, group = '', version = ''] = /^apis\/([^/]+)\/([^/]+)$/.exec(name) ?? [];
    const isCustom = custom.get(group)?.has(version) === true;
    const text = isCustom ? this.#customDocument(group, version).text : this.#builtinDocument(name);
    if (text === undefined) return undefined;
    const etag = isCustom ? this.#customDocument(group, version).hash : builtinHash(name);
    const headers: Record<string, string> = { etag: `"${etag}"`, vary: 'Accept' };
    if (hash !== null && hash === etag) {
      headers['cache-control'] = 'public, immutable';
      headers['expires'] = 'Thu, 31 Dec 2099 00:00:00 GMT';
    }
    return { status: 200, headers, content: { kind: 'text', text, type: 'application/json' } };
  }

  #customVersions(): ReadonlyMap<string, ReadonlySet<string>> {
    if (this.#generation !== this.#table.generation) {
      this.#customDocuments.clear();
      this.#generation = this.#table.generation;
    }
    const versions = new Map<string, Set<string>>();
    for (const type of this.#table.all()) {
      if (type.definition === undefined) continue;
      const set = versions.get(type.group) ?? new Set();
      set.add(type.version);
      versions.set(type.group, set);
    }
    return versions;
  }

  #customDocument(group: string, version: string): { readonly text: string; readonly hash: string } {
    const key = `${group}/${version}`;
    let document = this.#customDocuments.get(key);
    if (document === undefined) {
      const text = this.#writeCustom(group, version);
      document = { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() };
      this.#customDocuments.set(key, document);
    }
    return document;
  }

  #writeCustom(group: string, version: string): string {
    const types = this.#table
      .all()
      .filter((type) => type.definition !== undefined && type.group === group && type.version === version);
    const schemas: MutableJsonObject = {};
    const paths: MutableJsonObject = {};
    for (const type of types) {
      const name = customName(type);
      put(schemas, name, {
        ...(this.#custom.schema(type) as JsonObject),
        type: 'object',
        properties: {
          ...(this.#custom.schema(type).properties as JsonObject | undefined),
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { allOf: [{ $ref: `${REFERENCE}${META}ObjectMeta` }] },
        },
        'x-kubernetes-group-version-kind': [{ group, version, kind: type.kind }],
      });
      put(schemas, `${name}List`, {
        type: 'object',
        required: ['items'],
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: { allOf: [{ $ref: `${REFERENCE}${META}ListMeta` }] },
          items: { type: 'array', items: { $ref: `${REFERENCE}${name}` } },
        },
        'x-kubernetes-group-version-kind': [{ group, version, kind: type.listKind }],
      });
      const base = `/apis/${group}/${version}`;
      const collection = type.namespaced ? `${base}/namespaces/{namespace}/${type.plural}` : `${base}/${type.plural}`;
      put(paths, collection, collectionPath(type, name));
      if (type.namespaced) put(paths, `${base}/${type.plural}`, { get: operation(type, 'list', `${name}List`) });
      put(paths, `${collection}/{name}`, objectPath(type, name));
      for (const sub of type.subresources.keys())
        put(paths, `${collection}/{name}/${sub}`, objectPath(type, name, true));
    }
    return this.#document(paths, schemas);
  }

  #builtinDocument(name: string): string | undefined {
    const listed = openApiPaths()[name];
    if (listed === undefined) return undefined;
    const paths: MutableJsonObject = {};
    for (const path of listed) put(paths, path, this.#builtinPath(path));
    return this.#document(paths, {});
  }

  #builtinPath(path: string): Json {
    const match =
      /^\/apis?\/(?:([^/]+)\/)?(v\d[^/]*)\/(?:namespaces\/\{namespace\}\/)?([^/{]+)(\/\{name\})?(?:\/([^/]+))?$/.exec(
        path,
      );
    if (match === null) return {};
    const [, group = '', version = '', plural = '', named, sub] = match;
    const type = this.#table.find(group, version, plural);
    if (type === undefined) return {};
    const name = definitionName(group === '' ? version : `${group}/${version}`, type.kind);
    if (name === undefined) return {};
    if (named === undefined) {
      return path.includes('{namespace}') || !type.namespaced
        ? collectionPath(type, name)
        : { get: operation(type, 'list', `${name}List`) };
    }
    return objectPath(type, name, sub !== undefined);
  }

  /** A document with the schemas that it needs, following references. */
  #document(paths: JsonObject, own: JsonObject): string {
    const schemas: MutableJsonObject = { ...own };
    const wanted = new Set<string>();
    const collect = (value: Json): void => {
      if (isArray(value)) for (const item of value) collect(item);
      else if (isObject(value))
        for (const key of Object.keys(value)) {
          const part = value[key] as Json;
          if (key === '$ref' && typeof part === 'string') wanted.add(part.replace(REFERENCE, ''));
          else collect(part);
        }
    };
    collect(paths);
    collect(own);
    const definitions = schemaDefinitions();
    for (const name of wanted) {
      if (Object.hasOwn(schemas, name)) continue;
      const schema = definitions[name];
      if (schema === undefined) continue;
      collect(schema as unknown as Json);
      put(schemas, name, qualify(schema as unknown as Json));
    }
    return stringifyJson({
      openapi: '3.0.0',
      info: { title: 'Kubernetes', version: 'v1.34.1' },
      paths,
      components: { schemas },
    });
  }
}

/** References are kept as bare names; a document needs them whole. */
function qualify(value: Json): Json {
  if (isArray(value)) return value.map(qualify);
  if (!isObject(value)) return value;
  const out: MutableJsonObject = {};
  for (const key of Object.keys(value)) {
    const part = value[key] as Json;
    put(
      out,
      key,
      key === '$ref' && typeof part === 'string' && !part.startsWith('#') ? REFERENCE + part : qualify(part),
    );
  }
  return out;
}

function builtinHash(name: string): string {
  const entry = (openApiIndex()['paths'] as JsonObject)[name];
  const url = stringAt(entry, 'serverRelativeURL') ?? '';
  return url.split('hash=')[1] ?? '';
}

function customName({ group, version, kind }: ResourceType): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

const ACTIONS = { list: 'get', post: 'post', get: 'get', put: 'put', patch: 'patch', delete: 'delete' } as const;

function parameter(name: string, type: string): Json {
  return { name, in: 'query', schema: { type, uniqueItems: true } };
}

const WRITES = [
  parameter('dryRun', 'string'),
  parameter('fieldManager', 'string'),
  parameter('fieldValidation', 'string'),
];

function operation(type: ResourceType, action: keyof typeof ACTIONS, response: string): Json {
  const { group, version, kind } = type;
  const schema = { $ref: REFERENCE + response };
  const content = { 'application/json': { schema } };
  const patchTypes = [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(type.definition === undefined ? ['application/strategic-merge-patch+json'] : []),
  ];
  const patchSchema = { schema: { $ref: `${REFERENCE}${META}Patch` } };
  const body =
    action === 'post' || action === 'put'
      ? { requestBody: { content: { '*/*': { schema } }, required: true } }
      : action === 'patch'
        ? {
            requestBody: {
              content: Object.fromEntries(patchTypes.map((media) => [media, patchSchema])),
              required: true,
            },
          }
        : {};
  const parameters =
    action === 'post' || action === 'put'
      ? WRITES
      : action === 'patch'
        ? [...WRITES, parameter('force', 'boolean')]
        : action === 'delete'
          ? [parameter('dryRun', 'string'), parameter('propagationPolicy', 'string')]
          : [];
  return {
    parameters,
    ...body,
    responses: { 200: { description: 'OK', content } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}

function collectionPath(type: ResourceType, name: string): Json {
  return {
    ...(type.verbs.includes('list') ? { get: operation(type, 'list', `${name}List`) } : {}),
    ...(type.verbs.includes('create') ? { post: operation(type, 'post', name) } : {}),
  };
}

function objectPath(type: ResourceType, name: string, subresource = false): Json {
  return {
    get: operation(type, 'get', name),
    put: operation(type, 'put', name),
    patch: operation(type, 'patch', name),
    ...(subresource ? {} : { delete: operation(type, 'delete', `${META}Status`) }),
  };
}
