import { RE2JS } from 're2js';

/** Longest pattern that is compiled; patterns are written by hand. */
const MAX_PATTERN = 4096;

/**
 * The patterns of `.Files.Glob`: `*` and `?` stop at a slash, `**` does not; `[abc]`, `[!a-z]` (one range, or a list), `{a,b}`.
 * A pattern that cannot be read matches every file, as in Helm; a brace that is not closed ends with the pattern, and one with nothing in
 * it matches nothing.
 * Source: helm@4.1.4 pkg/engine/files.go, gobwas/glob@0.2.3 syntax/lexer.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  if (/\{,*(?:\}|$)/.test(pattern.replace(/\\./gs, ''))) return () => false;
  const expression = pattern.length > MAX_PATTERN ? undefined : toExpression(Array.from(pattern));
  if (expression === undefined) return () => true;
  const compiled = RE2JS.compile(`(?s)^(?:${expression})$`);
  return (name) => compiled.matcher(name).find();
}

function toExpression(runes: readonly string[]): string | undefined {
  let out = '';
  let open = 0;
  for (let at = 0; at < runes.length; at++) {
    const rune = runes[at] as string;
    if (rune === '*') {
      const any = runes[at + 1] === '*';
      if (any) at++;
      out += any ? '.*' : '[^/]*';
    } else if (rune === '?') out += '[^/]';
    else if (rune === '[') {
      const read = readClass(runes, at + 1);
      if (read === undefined) return undefined;
      out += read.expression;
      at = read.end;
    } else if (rune === '{') {
      out += '(?:';
      open++;
    } else if (rune === '}' && open > 0) {
      out += ')';
      open--;
    } else if (rune === ',' && open > 0) out += '|';
    else if (rune === '\\') {
      at++;
      if (at < runes.length) out += RE2JS.quote(runes[at] as string);
    } else out += RE2JS.quote(rune);
  }
  return out + ')'.repeat(open);
}

/** A class after its `[`: one range, or a list of characters. */
function readClass(
  runes: readonly string[],
  start: number,
): { readonly expression: string; readonly end: number } | undefined {
  let at = start;
  const negated = runes[at] === '!';
  if (negated) at++;
  const members: string[] = [];
  if (runes[at + 1] === '-') {
    const [low = '', high = '', close] = [runes[at], runes[at + 2], runes[at + 3]];
    if (high === '' || close !== ']' || high < low) return undefined;
    return { expression: `[${negated ? '^' : ''}${literal(low)}-${literal(high)}]`, end: at + 3 };
  }
  for (; at < runes.length && runes[at] !== ']'; at++) {
    if (runes[at] === '\\') at++;
    if (at < runes.length) members.push(literal(runes[at] as string));
  }
  if (at >= runes.length || members.length === 0) return undefined;
  return { expression: `[${negated ? '^' : ''}${members.join('')}]`, end: at };
}

function literal(rune: string): string {
  return `\\x{${(rune.codePointAt(0) as number).toString(16)}}`;
}
