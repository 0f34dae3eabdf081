import type { NumberConstant } from './number.ts';
import { quote } from './quote.ts';

/*
 * The parse tree. A node's text (textOf) is what Go prints of it in error messages. (go@1.26 text/template/parse/node.go)
 */

/** A named template: its nodes, and the text that they came from. */
export interface Tree {
  readonly name: string;
  /** Name of the file or template whose text it was parsed from. */
  readonly parseName: string;
  readonly text: string;
  readonly root: ListNode;
}

interface Positioned {
  /** Index in the text of the tree. */
  readonly position: number;
}

export interface ListNode extends Positioned {
  readonly kind: 'list';
  readonly nodes: readonly Node[];
}
export interface TextNode extends Positioned {
  readonly kind: 'text';
  readonly text: string;
}
export interface ActionNode extends Positioned {
  readonly kind: 'action';
  readonly pipe: PipeNode;
}
export interface BranchNode extends Positioned {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly elseList: ListNode | undefined;
}
export interface TemplateNode extends Positioned {
  readonly kind: 'template';
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}
export interface JumpNode extends Positioned {
  readonly kind: 'break' | 'continue';
}
export interface PipeNode extends Positioned {
  readonly kind: 'pipe';
  readonly isAssignment: boolean;
  readonly declared: readonly VariableNode[];
  readonly commands: readonly CommandNode[];
}
export interface CommandNode extends Positioned {
  readonly kind: 'command';
  readonly args: readonly Operand[];
}
export interface IdentifierNode extends Positioned {
  readonly kind: 'identifier';
  readonly name: string;
}
export interface VariableNode extends Positioned {
  readonly kind: 'variable';
  /** The name with its `$`, then fields. */
  readonly path: readonly string[];
}
export interface FieldNode extends Positioned {
  readonly kind: 'field';
  readonly path: readonly string[];
}
export interface ChainNode extends Positioned {
  readonly kind: 'chain';
  readonly of: Operand;
  readonly path: readonly string[];
}
export interface PlainNode extends Positioned {
  readonly kind: 'dot' | 'nil';
}
export interface BoolNode extends Positioned {
  readonly kind: 'bool';
  readonly value: boolean;
}
export interface NumberNode extends Positioned {
  readonly kind: 'number';
  readonly text: string;
  readonly value: NumberConstant;
}
export interface StringNode extends Positioned {
  readonly kind: 'string';
  readonly quoted: string;
  readonly text: string;
}

export type Operand =
  | PipeNode
  | IdentifierNode
  | VariableNode
  | FieldNode
  | ChainNode
  | PlainNode
  | BoolNode
  | NumberNode
  | StringNode;
export type Node = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode;
export type AnyNode = Node | Operand | CommandNode | ListNode;

/** The node as template text. */
export function textOf(node: AnyNode): string {
  switch (node.kind) {
    case 'list':
      return node.nodes.map(textOf).join('');
    case 'text':
      return node.text;
    case 'action':
      return `{{${textOf(node.pipe)}}}`;
    case 'if':
    case 'with':
    case 'range': {
      const otherwise = node.elseList === undefined ? '' : `{{else}}${textOf(node.elseList)}`;
      return `{{${node.kind} ${textOf(node.pipe)}}}${textOf(node.list)}${otherwise}{{end}}`;
    }
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe === undefined ? '' : ` ${textOf(node.pipe)}`}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'pipe': {
      const names = node.declared.map(textOf).join(', ');
      const declared = names === '' ? '' : `${names} ${node.isAssignment ? '=' : ':='} `;
      return declared + node.commands.map(textOf).join(' | ');
    }
    case 'command':
      return node.args.map(operandText).join(' ');
    case 'identifier':
      return node.name;
    case 'variable':
      return node.path.join('.');
    case 'field':
      return node.path.map((name) => `.${name}`).join('');
    case 'chain':
      return operandText(node.of) + node.path.map((name) => `.${name}`).join('');
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
      return node.text;
    case 'string':
      return node.quoted;
  }
}

function operandText(node: Operand): string {
  return node.kind === 'pipe' ? `(${textOf(node)})` : textOf(node);
}

// The white space of Go's bytes.TrimSpace.
const BLANK = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/;

/** Reports whether the template holds nothing but white space; such a one replaces no other. */
export function isEmptyTree(root: ListNode): boolean {
  return root.nodes.every((node) => node.kind === 'text' && BLANK.test(node.text));
}
