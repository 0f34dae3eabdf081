import { Pending } from './failure.ts';

/** A compiled Go regular expression. */
export interface GoRegexp {
  /** Whether it matches anywhere in `text`. */
  test(text: string): boolean;
}

/** Syntax that means the same in both languages and that JavaScript matches without catastrophic backtracking. */
const SAFE = /^[A-Za-z0-9 _\-/:@=,.|]*$/;
let engine: ((pattern: string) => GoRegexp) | undefined;

/** Gives the engine for what is more than literal text: RE2, which is large and so is loaded by those who need it. */
export function useRegexps(compile: (pattern: string) => GoRegexp): void {
  engine = compile;
}

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
  if (engine === undefined) throw new Pending('regexp', `the regular expression ${pattern} needs RE2`);
  return engine(pattern);
}
