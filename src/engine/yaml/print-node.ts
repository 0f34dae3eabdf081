import {
  DOUBLE_QUOTED,
  FLOW,
  FOLDED,
  LITERAL,
  MAP_TAG,
  QUOTED,
  SEQ_TAG,
  SINGLE_QUOTED,
  STR_TAG,
  TAGGED,
  type YamlNode,
} from './node.ts';
import { resolveTag } from './resolve.ts';
import { isComplexKey, scalarText } from './scalar-text.ts';

const BEST_WIDTH = 80;

export interface PrintNodeOptions {
  /** As YAML v3 prints without kyaml's settings: sequences are indented under their keys, long lines stay whole. */
  readonly stock?: boolean;
}

/** `node` as kyaml prints a tree (go.yaml.in/yaml/v3, indent 2, compact sequences): keys in their order, styles kept. */
export function printNode(node: YamlNode, options: PrintNodeOptions = {}): string {
  return new NodePrinter(options.stock === true).document(node);
}

class NodePrinter {
  private out = '';
  private column = 0;
  private readonly isStock: boolean;

  constructor(isStock: boolean) {
    this.isStock = isStock;
  }

  document(node: YamlNode): string {
    if (isBlockMap(node) || isBlockSeq(node)) {
      const head = headOf(node);
      if (head !== '') this.write(`${head}\n`);
      this.collection(node, 0);
    } else {
      this.inline(node, 0, 2, false);
      this.endLine();
    }
    return this.out;
  }

  private write(text: string): void {
    this.out += text;
    const line = text.lastIndexOf('\n');
    this.column = line < 0 ? this.column + text.length : text.length - line - 1;
  }

  private endLine(): void {
    if (this.column > 0) this.write('\n');
  }

  private collection(node: YamlNode, indent: number): void {
    if (node.kind === 'map') this.mapping(node, indent);
    else this.sequence(node, indent);
  }

  private mapping(node: YamlNode, indent: number): void {
    const margin = ' '.repeat(indent);
    for (let index = 0; index + 1 < node.content.length; index += 2) {
      const key = node.content[index] as YamlNode;
      const value = node.content[index + 1] as YamlNode;
      if (this.column < indent) this.write(margin.slice(this.column));
      const simple =
        key.kind === 'alias' || (key.kind === 'scalar' ? !isComplexKey(key.value) : key.content.length === 0);
      if (simple) {
        this.inline(key, indent, indent + 2, true);
        this.write(key.kind === 'alias' ? ' :' : ':');
      } else {
        this.write('? ');
        this.block(key, indent + 2, indent + 2);
        this.write(`${margin}:`);
      }
      this.value(value, indent, simple);
    }
  }

  private value(value: YamlNode, indent: number, simple: boolean): void {
    if (isBlockMap(value) || isBlockSeq(value)) {
      const head = headOf(value);
      if (head !== '') this.write(` ${head}`);
      const inner = value.kind === 'seq' && simple && !this.isStock ? indent : indent + 2;
      if (simple || head !== '') this.write('\n');
      else this.write(' ');
      this.collection(value, inner);
      return;
    }
    const before = this.out.length;
    this.write(' ');
    const mark = this.out.length;
    this.inline(value, indent, indent + 2, false);
    // An empty plain scalar leaves no space behind the colon.
    if (this.out.length === mark) this.out = this.out.slice(0, before);
    this.endLine();
  }

  private block(node: YamlNode, indent: number, scalarIndent: number): void {
    if (isBlockMap(node) || isBlockSeq(node)) this.collection(node, indent);
    else {
      this.inline(node, indent, scalarIndent, false);
      this.endLine();
    }
  }

  private sequence(node: YamlNode, indent: number): void {
    const margin = ' '.repeat(indent);
    for (const item of node.content) {
      if (this.column < indent) this.write(margin.slice(this.column));
      this.write('-');
      if (isBlockMap(item) || isBlockSeq(item)) {
        const head = headOf(item);
        this.write(head === '' ? ' ' : ` ${head}\n`);
        this.collection(item, indent + 2);
        continue;
      }
      const before = this.out.length;
      this.write(' ');
      const mark = this.out.length;
      this.inline(item, indent, indent + 2, false);
      if (this.out.length === mark) this.out = this.out.slice(0, before);
      this.endLine();
    }
  }

  /** A scalar, an alias or a flow collection, where the line stands. */
  private inline(node: YamlNode, indent: number, scalarIndent: number, isKey: boolean, inFlow = false): void {
    if (node.kind === 'alias') {
      this.write(`*${node.value}`);
      return;
    }
    if (node.kind === 'none') {
      this.write('null');
      return;
    }
    const head = headOf(node);
    if (node.kind === 'scalar') {
      if (head !== '') this.write(node.value === '' && (node.style & QUOTED) === 0 ? head : `${head} `);
      // So far left, no scalar reaches the width at which it is folded.
      const column = this.isStock ? Number.NEGATIVE_INFINITY : this.column;
      const place = { indent: scalarIndent, column, isKey, inFlow };
      this.write(scalarText(node.value, styleOf(node), place, 'v3'));
      return;
    }
    if (head !== '') this.write(`${head} `);
    const [open, close] = node.kind === 'map' ? ['{', '}'] : ['[', ']'];
    const inner = indent + 2;
    this.write(open);
    const step = node.kind === 'map' ? 2 : 1;
    for (let index = 0; index < node.content.length; index += step) {
      if (index > 0) this.write(',');
      if (this.column > BEST_WIDTH) this.write(`\n${' '.repeat(inner)}`);
      else if (index > 0) this.write(' ');
      this.inline(node.content[index] as YamlNode, inner, inner + 2, node.kind === 'map', true);
      if (node.kind === 'map') {
        this.write(': ');
        this.inline(node.content[index + 1] as YamlNode, inner, inner + 2, false, true);
      }
    }
    this.write(close);
  }
}

function isBlockMap(node: YamlNode): boolean {
  return node.kind === 'map' && node.content.length > 0 && (node.style & FLOW) === 0;
}

function isBlockSeq(node: YamlNode): boolean {
  return node.kind === 'seq' && node.content.length > 0 && (node.style & FLOW) === 0;
}

/** Anchor and tag that stand before the node; a tag that its text implies is left out (v3 encode.go, node). */
function headOf(node: YamlNode): string {
  const anchor = node.anchor === '' ? '' : `&${node.anchor}`;
  const tag = shownTag(node);
  return anchor !== '' && tag !== '' ? `${anchor} ${tag}` : anchor + tag;
}

function shownTag(node: YamlNode): string {
  const { tag } = node;
  if (tag === '') return '';
  if ((node.style & TAGGED) === 0) {
    if (node.kind === 'map') return tag === MAP_TAG ? '' : tag;
    if (node.kind === 'seq') return tag === SEQ_TAG ? '' : tag;
    if (tag === STR_TAG) return '';
    if (tag === '!!merge' && node.value === '<<') return '';
    return resolveTag(node.value, 'v3') === tag ? '' : tag;
  }
  return tag;
}

function styleOf(node: YamlNode): number {
  const { style } = node;
  if ((style & DOUBLE_QUOTED) !== 0) return DOUBLE_QUOTED;
  if ((style & SINGLE_QUOTED) !== 0) return SINGLE_QUOTED;
  if ((style & LITERAL) !== 0) return LITERAL;
  if ((style & FOLDED) !== 0) return FOLDED;
  if (node.value.includes('\n')) return LITERAL;
  return node.tag === STR_TAG && (style & TAGGED) === 0 && resolveTag(node.value, 'v3') !== STR_TAG ? DOUBLE_QUOTED : 0;
}
