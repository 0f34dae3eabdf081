import { brotliDecompressSync } from 'node:zlib';
import type { JsonObject } from '../../base/json.ts';
import type { OpenApiTexts } from './openapi-documents.ts';
import { OPTIONAL_DOCUMENTS, OPTIONAL_GROUPS } from './optional-groups.generated.ts';

/** A group version that a real server serves only when it is asked to. */
export interface OptionalGroup {
  readonly group: string;
  /** The version's entry of an aggregated discovery document. */
  readonly discovery: JsonObject;
  /** Where its OpenAPI document is, with a real server's hash. */
  readonly serverRelativeURL: string;
}

/** What is added to the OpenAPI documents when these group versions are served. */
export interface OptionalDocuments {
  readonly schemas: OpenApiTexts['schemas'];
  readonly documents: OpenApiTexts['documents'];
  /** Of the one document of v2, by the group version's path `apis/GROUP/VERSION`. */
  readonly v2: {
    readonly [name: string]: Pick<OpenApiTexts['v2'], 'paths' | 'definitions'>;
  };
}

let groups: { readonly [groupVersion: string]: OptionalGroup } | undefined;

/** By `GROUP/VERSION`. */
export function optionalGroups(): { readonly [groupVersion: string]: OptionalGroup } {
  groups ??= JSON.parse(OPTIONAL_GROUPS) as { readonly [groupVersion: string]: OptionalGroup };
  return groups;
}

/** Unpacked anew each time: clients ask once. */
export function optionalDocuments(): OptionalDocuments {
  return JSON.parse(
    brotliDecompressSync(Buffer.from(OPTIONAL_DOCUMENTS, 'base64')).toString('utf8'),
  ) as OptionalDocuments;
}
