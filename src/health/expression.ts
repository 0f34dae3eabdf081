import type { Json, JsonObject } from '../base/json.ts';
import { field } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { compileCel, evaluate, type Program, toCel, untypedEnvironment } from '../engine/cel/cel.ts';
import { BOOL, printType, sameType } from '../engine/cel/types.ts';
import type { CelValue } from '../engine/cel/values.ts';

/** A CEL expression over JSON values that says yes or no. Errors are worded as fluxcd/pkg runtime/cel does. */
export interface Expression {
  evaluate(variables: JsonObject): Result<boolean, string>;
}

/** Names an expression may use that nobody declared; more than this is no expression anybody wrote. */
const MAX_NAMES = 64;

/**
 * Compiles an expression over `variables` that is known to give a boolean. Source: fluxcd/pkg@e2cfd1a runtime/cel/expression.go,
 * WithCompile, WithOutputType.
 */
export function compileExpression(text: string, variables: readonly string[]): Result<Expression, string> {
  const compiled = compileCel(text, untypedEnvironment(...variables));
  if (!compiled.ok) return refused(text, compiled.error.message);
  const { type } = compiled.value;
  if (!sameType(type, BOOL)) return err(`CEL expression output type mismatch: expected bool, got ${printType(type)}`);
  return ok({ evaluate: (values) => run(text, compiled.value, variables, values) });
}

/**
 * Parses an expression over whatever it names. Its types are not checked: what is wrong with them, or a function that does not
 * exist, is an error of its evaluation. Source: fluxcd/pkg@e2cfd1a runtime/cel/expression.go.
 */
export function parseExpression(text: string): Result<Expression, string> {
  const names = new Set<string>();
  for (;;) {
    const compiled = compileCel(text, untypedEnvironment(...names));
    if (compiled.ok) return ok({ evaluate: (values) => run(text, compiled.value, [...names], values) });
    const { code, message } = compiled.error;
    if (code === 'syntax') return refused(text, message);
    const missing = [...message.matchAll(/undeclared reference to '([A-Za-z_][A-Za-z0-9_]*)'/g)];
    const known = names.size;
    for (const [, name = ''] of missing) names.add(name);
    if (names.size === known || names.size > MAX_NAMES) {
      return ok({ evaluate: () => err(`failed to evaluate the CEL expression '${text}': ${message}`) });
    }
  }
}

function refused(text: string, message: string): Result<never, string> {
  return err(`failed to parse the CEL expression '${text}': ${message}`);
}

function run(text: string, program: Program, names: readonly string[], values: JsonObject): Result<boolean, string> {
  const variables: { [name: string]: () => CelValue } = {};
  for (const name of names) {
    const value = field(values, name);
    if (value !== undefined) variables[name] = () => toCel(value as Json);
  }
  const result = evaluate(program, variables);
  if (!result.ok) return err(`failed to evaluate the CEL expression '${text}': ${result.error.message}`);
  const { value } = result.value;
  return typeof value === 'boolean' ? ok(value) : err(`failed to evaluate CEL expression as boolean: '${text}'`);
}
