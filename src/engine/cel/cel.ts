import type { Json } from '../../base/json.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { NO_REFERENCES, type ResolveSchema, type Schema } from '../schema/schema.ts';
import { checkExpr } from './check.ts';
import { type Evaluated, type EvaluateOptions, type EvaluationError, evaluateExpr } from './evaluate.ts';
import { type Expr, parseCel } from './parse.ts';
import type { Libraries } from './signatures.ts';
import { type CelType, DYN, declaredTypeName, sameType } from './types.ts';
import { validateLiterals } from './validate-literals.ts';
import { type CelValue, fromJson } from './values.ts';

/** What an expression may name. `dyn` (import `DYN` from types.ts) for variables without a schema. */
export interface CelEnvironment {
  readonly variables: { readonly [name: string]: CelType };
  /** What the expression must give; another type is an error of compilation. */
  readonly result?: CelType;
  /** Which functions there are; all of them unless said otherwise. */
  readonly libraries?: Libraries;
}

/** An expression that parsed and whose types fit. Keep it: compiling costs far more than evaluating. */
export interface Program {
  readonly text: string;
  readonly expr: Expr;
  readonly type: CelType;
}

/** `message` has cel-go's form: `ERROR: <input>:1:5: undefined field 'zz'\n | self.zz > 1\n | ....^`. */
export interface CelError {
  readonly code: 'syntax' | 'type';
  readonly message: string;
}

/** An environment in which the variables named have no known type: Flux's `self`, `current`, `dep`. */
export function untypedEnvironment(...names: readonly string[]): CelEnvironment {
  return { variables: Object.fromEntries(names.map((name) => [name, DYN])) };
}

/** Parses and checks `text`. */
export function compileCel(text: string, environment: CelEnvironment): Result<Program, CelError> {
  try {
    return compile(text, environment);
  } catch (error) {
    // A chain of operators is as deep as it is long, and may be more than the stack holds.
    if (!(error instanceof RangeError)) throw error;
    return err({ code: 'syntax', message: issue(text, 0, 'expression is nested too deeply') });
  }
}

function compile(text: string, environment: CelEnvironment): Result<Program, CelError> {
  const parsed = parseCel(text);
  if (!parsed.ok) return err({ code: 'syntax', message: issue(text, parsed.error.offset, parsed.error.message) });
  const checked = checkExpr(parsed.value, new Map(Object.entries(environment.variables)), environment.libraries);
  if (checked.problems.length > 0) {
    const message = checked.problems
      .toSorted((a, b) => a.offset - b.offset)
      .map((problem) => issue(text, problem.offset, problem.message))
      .join('\n');
    return err({ code: 'type', message });
  }
  const literals =
    (environment.libraries ?? 'all') !== 'all' ? validateLiterals(parsed.value, (part) => checked.typeOf(part)) : [];
  if (literals.length > 0) {
    const message = literals
      .toSorted((a, b) => a.offset - b.offset)
      .map((problem) => issue(text, problem.offset, problem.message))
      .join('\n');
    return err({ code: 'type', message });
  }
  const wanted = environment.result;
  if (wanted !== undefined && !sameType(checked.type, wanted)) {
    return err({ code: 'type', message: `must evaluate to ${declaredTypeName(wanted)}` });
  }
  return ok({ text, expr: parsed.value, type: checked.type });
}

/** (cel-go@0.26 common/error.go: wide characters get wide marks) */
function issue(text: string, offset: number, message: string): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const skipped = Array.from(before.slice(before.lastIndexOf('\n') + 1));
  const source = (text.split('\n')[line - 1] ?? '').replaceAll('\t', ' ');
  const wide = (character: string | undefined): boolean => (character?.codePointAt(0) ?? 0) > 0x7f;
  const dots = skipped.map((character) => (wide(character) ? '．' : '.')).join('');
  const mark = wide(Array.from(source)[skipped.length]) ? '＾' : '^';
  return `ERROR: <input>:${line}:${skipped.length + 1}: ${message}\n | ${source}\n | ${dots}${mark}`;
}

/**
 * Runs a program. Values that are functions are called when first read (and once). Fails with `cost` when the budget
 * (default 1,000,000, Kubernetes' limit per call) is used up, else with cel-go's words.
 */
export function evaluate(
  program: Program,
  variables: { readonly [name: string]: CelValue | (() => CelValue) },
  options: EvaluateOptions = {},
): Result<Evaluated, EvaluationError> {
  return evaluateExpr(program.expr, new Map(Object.entries(variables)), options);
}

/** A JSON value as a CEL value; with a schema its formats and number types count. */
export function toCel(value: Json, schema?: Schema, resolve: ResolveSchema = NO_REFERENCES): CelValue {
  return fromJson(value, schema, resolve);
}
