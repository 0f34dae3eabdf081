import { createHash } from 'node:crypto';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { put, stringAt, stringifyJson } from '../../base/json.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { openApiIndex } from '../data/builtins.ts';
import type { OpenApiTexts } from '../data/openapi-documents.ts';
import { openApiTexts } from '../data/openapi-documents.ts';
import { optionalDocuments, optionalGroups } from '../data/optional-groups.ts';
import type { CustomResources } from './custom-resources.ts';
import { customDefinitions, customPaths } from './openapi-custom.ts';
import { encodeOpenApiV2 } from './openapi-protobuf.ts';
import type { Reply } from './reply.ts';
import type { ResourceTable } from './resource-table.ts';
import type { ResourceType } from './resource-type.ts';

const INFO = '"openapi":"3.0.0","info":{"title":"Kubernetes","version":"1.34"}';
const CUSTOM_INFO = '"openapi":"3.0.0","info":{"title":"Kubernetes CRD Swagger","version":"v0.1.0"}';
const SECURITY =
  '"securitySchemes":{"BearerToken":{"type":"apiKey","description":"Bearer Token authentication","name":"authorization","in":"header"}}';
const SCHEMA_REFERENCE = /"#\/components\/schemas\/([^"]+)"/g;
/** What clients ask for, and what is answered: an `@` is not legal in a media type, and Go refuses to read it. */
const V2_PROTOBUF_ASKED = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
const V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * The OpenAPI documents, as a real server writes them. None is kept: a client asks once and remembers by the hash, and the
 * parts of built-in kinds lie packed in `src/cluster/data`.
 */
export class OpenApi {
  readonly #table: ResourceTable;
  readonly #custom: CustomResources;
  /** Hashes of documents of custom kinds, with the definitions that they were made from. */
  readonly #hashes = new Map<string, { readonly made: string; readonly hash: string }>();
  #v2: { readonly generation: number; readonly hash: string } | undefined;

  constructor(table: ResourceTable, custom: CustomResources) {
    this.#table = table;
    this.#custom = custom;
  }

  index(): Reply {
    const all: MutableJsonObject = { ...this.#builtinPaths() };
    for (const [name, types] of this.#customVersions())
      put(all, name, { serverRelativeURL: `/openapi/v3/${name}?hash=${this.#customHash(name, types)}` });
    const paths: MutableJsonObject = {};
    for (const name of Object.keys(all).sort()) put(paths, name, all[name] as Json);
    return {
      status: 200,
      content: { kind: 'text', text: stringifyJson({ paths }), type: 'text/plain; charset=utf-8' },
    };
  }

  /** The document `apis/apps/v1`; undefined when there is none. `hash` that matches makes it cacheable for ever. */
  document(name: string, hash: string | null): Reply | undefined {
    const types = this.#customVersions().get(name);
    const current = types === undefined ? builtinHash(this.#builtinPaths(), name) : this.#customHash(name, types);
    if (current === undefined) return undefined;
    const headers: Record<string, string> = { etag: `"${current}"`, vary: 'Accept' };
    if (hash !== null && hash !== '') {
      if (hash !== current) {
        const location = `/openapi/v3/${name}?hash=${current}`;
        return { status: 301, headers: { ...headers, location }, content: { kind: 'none' } };
      }
      headers['cache-control'] = 'public, immutable';
      headers['expires'] = 'Thu, 31 Dec 2099 00:00:00 GMT';
    }
    const text = types === undefined ? builtinDocument(this.#texts(), name) : this.#customDocument(types);
    if (text === undefined) return undefined;
    return { status: 200, headers, content: { kind: 'text', text, type: 'application/json' } };
  }

  /** The one document of OpenAPI v2, in JSON or in protobuf. */
  v2(accept: string, ifNoneMatch: string | undefined): Reply {
    const protobuf = accept.includes(V2_PROTOBUF_ASKED) || accept.includes(V2_PROTOBUF);
    if (!protobuf && accept !== '' && !/application\/json|\*\/\*|application\/\*/.test(accept))
      return { status: 406, headers: { vary: 'Accept' }, content: { kind: 'none' } };
    let known = this.#v2;
    let text: string | undefined;
    if (known?.generation !== this.#table.generation) {
      text = this.#v2Document();
      known = { generation: this.#table.generation, hash: hashOf(text) };
      this.#v2 = known;
    }
    const headers = { etag: `"${known.hash}"`, vary: 'Accept' };
    if (ifNoneMatch === headers.etag) return { status: 304, headers, content: { kind: 'none' } };
    text ??= this.#v2Document();
    if (!protobuf) return { status: 200, headers, content: { kind: 'text', text, type: 'application/json' } };
    const bytes = encodeOpenApiV2(JSON.parse(text) as JsonObject);
    return { status: 200, headers, content: { kind: 'bytes', bytes, type: V2_PROTOBUF } };
  }

  #builtinPaths(): JsonObject {
    const paths = openApiIndex()['paths'] as JsonObject;
    const { optional } = this.#table;
    if (optional.length === 0) return paths;
    const more = optional.map((name) => {
      const { serverRelativeURL = '' } = optionalGroups()[name] ?? {};
      return [`apis/${name}`, { serverRelativeURL }];
    });
    return { ...paths, ...Object.fromEntries(more) };
  }

  #texts(): OpenApiTexts {
    const texts = openApiTexts();
    if (this.#table.optional.length === 0) return texts;
    const more = optionalDocuments();
    const served = this.#table.optional.map((name) => more.v2[`apis/${name}`]);
    return {
      ...texts,
      schemas: { ...texts.schemas, ...more.schemas },
      documents: { ...texts.documents, ...more.documents },
      v2: {
        ...texts.v2,
        paths: Object.assign({}, texts.v2.paths, ...served.map((one) => one?.paths)),
        definitions: Object.assign({}, texts.v2.definitions, ...served.map((one) => one?.definitions)),
      },
    };
  }

  /** `apis/group/version` to its custom kinds. */
  #customVersions(): ReadonlyMap<string, readonly ResourceType[]> {
    const versions = new Map<string, ResourceType[]>();
    for (const type of this.#table.all()) {
      if (type.definition === undefined) continue;
      const name = `apis/${type.group}/${type.version}`;
      versions.set(name, [...(versions.get(name) ?? []), type]);
    }
    return versions;
  }

  #customHash(name: string, types: readonly ResourceType[]): string {
    const made = types
      .map(({ definition }) => `${definition?.metadata.uid ?? ''}/${String(definition?.metadata.generation ?? 0)}`)
      .join(' ');
    const known = this.#hashes.get(name);
    if (known?.made === made) return known.hash;
    const hash = hashOf(this.#customDocument(types));
    this.#hashes.set(name, { made, hash });
    return hash;
  }

  #schema(type: ResourceType): Schema | undefined {
    const schema = this.#custom.schema(type);
    return Object.keys(schema).length === 0 ? undefined : schema;
  }

  #customDocument(types: readonly ResourceType[]): string {
    const texts = openApiTexts();
    const paths = new Map<string, string>();
    const schemas = new Map<string, string>();
    for (const type of types) {
      const template = texts.custom[type.namespaced ? 'Namespaced' : 'Cluster'].v3;
      for (const [path, text] of customPaths(type, template)) paths.set(path, text);
      for (const [name, schema] of Object.entries(customDefinitions(type, this.#schema(type), 'v3')))
        schemas.set(name, goEscaped(stringifyJson(schema)));
    }
    const missing = [...paths.values(), ...schemas.values()];
    for (let text = missing.pop(); text !== undefined; text = missing.pop())
      for (const [, name = ''] of text.matchAll(SCHEMA_REFERENCE)) {
        const found = texts.custom.schemas[name] ?? texts.schemas[name];
        if (found === undefined || schemas.has(name)) continue;
        schemas.set(name, found);
        missing.push(found);
      }
    return `{${CUSTOM_INFO},"paths":${written(paths)},"components":{"schemas":${written(schemas)}}}`;
  }

  #v2Document(): string {
    const { v2, custom } = this.#texts();
    const paths = new Map(Object.entries(v2.paths));
    const definitions = new Map(Object.entries(v2.definitions));
    for (const types of this.#customVersions().values())
      for (const type of types) {
        const template = custom[type.namespaced ? 'Namespaced' : 'Cluster'].v2;
        for (const [path, text] of customPaths(type, template)) paths.set(path, text);
        for (const [name, schema] of Object.entries(customDefinitions(type, this.#schema(type), 'v2')))
          definitions.set(name, stringifyJson(schema));
      }
    return `${v2.head},"paths":${written(paths)},"definitions":${written(definitions)},${v2.tail}`;
  }
}

function builtinDocument({ documents, schemas }: OpenApiTexts, name: string): string | undefined {
  const document = documents[name];
  if (document === undefined) return undefined;
  const own = new Map(document.schemas.map((schema) => [schema, schemas[schema] ?? '{}']));
  const components = own.size === 0 ? SECURITY : `"schemas":${written(own)},${SECURITY}`;
  return `{${INFO},"paths":${document.paths},"components":{${components}}}`;
}

/** A JSON object of texts, in the order of its keys. */
function written(texts: ReadonlyMap<string, string>): string {
  const keys = [...texts.keys()].sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${texts.get(key) ?? '{}'}`).join(',')}}`;
}

function goEscaped(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function hashOf(text: string): string {
  return createHash('sha512').update(text).digest('hex').toUpperCase();
}

function builtinHash(paths: JsonObject, name: string): string | undefined {
  if (!Object.hasOwn(paths, name)) return undefined;
  return (stringAt(paths[name], 'serverRelativeURL') ?? '').split('hash=')[1];
}
