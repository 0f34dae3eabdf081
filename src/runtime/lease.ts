import type { KubeObject } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import { at, type JsonObject, stringAt } from '../base/json.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { sleep } from '../kube/send.ts';

/** Times of leader election, in milliseconds. */
export interface LeaseTimes {
  /** Others wait this long after the last renewal they saw before they take over. */
  readonly leaseDurationMs: number;
  /** A leader that could not renew for so long stands down. */
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/** Source: fluxcd/pkg runtime/leaderelection. */
export const DEFAULT_LEASE_TIMES: LeaseTimes = {
  leaseDurationMs: 35_000,
  renewDeadlineMs: 30_000,
  retryPeriodMs: 5_000,
};

export interface LeaderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Tells this process from its rivals. */
  readonly identity: string;
  readonly times?: LeaseTimes;
  /** Gives the lease up on a clean stop, so that another one need not wait; default true. */
  readonly releaseOnStop?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Waits for the lease, then runs `lead` with a signal that is aborted when the lease is lost or `options.signal` is aborted, and
 * with a question to ask before each write: whether the lease is still ours by our own clock, also right after a long sleep.
 * Resolves to `stopped`, or to `lost`: the caller then exits and begins anew. Source of the rules: client-go@0.34 tools/leaderelection.
 */
export async function runAsLeader(
  options: LeaderOptions,
  lead: (signal: AbortSignal, isHeld: () => boolean) => Promise<void>,
): Promise<'stopped' | 'lost'> {
  const { clock, log, signal, name } = options;
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = options.times ?? DEFAULT_LEASE_TIMES;
  // By the monotonic clock, from before the request: a process that slept, or whose clock was set, knows that its time is over.
  let askedMs = performance.now();
  let heldUntilMs = Number.NEGATIVE_INFINITY;
  const elector = new Elector(options);
  log.info('attempting to acquire leader lease', { lease: name });
  while (!(await elector.tryHold())) {
    await sleep(clock, retryPeriodMs, signal).catch(() => undefined);
    if (signal.aborted) return 'stopped';
    askedMs = performance.now();
  }
  heldUntilMs = askedMs + leaseDurationMs;
  log.info('successfully acquired lease', { lease: name });
  const lost = new AbortController();
  const done = new AbortController();
  // The monotonic clock stands still while the machine sleeps; the other one then jumps ahead.
  let heldUntilWallMs = clock.now() + leaseDurationMs;
  const isHeld = (): boolean => performance.now() < heldUntilMs && clock.now() < heldUntilWallMs;
  const leading = lead(AbortSignal.any([signal, lost.signal]), isHeld).finally(() => done.abort());
  const ended = AbortSignal.any([signal, done.signal]);
  let renewedMs = performance.now();
  while (!ended.aborted) {
    await sleep(clock, retryPeriodMs, ended).catch(() => undefined);
    if (ended.aborted) break;
    askedMs = performance.now();
    if (await elector.tryHold()) {
      renewedMs = performance.now();
      heldUntilMs = askedMs + leaseDurationMs;
      heldUntilWallMs = clock.now() - (renewedMs - askedMs) + leaseDurationMs;
    } else if (elector.heldByOther || performance.now() - renewedMs > renewDeadlineMs) {
      log.error('leader lease lost', { lease: name });
      lost.abort(new Error('the leader lease is lost'));
      break;
    }
  }
  await leading;
  if (lost.signal.aborted) return 'lost';
  if (options.releaseOnStop !== false) await elector.release();
  return 'stopped';
}

class Elector {
  heldByOther = false;
  readonly #options: LeaderOptions;
  readonly #times: LeaseTimes;
  /** The record as last seen and when, by our own monotonic clock: neither others' clocks are trusted nor one that may be set. */
  #seen: { readonly text: string; readonly atMs: number } | undefined;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#times = options.times ?? DEFAULT_LEASE_TIMES;
  }

  /** Takes or renews the lease; false when another one holds it or the server could not be asked. */
  async tryHold(): Promise<boolean> {
    const { client, identity, log } = this.#options;
    const lease = await this.#read();
    if (lease === 'absent') {
      const created = await client.create(this.#lease({ leaseTransitions: 0, acquireTime: this.#now() }));
      return created.ok;
    }
    if (lease === undefined) return false;
    const holder = stringAt(lease.spec, 'holderIdentity') ?? '';
    const text = JSON.stringify([holder, stringAt(lease.spec, 'renewTime')]);
    if (this.#seen?.text !== text) this.#seen = { text, atMs: performance.now() };
    const isMine = holder === identity;
    this.heldByOther = !isMine && holder !== '';
    if (this.heldByOther && performance.now() - this.#seen.atMs < this.#times.leaseDurationMs) return false;
    const transitions = Number(at(lease.spec, 'leaseTransitions') ?? 0);
    const acquired = isMine ? (stringAt(lease.spec, 'acquireTime') ?? this.#now()) : this.#now();
    const updated = await client.update({
      ...this.#lease({ leaseTransitions: isMine ? transitions : transitions + 1, acquireTime: acquired }),
      metadata: lease.metadata,
    });
    // The resource version in metadata makes this fail when a rival was faster.
    if (updated.ok) this.heldByOther = false;
    else log.debug('lease not updated', { error: updated.error.message });
    return updated.ok;
  }

  async release(): Promise<void> {
    const lease = await this.#read();
    if (lease === undefined || lease === 'absent') return;
    if (stringAt(lease.spec, 'holderIdentity') !== this.#options.identity) return;
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: this.#now() };
    await this.#options.client.update({ ...lease, spec });
  }

  async #read(): Promise<KubeObject | 'absent' | undefined> {
    const { client, namespace, name, log } = this.#options;
    const read = await client.get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name });
    if (read.ok) return read.value;
    if (isNotFound(read.error)) return 'absent';
    log.error('failed to read the leader lease', { error: read.error.message });
    return undefined;
  }

  #lease(spec: JsonObject): KubeObject {
    const { namespace, name, identity } = this.#options;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name },
      spec: {
        ...spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.round(this.#times.leaseDurationMs / 1000),
        renewTime: this.#now(),
      },
    };
  }

  /** metav1.MicroTime. */
  #now(): string {
    return new Date(this.#options.clock.now()).toISOString().replace('Z', '000Z');
  }
}
