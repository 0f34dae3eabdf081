import { compileCel, evaluate } from '../../engine/cel/cel.ts';
import type { Expr } from '../../engine/cel/parse.ts';
import { DYN, declaredTypeName } from '../../engine/cel/types.ts';
import { partsOf } from '../../engine/cel/validate-literals.ts';
import type { Cause } from '../apiserver/status.ts';
import { invalidValue } from '../apiserver/status.ts';
import { admissionEnvironment, type Declared } from './admission-environment.ts';

/** What compiling an expression says wrong. Source: kubernetes@1.34 apiserver/pkg/admission/plugin/cel/compile.go. */
export function compileExpression(
  expression: string,
  path: string,
  results: readonly string[],
  declared: Declared,
  shown: string = expression,
): readonly Cause[] {
  const compiled = compileCel(expression, admissionEnvironment(declared));
  if (!compiled.ok) return [invalidValue(path, shown, `compilation failed: ${compiled.error.message}`)];
  const type = declaredTypeName(compiled.value.type);
  const failed = failedConversion(compiled.value.expr);
  if (results.length === 0 || results.includes(type))
    return failed === undefined
      ? []
      : [
          {
            reason: 'InternalError',
            field: path,
            message: `Internal error: program instantiation failed: ${failed}`,
          },
        ];
  const wanted = results.length === 1 ? results[0] : `one of [${results.join(' ')}]`;
  return [invalidValue(path, shown, `must evaluate to ${wanted} but got ${type}`)];
}

const CONVERSIONS = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint']);

/** A conversion of a literal is made when a program is made, and may fail there. (cel-go@0.26 interpreter/decorators.go) */
function failedConversion(expr: Expr): string | undefined {
  if (expr.kind === 'call' && expr.target === undefined && CONVERSIONS.has(expr.name)) {
    const [argument] = expr.args;
    const negative = argument?.kind === 'call' && argument.name === '-_';
    if (argument?.kind === 'literal' || argument?.kind === 'uint' || argument?.kind === 'bytes' || negative) {
      const result = evaluate({ text: '', expr, type: DYN }, {});
      if (!result.ok) return result.error.message;
    }
  }
  for (const part of partsOf(expr)) {
    const failed = failedConversion(part);
    if (failed !== undefined) return failed;
  }
  return undefined;
}
