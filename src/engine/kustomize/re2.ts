import { RE2JS } from 're2js';
import { fail } from './failure.ts';
import type { GoRegexp } from './go-regexp.ts';

/** Compiles `pattern` with RE2, in linear time. @throws KustomizeFailure with Go's message */
export function compileRe2(pattern: string): GoRegexp {
  try {
    const compiled = RE2JS.compile(pattern);
    return { test: (text) => compiled.matcher(text).find() };
  } catch (failure) {
    return fail(failure instanceof Error ? failure.message : String(failure));
  }
}
