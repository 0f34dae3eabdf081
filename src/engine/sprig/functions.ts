import type { Func } from '../gotemplate/func.ts';
import type { TemplateHost } from './host.ts';

/**
 * The functions of Helm's templates beside Go's builtins, by name. `include`, `tpl`, `required`, `fail` and `lookup` are not
 * among them: they need the renderer. Make a new map for each rendering: it counts what is expensive (see `limits.ts`).
 * Source: helm@4.1.4 pkg/engine/funcs.go, sprig@3.3.0 functions.go.
 */
export function templateFunctions(_host: TemplateHost): Map<string, Func> {
  return new Map();
}
