import { utf8Bytes } from '../../base/files.ts';
import { goJson } from '../../base/go-json.ts';
import type { Json } from '../../base/json.ts';
import type { YamlNode } from '../yaml/node.ts';
import { lookup } from './node-edit.ts';
import { nodeJson, type Resource } from './resource.ts';

const REPLACEMENTS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/**
 * The suffix that a generated object's name carries: ten letters of a digest over name and data (api/hasher).
 * @param sha256 lower-case hex of the digest of bytes
 */
export function nameHash(resource: Resource, sha256: (bytes: Uint8Array) => string): string {
  return sha256(utf8Bytes(content(resource)))
    .slice(0, 10)
    .replace(/[013ae]/g, (digit) => REPLACEMENTS[digit] as string);
}

function content(resource: Resource): string {
  // `metadata/name` is one field here, which no object has: kustomize hashes the empty string for it.
  const value = (name: string): Json => {
    const node = lookup(resource.node, [name]);
    if (node === undefined) return '';
    return node.kind === 'scalar' ? node.value : nodeJson(node);
  };
  const isMap = (json: Json): boolean => typeof json === 'object' && json !== null;
  switch (resource.kind()) {
    case 'ConfigMap': {
      const binary = value('binaryData');
      return goJson({
        kind: 'ConfigMap',
        name: value('metadata/name'),
        data: value('data'),
        ...(isMap(binary) && { binaryData: binary }),
      });
    }
    case 'Secret': {
      const text = value('stringData');
      return goJson({
        kind: 'Secret',
        type: value('type'),
        name: value('metadata/name'),
        data: value('data'),
        ...(isMap(text) && { stringData: text }),
      });
    }
    default:
      return goJson(goNode(resource.node as YamlNode));
  }
}

const KINDS: Readonly<Record<YamlNode['kind'], number>> = { none: 0, seq: 2, map: 4, scalar: 8, alias: 16 };

/** A tree as Go's JSON encoder writes yaml.Node: all of its fields, in their order. Positions are those of the text. */
function goNode(node: YamlNode): Json {
  return {
    Kind: KINDS[node.kind],
    Style: node.style,
    Tag: node.tag,
    Value: node.value,
    Anchor: node.anchor,
    Alias: null,
    Content: node.content.length === 0 ? null : node.content.map(goNode),
    HeadComment: '',
    LineComment: '',
    FootComment: '',
    Line: node.line,
    Column: 0,
  };
}
