import { constantArgument, expectedConstant, toArgument } from './arguments.ts';
import { Budget } from './budget.ts';
import { AND, BUILTINS, CALL, OR } from './builtins.ts';
import { callValue } from './call-value.ts';
import { ExecutionError } from './execution-error.ts';
import { ANY, canBeNil, REFLECT_VALUE } from './go-type.ts';
import {
  type AnyNode,
  type ChainNode,
  type CommandNode,
  type FieldNode,
  type IdentifierNode,
  type NumberNode,
  type Operand,
  type PipeNode,
  type Tree,
  textOf,
  type VariableNode,
} from './node.ts';
import { quote } from './quote.ts';
import { Scope } from './scope.ts';
import type { TemplateSet } from './template-set.ts';
import { isTrue } from './truth.ts';
import { elementType, typeOf, zeroOf } from './type-of.ts';
import { Complex, type Func, GoError, type GoType, NilPointer, Struct, TypedMap, type Value } from './value.ts';

/** What a key gives that a map does not have: no value, the zero value of the element type, or an error. */
export type MissingKey = 'default' | 'zero' | 'error';

export interface ExecutorOptions {
  readonly missingKey?: MissingKey;
  /** Shared by the executors of one rendering. */
  readonly budget?: Budget;
}

/** No value comes down the pipeline; nil is one. */
export const ABSENT: unique symbol = Symbol('absent');
type Final = Value | typeof ABSENT;

const NO_ARGUMENTS: readonly Operand[] = [];

/**
 * Values of pipelines. (go@1.26 text/template/exec.go, the functions eval...)
 *
 * `at` is the node that an error names; it is set where Go sets it. Messages name a value that sits in an interface (an
 * element of a map or list) by the interface's type, so for dot, variables and fields it is kept whether they do.
 */
export class Evaluator {
  readonly templates: TemplateSet;
  readonly budget: Budget;
  readonly #missingKey: MissingKey;
  protected tree: Tree | undefined;
  protected at: AnyNode | undefined;
  protected dotInInterface = false;
  protected readonly scope: Scope = new Scope();
  /** Whether the field that was read last sits in an interface. */
  #fieldInInterface = false;

  constructor(templates: TemplateSet, options: ExecutorOptions = {}) {
    this.templates = templates;
    this.budget = options.budget ?? new Budget();
    this.#missingKey = options.missingKey ?? 'default';
  }

  protected fail(reason: string, cause?: unknown): never {
    throw new ExecutionError(this.tree as Tree, this.at as AnyNode, reason, cause);
  }

  /**
   * The value of a pipeline, out of the interface that it may sit in; its variables stay on the stack.
   * This, #command and #call keep few locals: a recursion of templates goes through them, and the JavaScript stack is short.
   */
  protected pipeline(dot: Value, pipe: PipeNode): Value {
    this.at = pipe;
    const { commands } = pipe;
    let value = this.#command(dot, commands[0] as CommandNode, ABSENT) ?? undefined;
    for (let index = 1; index < commands.length; index++) {
      value = this.#command(dot, commands[index] as CommandNode, value) ?? undefined;
    }
    if (pipe.declared.length > 0) this.#declare(pipe, value);
    return value;
  }

  #declare({ declared, isAssignment }: PipeNode, value: Value): void {
    for (const { path } of declared) {
      const name = path[0] as string;
      if (isAssignment) this.scope.assign(name, value, false);
      else this.scope.push(name, value);
    }
  }

  #command(dot: Value, command: CommandNode, final: Final): Value {
    const { args } = command;
    const first = args[0] as Operand;
    switch (first.kind) {
      case 'field':
        return this.#fieldNode(dot, first, args, final);
      case 'variable':
        return this.#variableNode(dot, first, args, final);
      case 'identifier':
        this.at = first;
        return this.#call(dot, this.#called(first), command, first.name, args, final);
      case 'chain':
        return this.#chainNode(dot, first, args, final);
      case 'pipe':
        this.#refuseArguments(args, final);
        return this.pipeline(dot, first);
      default:
    }
    this.at = first;
    this.#refuseArguments(args, final);
    switch (first.kind) {
      case 'bool':
        return first.value;
      case 'dot':
        return dot;
      case 'number':
        return this.#constant(first);
      case 'string':
        return first.text;
      case 'nil':
        return this.fail('nil is not a command');
    }
  }

  #refuseArguments(args: readonly Operand[], final: Final): void {
    if (args.length > 1 || final !== ABSENT) {
      const first = args[0];
      const text = first === undefined ? '%!s(<nil>)' : textOf(first);
      this.fail(`can't give argument to non-function ${text}`);
    }
  }

  /** A number where nothing says of which type it is to be. */
  #constant(node: NumberNode): Value {
    this.at = node;
    const { text, value } = node;
    if (value.complex !== undefined) return new Complex(value.complex.real, value.complex.imaginary);
    const isFloat = !/^'|^0[xX][^pP]*$/.test(text) && /[.eEpP]/.test(text);
    if (isFloat && value.float !== undefined) return value.float;
    return value.int ?? this.fail(`${text} overflows int`);
  }

  #fieldNode(dot: Value, node: FieldNode, args: readonly Operand[], final: Final): Value {
    this.at = node;
    return this.#fields(dot, node, dot, this.dotInInterface, 0, args, final);
  }

  #chainNode(dot: Value, node: ChainNode, args: readonly Operand[], final: Final): Value {
    this.at = node;
    if (node.of.kind === 'nil') this.fail(`indirection through explicit nil in ${textOf(node)}`);
    const receiver = this.#operand(dot, node.of);
    return this.#fields(dot, node, receiver, false, 0, args, final);
  }

  #variableNode(dot: Value, node: VariableNode, args: readonly Operand[], final: Final): Value {
    this.at = node;
    const { scope } = this;
    const index = scope.indexOf(node.path[0] as string);
    if (node.path.length > 1) {
      return this.#fields(dot, node, scope.values[index], scope.inInterface[index] === true, 1, args, final);
    }
    this.#refuseArguments(args, final);
    return scope.values[index];
  }

  /** What an operand that is no constant gives; undefined stays what it is. */
  #operand(dot: Value, node: Operand): Value {
    this.at = node;
    switch (node.kind) {
      case 'pipe':
        return this.pipeline(dot, node);
      case 'field':
        return this.#fieldNode(dot, node, NO_ARGUMENTS, ABSENT);
      case 'variable':
        return this.#variableNode(dot, node, NO_ARGUMENTS, ABSENT);
      case 'identifier':
        return this.#call(dot, this.#called(node), node, node.name, NO_ARGUMENTS, ABSENT);
      case 'chain':
        return this.#chainNode(dot, node, NO_ARGUMENTS, ABSENT);
      case 'dot':
        return dot;
      case 'bool':
        return node.value;
      case 'number':
        return this.#constant(node);
      case 'string':
        return node.text;
      case 'nil':
        return null;
    }
  }

  /** Follows the path of `node` from `start` on; the last name may be a method, which gets the arguments. */
  #fields(
    dot: Value,
    node: FieldNode | VariableNode | ChainNode,
    receiver: Value,
    inInterface: boolean,
    start: number,
    args: readonly Operand[],
    final: Final,
  ): Value {
    const { path } = node;
    const last = path.length - 1;
    let value = receiver;
    let boxed = inInterface;
    for (let index = start; index < last; index++) {
      value = this.#field(dot, node, value, boxed, path[index] as string, NO_ARGUMENTS, ABSENT);
      boxed = this.#fieldInInterface;
    }
    return this.#field(dot, node, value, boxed, path[last] as string, args, final);
  }

  #field(
    dot: Value,
    node: AnyNode,
    receiver: Value,
    inInterface: boolean,
    name: string,
    args: readonly Operand[],
    final: Final,
  ): Value {
    if (receiver === undefined) {
      if (this.#missingKey === 'error') this.fail(`nil data; no entry for key ${quote(name)}`);
      this.#fieldInInterface = false;
      return undefined;
    }
    if (receiver === null) return this.fail(`nil pointer evaluating ${ANY.name}.${name}`);
    const isMap = receiver instanceof Map;
    if (!isMap || receiver instanceof TypedMap) {
      const method = typeOf(receiver).methods?.get(name);
      if (method !== undefined) {
        this.#fieldInInterface = false;
        return this.#call(dot, method(receiver), node, name, args, final);
      }
    }
    const hasArguments = args.length > 1 || final !== ABSENT;
    if (isMap) {
      if (hasArguments) this.fail(`${name} is not a method but has arguments`);
      const value = receiver.get(name);
      this.#fieldInInterface = !(receiver instanceof TypedMap) || elementType(receiver).kind === 'interface';
      return value ?? (receiver.has(name) ? null : this.#missing(receiver, name));
    }
    if (receiver instanceof Struct) {
      const value = receiver.fields.get(name);
      if (value !== undefined) {
        if (hasArguments) this.fail(`${name} has arguments but cannot be invoked as function`);
        this.#fieldInInterface = false;
        return value;
      }
    }
    const type = inInterface ? ANY.name : typeOf(receiver).name;
    if (receiver instanceof NilPointer) this.fail(`nil pointer evaluating ${type}.${name}`);
    return this.fail(`can't evaluate field ${name} in type ${type}`);
  }

  #missing(map: Map<string, Value>, name: string): Value {
    switch (this.#missingKey) {
      case 'default':
        return undefined;
      case 'zero':
        return zeroOf(elementType(map));
      case 'error':
        return this.fail(`map has no entry for key ${quote(name)}`);
    }
  }

  #called({ name }: IdentifierNode): Func {
    return (
      this.templates.functions.get(name) ?? BUILTINS.get(name) ?? this.fail(`${quote(name)} is not a defined function`)
    );
  }

  /** Calls a function; `args` begins with what names it. */
  #call(dot: Value, called: Func, node: AnyNode, name: string, args: readonly Operand[], final: Final): Value {
    this.#checkCount(called, name, args, final);
    if (called === AND || called === OR) return this.#shortCircuit(dot, called === OR, args, final);
    const values = this.#arguments(dot, called, args, final);
    try {
      if (called === CALL) return callValue(calleeName(args, final), values as Value[]);
      return this.budget.passed((called.call as (...args: unknown[]) => Value)(...values));
    } catch (error) {
      return this.#failCall(error, node, name);
    }
  }

  #failCall(error: unknown, node: AnyNode, name: string): never {
    if (!(error instanceof GoError)) throw error;
    this.at = node;
    return this.fail(`error calling ${name}: ${error.message}`, error);
  }

  #checkCount({ params, rest }: Func, name: string, args: readonly Operand[], final: Final): void {
    const given = args.length > 0 ? args.length - 1 : 0;
    const total = final === ABSENT ? given : given + 1;
    const fixed = params.length;
    if (rest === undefined) {
      if (total !== fixed) this.fail(`wrong number of args for ${name}: want ${fixed} got ${total}`);
    } else if (total < fixed) this.fail(`wrong number of args for ${name}: want at least ${fixed} got ${given}`);
  }

  #arguments(dot: Value, { params, rest }: Func, args: readonly Operand[], final: Final): unknown[] {
    const { budget } = this;
    const values: unknown[] = [];
    for (let index = 1; index < args.length; index++) {
      const type = (index <= params.length ? params[index - 1] : rest) as GoType;
      values.push(budget.passed(this.#argument(dot, type, args[index] as Operand)));
    }
    if (final !== ABSENT) {
      const type = (values.length < params.length ? params[values.length] : rest) as GoType;
      values.push(budget.passed(toArgument(final, type)));
    }
    budget.step(1);
    return values;
  }

  #shortCircuit(dot: Value, stopsAt: boolean, args: readonly Operand[], final: Final): Value {
    let value: Value;
    for (let index = 1; index < args.length; index++) {
      value = this.#argument(dot, REFLECT_VALUE, args[index] as Operand) as Value;
      if (isTrue(value) === stopsAt) return value;
    }
    return final === ABSENT ? value : final;
  }

  /** The argument that `node` gives for a parameter of `type`. */
  #argument(dot: Value, type: GoType, node: Operand): unknown {
    switch (node.kind) {
      case 'nil':
        this.at = node;
        if (!canBeNil(type)) this.fail(`cannot assign nil to ${type.name}`);
        return type === REFLECT_VALUE ? undefined : toArgument(undefined, type);
      case 'bool':
      case 'number':
      case 'string':
        break;
      default:
        return toArgument(this.#operand(dot, node), type);
    }
    this.at = node;
    if (type.kind === 'interface' || type === REFLECT_VALUE) {
      if (type !== ANY && type !== REFLECT_VALUE) return this.#cannotHandle(node, type);
      return node.kind === 'number' ? this.#constant(node) : node.kind === 'bool' ? node.value : node.text;
    }
    const expected = expectedConstant(type);
    if (expected === undefined) return this.#cannotHandle(node, type);
    if (node.kind === 'string' && expected === 'string') return node.text;
    if (node.kind === 'bool' && expected === 'bool') return node.value;
    const value = node.kind === 'number' ? constantArgument(node.value, type) : undefined;
    return value ?? this.fail(`expected ${expected}; found ${textOf(node)}`);
  }

  #cannotHandle(node: Operand, type: GoType): never {
    return this.fail(`can't handle ${textOf(node)} for arg of type ${type.name}`);
  }
}

/** What the builtin `call` calls the function that it was given. */
function calleeName(args: readonly Operand[], final: Final): string {
  const first = args[1];
  if (first !== undefined) return textOf(first);
  if (typeof final === 'string') return final;
  return final === ABSENT || final === undefined ? '<invalid Value>' : `<${typeOf(final).name} Value>`;
}
