import { groupOf, type KubeObject, type ObjectRef, printRef } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { KubeClient, KubeError, KubeResult } from '../kube/client.ts';
import { isNoMatch, isNotFound } from '../kube/errors.ts';
import type { LiveObjects } from './live-objects.ts';
import { type HealthRule, judge, type Verdict } from './verdict.ts';

export interface HealthTarget {
  readonly ref: ObjectRef;
  /** Absence counts as done: a Job that its own time to live removes. */
  readonly mayVanish?: boolean;
  /** What the object was when it was applied: a watch that still shows an older one is not believed. */
  readonly applied?: { readonly uid: string | undefined; readonly generation: number | undefined };
}

export interface WaitOptions {
  readonly client: KubeClient;
  readonly live: LiveObjects;
  readonly clock: Clock;
  readonly rules: readonly HealthRule[];
  readonly timeoutMs: number;
  /** Give up on the first object that failed, instead of at the deadline. */
  readonly failFast: boolean;
  /** Objects that no watch covers are read this often. */
  readonly pollMs: number;
  /** Aborting ends the wait with `canceled`. */
  readonly signal: AbortSignal;
}

export interface WaitError {
  readonly code: 'timeout' | 'failed' | 'canceled';
  /** As Flux words it. */
  readonly message: string;
}

/** Requests at a time when objects are read from the server. */
const READS_AT_ONCE = 8;
/** So many objects of one kind and namespace are listed rather than read one by one. */
const LIST_FROM = 20;
/** Others get their turn after this long: an expression may take its time with each of thousands of objects. */
const JUDGE_SLICE_MS = 10;

/**
 * Waits until every target is healthy. Watched objects are judged when they change; others are read from the server.
 * Wording: fluxcd/pkg@e2cfd1a ssa/manager_wait.go.
 */
export async function waitForHealth(
  targets: readonly HealthTarget[],
  options: WaitOptions,
): Promise<Result<void, WaitError>> {
  if (targets.length === 0) return ok(undefined);
  const { live, clock, signal } = options;
  const verdicts = new Map<HealthTarget, Verdict>();
  const byRef = new Map(targets.map((target) => [keyOf(target.ref), target]));
  let wake: () => void = () => undefined;
  const dirty = new Set<HealthTarget>(targets);
  const endings = kindsOf(targets).map((kind) =>
    live.subscribe(kind, (ref) => {
      const target = byRef.get(keyOf(ref));
      if (target === undefined) return;
      dirty.add(target);
      wake();
    }),
  );
  const deadline = clock.now() + options.timeoutMs;
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  // A server that does not answer must not hold the wait beyond its time.
  const expired = new AbortController();
  const cancelExpiry = clock.after(options.timeoutMs, () => expired.abort());
  const until = AbortSignal.any([signal, expired.signal]);
  try {
    for (;;) {
      const batch = [...dirty];
      dirty.clear();
      await judgeAll(batch, verdicts, { ...options, signal: until });
      if (signal.aborted) return err({ code: 'canceled', message: 'the wait was canceled' });
      const pending = targets.filter((target) => verdicts.get(target)?.status !== 'Current');
      if (pending.length === 0) return ok(undefined);
      const failed = pending.filter((target) => verdicts.get(target)?.status === 'Failed');
      if (options.failFast && failed.length > 0) return failure('failed', failed, verdicts);
      const left = deadline - clock.now();
      if (left <= 0) return failure('timeout', pending, verdicts);
      if (dirty.size > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        const cancel = clock.after(Math.min(left, options.pollMs), () => {
          // Some verdicts change by time alone, and unwatched objects only show when they are read.
          for (const target of pending) dirty.add(target);
          resolve();
        });
        const first = wake;
        wake = () => {
          cancel();
          first();
        };
        if (signal.aborted) wake();
      });
    }
  } finally {
    cancelExpiry();
    signal.removeEventListener('abort', onAbort);
    for (const end of endings) end();
  }
}

async function judgeAll(
  batch: readonly HealthTarget[],
  verdicts: Map<HealthTarget, Verdict>,
  options: WaitOptions,
): Promise<void> {
  const unread: HealthTarget[] = [];
  let since = performance.now();
  for (const target of batch) {
    if (performance.now() - since > JUDGE_SLICE_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      if (options.signal.aborted) return;
      since = performance.now();
    }
    const object = options.live.get(target.ref);
    if (typeof object === 'string' || isStale(object, target)) unread.push(target);
    else verdicts.set(target, judge(object, options.rules, options.clock.now()));
  }
  const single = await judgeLists(unread, verdicts, options);
  for (let start = 0; start < single.length && !options.signal.aborted; start += READS_AT_ONCE) {
    await Promise.all(
      single.slice(start, start + READS_AT_ONCE).map(async (target) => {
        const read = await unlessAborted(options.signal, () => options.client.get(target.ref, options.signal));
        if (read !== undefined) verdicts.set(target, verdictOf(read, target, options));
      }),
    );
  }
}

/** Judges targets of which there are many of a kind and namespace; the others are left, and those that may not be listed. */
async function judgeLists(
  targets: readonly HealthTarget[],
  verdicts: Map<HealthTarget, Verdict>,
  options: WaitOptions,
): Promise<readonly HealthTarget[]> {
  const left: HealthTarget[] = [];
  const groups = new Map<string, HealthTarget[]>();
  for (const target of targets) {
    const { apiVersion, kind, namespace = '' } = target.ref;
    const key = JSON.stringify([apiVersion, kind, namespace]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [target]);
    else group.push(target);
  }
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined || group.length < LIST_FROM || options.signal.aborted) {
      left.push(...group);
      continue;
    }
    const { namespace, ...kind } = first.ref;
    const selection = { signal: options.signal, ...(namespace === undefined ? {} : { namespace }) };
    const listed = await unlessAborted(options.signal, () => options.client.list(kind, selection));
    if (listed?.ok !== true) {
      left.push(...group);
      continue;
    }
    const found = new Map(listed.value.items.map((object) => [object.metadata.name, object]));
    for (const target of group) {
      const object = found.get(target.ref.name);
      const read = object === undefined ? err(ABSENT) : ok(object);
      verdicts.set(target, verdictOf(read, target, options));
    }
  }
  return left;
}

const ABSENT: KubeError = { code: 404, reason: 'NotFound', message: 'it is not in the list' };

/** Undefined when the signal ended the work. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (cause) {
    if (signal.aborted) return undefined;
    throw cause;
  }
}

function isStale({ metadata }: KubeObject, { applied }: HealthTarget): boolean {
  if (applied === undefined) return false;
  return metadata.uid !== applied.uid || (metadata.generation ?? 0) < (applied.generation ?? 0);
}

function verdictOf(read: KubeResult<KubeObject>, target: HealthTarget, options: WaitOptions): Verdict {
  if (read.ok) return judge(read.value, options.rules, options.clock.now());
  if (isNoMatch(read.error)) {
    const { apiVersion, kind } = target.ref;
    return { status: 'Unknown', message: `no matches for kind "${kind}" in group "${groupOf(apiVersion)}"` };
  }
  if (!isNotFound(read.error)) return { status: 'Unknown', message: read.error.message };
  return { status: target.mayVanish === true ? 'Current' : 'NotFound' };
}

function failure(
  code: 'timeout' | 'failed',
  targets: readonly HealthTarget[],
  verdicts: ReadonlyMap<HealthTarget, Verdict>,
): Result<never, WaitError> {
  const list = targets.map((target) => {
    const verdict = verdicts.get(target);
    const reason = verdict?.status === 'Unknown' && verdict.message !== undefined ? `: ${verdict.message}` : '';
    return `${printRef(target.ref)} status: '${verdict?.status ?? 'Unknown'}'${reason}`;
  });
  const start = code === 'timeout' ? 'timeout waiting for' : 'failed early due to stalled resources';
  return err({ code, message: `${start}: [${list.join(', ')}]` });
}

function kindsOf(targets: readonly HealthTarget[]): readonly Pick<ObjectRef, 'apiVersion' | 'kind'>[] {
  const kinds = new Map(targets.map(({ ref }) => [`${ref.apiVersion}/${ref.kind}`, ref]));
  return [...kinds.values()];
}

function keyOf({ apiVersion, kind, namespace = '', name }: ObjectRef): string {
  return JSON.stringify([apiVersion, kind, namespace, name]);
}
