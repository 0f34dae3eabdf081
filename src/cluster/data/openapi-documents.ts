import { brotliDecompressSync } from 'node:zlib';
import { OPENAPI_DOCUMENTS } from './openapi-documents.generated.ts';

/** The paths of one custom kind by path; names stand as `@kind@`, `@plural@`, ... in both. */
export type PathTemplate = { readonly [path: string]: string };

/** JSON texts of a real server's OpenAPI documents, ready to be put together. */
export interface OpenApiTexts {
  /** Component schemas by name, with descriptions. */
  readonly schemas: { readonly [name: string]: string };
  readonly documents: { readonly [name: string]: { readonly paths: string; readonly schemas: readonly string[] } };
  readonly v2: {
    readonly head: string;
    readonly paths: { readonly [path: string]: string };
    readonly definitions: { readonly [name: string]: string };
    readonly tail: string;
  };
  readonly custom: {
    readonly Namespaced: { readonly v3: PathTemplate; readonly v2: PathTemplate };
    readonly Cluster: { readonly v3: PathTemplate; readonly v2: PathTemplate };
    /** Schemas that differ in the documents of custom resources. */
    readonly schemas: { readonly [name: string]: string };
  };
}

let texts: WeakRef<OpenApiTexts> | undefined;

/** The texts, unpacked (about 20 ms): 5 MB that nothing holds on to, because clients keep what they were given. */
export function openApiTexts(): OpenApiTexts {
  const known = texts?.deref();
  if (known !== undefined) return known;
  const unpacked = JSON.parse(
    brotliDecompressSync(Buffer.from(OPENAPI_DOCUMENTS, 'base64')).toString('utf8'),
  ) as OpenApiTexts;
  texts = new WeakRef(unpacked);
  return unpacked;
}
