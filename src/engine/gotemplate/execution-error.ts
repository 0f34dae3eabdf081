import { byteLength } from './go-string.ts';
import { type AnyNode, type Tree, textOf } from './node.ts';
import { quote } from './quote.ts';
import { GoError } from './value.ts';

/** An error in the execution of a template; the message is Go's, the parts are for those who print it otherwise. */
export class ExecutionError extends GoError {
  override name = 'ExecutionError';
  /** FILE:LINE:COLUMN; the column counts bytes from 0. */
  readonly location: string;
  readonly templateName: string;
  /** The piece of the template, as text. */
  readonly context: string;
  readonly reason: string;

  constructor(tree: Tree, node: AnyNode, reason: string, cause?: unknown) {
    const location = locate(tree, node.position);
    const context = textOf(node);
    super(`template: ${location}: executing ${quote(tree.name)} at <${context}>: ${reason}`, { cause });
    this.location = location;
    this.templateName = tree.name;
    this.context = context;
    this.reason = reason;
  }
}

function locate(tree: Tree, position: number): string {
  const before = tree.text.slice(0, position);
  const start = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++;
  return `${tree.parseName}:${line}:${byteLength(before.slice(start))}`;
}
