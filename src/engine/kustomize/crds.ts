import { utf8Text } from '../../base/files.ts';
import { at, field, isObject, type Json, stringAt } from '../../base/json.ts';
import { jsonSyntaxError } from '../../base/json-syntax.ts';
import { printYamlError } from '../yaml/error.ts';
import { parseYaml } from '../yaml/parse.ts';
import { fail, wrapped } from './failure.ts';
import type { Loader } from './load.ts';
import {
  configOf,
  EMPTY_CONFIG,
  type FieldSpec,
  fieldSpec,
  mergeConfigs,
  mergeFieldSpecs,
  mergeReferences,
  type NameReference,
  type TransformerConfig,
} from './transformer-config.ts';

/** What the OpenAPI definitions in the `crds` files say of names, labels and annotations (loadconfigfromcrds.go). */
export function loadCrds(loader: Loader, paths: readonly string[]): TransformerConfig {
  let config = EMPTY_CONFIG;
  for (const path of paths) {
    const text = utf8Text(loader.load(path)) ?? '';
    const definitions = wrapped(`unable to parse open API definition from '${path}'`, () => readDefinitions(text));
    for (const name of Object.keys(definitions)) {
      const api = definitions[name] as Json;
      const properties = at(api, 'Schema', 'properties') ?? at(api, 'schema', 'properties');
      if (['kind', 'apiVersion', 'metadata'].some((one) => field(properties, one) === undefined)) continue;
      const found: Found = { annotations: [], labels: [], prefix: [], references: [] };
      collect(definitions, name, name.slice(name.lastIndexOf('.') + 1), [], found, 0);
      config = mergeConfigs(
        config,
        configOf({
          namePrefix: found.prefix,
          commonAnnotations: found.annotations,
          commonLabels: found.labels,
          nameReference: found.references,
        }),
      );
    }
  }
  return config;
}

interface Found {
  annotations: readonly FieldSpec[];
  labels: readonly FieldSpec[];
  prefix: readonly FieldSpec[];
  references: readonly NameReference[];
}

function readDefinitions(text: string): Readonly<Record<string, Json>> {
  const read = parseYaml(text);
  const json = text.startsWith('{');
  if (!read.ok)
    return fail(json ? jsonSyntaxError(text) : `error converting YAML to JSON: ${printYamlError(read.error)}`);
  const prefix = json ? '' : 'error unmarshaling JSON: while decoding JSON: ';
  if (read.value === null) return {};
  if (!isObject(read.value))
    return fail(`${prefix}json: cannot unmarshal ${kindOf(read.value)} into Go value of type accumulator.nameToApiMap`);
  for (const name of Object.keys(read.value).sort()) {
    const value = read.value[name] as Json;
    if (value !== null && !isObject(value)) {
      fail(`${prefix}json: cannot unmarshal ${kindOf(value)} into Go value of type accumulator.OpenAPIDefinition`);
    }
  }
  return read.value;
}

function kindOf(value: Json): string {
  return Array.isArray(value)
    ? 'array'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value === 'string'
        ? 'string'
        : 'number';
}

/** Deepest chain of references that is followed: definitions may refer to each other in circles. */
const MAX_REFERENCES = 50;

function collect(
  definitions: Readonly<Record<string, Json>>,
  type: string,
  kind: string,
  path: readonly string[],
  found: Found,
  depth: number,
): void {
  const api = field(definitions, type);
  if (api === undefined) return;
  if (depth > MAX_REFERENCES) fail(`definition ${type} refers to itself`);
  const properties = at(api, 'Schema', 'properties') ?? at(api, 'schema', 'properties');
  if (!isObject(properties)) return;
  for (const name of Object.keys(properties).sort()) {
    const property = properties[name] as Json;
    const here = [...path, name];
    const spec = (steps: readonly string[]): FieldSpec => fieldSpec({ kind, path: steps.join('/') });
    const has = (extension: string): boolean => typeof field(property, extension) === 'string';
    if (has('x-kubernetes-annotation')) found.annotations = mergeFieldSpecs(found.annotations, [spec(here)]);
    if (has('x-kubernetes-label-selector')) found.labels = mergeFieldSpecs(found.labels, [spec(here)]);
    if (has('x-kubernetes-identity')) found.prefix = mergeFieldSpecs(found.prefix, [spec(here)]);
    const version = stringAt(property, 'x-kubernetes-object-ref-api-version');
    const target = stringAt(property, 'x-kubernetes-object-ref-kind');
    if (version !== undefined && target !== undefined) {
      const key = stringAt(property, 'x-kubernetes-object-ref-name-key') ?? 'name';
      found.references = mergeReferences(found.references, [
        { group: '', version, kind: target, fields: [spec([...here, key])] },
      ]);
    }
    const ref = stringAt(property, '$ref');
    if (ref !== undefined && ref !== '') collect(definitions, ref, kind, here, found, depth + 1);
  }
}
