/** Unified diffs as Go's difflib makes them (pmezard/go-difflib 1.0), which is Python's difflib: the server quotes them in messages. */

interface Match {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

interface Step {
  readonly tag: 'equal' | 'replace' | 'delete' | 'insert';
  readonly a: readonly [from: number, to: number];
  readonly b: readonly [from: number, to: number];
}

/** Lines in common around a change. */
const CONTEXT = 3;

/** The diff of two texts, hunk by hunk, without file names; '' when they are the same. */
export function unifiedDiff(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')];
  let out = '';
  for (const group of grouped(steps(a, b))) {
    const [first, last] = [group[0] as Step, group.at(-1) as Step];
    out += `@@ -${range(first.a[0], last.a[1])} +${range(first.b[0], last.b[1])} @@\n`;
    for (const { tag, a: own, b: other } of group) {
      if (tag === 'equal') for (const line of a.slice(...own)) out += ` ${line}\n`;
      else {
        for (const line of a.slice(...own)) out += `-${line}\n`;
        for (const line of b.slice(...other)) out += `+${line}\n`;
      }
    }
  }
  return out;
}

function range(start: number, stop: number): string {
  const length = stop - start;
  if (length === 1) return String(start + 1);
  return `${length === 0 ? start : start + 1},${length}`;
}

function steps(a: readonly string[], b: readonly string[]): readonly Step[] {
  const out: Step[] = [];
  let [i, j] = [0, 0];
  for (const { a: ai, b: bj, size } of matches(a, b)) {
    if (i < ai || j < bj) {
      const tag = i < ai && j < bj ? 'replace' : i < ai ? 'delete' : 'insert';
      out.push({ tag, a: [i, ai], b: [j, bj] });
    }
    [i, j] = [ai + size, bj + size];
    if (size > 0) out.push({ tag: 'equal', a: [ai, i], b: [bj, j] });
  }
  return out;
}

/** Matching runs in order, neighbours joined, with an empty one at the end. */
function matches(a: readonly string[], b: readonly string[]): readonly Match[] {
  const places = indexOf(b);
  const found: Match[] = [];
  const todo: (readonly [number, number, number, number])[] = [[0, a.length, 0, b.length]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [alo, ahi, blo, bhi] = next;
    const best = longest(a, b, places, alo, ahi, blo, bhi);
    if (best.size === 0) continue;
    found.push(best);
    if (alo < best.a && blo < best.b) todo.push([alo, best.a, blo, best.b]);
    if (best.a + best.size < ahi && best.b + best.size < bhi)
      todo.push([best.a + best.size, ahi, best.b + best.size, bhi]);
  }
  found.sort((x, y) => x.a - y.a || x.b - y.b);
  const joined: Match[] = [];
  for (const match of found) {
    const last = joined.at(-1);
    if (last !== undefined && last.a + last.size === match.a && last.b + last.size === match.b)
      joined[joined.length - 1] = { ...last, size: last.size + match.size };
    else joined.push(match);
  }
  return [...joined, { a: a.length, b: b.length, size: 0 }];
}

/** Where each line of `b` stands; of long texts without the lines that come all the time. */
function indexOf(b: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  b.forEach((line, index) => {
    const known = places.get(line);
    if (known === undefined) places.set(line, [index]);
    else known.push(index);
  });
  if (b.length >= 200) {
    const most = Math.floor(b.length / 100) + 1;
    for (const [line, list] of places) if (list.length > most) places.delete(line);
  }
  return places;
}

function longest(
  a: readonly string[],
  b: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  alo: number,
  ahi: number,
  blo: number,
  bhi: number,
): Match {
  let [bestA, bestB, size] = [alo, blo, 0];
  let lengths = new Map<number, number>();
  for (let i = alo; i < ahi; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i] as string) ?? []) {
      if (j < blo) continue;
      if (j >= bhi) break;
      const length = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, length);
      if (length > size) [bestA, bestB, size] = [i - length + 1, j - length + 1, length];
    }
    lengths = next;
  }
  // Lines that come all the time were left out above; a run goes on over them.
  while (bestA > alo && bestB > blo && a[bestA - 1] === b[bestB - 1])
    [bestA, bestB, size] = [bestA - 1, bestB - 1, size + 1];
  while (bestA + size < ahi && bestB + size < bhi && a[bestA + size] === b[bestB + size]) size++;
  return { a: bestA, b: bestB, size };
}

function grouped(all: readonly Step[]): readonly (readonly Step[])[] {
  const own = all.length === 0 ? [] : [...all];
  const first = own[0];
  if (first?.tag === 'equal')
    own[0] = {
      tag: 'equal',
      a: [Math.max(first.a[0], first.a[1] - CONTEXT), first.a[1]],
      b: [Math.max(first.b[0], first.b[1] - CONTEXT), first.b[1]],
    };
  const last = own.at(-1);
  if (last?.tag === 'equal')
    own[own.length - 1] = {
      tag: 'equal',
      a: [last.a[0], Math.min(last.a[1], last.a[0] + CONTEXT)],
      b: [last.b[0], Math.min(last.b[1], last.b[0] + CONTEXT)],
    };
  const groups: Step[][] = [];
  let group: Step[] = [];
  for (const step of own) {
    let { a, b } = step;
    if (step.tag === 'equal' && a[1] - a[0] > 2 * CONTEXT) {
      group.push({
        tag: 'equal',
        a: [a[0], Math.min(a[1], a[0] + CONTEXT)],
        b: [b[0], Math.min(b[1], b[0] + CONTEXT)],
      });
      groups.push(group);
      group = [];
      a = [Math.max(a[0], a[1] - CONTEXT), a[1]];
      b = [Math.max(b[0], b[1] - CONTEXT), b[1]];
    }
    group.push({ tag: step.tag, a, b });
  }
  if (group.length > 0 && !(group.length === 1 && (group[0] as Step).tag === 'equal')) groups.push(group);
  return groups;
}
