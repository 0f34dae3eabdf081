import { Lexer, type Token, type TokenKind, tokenText } from './lex.ts';
import {
  type BranchNode,
  type CommandNode,
  isEmptyTree,
  type ListNode,
  type Node,
  type Operand,
  type PipeNode,
  type TemplateNode,
  type Tree,
  textOf,
  type VariableNode,
} from './node.ts';
import { NumberError, parseCharacter, parseComplex, parseNumber } from './number.ts';
import { quote, unquote } from './quote.ts';
import { GoError } from './value.ts';

/*
 * Tokens to trees. (go@1.26 text/template/parse/parse.go)
 */

/** Nesting of control structures and parentheses that is read; Go stops at 10000, where our stack has ended long before. */
const MAX_NESTING = 500;

/** Names that templates may call. */
export interface Names {
  has(name: string): boolean;
}

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

/** What the parsers of one text have in common. */
interface Shared {
  readonly name: string;
  readonly text: string;
  readonly functions: Names;
  readonly lexer: Lexer;
  readonly trees: Map<string, Tree>;
  /** One string object for each name: comparing them is then comparing pointers. */
  readonly names: Map<string, string>;
  depth: number;
}

const NO_TOKEN: Token = { kind: 'eof', position: 0, value: '', line: 0 };
const OPERAND_STARTS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'bool',
  'charConstant',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  '(',
]);

/** Parses one template; a definition in it has a parser of its own, with its own variables, that reads the same tokens. */
class Parser {
  readonly #shared: Shared;
  /** Look-ahead: the first is the token read last, the others were given back. */
  readonly #tokens: [Token, Token, Token] = [NO_TOKEN, NO_TOKEN, NO_TOKEN];
  #ahead = 0;
  #variables: string[] = ['$'];
  #actionLine = 0;
  #rangeDepth = 0;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** The whole text. */
  template(): void {
    const position = this.#peek().position;
    const nodes: Node[] = [];
    while (this.#peek().kind !== 'eof') {
      if (this.#peek().kind === 'left') {
        const delimiter = this.#next();
        if (this.#nextNonSpace().kind === 'define') {
          new Parser(this.#shared).#definition();
          continue;
        }
        this.#tokens[1] = delimiter;
        this.#ahead = 2;
      }
      const node = this.#textOrAction();
      if (isEnd(node)) this.#fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    this.#add(this.#shared.name, { kind: 'list', position, nodes });
  }

  #definition(): void {
    const context = 'define clause';
    const token = this.#nextNonSpace();
    if (token.kind !== 'string' && token.kind !== 'rawString') this.#unexpected(token, context);
    const name = this.#unquoted(token);
    this.#expect('right', context);
    const { list, end } = this.#itemList();
    if (end.kind !== 'end') this.#fail(`unexpected {{${end.kind}}} in ${context}`);
    this.#add(name, list);
  }

  #add(name: string, root: ListNode): void {
    const { trees, text, name: parseName } = this.#shared;
    const old = trees.get(name);
    if (old === undefined || isEmptyTree(old.root)) trees.set(name, { name, parseName, text, root });
    else if (!isEmptyTree(root)) this.#fail(`template: multiple definition of template ${quote(name)}`);
  }

  #itemList(): { readonly list: ListNode; readonly end: EndNode } {
    const position = this.#peekNonSpace().position;
    const nodes: Node[] = [];
    while (this.#peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction();
      if (isEnd(node)) return { list: { kind: 'list', position, nodes }, end: node };
      nodes.push(node);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): Node | EndNode {
    const token = this.#nextNonSpace();
    if (token.kind === 'text') return { kind: 'text', position: token.position, text: token.value };
    if (token.kind !== 'left') return this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): Node | EndNode {
    const token = this.#nextNonSpace();
    switch (token.kind) {
      case 'block':
        return this.#block();
      case 'break':
      case 'continue':
        return this.#jump(token.kind, token.position);
      case 'else':
        return this.#else();
      case 'end':
        return { kind: 'end', position: this.#expect('right', 'end').position };
      case 'if':
      case 'range':
      case 'with':
        return this.#control(token.kind);
      case 'template':
        return this.#templateAction();
      default:
    }
    this.#ahead++;
    const first = this.#peek();
    return { kind: 'action', position: first.position, pipe: this.#pipeline('command', 'right') };
  }

  #jump(kind: 'break' | 'continue', position: number): Node {
    const token = this.#nextNonSpace();
    if (token.kind !== 'right') this.#unexpected(token, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, position };
  }

  #else(): EndNode {
    const next = this.#peekNonSpace();
    // The if or with is left for #control, which takes `{{else if}}` for `{{else}}{{if}}`.
    if (next.kind === 'if' || next.kind === 'with') return { kind: 'else', position: next.position };
    return { kind: 'else', position: this.#expect('right', 'else').position };
  }

  #control(kind: BranchNode['kind']): BranchNode {
    this.#enter();
    const mark = this.#variables.length;
    const pipe = this.#pipeline(kind, 'right');
    if (kind === 'range') this.#rangeDepth++;
    const { list, end } = this.#itemList();
    if (kind === 'range') this.#rangeDepth--;
    let elseList: ListNode | undefined;
    if (end.kind === 'else') {
      if (kind !== 'range' && this.#peek().kind === kind) {
        this.#next();
        elseList = { kind: 'list', position: end.position, nodes: [this.#control(kind)] };
      } else {
        const rest = this.#itemList();
        if (rest.end.kind !== 'end') this.#fail(`expected end; found {{${rest.end.kind}}}`);
        elseList = rest.list;
      }
    }
    this.#variables.length = mark;
    this.#shared.depth--;
    return { kind, position: pipe.position, pipe, list, elseList };
  }

  #enter(): void {
    if (++this.#shared.depth > MAX_NESTING) this.#fail('max expression depth exceeded');
  }

  #block(): TemplateNode {
    const context = 'block clause';
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, 'right');
    this.#enter();
    const inner = new Parser(this.#shared);
    const { list, end } = inner.#itemList();
    if (end.kind !== 'end') this.#fail(`unexpected {{${end.kind}}} in ${context}`);
    inner.#add(name, list);
    this.#shared.depth--;
    return { kind: 'template', position: token.position, name, pipe };
  }

  #templateAction(): TemplateNode {
    const context = 'template clause';
    const token = this.#nextNonSpace();
    const name = this.#templateName(token, context);
    if (this.#nextNonSpace().kind === 'right')
      return { kind: 'template', position: token.position, name, pipe: undefined };
    this.#ahead++;
    return { kind: 'template', position: token.position, name, pipe: this.#pipeline(context, 'right') };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'rawString') return this.#unexpected(token, context);
    return this.#unquoted(token);
  }

  #unquoted(token: Token): string {
    return unquote(token.value) ?? this.#fail('invalid syntax');
  }

  #pipeline(context: string, end: 'right' | ')'): PipeNode {
    const { position } = this.#peekNonSpace();
    const declared: VariableNode[] = [];
    const isAssignment = this.#declarations(context, declared);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#nextNonSpace();
      if (token.kind === end) break;
      if (!OPERAND_STARTS.has(token.kind)) this.#unexpected(token, context);
      this.#ahead++;
      commands.push(this.#command());
    }
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    for (let index = 1; index < commands.length; index++) {
      const { kind } = (commands[index] as CommandNode).args[0] as Operand;
      if (kind === 'bool' || kind === 'dot' || kind === 'nil' || kind === 'number' || kind === 'string') {
        this.#fail(`non executable command in pipeline stage ${index + 1}`);
      }
    }
    return { kind: 'pipe', position, isAssignment, declared, commands };
  }

  /** `$x :=`, `$x =`, `$i, $x :=` at the start of a pipeline; reports whether it assigns. */
  #declarations(context: string, declared: VariableNode[]): boolean {
    for (;;) {
      const variable = this.#peekNonSpace();
      if (variable.kind !== 'variable') return false;
      this.#next();
      // A space is a token: `$x foo` needs three tokens to tell an argument from a declaration.
      const after = this.#peek();
      const next = this.#peekNonSpace();
      const isComma = next.kind === 'char' && next.value === ',';
      if (next.kind === '=' || next.kind === ':=' || isComma) {
        this.#nextNonSpace();
        declared.push(this.#variable(variable.position, variable.value));
        this.#variables.push(variable.value);
        if (!isComma) return next.kind === '=';
        if (context !== 'range' || declared.length >= 2) this.#fail(`too many declarations in ${context}`);
        const { kind } = this.#peekNonSpace();
        if (kind === 'variable' || kind === 'right' || kind === ')') continue;
        this.#fail('range can only initialize variables');
      }
      if (after.kind === 'space') {
        this.#tokens[1] = after;
        this.#tokens[2] = variable;
        this.#ahead = 3;
      } else {
        this.#tokens[1] = variable;
        this.#ahead = 2;
      }
      return false;
    }
  }

  #command(): CommandNode {
    const { position } = this.#peekNonSpace();
    const args: Operand[] = [];
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#next();
      if (token.kind === 'space') continue;
      if (token.kind === 'right' || token.kind === ')') this.#ahead++;
      else if (token.kind !== '|') this.#unexpected(token, 'operand');
      break;
    }
    if (args.length === 0) this.#fail('empty command');
    return { kind: 'command', position, args };
  }

  /** A term and the fields behind it; undefined when there is none. */
  #operand(): Operand | undefined {
    const term = this.#term();
    const { kind, position } = this.#peek();
    if (term === undefined || kind !== 'field') return term;
    const fields: string[] = [];
    while (this.#peek().kind === 'field') fields.push(this.#intern(this.#next().value.slice(1)));
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { kind: term.kind, position, path: [...term.path, ...fields] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#fail(`unexpected . after term ${quote(textOf(term))}`);
      default:
        return { kind: 'chain', position, of: term, path: fields };
    }
  }

  #term(): Operand | undefined {
    const token = this.#nextNonSpace();
    const { position, value } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#shared.functions.has(value)) this.#fail(`function ${quote(value)} not defined`);
        return { kind: 'identifier', position, name: this.#intern(value) };
      case 'dot':
      case 'nil':
        return { kind: token.kind, position };
      case 'variable':
        if (!this.#variables.includes(value)) this.#fail(`undefined variable ${quote(value)}`);
        return this.#variable(position, value);
      case 'field':
        return { kind: 'field', position, path: [this.#intern(value.slice(1))] };
      case 'bool':
        return { kind: 'bool', position, value: value === 'true' };
      case 'charConstant':
      case 'complex':
      case 'number':
        return this.#number(token);
      case '(': {
        this.#enter();
        const pipe = this.#pipeline('parenthesized pipeline', ')');
        this.#shared.depth--;
        return pipe;
      }
      case 'string':
      case 'rawString':
        return { kind: 'string', position, quoted: value, text: this.#intern(this.#unquoted(token)) };
      default:
        this.#ahead++;
        return undefined;
    }
  }

  #number(token: Token): Operand {
    const read = token.kind === 'number' ? parseNumber : token.kind === 'complex' ? parseComplex : parseCharacter;
    try {
      return { kind: 'number', position: token.position, text: token.value, value: read(token.value) };
    } catch (error) {
      if (error instanceof NumberError) this.#fail(error.message);
      throw error;
    }
  }

  #variable(position: number, name: string): VariableNode {
    return { kind: 'variable', position, path: [this.#intern(name)] };
  }

  #intern(name: string): string {
    const known = this.#shared.names.get(name);
    if (known !== undefined) return known;
    this.#shared.names.set(name, name);
    return name;
  }

  #next(): Token {
    if (this.#ahead > 0) this.#ahead--;
    else this.#tokens[0] = this.#shared.lexer.next();
    return this.#tokens[this.#ahead] as Token;
  }

  #peek(): Token {
    if (this.#ahead > 0) return this.#tokens[this.#ahead - 1] as Token;
    this.#ahead = 1;
    this.#tokens[0] = this.#shared.lexer.next();
    return this.#tokens[0];
  }

  #nextNonSpace(): Token {
    let token = this.#next();
    while (token.kind === 'space') token = this.#next();
    return token;
  }

  #peekNonSpace(): Token {
    const token = this.#nextNonSpace();
    this.#ahead++;
    return token;
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#nextNonSpace();
    return token.kind === kind ? token : this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind !== 'error') return this.#fail(`unexpected ${tokenText(token)} in ${context}`);
    let extra = '';
    if (this.#actionLine !== 0 && this.#actionLine !== token.line) {
      extra = ` in action started at ${this.#shared.name}:${this.#actionLine}`;
      if (token.value.endsWith(' action')) extra = extra.slice(' in action'.length);
    }
    return this.#fail(token.value + extra);
  }

  #fail(message: string): never {
    throw new GoError(`template: ${this.#shared.name}:${this.#tokens[0].line}: ${message}`);
  }
}
