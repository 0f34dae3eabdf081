import { err, ok, type Result } from '../../base/result.ts';
import { MAX_EXPRESSION, Problem, type Token, tokens } from './tokens.ts';

/** `offset` is in UTF-16 units of the expression: of the operator of a binary expression, the dot of a selection, the bracket of a call. */
export type Expr = { readonly offset: number } & (
  | { readonly kind: 'literal'; readonly value: null | boolean | bigint | number | string }
  | { readonly kind: 'uint'; readonly value: bigint }
  | { readonly kind: 'bytes'; readonly value: readonly number[] }
  | { readonly kind: 'ident'; readonly name: string }
  | { readonly kind: 'select'; readonly operand: Expr; readonly field: string; readonly optional: boolean }
  | { readonly kind: 'index'; readonly operand: Expr; readonly index: Expr; readonly optional: boolean }
  | { readonly kind: 'call'; readonly name: string; readonly target?: Expr; readonly args: readonly Expr[] }
  | { readonly kind: 'list'; readonly items: readonly { readonly value: Expr; readonly optional: boolean }[] }
  | {
      readonly kind: 'map';
      readonly entries: readonly { readonly key: Expr; readonly value: Expr; readonly optional: boolean }[];
    }
  | {
      readonly kind: 'struct';
      readonly type: string;
      readonly fields: readonly StructField[];
    }
  | { readonly kind: 'and' | 'or'; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'ternary'; readonly condition: Expr; readonly yes: Expr; readonly no: Expr }
);

/** `offset` is the colon's. */
export interface StructField {
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
  readonly offset: number;
}

export interface SyntaxProblem {
  readonly message: string;
  readonly offset: number;
}

/** Nesting at which an expression is refused, as cel-go's parser does. */
const MAX_NESTING = 250;

/** Parses a CEL expression; macros stay calls. (cel-spec langdef, with optional selection and entries) */
export function parseCel(text: string): Result<Expr, SyntaxProblem> {
  if (text.length > MAX_EXPRESSION) return err({ message: 'expression is too long', offset: 0 });
  try {
    const parser = new Parser(tokens(text), text);
    const expr = parser.expression();
    parser.end();
    return ok(expr);
  } catch (error) {
    if (error instanceof Problem) return err({ message: error.message, offset: error.offset });
    throw error;
  }
}

const BINARY: readonly (readonly string[])[] = [
  ['==', '!=', '<', '<=', '>', '>=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];
const RESERVED = new Set([
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
]);

const STARTS =
  "expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;
  private depth = 0;
  private readonly text: string;
  constructor(list: readonly Token[], text: string) {
    this.text = text;
    this.tokens = list;
  }

  private peek(): Token {
    return this.tokens[this.position] as Token;
  }

  private isOp(text: string): boolean {
    const token = this.peek();
    return token.kind === 'op' && token.text === text;
  }

  private take(text: string): boolean {
    if (!this.isOp(text)) return false;
    this.position++;
    return true;
  }

  /** A single token that may only be this one is called missing; where others may stand too, the input does not match. (ANTLR) */
  private expect(text: string, others?: string): void {
    if (this.take(text)) return;
    if (others !== undefined) this.unexpected(`expecting ${others}`);
    const token = this.peek();
    throw new Problem(`Syntax error: missing '${text}' at '${this.shown(token)}'`, token.offset);
  }

  private shown(token: Token): string {
    return token.kind === 'end' ? '<EOF>' : this.text.slice(token.offset, token.end);
  }

  private unexpected(hint: string, how: 'mismatched' | 'extraneous' = 'mismatched'): never {
    const token = this.peek();
    throw new Problem(`Syntax error: ${how} input '${this.shown(token)}' ${hint}`, token.offset);
  }

  /** Whether an expression may begin with the token there. */
  private startsAt(position: number): boolean {
    const token = this.tokens[position];
    if (token === undefined || token.kind === 'end') return false;
    if (token.kind === 'op') return ['[', '{', '(', '.', '-', '!'].includes(token.text);
    return token.kind !== 'ident' || token.text !== 'in';
  }

  private afterBang(): boolean {
    const before = this.tokens[this.position - 1];
    return before?.kind === 'op' && before.text === '!';
  }

  end(): void {
    if (this.peek().kind === 'end') return;
    const token = this.peek();
    // What could begin an expression is one token too many; an operator is a mismatch.
    const starts = token.kind !== 'op' && !(token.kind === 'ident' && token.text === 'in');
    this.unexpected('expecting <EOF>', starts ? 'extraneous' : 'mismatched');
  }

  expression(): Expr {
    if (++this.depth > MAX_NESTING) throw new Problem('expression recursion limit exceeded: 250', this.peek().offset);
    const condition = this.or();
    let out = condition;
    const { offset } = this.peek();
    if (this.take('?')) {
      const yes = this.or();
      this.expect(':', "':'");
      const no = this.expression();
      out = { kind: 'ternary', condition, yes, no, offset };
    }
    this.depth--;
    return out;
  }

  private or(): Expr {
    let left = this.and();
    for (let { offset } = this.peek(); this.take('||'); { offset } = this.peek()) {
      left = { kind: 'or', left, right: this.and(), offset };
    }
    return left;
  }

  private and(): Expr {
    let left = this.binary(0);
    for (let { offset } = this.peek(); this.take('&&'); { offset } = this.peek()) {
      left = { kind: 'and', left, right: this.binary(0), offset };
    }
    return left;
  }

  private binary(level: number): Expr {
    const operators = BINARY[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.peek();
      const text = token.kind === 'op' || (token.kind === 'ident' && token.text === 'in') ? token.text : undefined;
      if (text === undefined || !operators.includes(text)) return left;
      this.position++;
      const right = this.binary(level + 1);
      left = { kind: 'call', name: text === 'in' ? '@in' : `_${text}_`, args: [left, right], offset: token.offset };
    }
  }

  private unary(): Expr {
    const token = this.peek();
    if (this.take('!'))
      return { kind: 'call', name: '!_', args: [this.nested(() => this.unary())], offset: token.offset };
    if (this.isOp('-')) {
      this.position++;
      const next = this.peek();
      if (next.kind === 'int') {
        this.position++;
        return this.postfix({ kind: 'literal', value: -next.value, offset: token.offset });
      }
      if (next.kind === 'double') {
        this.position++;
        return this.postfix({ kind: 'literal', value: -next.value, offset: token.offset });
      }
      return { kind: 'call', name: '-_', args: [this.nested(() => this.unary())], offset: token.offset };
    }
    return this.postfix(this.primary());
  }

  private nested(read: () => Expr): Expr {
    if (++this.depth > MAX_NESTING) throw new Problem('expression recursion limit exceeded: 250', this.peek().offset);
    const out = read();
    this.depth--;
    return out;
  }

  private postfix(start: Expr): Expr {
    let out = start;
    for (;;) {
      const { offset } = this.peek();
      if (this.take('.')) {
        const optional = this.take('?');
        const token = this.peek();
        if (token.kind === 'end') throw new Problem(`Syntax error: no viable alternative at input '.'`, token.offset);
        if (token.kind !== 'ident') this.unexpected('expecting IDENTIFIER');
        this.position++;
        const bracket = this.peek().offset;
        if (!optional && this.take('('))
          out = { kind: 'call', name: token.text, target: out, args: this.list(')'), offset: bracket };
        else if (!optional && this.isOp('{') && typeName(out) !== undefined) {
          this.position++;
          out = { kind: 'struct', type: `${typeName(out)}.${token.text}`, fields: this.fields(), offset: bracket };
        } else out = { kind: 'select', operand: out, field: token.text, optional, offset };
      } else if (this.take('[')) {
        const optional = this.take('?');
        const index = this.expression();
        this.expect(']');
        out = { kind: 'index', operand: out, index, optional, offset };
      } else return out;
    }
  }

  private list(close: string): Expr[] {
    const out: Expr[] = [];
    while (!this.take(close)) {
      out.push(this.expression());
      if (!this.take(',')) {
        this.expect(close);
        break;
      }
    }
    return out;
  }

  private primary(): Expr {
    const token = this.peek();
    const { offset } = token;
    this.position++;
    switch (token.kind) {
      case 'int':
        if (token.value > 9_223_372_036_854_775_807n) throw new Problem('invalid int literal', offset);
        return { kind: 'literal', value: token.value, offset };
      case 'double':
      case 'string':
        return { kind: 'literal', value: token.value, offset };
      case 'uint':
        return { kind: 'uint', value: token.value, offset };
      case 'bytes':
        return { kind: 'bytes', value: token.value, offset };
      case 'ident':
        return this.identifier(token.text, offset);
      case 'op':
        break;
      case 'end':
        this.position--;
        this.unexpected(STARTS, this.afterBang() ? 'extraneous' : 'mismatched');
    }
    if (token.kind === 'op' && token.text === '(') {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (token.kind === 'op' && token.text === '[') return this.listLiteral(offset);
    if (token.kind === 'op' && token.text === '{') return this.mapLiteral(offset);
    if (token.kind === 'op' && token.text === '.') {
      const next = this.peek();
      if (next.kind === 'ident') {
        this.position++;
        return this.identifier(next.text, next.offset);
      }
    }
    this.position--;
    return this.unexpected(STARTS, this.startsAt(this.position + 1) ? 'extraneous' : 'mismatched');
  }

  private identifier(name: string, offset: number): Expr {
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true', offset };
    if (name === 'null') return { kind: 'literal', value: null, offset };
    if (name === 'in') {
      this.position--;
      this.unexpected(STARTS);
    }
    if (RESERVED.has(name)) throw new Problem(`reserved identifier: ${name}`, offset);
    const bracket = this.peek().offset;
    if (this.take('(')) return { kind: 'call', name, args: this.list(')'), offset: bracket };
    if (this.isOp('{')) {
      this.position++;
      return { kind: 'struct', type: name, fields: this.fields(), offset: bracket };
    }
    return { kind: 'ident', name, offset };
  }

  private listLiteral(offset: number): Expr {
    const items: { value: Expr; optional: boolean }[] = [];
    while (!this.take(']')) {
      if (items.length > 0 && this.isOp(',')) this.unexpected("expecting ']'");
      const optional = this.take('?');
      items.push({ value: this.expression(), optional });
      if (!this.take(',')) {
        this.expect(']', "{']', ','}");
        break;
      }
    }
    return { kind: 'list', items, offset };
  }

  private mapLiteral(offset: number): Expr {
    const entries: { key: Expr; value: Expr; optional: boolean }[] = [];
    while (!this.take('}')) {
      const optional = this.take('?');
      const key = this.expression();
      this.expect(':');
      entries.push({ key, value: this.expression(), optional });
      if (!this.take(',')) {
        this.expect('}', "{'}', ','}");
        break;
      }
    }
    return { kind: 'map', entries, offset };
  }

  private fields(): StructField[] {
    const out: StructField[] = [];
    while (!this.take('}')) {
      const optional = this.take('?');
      const token = this.peek();
      if (token.kind !== 'ident')
        this.unexpected(
          out.length === 0 && !optional
            ? "expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"
            : 'expecting IDENTIFIER',
        );
      this.position++;
      const { offset } = this.peek();
      this.expect(':');
      out.push({ name: token.text, value: this.expression(), optional, offset });
      if (!this.take(',')) {
        this.expect('}', "{'}', ','}");
        break;
      }
    }
    return out;
  }
}

/** `a.b.c` of a chain of selections, as a type's or a function's qualified name. */
export function typeName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.optional) return undefined;
  const head = typeName(expr.operand);
  return head === undefined ? undefined : `${head}.${expr.field}`;
}

/** The variable that a chain of selections begins with. */
export function variableOf(expr: Expr): string | undefined {
  let head = expr;
  while (head.kind === 'select' || head.kind === 'index') head = head.operand;
  return head.kind === 'ident' ? head.name : undefined;
}

/** The variable and what is selected from it by name, up to the first index that is none. */
export function attributeName(expr: Expr): string {
  let names: string[] = [];
  let head = expr;
  for (; head.kind === 'select' || head.kind === 'index'; head = head.operand) {
    const name = head.kind === 'select' ? head.field : head.index.kind === 'literal' ? head.index.value : undefined;
    names = typeof name === 'string' ? [name, ...names] : [];
  }
  return [variableOf(head), ...names].join('.');
}
