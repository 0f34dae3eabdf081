import { RE2JS } from 're2js';

/** Compiled patterns are kept: a schema's pattern is used for every object. Above this many the cache begins anew. */
const MAX_CACHED = 2000;
const compiled = new Map<string, RE2JS | undefined>();

/** A Go (RE2) regular expression; undefined when it does not compile. */
export function compilePattern(pattern: string): RE2JS | undefined {
  if (compiled.has(pattern)) return compiled.get(pattern);
  let out: RE2JS | undefined;
  try {
    out = RE2JS.compile(pattern);
  } catch {
    out = undefined;
  }
  if (compiled.size >= MAX_CACHED) compiled.clear();
  compiled.set(pattern, out);
  return out;
}

/** Whether `pattern` is found anywhere in `text`; a pattern that does not compile matches nothing. */
export function matchesPattern(pattern: string, text: string): boolean {
  return compilePattern(pattern)?.matcher(text).find() ?? false;
}
