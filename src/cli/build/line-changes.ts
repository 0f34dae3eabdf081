/** A run of lines that both texts share, or that one of them has alone. */
export interface LineRun {
  readonly kind: 'same' | 'removed' | 'added';
  readonly lines: readonly string[];
}

/** Lines times lines that are compared; texts beyond that differ as a whole. */
const MAX_CELLS = 4_000_000;

/** The shortest way from one text to the other, line by line. */
export function changedLines(before: string, after: string): readonly LineRun[] {
  const old = linesOf(before);
  const now = linesOf(after);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < now.length - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  )
    tail++;
  const middle = longestCommon(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  return merged([
    { kind: 'same', lines: old.slice(0, head) },
    ...middle,
    { kind: 'same', lines: old.slice(old.length - tail) },
  ]);
}

/** Lines with their ends; the last one may have none. */
function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function longestCommon(old: readonly string[], now: readonly string[]): readonly LineRun[] {
  const whole: readonly LineRun[] = [
    { kind: 'removed', lines: old },
    { kind: 'added', lines: now },
  ];
  if (old.length === 0 || now.length === 0 || old.length * now.length > MAX_CELLS) return whole;
  const width = now.length + 1;
  // lengths[i * width + j]: of the longest common subsequence of what follows line i of one and line j of the other.
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] as number;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      lengths[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const runs: LineRun[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      runs.push({ kind: 'same', lines: [old[i] as string] });
      i++;
      j++;
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      runs.push({ kind: 'removed', lines: [old[i++] as string] });
    } else runs.push({ kind: 'added', lines: [now[j++] as string] });
  }
  return runs;
}

/** Neighbours of one kind as one run; between two shared runs what was removed stands before what was added. */
function merged(runs: readonly LineRun[]): readonly LineRun[] {
  const result: LineRun[] = [];
  let removed: string[] = [];
  let added: string[] = [];
  const flush = (): void => {
    if (removed.length > 0) result.push({ kind: 'removed', lines: removed });
    if (added.length > 0) result.push({ kind: 'added', lines: added });
    removed = [];
    added = [];
  };
  for (const { kind, lines } of runs) {
    if (lines.length === 0) continue;
    if (kind === 'removed') removed.push(...lines);
    else if (kind === 'added') added.push(...lines);
    else {
      const last = result.at(-1);
      if (removed.length === 0 && added.length === 0 && last?.kind === 'same') {
        result[result.length - 1] = { kind, lines: [...last.lines, ...lines] };
      } else {
        flush();
        result.push({ kind, lines });
      }
    }
  }
  flush();
  return result;
}
