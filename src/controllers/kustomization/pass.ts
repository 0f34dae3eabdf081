import { type Condition, notReady, reconciling, stalled } from '../../api/condition.ts';
import type { Kustomization, KustomizationStatus } from '../../api/kinds/kustomization.ts';
import type { EventRecord, Outcome, Report } from '../../api/outcome.ts';
import type { InventoryEntry } from '../../apply/inventory.ts';
import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import type { JsonObject } from '../../base/json.ts';
import type { ReconcileContext } from '../../runtime/controller.ts';
import { timestamp } from '../../runtime/timestamp.ts';
import {
  type Conditions,
  conditionsOf,
  keyOf,
  mark,
  progressMessage,
  recordHistory,
  type Step,
  type Times,
  timesOf,
  unmark,
} from './plan.ts';

type OwnStatus = Omit<KustomizationStatus, 'conditions' | 'observedGeneration' | 'lastHandledReconcileAt'>;

/** Progress is only written when a step takes this long: most passes are over before. */
const PROGRESS_AFTER_MS = 1_000;

/** One reconcile of one Kustomization: the conditions, status fields and events it gathers on its way. */
export class Pass {
  readonly object: Kustomization;
  readonly key: string;
  readonly times: Times;
  readonly startMs: number;
  conditions: Conditions;
  status: OwnStatus;
  revision = '';
  originRevision: string | undefined;
  /** Digest of what was built; '' before. */
  digest = '';
  readonly #clock: Clock;
  readonly #context: ReconcileContext;
  #events: EventRecord[] = [];
  readonly #stopwatch: number = performance.now();
  #cancelProgress: (() => void) | undefined;

  constructor(object: Kustomization, context: ReconcileContext, clock: Clock) {
    this.object = object;
    this.key = keyOf(object);
    this.times = timesOf(object.spec);
    this.startMs = clock.now();
    this.conditions = conditionsOf(object);
    const {
      conditions: _,
      observedGeneration: __,
      lastHandledReconcileAt: ___,
      ...own
    } = (object.status ?? {}) as KustomizationStatus;
    this.status = own;
    this.#clock = clock;
    this.#context = context;
  }

  mark(...conditions: readonly Condition[]): void {
    this.conditions = mark(this.conditions, ...conditions);
  }

  unmark(type: string): void {
    this.conditions = unmark(this.conditions, type);
  }

  /** Begins a step: it shows in the status if it takes long. */
  step(step: Step): void {
    this.mark(reconciling('Progressing', progressMessage(step, this.revision, this.times.timeoutMs)));
    this.#cancelProgress ??= this.#clock.after(PROGRESS_AFTER_MS, () => {
      this.#cancelProgress = undefined;
      void this.flush();
    });
  }

  /** Writes conditions, status and events as they are now; false when the server did not take them. */
  async flush(): Promise<boolean> {
    const events = this.#events;
    this.#events = [];
    return this.#context.progress({ ...this.#report(), events });
  }

  /** Adds an event; its reason is that of Ready, as in Flux, where `extra` has none. */
  event(
    severity: EventRecord['severity'],
    message: string,
    metadata: Readonly<Record<string, string>> = {},
    extra: Partial<Pick<EventRecord, 'reason' | 'about' | 'unrecorded'>> = {},
  ): void {
    this.#events.push({
      severity,
      reason: this.conditions.get('Ready')?.reason ?? severity,
      message,
      ...extra,
      metadata: {
        ...metadata,
        ...(this.revision === '' ? {} : { revision: this.revision }),
        ...(this.originRevision === undefined ? {} : { originRevision: this.originRevision }),
      },
    });
  }

  setInventory(entries: readonly InventoryEntry[]): void {
    this.status = { ...this.status, inventory: { entries: entries.map(({ id, v }) => ({ id, v })) } };
  }

  unsetInventory(): void {
    const { inventory: _, ...status } = this.status;
    this.status = status;
  }

  record(status: string): void {
    const now = this.#clock.now();
    const metadata = {
      revision: this.revision,
      ...(this.originRevision === undefined ? {} : { originRevision: this.originRevision }),
    };
    const durationMs = performance.now() - this.#stopwatch;
    const entry = { digest: this.digest, status, now: timestamp(now), durationMs, metadata };
    this.status = { ...this.status, history: recordHistory(this.status.history ?? [], entry) };
  }

  /**
   * Time since the pass began, or since `startMs` of {@link stopwatch}, as Go prints it: finer than milliseconds, so that two
   * events about it are not taken for the same one.
   */
  elapsed(startMs: number = this.#stopwatch): string {
    return formatDuration(Math.max(0.001, performance.now() - startMs));
  }

  /** A reading of the monotonic clock, for {@link elapsed}. */
  stopwatch(): number {
    return performance.now();
  }

  /** A failure that is told and tried again after the retry interval; one that may pass by itself sooner. */
  failed(reason: string, message: string, isTransient = false): Outcome {
    this.mark(notReady(reason, message));
    this.event('error', message);
    const { retryMs } = this.times;
    return isTransient
      ? { kind: 'backoff', atMostMs: retryMs, ...this.end() }
      : { kind: 'retry', requeueAfterMs: retryMs, ...this.end() };
  }

  /** Something that is expected to come: no event. */
  waiting(reason: string, message: string, requeueAfterMs: number): Outcome {
    this.mark(notReady(reason, message));
    return { kind: 'wait', requeueAfterMs, ...this.end() };
  }

  /** A failure that only another spec can end. */
  stalled(reason: string, message: string, observed: boolean): Outcome {
    this.mark(notReady(reason, message), stalled(reason, message));
    this.event('error', message);
    const { status, ...report } = this.end();
    // Flux takes a denied source for a generation not yet observed.
    const kept = observed ? {} : { observedGeneration: this.object.status?.observedGeneration ?? -1 };
    return { kind: 'stalled', ...report, status: { ...status, ...kept } };
  }

  done(requeueAfterMs: number): Outcome {
    return { kind: 'done', requeueAfterMs, ...this.end() };
  }

  /** The report of the pass; nothing more is written before the runtime writes it. */
  end(): Report {
    this.cancel();
    const events = this.#events;
    this.#events = [];
    return { ...this.#report(), events };
  }

  cancel(): void {
    this.#cancelProgress?.();
    this.#cancelProgress = undefined;
  }

  #report(): Omit<Report, 'events'> {
    return { conditions: [...this.conditions.values()], status: this.status as unknown as JsonObject };
  }
}
