import { field, isArray, isObject, type Json, type JsonObject } from '../../base/json.ts';
import { resolveReference } from './uri.ts';

/** The version of JSON Schema's language: a draft's number, or its year. */
export type Draft = 4 | 6 | 7 | 2019 | 2020;

/** A schema and what its references can lead to: nothing outside of the document is ever fetched. */
export interface SchemaDocument {
  readonly root: Json;
  readonly draft: Draft;
  /** Whether some part asks what no other part has looked at. */
  readonly tracksEvaluation: boolean;
  /** What `reference` in `schema` means; undefined when it is not in the document. */
  resolve(schema: JsonObject, reference: string): Json | undefined;
}

/** Nesting of a schema; the deepest public ones have some thirty levels. */
const MAX_DEPTH = 200;
const ROOT_URI = 'file:///values.schema.json';

/** Finds the names in `root` that references can use; undefined when it is nested too deep. */
export function openSchema(root: Json): SchemaDocument | undefined {
  const draft = draftOf(field(root, '$schema'));
  const bases = new Map<JsonObject, string>();
  const named = new Map<string, Json>([[ROOT_URI, root]]);
  let tracksEvaluation = false;
  const visit = (value: Json, base: string, depth: number): boolean => {
    if (depth > MAX_DEPTH) return false;
    if (isArray(value)) return value.every((item) => visit(item, base, depth + 1));
    if (!isObject(value)) return true;
    const id = field(value, draft === 4 ? 'id' : '$id');
    let own = base;
    if (typeof id === 'string') {
      const [uri, fragment] = splitFragment(resolveReference(base, id));
      // Before 2019 an id that is only a fragment names a place, as an anchor does.
      if (fragment !== '' && draft < 2019) named.set(`${uri}#${fragment}`, value);
      if (!id.startsWith('#')) {
        own = uri;
        named.set(uri, value);
      }
    }
    bases.set(value, own);
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const anchor = field(value, keyword);
      if (typeof anchor === 'string') named.set(`${own}#${anchor}`, value);
    }
    if (Object.hasOwn(value, 'unevaluatedProperties') || Object.hasOwn(value, 'unevaluatedItems'))
      tracksEvaluation = true;
    return Object.keys(value).every((key) => visit(value[key] as Json, own, depth + 1));
  };
  if (!visit(root, ROOT_URI, 0)) return undefined;
  return {
    root,
    draft,
    tracksEvaluation: draft >= 2019 && tracksEvaluation,
    resolve: (schema, reference) => {
      const [uri, fragment] = splitFragment(resolveReference(bases.get(schema) ?? ROOT_URI, reference));
      // The language's own schemas accept every schema.
      if (/^https?:\/\/json-schema\.org\//.test(uri) && !named.has(uri)) return true;
      if (fragment === '') return named.get(uri);
      if (!fragment.startsWith('/')) return named.get(`${uri}#${fragment}`);
      return walk(named.get(uri), fragment);
    },
  };
}

function draftOf(uri: Json | undefined): Draft {
  const text = typeof uri === 'string' ? uri : '';
  if (text.includes('draft-04')) return 4;
  if (text.includes('draft-06')) return 6;
  if (text.includes('draft-07')) return 7;
  return text.includes('2019-09') ? 2019 : 2020;
}

function splitFragment(uri: string): readonly [uri: string, fragment: string] {
  const hash = uri.indexOf('#');
  return hash < 0 ? [uri, ''] : [uri.slice(0, hash), unescapePercent(uri.slice(hash + 1))];
}

function unescapePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function walk(root: Json | undefined, pointer: string): Json | undefined {
  let current = root;
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    current = isArray(current) ? current[/^\d+$/.test(step) ? Number(step) : -1] : field(current, step);
  }
  return current;
}
