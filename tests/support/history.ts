/** What a client asked for and was told. Every written value is unique. Times are of one clock. */
export interface Operation {
  readonly kind: 'create' | 'update' | 'delete' | 'get';
  readonly key: string;
  readonly startMs: number;
  /** Infinity when no answer came: it may have happened, at any time. */
  readonly endMs: number;
  /** What a create or an update writes. */
  readonly value?: string;
  /** The version that an update or a delete asks to be the current one. */
  readonly expected?: number;
  readonly outcome:
    | { readonly kind: 'written'; readonly version: number | undefined }
    | { readonly kind: 'read'; readonly version: number; readonly value: string }
    | { readonly kind: 'absent' }
    | { readonly kind: 'refused' }
    | { readonly kind: 'unknown' };
}

/** What a watcher was told. */
export interface Seen {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly version: number;
  readonly key: string;
  readonly value: string;
}

/** One version of an object, and the operation that made it. */
interface Step {
  readonly seen: Seen;
  readonly by: Operation;
  /** The version before it; undefined when there was no object. */
  readonly previous: Seen | undefined;
}

/**
 * Checks a history against a linearizable store with one counter of versions; returns what is wrong with it, and nothing when it is right.
 * The order of writes is the order of their versions, so that no search is needed: real time must agree with it, every answer must be
 * one that some moment between question and answer allowed, and nothing may be there that nobody asked for.
 */
export function checkHistory(operations: readonly Operation[], events: readonly Seen[]): readonly string[] {
  const faults: string[] = [];
  const steps = stepsOf(operations, events, faults);
  const byKey = new Map<string, Step[]>();
  let latestStart = Number.NEGATIVE_INFINITY;
  for (const step of steps) {
    const { key, version } = step.seen;
    byKey.set(key, [...(byKey.get(key) ?? []), step]);
    if (step.by.endMs < latestStart)
      faults.push(`${key}@${version}: was acknowledged before an earlier version was asked for`);
    latestStart = Math.max(latestStart, step.by.startMs);
  }
  for (const operation of operations) {
    const fault = checkAnswer(operation, byKey.get(operation.key) ?? []);
    if (fault !== undefined) faults.push(`${operation.key}: ${fault}`);
  }
  return faults;
}

function stepsOf(operations: readonly Operation[], events: readonly Seen[], faults: string[]): readonly Step[] {
  const writers = new Map(operations.flatMap((one) => (one.value === undefined ? [] : [[one.value, one] as const])));
  const current = new Map<string, Seen>();
  const steps: Step[] = [];
  const written = new Set<string>();
  for (const seen of events) {
    const { type, key, version, value } = seen;
    const previous = current.get(key);
    if ((previous === undefined) !== (type === 'ADDED')) faults.push(`${key}@${version}: ${type} does not follow`);
    const by = type === 'DELETED' ? deleterOf(operations, key, previous?.version) : writers.get(value);
    if (by === undefined || by.key !== key) faults.push(`${key}@${version}: nobody asked for this ${type}`);
    else {
      const { outcome, expected } = by;
      if (outcome.kind === 'refused' || outcome.kind === 'absent')
        faults.push(`${key}@${version}: was refused, and done`);
      if (outcome.kind === 'written' && outcome.version !== undefined && outcome.version !== version)
        faults.push(`${key}@${version}: was acknowledged as ${outcome.version}`);
      if (by.kind !== 'create' && expected !== previous?.version)
        faults.push(`${key}@${version}: replaced ${previous?.version}, and was to replace ${expected}`);
      if (type !== 'DELETED' && written.has(value)) faults.push(`${key}@${version}: ${value} was written twice`);
      written.add(value);
      steps.push({ seen, by, previous });
    }
    if (type === 'DELETED') current.delete(key);
    else current.set(key, seen);
  }
  return steps;
}

/** Several may have tried; one that was told so has precedence. */
function deleterOf(operations: readonly Operation[], key: string, version: number | undefined): Operation | undefined {
  const tried = operations.filter((one) => one.kind === 'delete' && one.key === key && one.expected === version);
  return (
    tried.find(({ outcome }) => outcome.kind === 'written') ?? tried.find(({ outcome }) => outcome.kind === 'unknown')
  );
}

function checkAnswer(operation: Operation, steps: readonly Step[]): string | undefined {
  const { kind, outcome, startMs, endMs, expected } = operation;
  switch (outcome.kind) {
    case 'unknown':
      return undefined;
    case 'written':
      return steps.some(({ by }) => by === operation) ? undefined : `an acknowledged ${kind} is lost`;
    case 'read': {
      const index = steps.findIndex(({ seen }) => seen.version === outcome.version && seen.type !== 'DELETED');
      const step = steps[index];
      if (step === undefined || step.seen.value !== outcome.value)
        return `${outcome.version} was read, and never written`;
      if (step.by.startMs > endMs) return `${outcome.version} was read before it was asked for`;
      const stale = steps.slice(index + 1).find(({ by }) => by.endMs < startMs);
      return stale === undefined
        ? undefined
        : `${outcome.version} was read after ${stale.seen.version} was acknowledged`;
    }
    case 'absent':
      return couldBe(steps, startMs, endMs, (step) => step === undefined || step.seen.type === 'DELETED')
        ? undefined
        : `a ${kind} found nothing while there was an object`;
    case 'refused':
      return couldBe(
        steps,
        startMs,
        endMs,
        (step) => step !== undefined && step.seen.type !== 'DELETED' && step.seen.version !== expected,
      )
        ? undefined
        : `a ${kind} was refused that nothing stood against`;
  }
}

/** Whether the key may have been in such a state at a moment between the two times; undefined stands for the beginning. */
function couldBe(
  steps: readonly Step[],
  startMs: number,
  endMs: number,
  holds: (step: Step | undefined) => boolean,
): boolean {
  for (let index = -1; index < steps.length; index++) {
    if (!holds(steps[index])) continue;
    const began = steps[index]?.by.startMs ?? Number.NEGATIVE_INFINITY;
    const ended = steps[index + 1]?.by.endMs ?? Number.POSITIVE_INFINITY;
    if (began <= endMs && ended >= startMs) return true;
  }
  return false;
}

/**
 * Checks what several watchers were told: versions only grow (bookmarks included), none comes twice, and all tell the same from the
 * moment the last of them began to the moment the first of them ended.
 */
export function checkWatchers(watchers: readonly (readonly Seen[])[]): readonly string[] {
  const faults: string[] = [];
  for (const [index, told] of watchers.entries()) {
    let last = 0;
    for (const { version, type, key } of told) {
      // A bookmark may repeat the version of the event before it.
      if (version < last || (version === last && type !== 'BOOKMARK'))
        faults.push(`watcher ${index}: ${type} ${key}@${version} after ${last}`);
      last = Math.max(last, version);
    }
  }
  const [first = [], ...others] = watchers.map((told) => told.filter(({ type }) => type !== 'BOOKMARK'));
  for (const [index, other] of others.entries()) {
    const from = Math.max(first[0]?.version ?? 0, other[0]?.version ?? 0);
    const to = Math.min(first.at(-1)?.version ?? 0, other.at(-1)?.version ?? 0);
    const lines = (told: readonly Seen[]): string[] =>
      told
        .filter(({ version }) => version >= from && version <= to)
        .map(({ type, version, key, value }) => `${type} ${key}@${version} ${value}`);
    const [ours, theirs] = [lines(first), lines(other)];
    const at = ours.findIndex((line, position) => line !== theirs[position]);
    if (at >= 0 || ours.length !== theirs.length)
      faults.push(`watchers 0 and ${index + 1} differ: ${ours[Math.max(at, 0)]} and ${theirs[Math.max(at, 0)]}`);
  }
  return faults;
}

/** What a watcher knows in the end: key to version. */
export function fold(told: readonly Seen[]): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const { type, key, version } of told) {
    if (type === 'DELETED') known.delete(key);
    else if (type !== 'BOOKMARK') known.set(key, version);
  }
  return known;
}
