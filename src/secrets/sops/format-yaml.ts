import { err, ok, type Result } from '../../base/result.ts';
import { composeDocuments } from '../../engine/yaml/compose.ts';
import { printYamlError } from '../../engine/yaml/error.ts';
import {
  BOOL_TAG,
  FLOAT_TAG,
  INT_TAG,
  LITERAL,
  NULL_TAG,
  TIMESTAMP_TAG,
  type YamlNode,
} from '../../engine/yaml/node.ts';
import { stringStyle } from '../../engine/yaml/print.ts';
import { parseBoolean, parseFloatValue, parseInteger } from '../../engine/yaml/resolve.ts';
import { scalarText } from '../../engine/yaml/scalar-text.ts';
import { formatG, scalarTag } from '../../engine/yaml/value.ts';
import { type Branch, type Item, isBranch, isComment, isList, isTimestamp, type TreeValue } from './tree.ts';
import { type YamlComment, yamlComments } from './yaml-comments.ts';

/** Reads the documents of a YAML text, comments kept where they stand. Source: sops@3.13 stores/yaml/store.go. */
export function readYaml(text: string): Result<readonly Branch[], string> {
  const composed = composeDocuments(text, 'v3');
  if (!composed.ok) return err(`Error unmarshalling input yaml: yaml: ${printYamlError(composed.error)}`);
  const reader = new Reader(text);
  const documents: Branch[] = [];
  for (const [index, node] of composed.value.entries()) {
    const next = composed.value[index + 1];
    const end = next === undefined ? Number.POSITIVE_INFINITY : startOf(next);
    if (node.kind === 'map') documents.push(reader.mapping(node, end, 0));
    else if (node.kind === 'scalar' && scalarTag(node, 'v3') === NULL_TAG) documents.push({ items: reader.rest(end) });
    else
      return err(
        `Error unmarshaling input YAML: YAML documents that are ${node.kind === 'seq' ? 'sequences' : 'values'} are not supported`,
      );
  }
  return ok(documents);
}

/** Nesting, and what aliases may grow to, far above any file of secrets. */
const MAX_DEPTH = 500;
const MAX_NODES = 1_000_000;

class Reader {
  readonly #lines: readonly string[];
  readonly #comments: YamlComment[];
  #nodes = 0;

  constructor(text: string) {
    this.#lines = text.split('\n');
    this.#comments = [...yamlComments(text)];
  }

  /** Comments before line `end`, as items. */
  rest(end: number): Item[] {
    return this.#take(end, 0).map((comment) => ({ key: comment, value: null }));
  }

  /** @param end line where what follows this mapping begins */
  mapping(node: YamlNode, end: number, depth: number): Branch {
    this.#count(depth);
    const items: Item[] = [];
    const column = this.#columnOf(node.content[0]);
    for (let index = 0; index + 1 < node.content.length; index += 2) {
      const key = node.content[index] as YamlNode;
      const value = node.content[index + 1] as YamlNode;
      const next = node.content[index + 2]?.line ?? end;
      for (const comment of this.#take(key.line, 0)) items.push({ key: comment, value: null });
      for (const comment of this.#takeInline(key.line)) items.push({ key: comment, value: null });
      items.push({ key: key.value, value: this.#value(value, next, depth + 1) });
    }
    if ((node.content[0]?.line ?? 0) > 0) {
      for (const comment of this.#take(end, column)) items.push({ key: comment, value: null });
    }
    return { items };
  }

  #sequence(node: YamlNode, end: number, depth: number): readonly TreeValue[] {
    this.#count(depth);
    const list: TreeValue[] = [];
    const first = node.content[0];
    const column = first === undefined ? 0 : ((this.#lines[first.line - 1] ?? '').match(/^\s*/)?.[0].length ?? 0);
    for (const [index, item] of node.content.entries()) {
      const next = node.content[index + 1]?.line ?? end;
      list.push(...this.#take(item.line, 0));
      if (item.kind === 'scalar') list.push(...this.#takeInline(item.line));
      list.push(this.#value(item, next, depth + 1));
    }
    if (first !== undefined) list.push(...this.#take(end, column));
    return list;
  }

  #value(node: YamlNode, end: number, depth: number): TreeValue {
    this.#count(depth);
    switch (node.kind) {
      case 'map':
        return this.mapping(node, end, depth);
      case 'seq':
        return this.#sequence(node, end, depth);
      case 'alias':
        return node.alias === undefined ? null : this.#value(node.alias, 0, depth);
      default:
        return scalarOf(node);
    }
  }

  #count(depth: number): void {
    if (depth > MAX_DEPTH || ++this.#nodes > MAX_NODES)
      throw new RangeError('document contains excessive nesting or aliasing');
  }

  /** Takes comments on lines of their own before line `end` that stand at `column` or behind. */
  #take(end: number, column: number): { readonly comment: string }[] {
    const taken: { readonly comment: string }[] = [];
    for (let first = this.#comments[0]; first !== undefined && first.line < end; first = this.#comments[0]) {
      if (first.column < column) break;
      taken.push({ comment: first.text });
      this.#comments.shift();
    }
    return taken;
  }

  #takeInline(line: number): { readonly comment: string }[] {
    const first = this.#comments[0];
    if (first === undefined || first.line !== line || !first.inline) return [];
    this.#comments.shift();
    return [{ comment: first.text }];
  }

  #columnOf(node: YamlNode | undefined): number {
    return node === undefined ? 0 : ((this.#lines[node.line - 1] ?? '').match(/^\s*(?:- +)*/)?.[0].length ?? 0);
  }
}

function startOf(node: YamlNode): number {
  return node.content[0]?.line ?? node.line;
}

function scalarOf(node: YamlNode): TreeValue {
  const tag = scalarTag(node, 'v3');
  switch (tag) {
    case NULL_TAG:
      return null;
    case BOOL_TAG:
      return parseBoolean(node.value);
    case INT_TAG: {
      const value = parseInteger(node.value, 'v3');
      return value === undefined ? node.value : BigInt(value);
    }
    case FLOAT_TAG:
      return parseFloatValue(node.value);
    case TIMESTAMP_TAG:
      return { time: goTime(node.value) };
    default:
      return node.value;
  }
}

/** A YAML date as Go prints it again. */
function goTime(text: string): string {
  const day = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  if (day === null) return text.replace(' ', 'T');
  const [, year, month = '', date = ''] = day;
  return `${year}-${month.padStart(2, '0')}-${date.padStart(2, '0')}T00:00:00Z`;
}

const INDENT = 4;

/** Prints documents as yaml.v3 does with an indentation of four and lines of any length. */
export function writeYaml(documents: readonly Branch[]): string {
  return documents.map((document) => new Writer().document(document)).join('---\n');
}

class Writer {
  #out = '';

  document(branch: Branch): string {
    if (branch.items.every(({ key }) => typeof key !== 'string')) {
      this.#comments(
        branch.items.map(({ key }) => key as { comment: string }),
        0,
      );
      this.#out += '{}\n';
    } else this.#mapping(branch, 0, false);
    return this.#out;
  }

  /** @param inline whether the first key follows what is already on the line */
  #mapping(branch: Branch, indent: number, inline: boolean): void {
    let first = inline;
    for (const { key, value } of branch.items) {
      if (typeof key !== 'string') {
        this.#comments([key], indent);
        continue;
      }
      if (first) first = false;
      else this.#out += ' '.repeat(indent);
      const place = { indent: aligned(indent), column: UNFOLDED, isKey: true, inFlow: false };
      this.#out += `${scalarText(key, stringStyle(key), place, 'v3')}:`;
      this.#value(value, indent);
    }
  }

  #value(value: TreeValue, indent: number): void {
    if (isList(value) && value.some((item) => !isComment(item))) {
      this.#out += '\n';
      this.#sequence(value, aligned(indent));
    } else if (isNonEmpty(value)) {
      this.#out += '\n';
      this.#mapping(value, aligned(indent), false);
    } else this.#line(` ${leafText(value, aligned(indent))}`);
  }

  #sequence(list: readonly TreeValue[], indent: number): void {
    for (const item of list) {
      if (isComment(item)) {
        this.#comments([item], indent);
        continue;
      }
      this.#out += `${' '.repeat(indent)}- `;
      if (isNonEmpty(item)) this.#inlineMapping(item, indent + 2);
      else if (isList(item) && item.some((inner) => !isComment(inner))) this.#inlineSequence(item, indent + 2);
      else this.#line(leafText(item, indent + 2));
    }
  }

  /** A mapping behind a dash; comments before its first key go behind it, where they cannot part it from the dash. */
  #inlineMapping(branch: Branch, indent: number): void {
    const start = branch.items.findIndex(({ key }) => typeof key === 'string');
    const head = branch.items.slice(0, start).map(({ key }) => key as { comment: string });
    if (head.length > 0) {
      const dash = ' '.repeat(indent - 2);
      this.#out = `${this.#out.slice(0, -indent)}${head.map(({ comment }) => `${dash}#${comment}\n`).join('')}${dash}- `;
    }
    this.#mapping({ items: branch.items.slice(start) }, indent, true);
  }

  #inlineSequence(list: readonly TreeValue[], indent: number): void {
    const before = this.#out.length;
    this.#sequence(list, indent);
    this.#out = this.#out.slice(0, before) + this.#out.slice(before).trimStart();
  }

  #comments(comments: readonly { readonly comment: string }[], indent: number): void {
    for (const { comment } of comments) {
      for (const line of comment.split('\n')) this.#out += `${' '.repeat(indent)}#${line}\n`;
    }
  }

  #line(text: string): void {
    this.#out += text.endsWith('\n') ? text : `${text}\n`;
  }
}

/** The emitter breaks no long line: a column that is never past the width. */
const UNFOLDED = Number.NEGATIVE_INFINITY;

/** The next deeper indentation: a multiple of four, also below a dash. Source: yaml.v3@3.0.1 emitterc.go yaml_emitter_increase_indent. */
function aligned(indent: number): number {
  return INDENT * Math.floor((indent + INDENT) / INDENT);
}

function isNonEmpty(value: TreeValue): value is Branch {
  return (
    value !== null &&
    typeof value === 'object' &&
    isBranch(value) &&
    value.items.some(({ key }) => typeof key === 'string')
  );
}

function leafText(value: TreeValue, indent: number): string {
  if (typeof value === 'string') {
    const style = stringStyle(value);
    // The emitter gives a block scalar's content the indentation below the key.
    return scalarText(
      value,
      style,
      { indent: style === LITERAL ? indent : indent, column: UNFOLDED, isKey: false, inFlow: false },
      'v3',
    );
  }
  if (typeof value === 'number') return floatText(value);
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return `!!binary ${Buffer.from(value).toString('base64')}`;
  if (typeof value === 'object') {
    if (isList(value)) return '[]';
    if (isBranch(value)) return '{}';
    return isTimestamp(value) ? value.time : '';
  }
  return String(value);
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return formatG(value);
}
