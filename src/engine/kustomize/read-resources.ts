import { utf8Text } from '../../base/files.ts';
import { goJson } from '../../base/go-json.ts';
import { field, isArray, type Json } from '../../base/json.ts';
import { composeDocuments } from '../yaml/compose.ts';
import { printYamlError } from '../yaml/error.ts';
import { copyNode, MERGE_TAG, NULL_TAG, type YamlNode } from '../yaml/node.ts';
import { printNode } from '../yaml/print-node.ts';
import { YamlFailure } from '../yaml/token.ts';
import { nodeToJson } from '../yaml/value.ts';
import type { KustomizeCache } from './cache.ts';
import { fail, KustomizeFailure } from './failure.ts';
import { clearField, fieldOf, isNilOrEmpty, textOf } from './node-edit.ts';
import { Resource } from './resource.ts';
import type { SchemaStore } from './schema.ts';

const SEPARATOR = /\n---.*\n/g;

/** Cuts a stream where a line begins with `---`, as kyaml does before it parses (kio/byteio_reader.go). */
function splitDocuments(text: string): readonly string[] {
  if (text === '') return [];
  const documents: string[] = [];
  let start = 0;
  SEPARATOR.lastIndex = 0;
  for (let match = SEPARATOR.exec(text); match !== null; match = SEPARATOR.exec(text)) {
    const [separator] = match;
    const rest = separator.slice(4).trim();
    if (rest !== '' && !rest.startsWith('#')) fail(`invalid document separator: ${separator.trim()}`);
    documents.push(`${text.slice(start, match.index)}\n`);
    start = match.index + separator.length;
  }
  documents.push(text.slice(start));
  return documents;
}

/** Reads the objects that a file holds. @throws KustomizeFailure */
export function readResources(content: Uint8Array | string, schemas: SchemaStore, cache?: KustomizeCache): Resource[] {
  return readNodes(content, cache).map((node) => new Resource(node, schemas));
}

/** Why what a file holds is refused, in kustomize's words; undefined when it is not. */
export function resourcesProblem(content: Uint8Array | string, cache?: KustomizeCache): string | undefined {
  try {
    readNodes(content, cache);
    return undefined;
  } catch (failure) {
    if (failure instanceof KustomizeFailure) return failure.message;
    throw failure;
  }
}

function readNodes(content: Uint8Array | string, cache: KustomizeCache | undefined): YamlNode[] {
  const text = typeof content === 'string' ? content : utf8Text(content);
  if (text === undefined) throw new KustomizeFailure('MalformedYAMLError: yaml: invalid leading UTF-8 octet', 'yaml');
  const read = (from: string): YamlNode[] => inlineLists(validNodes(parseStream(from)));
  return cache === undefined ? read(text) : cache.nodes(text, read);
}

function parseStream(text: string): YamlNode[] {
  const documents = splitDocuments(text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text);
  const nodes: YamlNode[] = [];
  for (const document of documents) {
    const read = composeDocuments(document, 'v3', 1);
    if (!read.ok) throw new KustomizeFailure(`MalformedYAMLError: ${printYamlError(read.error)}`, 'yaml');
    const [node] = read.value;
    if (node === undefined || node.tag === NULL_TAG) continue;
    const resolved = NEEDS_RESOLVER.test(document) ? new Resolver().resolve(node) : node;
    if (documents.length === 1 && isWrapper(resolved)) {
      nodes.push(...(fieldOf(resolved, 'items')?.content ?? []));
      continue;
    }
    nodes.push(resolved);
  }
  return nodes;
}

/** Where there is an anchor, a merge key or a null key. */
const NEEDS_RESOLVER = /&|<<|!!null|(?:^|[\s{,])(?:~|null|Null|NULL)\s*:/;

function isWrapper(node: YamlNode): boolean {
  const kind = fieldOf(node, 'kind')?.value;
  if (kind !== 'ResourceList' && kind !== 'List') return false;
  return fieldOf(node, 'items') !== undefined || fieldOf(node, 'functionConfig') !== undefined;
}

/** Copies by aliases above which a document is refused if it also grew tenfold: kubectl's guard, by its words. */
const MAX_ALIASED_NODES = 100_000;

/** Replaces aliases by copies and carries out merge keys (kyaml rnode.go, deAnchor). */
class Resolver {
  private readonly open = new Set<YamlNode>();
  private copied = 0;

  resolve(node: YamlNode): YamlNode {
    node.anchor = '';
    switch (node.kind) {
      case 'alias': {
        const target = node.alias as YamlNode;
        if (this.open.has(target))
          throw new KustomizeFailure(`MalformedYAMLError: yaml: anchor '${node.value}' value contains itself`, 'yaml');
        const resolved = this.resolve(target);
        this.copied += size(resolved, MAX_ALIASED_NODES);
        if (this.copied > MAX_ALIASED_NODES) {
          throw new KustomizeFailure('MalformedYAMLError: yaml: document contains excessive aliasing', 'yaml');
        }
        return copyNode(resolved);
      }
      case 'map':
        this.merge(node);
        break;
      case 'seq':
        break;
      default:
        return node;
    }
    this.open.add(node);
    for (let index = 0; index < node.content.length; index++) {
      node.content[index] = this.resolve(node.content[index] as YamlNode);
    }
    this.open.delete(node);
    return node;
  }

  private merge(node: YamlNode): void {
    let source: YamlNode | undefined;
    for (let index = 0; index < node.content.length; index += 2) {
      if ((node.content[index] as YamlNode).tag !== MERGE_TAG) continue;
      if (source !== undefined) fail('duplicate merge key');
      source = node.content[index + 1];
    }
    const { content } = node;
    if (source === undefined && !content.some((key, index) => index % 2 === 0 && key.tag === NULL_TAG)) return;
    const sources = source === undefined ? [] : mergeSources(source);
    if (source !== undefined) clearField(node, '<<');
    const own = copyNode(node);
    for (const one of [...sources, own]) {
      if (this.open.has(one))
        throw new KustomizeFailure('MalformedYAMLError: yaml: anchor value contains itself', 'yaml');
      const copy = copyNode(one);
      for (let index = 0; index < copy.content.length; index += 2) {
        const key = copy.content[index] as YamlNode;
        const value = copy.content[index + 1] as YamlNode;
        // Kyaml takes a null key for an empty name, does not find it, and adds it once more: an error in the end.
        const name = key.tag === NULL_TAG ? '' : key.value;
        let at = 0;
        while (at < node.content.length && (node.content[at] as YamlNode).value !== name) at += 2;
        if (at < node.content.length) {
          node.content[at] = key;
          node.content[at + 1] = value;
        } else node.content.push(key, value);
      }
    }
  }
}

function size(node: YamlNode, limit: number): number {
  let count = 1;
  for (const child of node.content) {
    count += size(child, limit - count);
    if (count > limit) break;
  }
  return count;
}

function mergeSources(node: YamlNode): readonly YamlNode[] {
  switch (node.kind) {
    case 'map':
      return [node];
    case 'alias': {
      const target = node.alias as YamlNode;
      if (target.kind !== 'map') fail('invalid map merge: received alias for a non-map value');
      return [target];
    }
    case 'seq':
      return node.content
        .map((item) =>
          item.kind === 'seq' ? fail('invalid map merge: received a nested sequence') : mergeSources(item),
        )
        .reverse()
        .flat();
    default:
      return fail('map merge requires map or sequence of maps as the value');
  }
}

/** Objects without what every object must have are refused; empty ones are dropped. */
function validNodes(nodes: readonly YamlNode[]): YamlNode[] {
  return nodes.filter((node) => {
    if (isNilOrEmpty(node)) return false;
    checkMetadata(node);
    return true;
  });
}

function checkMetadata(node: YamlNode): void {
  const text = (from: YamlNode | undefined, name: string): string => {
    const found = fieldOf(from, name);
    return isNilOrEmpty(found) ? '' : textOf(found);
  };
  const apiVersion = text(node, 'apiVersion');
  const kind = text(node, 'kind');
  const metadata = fieldOf(node, 'metadata');
  const name = isNilOrEmpty(metadata) ? '' : text(metadata, 'name');
  if (kind !== '' && (kind.endsWith('List') || name !== '')) return;
  const known = ['apiVersion', 'kind'].some((field) => !isNilOrEmpty(fieldOf(node, field)));
  const marks = ['name', 'namespace', 'labels', 'annotations'].some((field) => !isNilOrEmpty(fieldOf(metadata, field)));
  if (!known && !marks) fail('missing Resource metadata');
  const shown = `{{${apiVersion} ${kind}} {{${name} ${text(metadata, 'namespace')}} ${goMap(fieldOf(metadata, 'labels'))} ${goMap(fieldOf(metadata, 'annotations'))}}}`;
  fail(kind === '' ? `missing kind in object ${shown}` : `missing metadata.name in object ${shown}`);
}

function goMap(node: YamlNode | undefined): string {
  const pairs: (readonly [string, string])[] = [];
  if (node?.kind === 'map') {
    for (let index = 0; index < node.content.length; index += 2)
      pairs.push([textOf(node.content[index]), textOf(node.content[index + 1])]);
  }
  return `map[${pairs
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}:${value}`)
    .join(' ')}]`;
}

/** Objects of a kind that ends in `List` give way to their items, which come after all others. */
function inlineLists(nodes: readonly YamlNode[]): YamlNode[] {
  const queue = [...nodes];
  const out: YamlNode[] = [];
  for (let index = 0; index < queue.length; index++) {
    const node = queue[index] as YamlNode;
    const kind = fieldOf(node, 'kind')?.value ?? '';
    if (!kind.endsWith('List')) {
      out.push(node);
      continue;
    }
    const items = field(mapOf(node, kind), 'items');
    if (items === undefined) out.push(node);
    else if (isArray(items)) queue.push(...validNodes(items.flatMap((item) => parseStream(goJson(item)))));
    else if (items !== null) fail(`expected array in ${kind}/items, but found ${goTypeOf(items)}`);
  }
  return out;
}

function mapOf(node: YamlNode, kind: string): Json {
  try {
    return nodeToJson(node, { dialect: 'v3', uniqueKeys: true });
  } catch (failure) {
    if (!(failure instanceof YamlFailure)) throw failure;
    return fail(
      `trouble expanding list of ${kind}; received error ${printYamlError(failure.detail)} for the following resource:\n${printNode(node)}`,
    );
  }
}

function goTypeOf(value: Json): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float64';
    default:
      return 'map[string]interface {}';
  }
}
