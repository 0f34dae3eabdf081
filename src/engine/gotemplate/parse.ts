import { Lexer, type Token } from './lex.ts';
import { type BranchNode, isEmptyTree, type ListNode, type Node, type TemplateNode, type Tree } from './node.ts';
import { type Names, PipelineParser, type Shared } from './parse-pipeline.ts';
import { quote } from './quote.ts';

/*
 * Tokens to trees. (go@1.26 text/template/parse/parse.go)
 */

/** What ends a list: the node is never part of a tree. */
interface EndNode {
  readonly kind: 'end' | 'else';
  readonly position: number;
}

function isEnd(node: Node | EndNode): node is EndNode {
  return node.kind === 'end' || node.kind === 'else';
}

/**
 * Parses template text: the template `name` itself and those that it defines.
 * @throws GoError with Go's message (`template: NAME:LINE: ...`).
 */
export function parseTemplate(name: string, text: string, functions: Names): ReadonlyMap<string, Tree> {
  const shared: Shared = {
    name,
    text,
    functions,
    lexer: new Lexer(text, (word) => !(word === 'break' || word === 'continue') || !functions.has(word)),
    trees: new Map(),
    names: new Map(),
    depth: 0,
  };
  new Parser(shared).template();
  return shared.trees;
}

/** Parses one template; a definition in it has a parser of its own, with its own variables, that reads the same tokens. */
class Parser extends PipelineParser {
  #rangeDepth = 0;

  /** The whole text. */
  template(): void {
    const position = this.peek().position;
    const nodes: Node[] = [];
    while (this.peek().kind !== 'eof') {
      if (this.peek().kind === 'left') {
        const delimiter = this.next();
        if (this.nextNonSpace().kind === 'define') {
          new Parser(this.shared).#definition();
          continue;
        }
        this.tokens[1] = delimiter;
        this.ahead = 2;
      }
      const node = this.#textOrAction();
      if (isEnd(node)) this.fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    this.#add(this.shared.name, { kind: 'list', position, nodes });
  }

  #definition(): void {
    const context = 'define clause';
    const token = this.nextNonSpace();
    if (token.kind !== 'string' && token.kind !== 'rawString') this.unexpected(token, context);
    const name = this.unquoted(token);
    this.expect('right', context);
    const { list, end } = this.#itemList();
    if (end.kind !== 'end') this.fail(`unexpected {{${end.kind}}} in ${context}`);
    this.#add(name, list);
  }

  #add(name: string, root: ListNode): void {
    const { trees, text, name: parseName } = this.shared;
    const old = trees.get(name);
    if (old === undefined || isEmptyTree(old.root)) trees.set(name, { name, parseName, text, root });
    else if (!isEmptyTree(root)) this.fail(`template: multiple definition of template ${quote(name)}`);
  }

  #itemList(): { readonly list: ListNode; readonly end: EndNode } {
    const position = this.peekNonSpace().position;
    const nodes: Node[] = [];
    while (this.peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction();
      if (isEnd(node)) return { list: { kind: 'list', position, nodes }, end: node };
      nodes.push(node);
    }
    return this.fail('unexpected EOF');
  }

  #textOrAction(): Node | EndNode {
    const token = this.nextNonSpace();
    if (token.kind === 'text') return { kind: 'text', position: token.position, text: token.value };
    if (token.kind !== 'left') return this.unexpected(token, 'input');
    this.actionLine = token.line;
    const node = this.#action();
    this.actionLine = 0;
    return node;
  }

  #action(): Node | EndNode {
    const token = this.nextNonSpace();
    switch (token.kind) {
      case 'block':
        return this.#block();
      case 'break':
      case 'continue':
        return this.#jump(token.kind, token.position);
      case 'else':
        return this.#else();
      case 'end':
        return { kind: 'end', position: this.expect('right', 'end').position };
      case 'if':
      case 'range':
      case 'with':
        return this.#control(token.kind);
      case 'template':
        return this.#templateAction();
      default:
    }
    this.ahead++;
    const first = this.peek();
    return { kind: 'action', position: first.position, pipe: this.pipeline('command', 'right') };
  }

  #jump(kind: 'break' | 'continue', position: number): Node {
    const token = this.nextNonSpace();
    if (token.kind !== 'right') this.unexpected(token, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.fail(`{{${kind}}} outside {{range}}`);
    return { kind, position };
  }

  #else(): EndNode {
    const next = this.peekNonSpace();
    // The if or with is left for #control, which takes `{{else if}}` for `{{else}}{{if}}`.
    if (next.kind === 'if' || next.kind === 'with') return { kind: 'else', position: next.position };
    return { kind: 'else', position: this.expect('right', 'else').position };
  }

  #control(kind: BranchNode['kind']): BranchNode {
    this.enter();
    const mark = this.variables.length;
    const pipe = this.pipeline(kind, 'right');
    if (kind === 'range') this.#rangeDepth++;
    const { list, end } = this.#itemList();
    if (kind === 'range') this.#rangeDepth--;
    let elseList: ListNode | undefined;
    if (end.kind === 'else') {
      if (kind !== 'range' && this.peek().kind === kind) {
        this.next();
        elseList = { kind: 'list', position: end.position, nodes: [this.#control(kind)] };
      } else {
        const rest = this.#itemList();
        if (rest.end.kind !== 'end') this.fail(`expected end; found {{${rest.end.kind}}}`);
        elseList = rest.list;
      }
    }
    this.variables.length = mark;
    this.shared.depth--;
    return { kind, position: pipe.position, pipe, list, elseList };
  }

  #block(): TemplateNode {
    const context = 'block clause';
    const token = this.nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.pipeline(context, 'right');
    this.enter();
    const inner = new Parser(this.shared);
    const { list, end } = inner.#itemList();
    if (end.kind !== 'end') this.fail(`unexpected {{${end.kind}}} in ${context}`);
    inner.#add(name, list);
    this.shared.depth--;
    return { kind: 'template', position: token.position, name, pipe };
  }

  #templateAction(): TemplateNode {
    const context = 'template clause';
    const token = this.nextNonSpace();
    const name = this.#templateName(token, context);
    if (this.nextNonSpace().kind === 'right')
      return { kind: 'template', position: token.position, name, pipe: undefined };
    this.ahead++;
    return { kind: 'template', position: token.position, name, pipe: this.pipeline(context, 'right') };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'rawString') return this.unexpected(token, context);
    return this.unquoted(token);
  }
}
