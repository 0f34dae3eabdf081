import { err, ok, type Result } from '../../base/result.ts';
import type { YamlError } from './error.ts';
import {
  FLOW,
  MAP_TAG,
  MERGE_TAG,
  mapNode,
  QUOTED,
  SEQ_TAG,
  STR_TAG,
  scalarNode,
  seqNode,
  TAGGED,
  YamlNode,
} from './node.ts';
import { type Dialect, resolveTag } from './resolve.ts';
import { Scanner } from './scan.ts';
import * as token from './token.ts';

/**
 * Reads the documents of `text` into trees. An empty document is a null scalar.
 * @param limit how many documents are wanted; what follows them is not read.
 */
export function composeDocuments(
  text: string,
  dialect: Dialect,
  limit: number = Number.POSITIVE_INFINITY,
): Result<YamlNode[], YamlError> {
  try {
    return ok(new Composer(text, dialect).documents(limit));
  } catch (failure) {
    if (failure instanceof token.YamlFailure) return err(failure.detail);
    throw failure;
  }
}

const LONG_TAG = 'tag:yaml.org,2002:';

/** libyaml's parser (go.yaml.in/yaml parserc.go) and Go's node builder (decode.go) in one. */
class Composer {
  private readonly scanner: Scanner;
  private readonly dialect: Dialect;
  private readonly tagHandles = new Map<string, string>();
  private anchors = new Map<string, YamlNode>();

  constructor(text: string, dialect: Dialect) {
    this.scanner = new Scanner(text, dialect);
    this.dialect = dialect;
  }

  documents(limit: number): YamlNode[] {
    const found: YamlNode[] = [];
    let implicit = true;
    while (found.length < limit) {
      if (!implicit) while (this.scanner.peek().type === token.DOCUMENT_END) this.scanner.skip();
      const first = this.scanner.peek();
      if (first.type === token.STREAM_END) break;
      this.tagHandles.clear();
      this.anchors = new Map();
      let node: YamlNode;
      if (
        implicit &&
        first.type !== token.VERSION_DIRECTIVE &&
        first.type !== token.TAG_DIRECTIVE &&
        first.type !== token.DOCUMENT_START
      ) {
        node = this.node(true, false);
      } else {
        this.directives();
        const start = this.scanner.peek();
        if (start.type !== token.DOCUMENT_START) this.fail('did not find expected <document start>', start.line);
        this.scanner.skip();
        const next = this.scanner.peek();
        node = next.type <= token.DOCUMENT_END ? this.empty(next.line) : this.node(true, false);
      }
      found.push(node);
      if (this.scanner.peek().type === token.DOCUMENT_END) this.scanner.skip();
      implicit = false;
    }
    return found;
  }

  /** A parser error: v3 prints the line of its context, v2 that of the problem, both from 0, and none for the first line. */
  private fail(message: string, problemLine: number, contextLine = 0): never {
    const [first, second] = this.dialect === 'v3' ? [contextLine, problemLine] : [problemLine, contextLine];
    throw new token.YamlFailure(message, first !== 0 ? first : second);
  }

  private directives(): void {
    let version = false;
    for (;;) {
      const next = this.scanner.peek();
      if (next.type === token.VERSION_DIRECTIVE) {
        if (version) this.fail('found duplicate %YAML directive', next.line);
        if (next.value !== '1.1') this.fail('found incompatible YAML document', next.line);
        version = true;
      } else if (next.type === token.TAG_DIRECTIVE) {
        if (this.tagHandles.has(next.value)) this.fail('found duplicate %TAG directive', next.line);
        this.tagHandles.set(next.value, next.suffix);
      } else return;
      this.scanner.skip();
    }
  }

  private empty(line: number): YamlNode {
    return scalarNode('', '!!null', 0, line + 1);
  }

  private node(block: boolean, indentless: boolean): YamlNode {
    const { scanner } = this;
    let next = scanner.peek();
    if (next.type === token.ALIAS) {
      scanner.skip();
      const alias = new YamlNode('alias', '', next.value, 0, [], next.line + 1);
      alias.alias = this.anchors.get(next.value);
      if (alias.alias === undefined)
        throw new token.YamlFailure(`unknown anchor '${next.value}' referenced`, next.line + 1, true);
      return alias;
    }
    const { line } = next;
    let anchor = '';
    let tag = '';
    for (let step = 0; step < 2; step++) {
      if (next.type === token.ANCHOR && anchor === '') anchor = next.value;
      else if (next.type === token.TAG && tag === '') tag = this.tagOf(next, line);
      else break;
      scanner.skip();
      next = scanner.peek();
    }
    switch (next.type) {
      case token.SCALAR:
        scanner.skip();
        return this.scalar(next, line, tag, anchor);
      case token.FLOW_SEQUENCE_START:
        return this.flowSequence(this.collection(seqNode([], SEQ_TAG, FLOW, line + 1), tag, anchor));
      case token.FLOW_MAPPING_START:
        return this.flowMapping(this.collection(mapNode([], MAP_TAG, FLOW, line + 1), tag, anchor));
      case token.BLOCK_ENTRY:
        if (indentless) return this.indentlessSequence(this.collection(seqNode([], SEQ_TAG, 0, line + 1), tag, anchor));
        break;
      case token.BLOCK_SEQUENCE_START:
        if (block) return this.blockSequence(this.collection(seqNode([], SEQ_TAG, 0, line + 1), tag, anchor));
        break;
      case token.BLOCK_MAPPING_START:
        if (block) return this.blockMapping(this.collection(mapNode([], MAP_TAG, 0, line + 1), tag, anchor));
        break;
      default:
    }
    if (anchor !== '' || tag !== '') return this.scalar({ ...next, value: '', style: 0 }, line, tag, anchor);
    return this.fail('did not find expected node content', next.line, line);
  }

  private tagOf({ value: handle, suffix, line }: token.Token, contextLine: number): string {
    if (handle === '') return suffix;
    const prefix = this.tagHandles.get(handle) ?? (handle === '!' ? '!' : handle === '!!' ? LONG_TAG : undefined);
    if (prefix === undefined) this.fail('found undefined tag handle', line, contextLine);
    const tag = prefix + suffix;
    return tag.startsWith(LONG_TAG) ? `!!${tag.slice(LONG_TAG.length)}` : tag;
  }

  private collection(node: YamlNode, tag: string, anchor: string): YamlNode {
    if (tag !== '' && tag !== '!') {
      node.tag = tag;
      node.style |= TAGGED;
    }
    if (anchor !== '') {
      node.anchor = anchor;
      this.anchors.set(anchor, node);
    }
    return node;
  }

  private scalar({ value, style }: token.Token, line: number, tag: string, anchor: string): YamlNode {
    let resolved: string;
    if (tag !== '' && tag !== '!') resolved = tag;
    else if ((style & QUOTED) !== 0) resolved = STR_TAG;
    else if (value === '<<') resolved = MERGE_TAG;
    else resolved = tag === '!' && this.dialect === 'v2' ? STR_TAG : resolveTag(value, this.dialect);
    const node = scalarNode(value, resolved, resolved === tag ? style | TAGGED : style, line + 1);
    if (anchor !== '') {
      node.anchor = anchor;
      this.anchors.set(anchor, node);
    }
    return node;
  }

  private blockSequence(node: YamlNode): YamlNode {
    const { scanner } = this;
    const { line } = scanner.peek();
    scanner.skip();
    for (;;) {
      const next = scanner.peek();
      if (next.type === token.BLOCK_ENTRY) {
        scanner.skip();
        const { type } = scanner.peek();
        node.content.push(
          type === token.BLOCK_ENTRY || type === token.BLOCK_END ? this.empty(next.line) : this.node(true, false),
        );
      } else if (next.type === token.BLOCK_END) {
        scanner.skip();
        return node;
      } else this.fail("did not find expected '-' indicator", next.line, line);
    }
  }

  private indentlessSequence(node: YamlNode): YamlNode {
    const { scanner } = this;
    for (;;) {
      const next = scanner.peek();
      if (next.type !== token.BLOCK_ENTRY) return node;
      scanner.skip();
      const { type } = scanner.peek();
      const none = type === token.BLOCK_ENTRY || type === token.KEY || type === token.VALUE || type === token.BLOCK_END;
      node.content.push(none ? this.empty(next.line) : this.node(true, false));
    }
  }

  private blockMapping(node: YamlNode): YamlNode {
    const { scanner } = this;
    const { line } = scanner.peek();
    scanner.skip();
    for (;;) {
      const next = scanner.peek();
      if (next.type === token.KEY) {
        scanner.skip();
        node.content.push(this.blockPart(next.line));
        node.content.push(this.blockValue());
      } else if (next.type === token.VALUE) {
        // libyaml's state machine only reads a value after a key.
        this.fail('did not find expected key', next.line, line);
      } else if (next.type === token.BLOCK_END) {
        scanner.skip();
        return node;
      } else this.fail('did not find expected key', next.line, line);
    }
  }

  private blockValue(): YamlNode {
    const next = this.scanner.peek();
    if (next.type !== token.VALUE) return this.empty(next.line);
    this.scanner.skip();
    return this.blockPart(next.line);
  }

  private blockPart(line: number): YamlNode {
    const { type } = this.scanner.peek();
    return type === token.KEY || type === token.VALUE || type === token.BLOCK_END
      ? this.empty(line)
      : this.node(true, true);
  }

  private flowSequence(node: YamlNode): YamlNode {
    const { scanner } = this;
    const { line } = scanner.peek();
    scanner.skip();
    for (let first = true; ; first = false) {
      let next = scanner.peek();
      if (next.type !== token.FLOW_SEQUENCE_END) {
        if (!first) {
          if (next.type !== token.FLOW_ENTRY) this.fail("did not find expected ',' or ']'", next.line, line);
          scanner.skip();
          next = scanner.peek();
        }
        if (next.type === token.KEY) {
          node.content.push(this.flowPair());
          continue;
        }
        if (next.type !== token.FLOW_SEQUENCE_END) {
          node.content.push(this.node(false, false));
          continue;
        }
      }
      scanner.skip();
      return node;
    }
  }

  /** `[a: b]`: a mapping of one pair. */
  private flowPair(): YamlNode {
    const { scanner } = this;
    const start = scanner.peek();
    scanner.skip();
    const pair = mapNode([], MAP_TAG, FLOW, start.line + 1);
    const next = scanner.peek();
    const ends = (type: number): boolean => type === token.FLOW_ENTRY || type === token.FLOW_SEQUENCE_END;
    if (next.type === token.VALUE || ends(next.type)) pair.content.push(this.empty(next.line));
    else pair.content.push(this.node(false, false));
    const value = scanner.peek();
    if (value.type === token.VALUE) {
      scanner.skip();
      if (!ends(scanner.peek().type)) {
        pair.content.push(this.node(false, false));
        return pair;
      }
    }
    pair.content.push(this.empty(value.line));
    return pair;
  }

  private flowMapping(node: YamlNode): YamlNode {
    const { scanner } = this;
    const { line } = scanner.peek();
    scanner.skip();
    const ends = (type: number): boolean => type === token.FLOW_ENTRY || type === token.FLOW_MAPPING_END;
    for (let first = true; ; first = false) {
      let next = scanner.peek();
      if (next.type !== token.FLOW_MAPPING_END) {
        if (!first) {
          if (next.type !== token.FLOW_ENTRY) this.fail("did not find expected ',' or '}'", next.line, line);
          scanner.skip();
          next = scanner.peek();
        }
        if (next.type === token.KEY) {
          scanner.skip();
          next = scanner.peek();
          if (next.type === token.VALUE || ends(next.type)) node.content.push(this.empty(next.line));
          else node.content.push(this.node(false, false));
          const value = scanner.peek();
          if (value.type === token.VALUE) {
            scanner.skip();
            if (!ends(scanner.peek().type)) {
              node.content.push(this.node(false, false));
              continue;
            }
          }
          node.content.push(this.empty(value.line));
          continue;
        }
        if (next.type !== token.FLOW_MAPPING_END) {
          node.content.push(this.node(false, false));
          node.content.push(this.empty(scanner.peek().line));
          continue;
        }
      }
      scanner.skip();
      return node;
    }
  }
}
