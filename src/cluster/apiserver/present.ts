import type { KubeObject } from '../../api/object.ts';
import type { Json, JsonObject, MutableJsonObject } from '../../base/json.ts';
import { put, stringAt } from '../../base/json.ts';
import type { Codec } from './codec.ts';
import { internalPackage } from './codec.ts';
import { json } from './draft.ts';
import type { Listing } from './list.ts';
import type { Wanted } from './negotiation.ts';
import type { Reply } from './reply.ts';
import { failure } from './reply.ts';
import type { ResourceType } from './resource-type.ts';
import { apiVersionOf } from './resource-type.ts';
import type { TablePrinter } from './table.ts';

/** How the objects of one request are shown: as they are, as metadata only, or as rows. */
export class Presenter {
  readonly #codec: Codec;
  readonly #tables: TablePrinter;
  readonly #type: ResourceType;
  readonly #wanted: Wanted;
  readonly #includeObject: string;

  constructor(codec: Codec, tables: TablePrinter, type: ResourceType, wanted: Wanted, query: URLSearchParams) {
    this.#codec = codec;
    this.#tables = tables;
    this.#type = type;
    this.#wanted = wanted;
    this.#includeObject = query.get('includeObject') ?? '';
  }

  /** Two presenters of one shape show an object as the same JSON; undefined for rows, whose columns depend on their place. */
  get shape(): string | undefined {
    const { as, version } = this.#wanted;
    if (as === 'Table') return undefined;
    // A custom resource may be shown otherwise when its definition changes.
    if (this.#type.definition !== undefined) return undefined;
    return `${this.#type.group}/${this.#type.version}/${this.#type.plural} ${as ?? ''} ${version ?? ''}`;
  }

  get #metaVersion(): string {
    return `meta.k8s.io/${this.#wanted.version ?? 'v1'}`;
  }

  /** One object in a single answer. */
  object(stored: KubeObject): Json {
    const shown = this.#codec.fromStorage(this.#type, stored);
    if (this.#wanted.as === 'PartialObjectMetadata' || this.#wanted.as === 'PartialObjectMetadataList')
      return this.#partial(shown);
    if (this.#wanted.as === 'Table')
      return this.#tables.table(this.#type, [shown], {
        meta: { resourceVersion: shown.metadata.resourceVersion ?? '' },
        version: this.#metaVersion,
        include: this.#includeObject,
        columns: true,
      });
    return json(shown);
  }

  /** An object of a watch event; columns come with the first only. */
  event(stored: KubeObject, first: boolean): Json {
    if (this.#wanted.as !== 'Table') return this.object(stored);
    const shown = this.#codec.fromStorage(this.#type, stored);
    return this.#tables.table(this.#type, [shown], {
      meta: { resourceVersion: shown.metadata.resourceVersion ?? '' },
      version: this.#metaVersion,
      include: this.#includeObject,
      columns: first,
    });
  }

  /** A bookmark is no row, but carries a version. */
  bookmark(stored: KubeObject): Json {
    const shown = { ...stored, apiVersion: apiVersionOf(this.#type) };
    if (this.#wanted.as === 'Table')
      return {
        kind: 'Table',
        apiVersion: this.#metaVersion,
        metadata: json(shown)['metadata'] as Json,
        columnDefinitions: null,
        rows: [],
      };
    if (this.#wanted.as !== undefined)
      return {
        kind: 'PartialObjectMetadata',
        apiVersion: this.#metaVersion,
        metadata: json(shown)['metadata'] as Json,
      };
    return json(shown);
  }

  list(listing: Listing): Json {
    const meta: MutableJsonObject = { resourceVersion: String(listing.revision) };
    if (listing.continue !== undefined) meta['continue'] = listing.continue;
    else if (this.#type.definition !== undefined && this.#wanted.as === undefined) meta['continue'] = '';
    if (listing.remaining !== undefined) meta['remainingItemCount'] = listing.remaining;
    const shown = listing.items.map((item) => this.#codec.fromStorage(this.#type, item));
    if (this.#wanted.as === 'Table')
      return this.#tables.table(this.#type, shown, {
        meta,
        version: this.#metaVersion,
        include: this.#includeObject,
        columns: true,
      });
    if (this.#wanted.as === 'PartialObjectMetadata' || this.#wanted.as === 'PartialObjectMetadataList')
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: this.#metaVersion,
        metadata: meta,
        // Made item by item: none make no list.
        items: shown.length === 0 ? null : shown.map((item) => this.#partial(item)),
      };
    return {
      kind: this.#type.listKind,
      apiVersion: apiVersionOf(this.#type),
      metadata: meta,
      items: this.#type.definition === undefined ? shown.map(withoutKind) : shown.map(json),
    };
  }

  #partial(object: KubeObject): Json {
    return {
      kind: 'PartialObjectMetadata',
      apiVersion: this.#metaVersion,
      metadata: object.metadata as unknown as Json,
    };
  }
}

/** Metadata of a list that was asked for as an object's, or the other way round, is not acceptable; by then it has happened. */
export function asWanted(reply: Reply, type: ResourceType, { as }: Wanted): Reply {
  const { content } = reply;
  const kind = content.kind === 'json' ? stringAt(content.value, 'kind') : undefined;
  if (as === undefined || kind === as || (kind !== 'PartialObjectMetadata' && kind !== 'PartialObjectMetadataList'))
    return reply;
  const list = kind === 'PartialObjectMetadataList';
  const goType =
    type.definition === undefined
      ? `${internalPackage(type.group)}.${list ? type.listKind : type.kind}`
      : `unstructured.Unstructured${list ? 'List' : ''}`;
  return failure({
    code: 406,
    reason: 'NotAcceptable',
    message: `you requested ${as}, but the requested object is ${list ? 'a' : 'not a'} list (*${goType})`,
  });
}

/** Items of built-in lists do not repeat their kind. */
function withoutKind(object: KubeObject): JsonObject {
  const out: MutableJsonObject = {};
  const source = json(object);
  for (const key of Object.keys(source)) if (key !== 'kind' && key !== 'apiVersion') put(out, key, source[key] as Json);
  return out;
}
