import { stringAt } from '../../base/json.ts';
import { compileExpression } from '../../health/expression.ts';
import type { ReadyExpression } from './dependencies.ts';

/** Evaluates `readyExpr` in CEL. Source: kustomize-controller@1.9 evalReadyExpr. */
export const evaluateReady: ReadyExpression = (text, self, dep) => {
  const compiled = compileExpression(text, ['self', 'dep']);
  if (!compiled.ok) {
    const name = stringAt(dep, 'metadata', 'name') ?? '';
    return { terminal: true, message: `failed to evaluate dependency ${name}: ${compiled.error}` };
  }
  const result = compiled.value.evaluate({ self, dep });
  return result.ok ? result.value : { terminal: false, message: result.error };
};
