/** What a {@link YamlNode} is; `none` stands for Go's zero node. */
export type NodeKind = 'none' | 'map' | 'seq' | 'scalar' | 'alias';

/** How a node was written: bits that combine. */
export const TAGGED = 1;
export const DOUBLE_QUOTED = 2;
export const SINGLE_QUOTED = 4;
export const LITERAL = 8;
export const FOLDED = 16;
export const FLOW = 32;
/** Any style that makes a scalar a string. */
export const QUOTED = 30;

export const NULL_TAG = '!!null';
export const BOOL_TAG = '!!bool';
export const STR_TAG = '!!str';
export const INT_TAG = '!!int';
export const FLOAT_TAG = '!!float';
export const TIMESTAMP_TAG = '!!timestamp';
export const SEQ_TAG = '!!seq';
export const MAP_TAG = '!!map';
export const BINARY_TAG = '!!binary';
export const MERGE_TAG = '!!merge';

/**
 * A node of a YAML tree. It keeps what a JSON value loses: the order of keys, styles, tags, positions. Mutable on purpose:
 * the Kustomize filters edit trees in place, as kyaml's do, and a copy per edit would be quadratic.
 */
export class YamlNode {
  kind: NodeKind;
  style: number;
  /** Short form (`!!str`); '' for a scalar made by a program, whose type is then that of its text. */
  tag: string;
  /** Text of a scalar; name of an alias. */
  value: string;
  /** Items of a sequence; keys and values of a mapping in turn. */
  content: YamlNode[];
  anchor: string;
  alias: YamlNode | undefined;
  /** From 1; 0 for a node that no text holds. */
  line: number;

  constructor(kind: NodeKind, tag: string, value: string, style: number, content: YamlNode[], line: number) {
    this.kind = kind;
    this.style = style;
    this.tag = tag;
    this.value = value;
    this.content = content;
    this.anchor = '';
    this.alias = undefined;
    this.line = line;
  }
}

/** Shared by all scalars, which never write to it. */
const NO_CONTENT: YamlNode[] = [];

export function scalarNode(value: string, tag = '', style = 0, line = 0): YamlNode {
  return new YamlNode('scalar', tag, value, style, NO_CONTENT, line);
}

export function mapNode(content: YamlNode[] = [], tag = '', style = 0, line = 0): YamlNode {
  return new YamlNode('map', tag, '', style, content, line);
}

export function seqNode(content: YamlNode[] = [], tag = '', style = 0, line = 0): YamlNode {
  return new YamlNode('seq', tag, '', style, content, line);
}

/** A deep copy; what an alias points at is shared. */
export function copyNode(node: YamlNode): YamlNode {
  const copy = new YamlNode(node.kind, node.tag, node.value, node.style, node.content, node.line);
  if (node.content !== NO_CONTENT) copy.content = node.content.map(copyNode);
  copy.anchor = node.anchor;
  copy.alias = node.alias;
  return copy;
}

/** Makes `node` the same as `source`, in place: others may hold a reference to it. */
export function assignNode(node: YamlNode, source: YamlNode): void {
  node.kind = source.kind;
  node.style = source.style;
  node.tag = source.tag;
  node.value = source.value;
  node.content = source.content;
  node.anchor = source.anchor;
  node.alias = source.alias;
  node.line = source.line;
}
