import type { Json } from '../../base/json.ts';
import { isArray, isObject } from '../../base/json.ts';
import { quoted } from '../yaml/go-syntax.ts';
import { numberText } from '../yaml/print.ts';

/** One thing that a schema objects to, and what it follows from. */
export interface Issue {
  /** Steps from the root of the value. */
  readonly at: readonly string[];
  readonly text: string;
  readonly causes: readonly Issue[];
  /** Stands for several causes at one place, or for what a reference led to: not printed by itself. */
  readonly silent?: 'group' | 'reference';
}

/** An issue that stands for itself. */
export function issue(at: readonly string[], text: string, causes: readonly Issue[] = []): Issue {
  return { at, text, causes };
}

/** The issues as lines `- at '/a/b': what`, causes indented. Source: santhosh-tekuri/jsonschema@6.0.2 output.go. */
export function printIssues(issues: readonly Issue[]): string {
  return issues.map((issue) => printIssue(issue, 0)).join('\n');
}

function printIssue(issue: Issue, indent: number): string {
  const causes = (depth: number): string[] => issue.causes.map((cause) => printIssue(cause, depth));
  if (issue.silent === 'reference' && issue.causes.length === 1) return causes(indent).join('\n');
  const line = `${'  '.repeat(indent)}- at ${quote(pointer(issue.at))}: ${issue.text}`;
  return [line, ...causes(indent + 1)].join('\n');
}

export function pointer(steps: readonly string[]): string {
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** In single quotes, escaped as Go does. */
export function quote(text: string): string {
  return `'${quoted(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

export function quoteAll(texts: readonly string[]): string {
  return texts.map(quote).join(', ');
}

/** A scalar as messages show it. */
export function shown(value: Json): string {
  if (typeof value === 'string') return quote(value);
  if (isArray(value) || isObject(value)) return 'value';
  if (value === null) return '<nil>';
  return typeof value === 'boolean' ? String(value) : numberText(value);
}

/** A number with its digits in groups of three, as Go's English printer writes it. */
export function grouped(value: number | bigint): string {
  const text = numberText(value);
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = ''] = match;
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, ',')}${fraction}`;
}
