import { Evaluator, type ExecutorOptions } from './evaluate.ts';
import { ExecutionError } from './execution-error.ts';
import { printable, sprint } from './format.ts';
import { sortedKeys } from './go-string.ts';
import { UINT8 } from './go-type.ts';
import type { ActionNode, AnyNode, BranchNode, ListNode, TemplateNode, Tree } from './node.ts';
import { textOf } from './node.ts';
import { Output } from './output.ts';
import { quote } from './quote.ts';
import type { TemplateSet } from './template-set.ts';
import { isTrue } from './truth.ts';
import { elementType, typeOf } from './type-of.ts';
import { Func, GoError, isList, isMap, Typed, type Value } from './value.ts';

/** What is kept of a template while it waits for one that it calls. */
interface Frame {
  readonly tree: Tree | undefined;
  readonly at: AnyNode | undefined;
  readonly base: number;
  readonly dotInInterface: boolean;
  readonly output: Output;
}

/** How the nodes of a list ended. */
type Ending = 'done' | 'break' | 'continue';

/**
 * Executes the templates of a set; what a function of theirs executes with the same executor (`include`) counts toward the
 * same limits. (go@1.26 text/template/exec.go, the functions walk...)
 */
export class Executor extends Evaluator {
  #output = new Output();

  constructor(templates: TemplateSet, options: ExecutorOptions = {}) {
    super(templates, options);
  }

  /**
   * The output of the template `name` for `data`.
   * @throws GoError with Go's message; an ExecutionError where a template is at fault.
   */
  execute(name: string, data: Value): string {
    const tree = this.templates.lookup(name);
    if (tree === undefined) {
      throw new GoError(`template: no template ${quote(name)} associated with template ${quote(this.templates.name)}`);
    }
    const caller = this.#enter(tree);
    this.#output = new Output();
    try {
      this.scope.push('$', data ?? undefined);
      this.#list(data ?? undefined, tree.root);
    } catch (error) {
      throw this.#abandon(caller, error);
    }
    const text = this.#output.text();
    this.#leave(caller);
    return text;
  }

  #abandon(caller: Frame, error: unknown): unknown {
    const located = this.#located(error);
    this.#leave(caller);
    return located;
  }

  #enter(tree: Tree): Frame {
    const { scope, at, dotInInterface } = this;
    const caller = { tree: this.tree, at, base: scope.base, dotInInterface, output: this.#output };
    this.budget.enter();
    this.tree = tree;
    this.at = tree.root;
    scope.base = scope.names.length;
    this.dotInInterface = false;
    return caller;
  }

  #leave(caller: Frame): void {
    this.budget.leave();
    this.scope.popTo(this.scope.base);
    this.tree = caller.tree;
    this.at = caller.at;
    this.scope.base = caller.base;
    this.dotInInterface = caller.dotInInterface;
    this.#output = caller.output;
  }

  #list(dot: Value, list: ListNode): Ending {
    const { nodes } = list;
    for (let index = 0; index < nodes.length; index++) {
      const node = nodes[index] as ListNode['nodes'][number];
      this.at = node;
      let ending: Ending = 'done';
      switch (node.kind) {
        case 'text':
          this.#write(node.text);
          continue;
        case 'action':
          this.#print(node, this.pipeline(dot, node.pipe));
          continue;
        case 'if':
        case 'with':
          ending = this.#branch(dot, node);
          break;
        case 'range':
          ending = this.#range(dot, node);
          break;
        case 'template':
          this.#template(dot, node);
          continue;
        case 'break':
        case 'continue':
          return node.kind;
      }
      if (ending !== 'done') return ending;
    }
    return 'done';
  }

  /** An error of the node at which it came up; a stack or a string that is too large is the template's fault too. */
  #located(error: unknown): unknown {
    if (error instanceof ExecutionError) return error;
    if (error instanceof GoError)
      return new ExecutionError(this.tree as Tree, this.at as AnyNode, error.message, error);
    // V8 cannot compile a regular expression either when the stack is full: that is a SyntaxError.
    const isStack = error instanceof Error && error.message.includes('Maximum call stack size exceeded');
    if (!isStack && !(error instanceof RangeError)) return error;
    const reason = isStack
      ? `exceeded maximum template depth (${this.budget.limits.depth})`
      : `value is too large: ${error.message}`;
    return new ExecutionError(this.tree as Tree, this.at as AnyNode, reason, error);
  }

  #write(text: string): void {
    this.budget.step(1);
    this.budget.write(text.length);
    this.#output.write(text);
  }

  #print(node: ActionNode, value: Value): void {
    if (node.pipe.declared.length > 0) return this.budget.step(1);
    this.at = node;
    if (typeof value === 'string') return this.#write(value);
    if (value === undefined) return this.#write('<no value>');
    if (value instanceof Func) this.fail(`can't print ${textOf(node)} of type ${typeOf(value).name}`);
    this.#write(sprint(printable(value)));
  }

  #branch(dot: Value, node: BranchNode): Ending {
    const mark = this.scope.names.length;
    const value = this.pipeline(dot, node.pipe);
    let ending: Ending = 'done';
    if (isTrue(value)) {
      if (node.kind === 'with') {
        const { dotInInterface } = this;
        this.dotInInterface = false;
        ending = this.#list(value, node.list);
        this.dotInInterface = dotInInterface;
      } else ending = this.#list(dot, node.list);
    } else if (node.elseList !== undefined) ending = this.#list(dot, node.elseList);
    this.scope.popTo(mark);
    return ending;
  }

  #range(dot: Value, node: BranchNode): Ending {
    const mark = this.scope.names.length;
    const value = this.pipeline(dot, node.pipe);
    const { dotInInterface } = this;
    const hasRun = this.#iterate(value, node);
    this.dotInInterface = dotInInterface;
    let ending: Ending = 'done';
    if (!hasRun && node.elseList !== undefined) ending = this.#list(dot, node.elseList);
    this.scope.popTo(mark);
    // A break in the else list ends this range, though it stands outside of it; a continue goes on to the outer one.
    return ending === 'break' ? 'done' : ending;
  }

  /** Reports whether there was anything to go through. */
  #iterate(value: Value, node: BranchNode): boolean {
    if (value === undefined || value === null) return false;
    const inInterface = elementType(value).kind === 'interface';
    if (isMap(value)) {
      const entries = sortedKeys(value).map((key) => [key, value.get(key)] as const);
      for (const [key, element] of entries) {
        if (!this.#iteration(node, key, element ?? null, inInterface)) break;
      }
      return entries.length > 0;
    }
    if (isList(value)) {
      for (let index = 0; index < value.length; index++) {
        if (!this.#iteration(node, BigInt(index), value[index], inInterface)) break;
      }
      return value.length > 0;
    }
    if (value instanceof Uint8Array) {
      for (let index = 0; index < value.length; index++) {
        if (!this.#iteration(node, BigInt(index), new Typed(UINT8, BigInt(value[index] as number)), false)) break;
      }
      return value.length > 0;
    }
    return this.#count(value, node);
  }

  /** `range 3`. */
  #count(value: Value, node: BranchNode): boolean {
    const limit = value instanceof Typed ? value.value : value;
    if (typeof limit !== 'bigint') return this.fail(`range can't iterate over ${sprint(printable(value))}`);
    if (node.pipe.declared.length > 1) {
      this.fail(`can't use ${sprint(value)} to iterate over more than one variable`);
    }
    for (let next = 0n; next < limit; next++) {
      const element = value instanceof Typed ? new Typed(value.type, next) : next;
      if (!this.#iteration(node, undefined, element, false)) break;
    }
    return limit > 0n;
  }

  /** One iteration; false when it was the last. */
  #iteration(node: BranchNode, index: Value, element: Value, inInterface: boolean): boolean {
    this.budget.step(1);
    const { declared, isAssignment } = node.pipe;
    const top = this.scope.names.length;
    const first = declared[0]?.path[0];
    if (isAssignment) {
      if (declared.length > 1) {
        this.scope.assign(first as string, index, false);
        this.scope.assign(declared[1]?.path[0] as string, element, inInterface);
      } else this.scope.assign(first as string, element, inInterface);
    } else if (first !== undefined) {
      this.scope.set(top - 1, element, inInterface);
      if (declared.length > 1) this.scope.set(top - 2, index, false);
    }
    this.dotInInterface = inInterface;
    const ending = this.#list(element, node.list);
    this.scope.popTo(top);
    return ending !== 'break';
  }

  #template(dot: Value, node: TemplateNode): void {
    const called = this.templates.lookup(node.name) ?? this.fail(`template ${quote(node.name)} not defined`);
    const data = node.pipe === undefined ? undefined : this.pipeline(dot, node.pipe);
    this.at = node;
    const caller = this.#enter(called);
    this.scope.push('$', data);
    this.#list(data, called.root);
    this.#leave(caller);
  }
}
