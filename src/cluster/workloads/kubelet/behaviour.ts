import { parseDuration } from '../../../base/duration.ts';
import type { Container, Pod } from '../shapes.ts';

/** What the simulated kubelet is told by a pod's annotations. */
export const FAULT = 'sim.weir.dev/fault';
export const FAULT_CONTAINER = 'sim.weir.dev/fault-container';
/** Durations in Go's syntax. */
const PULL_AFTER = 'sim.weir.dev/pull-after';
const START_AFTER = 'sim.weir.dev/start-after';
const READY_AFTER = 'sim.weir.dev/ready-after';
const RUN_FOR = 'sim.weir.dev/run-for';
const STOP_AFTER = 'sim.weir.dev/stop-after';
const EXIT_CODE = 'sim.weir.dev/exit-code';

/** How long the simulated steps take when no annotation says so. */
const START_MS = 200;
const INIT_RUN_MS = 100;
const JOB_RUN_MS = 1000;
const CRASH_AFTER_MS = 1000;
const SLOW_START_MS = 30_000;
const STOP_MS = 100;
/** Longer than any pod is watched: an annotation cannot overflow the clock's timers. */
const MAX_MS = 365 * 24 * 3600 * 1000;
/** Tags that stand for an image that cannot be pulled. */
const BAD_TAGS: ReadonlySet<string> = new Set(['bad', 'missing']);

const FAULTS = ['image-pull-backoff', 'crash-loop', 'slow-start', 'not-ready', 'oom', 'fail'] as const;
export type Fault = (typeof FAULTS)[number];

/** What a container does from the moment its pod lets it start. Times are milliseconds after that moment. */
export interface Script {
  /** Why the image cannot be pulled; absent when it can. */
  readonly pullError?: string;
  readonly startMs: number;
  /** How long it runs; absent: until it is stopped. */
  readonly runMs?: number;
  readonly exitCode: number;
  readonly exitReason: 'Completed' | 'Error' | 'OOMKilled';
  /** After its start; absent: never. */
  readonly readyMs?: number;
  readonly restart: 'always' | 'on-failure' | 'never';
}

/** The fault that a pod asks for; an unknown word is none. */
export function faultOf(pod: Pod): Fault | undefined {
  const wanted = pod.metadata.annotations?.[FAULT];
  return FAULTS.find((fault) => fault === wanted);
}

/** The script of one container of a pod. */
export function scriptOf(pod: Pod, container: Container, isInit: boolean): Script {
  const annotations = pod.metadata.annotations;
  const isSidecar = isInit && container.restartPolicy === 'Always';
  const policy = pod.spec.restartPolicy ?? 'Always';
  const restart =
    isSidecar || (policy === 'Always' && !isInit) ? 'always' : policy === 'Never' ? 'never' : 'on-failure';
  const faultyName = annotations?.[FAULT_CONTAINER] ?? pod.spec.containers[0]?.name;
  const fault = container.name === faultyName ? faultOf(pod) : undefined;
  const startMs = durationOf(annotations, PULL_AFTER, 0) + durationOf(annotations, START_AFTER, START_MS);
  if (fault === 'image-pull-backoff' || BAD_TAGS.has(tagOf(container.image))) {
    return { pullError: pullError(container.image), startMs, exitCode: 0, exitReason: 'Completed', restart };
  }
  const code = Number(annotations?.[EXIT_CODE] ?? 0);
  const exitCode = fault === 'oom' ? 137 : fault === 'fail' || fault === 'crash-loop' ? code || 1 : code;
  const exitReason = fault === 'oom' ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
  const readyMs =
    fault === 'not-ready'
      ? undefined
      : durationOf(annotations, READY_AFTER, fault === 'slow-start' ? SLOW_START_MS : 0);
  const runMs = runTimeMs(annotations, fault, isInit && !isSidecar, restart);
  return {
    startMs,
    ...(runMs === undefined ? {} : { runMs }),
    exitCode,
    exitReason,
    ...(readyMs === undefined ? {} : { readyMs }),
    restart,
  };
}

function runTimeMs(
  annotations: Readonly<Record<string, string>> | undefined,
  fault: Fault | undefined,
  isInit: boolean,
  restart: Script['restart'],
): number | undefined {
  const ends = fault === 'crash-loop' || fault === 'oom' || fault === 'fail';
  if (isInit) return INIT_RUN_MS;
  const usual = ends ? CRASH_AFTER_MS : restart === 'always' ? undefined : JOB_RUN_MS;
  return annotations?.[RUN_FOR] === undefined ? usual : durationOf(annotations, RUN_FOR, usual ?? JOB_RUN_MS);
}

/** How long a pod takes to stop, at most its grace period. */
export function stopMs(pod: Pod): number {
  const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000;
  return Math.min(durationOf(pod.metadata.annotations, STOP_AFTER, STOP_MS), graceMs);
}

function durationOf(annotations: Readonly<Record<string, string>> | undefined, key: string, usual: number): number {
  const text = annotations?.[key];
  if (text === undefined) return usual;
  const parsed = parseDuration(text);
  return parsed.ok ? Math.min(Math.max(0, parsed.value), MAX_MS) : usual;
}

/** The tag of an image reference; `latest` when there is none. */
function tagOf(image: string): string {
  const name = image.split('@')[0] ?? image;
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(colon + 1) : 'latest';
}

function pullError(image: string): string {
  return `rpc error: code = NotFound desc = failed to pull and unpack image ${JSON.stringify(image)}: failed to resolve reference ${JSON.stringify(image)}: ${image}: not found`;
}
