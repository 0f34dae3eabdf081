import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ObjectRef } from '../api/object.ts';
import type { QueueObserver } from './queue.ts';

/** Figures under the names of Flux and controller-runtime. One registry per engine, so that several may live in one process. */
export interface Metrics {
  readonly registry: Registry;
  /** Figures of one controller's queue; `controller` is the lower-case kind. */
  queue(controller: string): QueueObserver;
  concurrency(controller: string, workers: number): void;
  reconciled(controller: string, result: ReconcileResult, durationMs: number): void;
  /** A throw: a bug or an outage. */
  panicked(controller: string): void;
  /** `gotk_reconcile_duration_seconds` of one object. */
  duration(object: ObjectRef, durationMs: number): void;
  /** Drops the series of an object that is gone. */
  forget(object: ObjectRef): void;
  request(request: { readonly method: string; readonly code: number }): void;
  eventSent(code: number, durationMs: number): void;
  leader(name: string, isLeader: boolean): void;
}

export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after';

/** Source: fluxcd/pkg runtime/metrics/recorder.go (exponential from 10 ms by 3, 10 buckets). */
const GOTK_BUCKETS = exponential(0.01, 3, 10);
/** Source: controller-runtime@0.22 pkg/internal/controller/metrics. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 1.75,
  2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** Source: controller-runtime@0.22 pkg/internal/metrics/workqueue.go. */
const QUEUE_BUCKETS = exponential(1e-8, 10, 12);

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: L[]
  ): Histogram<L> => new Histogram({ name, help, buckets, labelNames, registers });

  const gotk = histogram(
    'gotk_reconcile_duration_seconds',
    'The duration in seconds of a reconcile of an object.',
    GOTK_BUCKETS,
    'kind',
    'name',
    'namespace',
  );
  const total = counter(
    'controller_runtime_reconcile_total',
    'Total number of reconciliations per controller',
    'controller',
    'result',
  );
  const errors = counter(
    'controller_runtime_reconcile_errors_total',
    'Total number of reconciliation errors per controller',
    'controller',
  );
  const panics = counter(
    'controller_runtime_reconcile_panics_total',
    'Total number of reconciliation panics per controller',
    'controller',
  );
  const time = histogram(
    'controller_runtime_reconcile_time_seconds',
    'Length of time per reconciliation per controller',
    RECONCILE_BUCKETS,
    'controller',
  );
  const workers = gauge(
    'controller_runtime_max_concurrent_reconciles',
    'Maximum number of concurrent reconciles per controller',
    'controller',
  );
  const active = gauge(
    'controller_runtime_active_workers',
    'Number of currently used workers per controller',
    'controller',
  );
  const depth = gauge('workqueue_depth', 'Current depth of workqueue by workqueue', 'controller', 'name');
  const adds = counter('workqueue_adds_total', 'Total number of adds handled by workqueue', 'controller', 'name');
  const retries = counter(
    'workqueue_retries_total',
    'Total number of retries handled by workqueue',
    'controller',
    'name',
  );
  const waited = histogram(
    'workqueue_queue_duration_seconds',
    'How long in seconds an item stays in workqueue before being requested',
    QUEUE_BUCKETS,
    'controller',
    'name',
  );
  const worked = histogram(
    'workqueue_work_duration_seconds',
    'How long in seconds processing an item from workqueue takes.',
    QUEUE_BUCKETS,
    'controller',
    'name',
  );
  const requests = counter(
    'rest_client_requests_total',
    'Number of HTTP requests, partitioned by status code and method.',
    'code',
    'method',
  );
  const events = histogram(
    'gotk_event_http_request_duration_seconds',
    'The duration in seconds of a request that sends an event.',
    GOTK_BUCKETS,
    'code',
  );
  const leads = gauge('leader_election_master_status', 'Whether this process leads (1) or stands by (0)', 'name');

  return {
    registry,
    queue(controller) {
      const labels = { controller, name: controller };
      depth.set(labels, 0);
      active.set({ controller }, 0);
      return {
        depth: (value) => depth.set(labels, value),
        added: () => adds.inc(labels),
        started: (ms) => waited.observe(labels, ms / 1000),
        finished: (ms) => worked.observe(labels, ms / 1000),
        retried: () => retries.inc(labels),
        active: (count) => active.set({ controller }, count),
      };
    },
    concurrency: (controller, count) => workers.set({ controller }, count),
    reconciled(controller, result, durationMs) {
      total.inc({ controller, result });
      time.observe({ controller }, durationMs / 1000);
      if (result === 'error') errors.inc({ controller });
    },
    panicked: (controller) => panics.inc({ controller }),
    duration: (object, durationMs) => gotk.observe(labelsOf(object), durationMs / 1000),
    forget(object) {
      gotk.remove(labelsOf(object));
    },
    request: ({ method, code }) => requests.inc({ method, code: String(code) }),
    eventSent: (code, durationMs) => events.observe({ code: String(code) }, durationMs / 1000),
    leader: (name, isLeader) => leads.set({ name }, isLeader ? 1 : 0),
  };
}

function labelsOf({ kind, name, namespace }: ObjectRef): { kind: string; name: string; namespace: string } {
  return { kind, name, namespace: namespace ?? '' };
}

function exponential(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first * factor ** index);
}
