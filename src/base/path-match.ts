/**
 * Go's filepath.Match: `*` and `?` stop at a slash. Linear: a `*` is retried only from the last one on.
 * Source: go@1.26 path/filepath/match.go.
 */
export function matchPath(pattern: string, name: string): boolean | 'bad pattern' {
  const { items, suffix, isName } = parseGlob(pattern);
  if (isName) return name === suffix;
  // A pattern that ends in plain characters is not bad: almost every name is told apart by them.
  if (!name.endsWith(suffix)) return false;
  // Go's runes are code points.
  const characters = Array.from(name);
  let item = 0;
  let character = 0;
  let star = -1;
  let starCharacter = 0;
  while (character < characters.length) {
    const current = items.at(item);
    if (item < items.length && current === 'star') {
      star = item++;
      starCharacter = character;
    } else if (item < items.length && current === 'bad') return 'bad pattern';
    else if (item < items.length && typeof current === 'function' && current(characters[character] as string)) {
      item++;
      character++;
    } else if (star >= 0 && characters[starCharacter] !== '/') {
      item = star + 1;
      character = ++starCharacter;
    } else return items.includes('bad') ? 'bad pattern' : false;
  }
  while (items[item] === 'star') item++;
  if (items.slice(item).includes('bad')) return 'bad pattern';
  return item === items.length;
}

type GlobItem = 'star' | 'bad' | ((character: string) => boolean);
interface Glob {
  readonly items: readonly GlobItem[];
  /** The plain characters at the end. */
  readonly suffix: string;
  /** Whether there is nothing but plain characters. */
  readonly isName: boolean;
}
const parsedGlobs = new Map<string, Glob>();
const MAX_PARSED_GLOBS = 1000;

function parseGlob(pattern: string): Glob {
  const known = parsedGlobs.get(pattern);
  if (known !== undefined) return known;
  const items: GlobItem[] = [];
  let suffix = '';
  let plain = 0;
  const literal = (wanted: string): void => {
    suffix = plain === items.length ? suffix + wanted : wanted;
    items.push((character) => character === wanted);
    plain = items.length;
  };
  const text = Array.from(pattern);
  let at = 0;
  while (at < text.length) {
    const character = text[at++] as string;
    if (character === '*') items.push('star');
    else if (character === '?') items.push((found) => found !== '/');
    else if (character === '[') at = parseClass(text, at, items);
    else if (character !== '\\') literal(character);
    else if (at < text.length) literal(text[at++] as string);
    else items.push('bad');
  }
  if (parsedGlobs.size >= MAX_PARSED_GLOBS) parsedGlobs.clear();
  if (plain !== items.length) suffix = '';
  const glob = { items, suffix, isName: suffix.length === pattern.length };
  parsedGlobs.set(pattern, glob);
  return glob;
}

/** Reads `[^a-z]` after its bracket; returns where the pattern goes on. */
function parseClass(text: readonly string[], start: number, items: GlobItem[]): number {
  let at = start;
  const negated = text[at] === '^';
  if (negated) at++;
  const ranges: (readonly [number, number])[] = [];
  const bound = (): number | undefined => {
    let character = text[at];
    if (character === undefined || character === '-' || character === ']') return undefined;
    at++;
    if (character === '\\') character = text[at++];
    return at < text.length ? character?.codePointAt(0) : undefined;
  };
  for (;;) {
    if (text[at] === ']' && ranges.length > 0) {
      at++;
      break;
    }
    const low = bound();
    let high = low;
    if (low !== undefined && text[at] === '-') {
      at++;
      high = bound();
    }
    if (low === undefined || high === undefined) {
      items.push('bad');
      return text.length;
    }
    ranges.push([low, high]);
  }
  items.push((character) => {
    const code = character.codePointAt(0) as number;
    return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
  });
  return at;
}
