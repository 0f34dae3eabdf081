import type { Json, JsonObject } from '../base/json.ts';
import { field } from '../base/json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { compileCel, evaluate, type Program, toCel, untypedEnvironment } from '../engine/cel/cel.ts';
import type { CelValue } from '../engine/cel/values.ts';

/** A CEL expression over JSON values that says yes or no. Errors are worded as fluxcd/pkg runtime/cel does. */
export interface Expression {
  evaluate(variables: JsonObject): Result<boolean, string>;
}

/** Names an expression may use that nobody declared; more than this is no expression anybody wrote. */
const MAX_NAMES = 64;

/** Compiles an expression; names that are not among `variables` are allowed and looked up when it runs. */
export function compileExpression(text: string, variables: readonly string[] = []): Result<Expression, string> {
  const names = new Set(variables);
  for (;;) {
    const compiled = compileCel(text, untypedEnvironment(...names));
    if (compiled.ok) return ok({ evaluate: (values) => run(text, compiled.value, [...names], values) });
    const missing = [...compiled.error.message.matchAll(/undeclared reference to '([A-Za-z_][A-Za-z0-9_]*)'/g)];
    const known = names.size;
    for (const [, name = ''] of missing) names.add(name);
    if (compiled.error.code === 'syntax' || names.size === known || names.size > MAX_NAMES) {
      return err(`failed to parse the CEL expression '${text}': ${compiled.error.message}`);
    }
  }
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
