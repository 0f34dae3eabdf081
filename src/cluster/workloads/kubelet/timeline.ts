import type { Container, Pod } from '../shapes.ts';
import { type Script, scriptOf } from './behaviour.ts';

/** The kubelet's back-off for pulls and restarts: 10 s, doubling to 5 min. Source: kubernetes@1.34 pkg/kubelet/kubelet.go. */
const FIRST_BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 300_000;
/** How long an ended or failed attempt is shown before the back-off. */
const SHOWN_MS = 1000;

/** One run of a container, in milliseconds since the pod's start on its node. */
export interface Run {
  readonly startMs: number;
  readonly endMs: number;
}

/** What a container is doing at a moment. */
export type View =
  | {
      readonly kind: 'waiting';
      readonly reason: string;
      readonly message?: string;
      readonly restarts: number;
      readonly last?: Run;
    }
  | {
      readonly kind: 'running';
      readonly startMs: number;
      readonly ready: boolean;
      readonly restarts: number;
      readonly last?: Run;
    }
  | { readonly kind: 'terminated'; readonly run: Run; readonly restarts: number; readonly last?: Run };

export interface ContainerMoment {
  readonly container: Container;
  readonly script: Script;
  readonly view: View;
}

/** A pod at a moment, and when it will next look different. */
export interface PodMoment {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly initialized: boolean;
  readonly init: readonly ContainerMoment[];
  readonly main: readonly ContainerMoment[];
  readonly nextMs?: number;
}

interface Step {
  readonly view: View;
  readonly nextMs?: number;
  /** When the container will have ended for good; absent: never. */
  readonly endMs?: number;
}

/** Milliseconds between the end of run `index` and the next start. */
function restartDelayMs(index: number): number {
  return index === 0 ? SHOWN_MS : Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(index - 1, 10), MAX_BACKOFF_MS);
}

/** A container that may begin at `fromMs`, seen at `atMs`. */
function containerAt(script: Script, fromMs: number, atMs: number, name: string): Step {
  if (script.pullError !== undefined) return pullingAt(script, script.pullError, fromMs, atMs);
  const firstMs = fromMs + script.startMs;
  if (atMs < firstMs) {
    return {
      view: { kind: 'waiting', reason: 'ContainerCreating', restarts: 0 },
      nextMs: firstMs,
      ...lastEnd(script, firstMs),
    };
  }
  let startMs = firstMs;
  let last: Run | undefined;
  for (let restarts = 0; ; restarts++) {
    const seen = { restarts, ...(last === undefined ? {} : { last }) };
    const endMs = script.runMs === undefined ? undefined : startMs + script.runMs;
    if (endMs === undefined || atMs < endMs) {
      const readyMs = script.readyMs === undefined ? undefined : startMs + script.readyMs;
      const ready = readyMs !== undefined && atMs >= readyMs;
      const next = Math.min(endMs ?? Infinity, ready ? Infinity : (readyMs ?? Infinity));
      return {
        view: { kind: 'running', startMs, ready, ...seen },
        ...(Number.isFinite(next) ? { nextMs: next } : {}),
        ...lastEnd(script, startMs),
      };
    }
    const run = { startMs, endMs };
    const again = script.restart === 'always' || (script.restart === 'on-failure' && script.exitCode !== 0);
    if (!again) return { view: { kind: 'terminated', run, ...seen }, endMs };
    const delayMs = restartDelayMs(restarts);
    if (atMs < endMs + SHOWN_MS) return { view: { kind: 'terminated', run, ...seen }, nextMs: endMs + SHOWN_MS };
    if (atMs < endMs + delayMs) {
      const message = `back-off ${formatBackoff(delayMs)} restarting failed container=${name}`;
      const view: View = { kind: 'waiting', reason: 'CrashLoopBackOff', message, restarts, last: run };
      return { view, nextMs: endMs + delayMs };
    }
    last = run;
    startMs = endMs + delayMs;
    // After a long time only the pace matters: skip whole rounds of the longest back-off at once.
    const roundMs = (script.runMs ?? 0) + MAX_BACKOFF_MS;
    if (delayMs === MAX_BACKOFF_MS && atMs - startMs > 2 * roundMs) {
      const rounds = Math.floor((atMs - startMs) / roundMs) - 1;
      startMs += rounds * roundMs;
      restarts += rounds;
      last = { startMs: startMs - roundMs, endMs: startMs - MAX_BACKOFF_MS };
    }
  }
}

function lastEnd(script: Script, startMs: number): { readonly endMs?: number } {
  const ends =
    script.runMs !== undefined && script.restart !== 'always' && (script.exitCode === 0 || script.restart === 'never');
  return ends ? { endMs: startMs + (script.runMs ?? 0) } : {};
}

function pullingAt(script: Script, error: string, fromMs: number, atMs: number): Step {
  const triedMs = fromMs + script.startMs;
  if (atMs < triedMs) {
    return { view: { kind: 'waiting', reason: 'ContainerCreating', restarts: 0 }, nextMs: triedMs };
  }
  let attemptMs = triedMs;
  for (let attempt = 0; ; attempt++) {
    const pauseMs = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(attempt, 10), MAX_BACKOFF_MS);
    if (atMs < attemptMs + SHOWN_MS) {
      const view: View = { kind: 'waiting', reason: 'ErrImagePull', message: error, restarts: 0 };
      return { view, nextMs: attemptMs + SHOWN_MS };
    }
    if (atMs < attemptMs + pauseMs) {
      const view: View = { kind: 'waiting', reason: 'ImagePullBackOff', message: error, restarts: 0 };
      return { view, nextMs: attemptMs + pauseMs };
    }
    attemptMs += pauseMs;
    if (pauseMs === MAX_BACKOFF_MS && atMs - attemptMs > pauseMs) {
      attemptMs += Math.floor((atMs - attemptMs) / pauseMs) * pauseMs;
    }
  }
}

/** Go's short form of the back-off: `10s`, `2m40s`, `5m0s`. */
export function formatBackoff(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** What the pod's containers are doing `atMs` after its start: a pure function, so a restart of the control plane changes nothing. */
export function podAt(pod: Pod, atMs: number): PodMoment {
  const init: ContainerMoment[] = [];
  let nextMs = Infinity;
  let fromMs = 0;
  let initialized = true;
  let failed = false;
  for (const container of pod.spec.initContainers ?? []) {
    const script = scriptOf(pod, container, true);
    if (!initialized || failed) {
      init.push({ container, script, view: { kind: 'waiting', reason: 'PodInitializing', restarts: 0 } });
      continue;
    }
    const step = containerAt(script, fromMs, atMs, container.name);
    nextMs = Math.min(nextMs, step.nextMs ?? Infinity);
    init.push({ container, script, view: step.view });
    if (container.restartPolicy === 'Always') {
      if (step.view.kind === 'running') fromMs = step.view.startMs;
      else initialized = false;
    } else if (step.view.kind === 'terminated' && step.nextMs === undefined) {
      if (script.exitCode === 0) fromMs = step.view.run.endMs;
      else failed = true;
    } else initialized = false;
  }
  const waitingReason = init.length > 0 ? 'PodInitializing' : 'ContainerCreating';
  const main = pod.spec.containers.map((container): ContainerMoment & { readonly done: boolean } => {
    const script = scriptOf(pod, container, false);
    if (!initialized || failed) {
      return { container, script, view: { kind: 'waiting', reason: waitingReason, restarts: 0 }, done: false };
    }
    const step = containerAt(script, fromMs, atMs, container.name);
    nextMs = Math.min(nextMs, step.nextMs ?? Infinity);
    const isCreating = step.view.kind === 'waiting' && step.view.reason === 'ContainerCreating';
    const view: View = isCreating && step.view.kind === 'waiting' ? { ...step.view, reason: waitingReason } : step.view;
    return { container, script, view, done: step.view.kind === 'terminated' && step.nextMs === undefined };
  });
  const ended = failed || (main.length > 0 && main.every(({ done }) => done));
  const bad = failed || main.some(({ script }) => script.exitCode !== 0);
  const begun = main.some(({ view }) => view.kind !== 'waiting' || view.restarts > 0 || view.last !== undefined);
  const allCreated = main.every(({ view }) => view.kind !== 'waiting' || view.last !== undefined);
  const phase = ended ? (bad ? 'Failed' : 'Succeeded') : begun && initialized && allCreated ? 'Running' : 'Pending';
  return {
    phase,
    initialized: initialized && !failed,
    init,
    main: main.map(({ container, script, view }) => ({ container, script, view })),
    ...(Number.isFinite(nextMs) && !ended ? { nextMs } : {}),
  };
}
