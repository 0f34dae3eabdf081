import { RE2JS } from 're2js';
import { fail } from './failure.ts';

/** A compiled Go regular expression. */
export interface GoRegexp {
  /** Whether it matches anywhere in `text`. */
  test(text: string): boolean;
}

/** Syntax that means the same in both languages and that JavaScript matches without catastrophic backtracking. */
const SAFE = /^[A-Za-z0-9 _\-/:@=,.|]*$/;
const cache = new Map<string, GoRegexp>();

/** Compiles `pattern` by Go's (RE2's) rules, in linear time. @throws KustomizeFailure with Go's message */
export function goRegexp(pattern: string): GoRegexp {
  const ready = cache.get(pattern);
  if (ready !== undefined) return ready;
  const compiled = compile(pattern);
  if (cache.size > 1000) cache.clear();
  cache.set(pattern, compiled);
  return compiled;
}

function compile(pattern: string): GoRegexp {
  const anchored = /^\^\(\?:(?<inner>.*)\)\$$/s.exec(pattern)?.groups?.['inner'];
  if (SAFE.test(anchored ?? pattern)) return new RegExp(pattern);
  if (anchored === '.*') return { test: (text) => !text.includes('\n') };
  try {
    const compiled = RE2JS.compile(pattern);
    return { test: (text) => compiled.matcher(text).find() };
  } catch (failure) {
    return fail(failure instanceof Error ? failure.message : String(failure));
  }
}
