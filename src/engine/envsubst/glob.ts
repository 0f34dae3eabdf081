type Step =
  | { readonly kind: 'star' | 'any' }
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

/** Reads a shell pattern (`*`, `?`, `[a-z]`, `\x`); undefined when it is malformed. */
function parsePattern(pattern: string): readonly Step[] | undefined {
  const characters = Array.from(pattern);
  const steps: Step[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string;
    if (character === '*') steps.push({ kind: 'star' });
    else if (character === '?') steps.push({ kind: 'any' });
    else if (character === '\\') {
      const next = characters[++index];
      if (next === undefined) return undefined;
      steps.push({ kind: 'character', character: next });
    } else if (character === '[') {
      const negated = characters[index + 1] === '^';
      if (negated) index++;
      const ranges: [string, string][] = [];
      const bound = (): string | undefined => {
        let found = characters[++index];
        if (found === undefined || found === '-' || found === ']') return undefined;
        if (found === '\\') found = characters[++index];
        return found;
      };
      while (characters[index + 1] !== ']' || ranges.length === 0) {
        const low = bound();
        if (low === undefined) return undefined;
        let high: string | undefined = low;
        if (characters[index + 1] === '-') {
          index++;
          high = bound();
        }
        if (high === undefined || index + 1 >= characters.length) return undefined;
        ranges.push([low, high]);
      }
      index++;
      steps.push({ kind: 'class', negated, ranges });
    } else steps.push({ kind: 'character', character });
  }
  return steps;
}

function matches(step: Step, character: string): boolean {
  switch (step.kind) {
    case 'star':
    case 'any':
      return true;
    case 'character':
      return step.character === character;
    case 'class':
      return (
        step.negated !==
        step.ranges.some(([low, high]) => compare(low, character) <= 0 && compare(character, high) <= 0)
      );
    default:
      return step satisfies never;
  }
}

function compare(a: string, b: string): number {
  return (a.codePointAt(0) as number) - (b.codePointAt(0) as number);
}

/**
 * Length, in characters, of the prefix of `text` that the shell pattern matches whole: the shortest or the longest that is not
 * empty; 0 when none does or the pattern is malformed. `*` matches `/`, too. One pass over `text`, so that a hostile pattern
 * costs at most characters times pattern steps. Rules: fluxcd/pkg@e2cfd1a envsubst/path/match.go.
 */
export function matchingPrefix(text: readonly string[], pattern: string, longest: boolean): number {
  const steps = parsePattern(pattern);
  if (steps === undefined) return 0;
  let found = 0;
  let states = new Set<number>();
  const enter = (set: Set<number>, state: number): void => {
    for (let next = state; !set.has(next); next++) {
      set.add(next);
      if (steps[next]?.kind !== 'star') break;
    }
  };
  enter(states, 0);
  for (const [index, character] of text.entries()) {
    const after = new Set<number>();
    for (const state of states) {
      const step = steps[state];
      if (step === undefined || !matches(step, character)) continue;
      enter(after, step.kind === 'star' ? state : state + 1);
    }
    if (after.has(steps.length)) {
      found = index + 1;
      if (!longest) return found;
    }
    if (after.size === 0) break;
    states = after;
  }
  return found;
}
