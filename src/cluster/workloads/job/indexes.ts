/** More completions than this an Indexed Job cannot ask for: bounds what a status text can make us unfold. */
const MAX_INDEX = 100_000;

/** The numbers of a text such as `1,3-5`; text beyond the limits is left out. */
export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const first = Number(match[1]);
    const last = Math.min(Number(match[2] ?? match[1]), MAX_INDEX);
    for (let index = first; index <= last; index++) indexes.add(index);
  }
  return indexes;
}

/** Sorted numbers in the short form that `completedIndexes` has: two neighbours as `1,2`, longer runs as `1-3`. */
export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const [first, last] = [sorted[start], sorted[end]];
    parts.push(end === start ? `${first}` : end === start + 1 ? `${first},${last}` : `${first}-${last}`);
    start = end + 1;
  }
  return parts.join(',');
}
