import { type Lexer, type Token, type TokenKind, tokenText } from './lex.ts';
import { type CommandNode, type Operand, type PipeNode, type Tree, textOf, type VariableNode } from './node.ts';
import { NumberError, parseCharacter, parseComplex, parseNumber } from './number.ts';
import { quote, unquote } from './quote.ts';
import { GoError } from './value.ts';

/*
 * Tokens to pipelines. (go@1.26 text/template/parse/parse.go)
 */

/** Nesting of control structures and parentheses that is read; Go stops at 10000, where our stack has ended long before. */
const MAX_NESTING = 500;

/** Names that templates may call. */
export interface Names {
  has(name: string): boolean;
}

/** What the parsers of one text have in common. */
export interface Shared {
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

/** Reads pipelines, as they stand in actions, parentheses and after keywords. */
export class PipelineParser {
  protected readonly shared: Shared;
  /** Look-ahead: the first is the token read last, the others were given back. */
  protected readonly tokens: [Token, Token, Token] = [NO_TOKEN, NO_TOKEN, NO_TOKEN];
  protected ahead = 0;
  protected variables: string[] = ['$'];
  /** Line on which the action that is read began, 0 outside of one. */
  protected actionLine = 0;

  constructor(shared: Shared) {
    this.shared = shared;
  }

  protected pipeline(context: string, end: 'right' | ')'): PipeNode {
    const { position } = this.peekNonSpace();
    const declared: VariableNode[] = [];
    const isAssignment = this.#declarations(context, declared);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.nextNonSpace();
      if (token.kind === end) break;
      if (!OPERAND_STARTS.has(token.kind)) this.unexpected(token, context);
      this.ahead++;
      commands.push(this.#command());
    }
    if (commands.length === 0) this.fail(`missing value for ${context}`);
    for (let index = 1; index < commands.length; index++) {
      const { kind } = (commands[index] as CommandNode).args[0] as Operand;
      if (kind === 'bool' || kind === 'dot' || kind === 'nil' || kind === 'number' || kind === 'string') {
        this.fail(`non executable command in pipeline stage ${index + 1}`);
      }
    }
    return { kind: 'pipe', position, isAssignment, declared, commands };
  }

  /** `$x :=`, `$x =`, `$i, $x :=` at the start of a pipeline; reports whether it assigns. */
  #declarations(context: string, declared: VariableNode[]): boolean {
    for (;;) {
      const variable = this.peekNonSpace();
      if (variable.kind !== 'variable') return false;
      this.next();
      // A space is a token: `$x foo` needs three tokens to tell an argument from a declaration.
      const after = this.peek();
      const next = this.peekNonSpace();
      const isComma = next.kind === 'char' && next.value === ',';
      if (next.kind === '=' || next.kind === ':=' || isComma) {
        this.nextNonSpace();
        declared.push(this.#variable(variable.position, variable.value));
        this.variables.push(variable.value);
        if (!isComma) return next.kind === '=';
        if (context !== 'range' || declared.length >= 2) this.fail(`too many declarations in ${context}`);
        const { kind } = this.peekNonSpace();
        if (kind === 'variable' || kind === 'right' || kind === ')') continue;
        this.fail('range can only initialize variables');
      }
      if (after.kind === 'space') {
        this.tokens[1] = after;
        this.tokens[2] = variable;
        this.ahead = 3;
      } else {
        this.tokens[1] = variable;
        this.ahead = 2;
      }
      return false;
    }
  }

  #command(): CommandNode {
    const { position } = this.peekNonSpace();
    const args: Operand[] = [];
    for (;;) {
      this.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.next();
      if (token.kind === 'space') continue;
      if (token.kind === 'right' || token.kind === ')') this.ahead++;
      else if (token.kind !== '|') this.unexpected(token, 'operand');
      break;
    }
    if (args.length === 0) this.fail('empty command');
    return { kind: 'command', position, args };
  }

  /** A term and the fields behind it; undefined when there is none. */
  #operand(): Operand | undefined {
    const term = this.#term();
    const { kind, position } = this.peek();
    if (term === undefined || kind !== 'field') return term;
    const fields: string[] = [];
    while (this.peek().kind === 'field') fields.push(this.#intern(this.next().value.slice(1)));
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { kind: term.kind, position, path: [...term.path, ...fields] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.fail(`unexpected . after term ${quote(textOf(term))}`);
      default:
        return { kind: 'chain', position, of: term, path: fields };
    }
  }

  #term(): Operand | undefined {
    const token = this.nextNonSpace();
    const { position, value } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.shared.functions.has(value)) this.fail(`function ${quote(value)} not defined`);
        return { kind: 'identifier', position, name: this.#intern(value) };
      case 'dot':
      case 'nil':
        return { kind: token.kind, position };
      case 'variable':
        if (!this.variables.includes(value)) this.fail(`undefined variable ${quote(value)}`);
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
        this.enter();
        const pipe = this.pipeline('parenthesized pipeline', ')');
        this.shared.depth--;
        return pipe;
      }
      case 'string':
      case 'rawString':
        return { kind: 'string', position, quoted: value, text: this.#intern(this.unquoted(token)) };
      default:
        this.ahead++;
        return undefined;
    }
  }

  #number(token: Token): Operand {
    const read = token.kind === 'number' ? parseNumber : token.kind === 'complex' ? parseComplex : parseCharacter;
    try {
      return { kind: 'number', position: token.position, text: token.value, value: read(token.value) };
    } catch (error) {
      if (error instanceof NumberError) this.fail(error.message);
      throw error;
    }
  }

  #variable(position: number, name: string): VariableNode {
    return { kind: 'variable', position, path: [this.#intern(name)] };
  }

  #intern(name: string): string {
    const known = this.shared.names.get(name);
    if (known !== undefined) return known;
    this.shared.names.set(name, name);
    return name;
  }

  protected enter(): void {
    if (++this.shared.depth > MAX_NESTING) this.fail('max expression depth exceeded');
  }

  protected unquoted(token: Token): string {
    return unquote(token.value) ?? this.fail('invalid syntax');
  }

  protected next(): Token {
    if (this.ahead > 0) this.ahead--;
    else this.tokens[0] = this.shared.lexer.next();
    return this.tokens[this.ahead] as Token;
  }

  protected peek(): Token {
    if (this.ahead > 0) return this.tokens[this.ahead - 1] as Token;
    this.ahead = 1;
    this.tokens[0] = this.shared.lexer.next();
    return this.tokens[0];
  }

  protected nextNonSpace(): Token {
    let token = this.next();
    while (token.kind === 'space') token = this.next();
    return token;
  }

  protected peekNonSpace(): Token {
    const token = this.nextNonSpace();
    this.ahead++;
    return token;
  }

  protected expect(kind: TokenKind, context: string): Token {
    const token = this.nextNonSpace();
    return token.kind === kind ? token : this.unexpected(token, context);
  }

  protected unexpected(token: Token, context: string): never {
    if (token.kind !== 'error') return this.fail(`unexpected ${tokenText(token)} in ${context}`);
    let extra = '';
    if (this.actionLine !== 0 && this.actionLine !== token.line) {
      extra = ` in action started at ${this.shared.name}:${this.actionLine}`;
      if (token.value.endsWith(' action')) extra = extra.slice(' in action'.length);
    }
    return this.fail(token.value + extra);
  }

  protected fail(message: string): never {
    throw new GoError(`template: ${this.shared.name}:${this.tokens[0].line}: ${message}`);
  }
}
