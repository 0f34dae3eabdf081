import { at, field, isArray, isObject, type Json } from '../base/json.ts';
import { printYamlError } from '../engine/yaml/error.ts';
import { parseYamlDocuments } from '../engine/yaml/parse.ts';

/**
 * Why a file is not one of Kubernetes manifests, in kustomize's words; undefined when it is. A file without documents is fine.
 * Source: kustomize api@0.21.1 resource/factory.go SliceFromBytes, kyaml@0.21.1 GetValidatedMetadata.
 */
export function checkManifest(text: string): string | undefined {
  const parsed = parseYamlDocuments(text);
  if (!parsed.ok) return `MalformedYAMLError: ${printYamlError(parsed.error)}`;
  for (const document of parsed.value) {
    const problem = checkDocument(document);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkDocument(document: Json): string | undefined {
  if (!isObject(document)) return 'missing Resource metadata';
  if (Object.keys(document).length === 0) return undefined;
  const kind = field(document, 'kind');
  const items = field(document, 'items');
  if (typeof kind === 'string' && kind.endsWith('List') && isArray(items)) {
    for (const item of items) {
      const problem = checkDocument(item);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  const metadata = field(document, 'metadata');
  if (kind === undefined && metadata === undefined && field(document, 'apiVersion') === undefined) {
    return 'missing Resource metadata';
  }
  const name = at(metadata, 'name');
  const apiVersion = text(field(document, 'apiVersion'));
  if (typeof name !== 'string' || name === '') {
    const namespace = text(at(metadata, 'namespace'));
    const labels = printMap(at(metadata, 'labels'));
    const annotations = printMap(at(metadata, 'annotations'));
    return `missing metadata.name in object {{${apiVersion} ${text(kind)}} {{ ${namespace}} ${labels} ${annotations}}}`;
  }
  if (typeof kind !== 'string' || kind === '') {
    return `missing kind in object {{${apiVersion} } {{${name} ${text(at(metadata, 'namespace'))}} ${printMap(at(metadata, 'labels'))} ${printMap(at(metadata, 'annotations'))}}}`;
  }
  return undefined;
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Go's `%v` of a map. */
function printMap(value: Json | undefined): string {
  if (!isObject(value)) return 'map[]';
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${key}:${text(value[key])}`);
  return `map[${entries.join(' ')}]`;
}
