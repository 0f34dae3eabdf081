import { BUILTINS } from './builtins.ts';
import type { FuncMap } from './func.ts';
import { isEmptyTree, type Tree } from './node.ts';
import { parseTemplate } from './parse.ts';

/** Templates that can call each other by name. */
export class TemplateSet {
  /** What the set is called in messages. */
  readonly name: string;
  readonly functions: FuncMap;
  readonly #base: TemplateSet | undefined;
  readonly #trees = new Map<string, Tree>();

  constructor(name: string, functions: FuncMap, base?: TemplateSet) {
    this.name = name;
    this.functions = functions;
    this.#base = base;
  }

  /** A set that sees the templates of this one; what is parsed into it stays in it. It may have other functions. */
  overlay(name: string, functions: FuncMap = this.functions): TemplateSet {
    return new TemplateSet(name, functions, this);
  }

  /**
   * Adds the template `name` and those that its text defines; a later one replaces an earlier one, unless it is blank.
   * @throws GoError with Go's message.
   */
  parse(name: string, text: string): void {
    const { functions } = this;
    const trees = parseTemplate(name, text, { has: (called) => functions.has(called) || BUILTINS.has(called) });
    for (const [key, tree] of trees) {
      if (!isEmptyTree(tree.root) || this.lookup(key) === undefined) this.#trees.set(key, tree);
    }
  }

  lookup(name: string): Tree | undefined {
    return this.#trees.get(name) ?? this.#base?.lookup(name);
  }
}
