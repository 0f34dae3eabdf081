import { DOUBLE_QUOTED, LITERAL, mapNode, scalarNode, type YamlNode } from '../yaml/node.ts';
import { fail, wrapped } from './failure.ts';
import { base64Lines, type KeyValue, loadKeyValues } from './key-values.ts';
import type { GeneratorArgs, GeneratorOptions } from './kustomization-type.ts';
import type { Loader } from './load.ts';
import { isNonString, lookup, setField, stringNode } from './node-edit.ts';
import { Resource } from './resource.ts';
import type { SchemaStore } from './schema.ts';

/** Makes the ConfigMap or Secret that `args` describe (api/internal/generators). @throws KustomizeFailure */
export function generate(
  kind: 'ConfigMap' | 'Secret',
  args: GeneratorArgs,
  loader: Loader,
  schemas: SchemaStore,
): Resource {
  const node = mapNode([scalarNode('apiVersion'), stringNode('v1'), scalarNode('kind'), stringNode(kind)]);
  if (args.name === undefined || args.name === '') fail('a configmap must have a name');
  setField(lookup(node, ['metadata'], 'map'), 'name', stringNode(args.name));
  if (args.namespace !== undefined && args.namespace !== '') {
    setField(lookup(node, ['metadata'], 'map'), 'namespace', stringNode(args.namespace));
  }
  if (kind === 'Secret')
    setField(node, 'type', stringNode(args.type === undefined || args.type === '' ? 'Opaque' : args.type));
  const pairs = wrapped('loading KV pairs', () => loadKeyValues(loader, args));
  const byKey = new Map<string, KeyValue>();
  for (const pair of pairs) {
    if (byKey.has(pair.key)) fail(`configmap ${args.name} illegally repeats the key \`${pair.key}\``);
    byKey.set(pair.key, pair);
  }
  if (kind === 'Secret') lookup(node, ['data'], 'map');
  for (const key of [...byKey.keys()].sort()) {
    const { text, bytes } = byKey.get(key) as KeyValue;
    const encoded = kind === 'Secret' || text === undefined ? base64Lines(bytes) : undefined;
    const field = kind === 'Secret' || text !== undefined ? 'data' : 'binaryData';
    const value = stringNode(encoded ?? (text as string));
    if (value.value.includes('\n')) value.style = LITERAL;
    addField(lookup(node, [field], 'map') as YamlNode, key, value);
  }
  const resource = new Resource(node, schemas);
  const options = args.options ?? {};
  for (const key of Object.keys(options.labels ?? {}).sort()) resource.setLabel(key, options.labels?.[key] as string);
  for (const key of Object.keys(options.annotations ?? {}).sort())
    resource.setAnnotation(key, options.annotations?.[key] as string);
  if (options.immutable === true) setField(node, 'immutable', scalarNode('true', '!!bool'));
  if (options.disableNameSuffixHash !== true) resource.enableHashSuffix();
  resource.setBehavior(args.behavior);
  return resource;
}

/** The keys are known to differ: a look-up for each would be quadratic. */
function addField(map: YamlNode, key: string, value: YamlNode): void {
  if (isNonString(value.value)) value.style = DOUBLE_QUOTED;
  map.content.push(scalarNode(key), value);
}

/** Options of one generator with those of the kustomization where it has none. */
export function mergeOptions(
  own: GeneratorOptions | undefined,
  global: GeneratorOptions | undefined,
): GeneratorOptions | undefined {
  if (global === undefined) return own;
  return {
    ...own,
    ...((global.labels !== undefined || own?.labels !== undefined) && { labels: { ...global.labels, ...own?.labels } }),
    ...((global.annotations !== undefined || own?.annotations !== undefined) && {
      annotations: { ...global.annotations, ...own?.annotations },
    }),
    ...((global.disableNameSuffixHash ?? false) && { disableNameSuffixHash: true }),
    ...((global.immutable ?? false) && { immutable: true }),
  };
}
