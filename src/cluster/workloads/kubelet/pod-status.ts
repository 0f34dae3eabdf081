import { createHash } from 'node:crypto';
import { setCondition } from '../conditions.ts';
import type { ContainerState, ContainerStatus, Pod, PodStatus, StoredCondition } from '../shapes.ts';
import { timeText } from '../times.ts';
import type { ContainerMoment, PodMoment, Run } from './timeline.ts';

/** Where a pod lives: what the kubelet knows and the timeline does not. */
export interface Placement {
  readonly startMs: number;
  readonly hostIP: string;
  readonly podIP: string | undefined;
}

/** The status that a kubelet would report for a pod at a moment. Source of order and reasons: kubernetes@1.34 pkg/kubelet/status/generate.go. */
export function statusAt(pod: Pod, moment: PodMoment, placement: Placement, nowMs: number): PodStatus {
  const generation = pod.metadata.generation;
  const statuses = (moments: readonly ContainerMoment[], isInit: boolean): ContainerStatus[] =>
    moments.map((one) => containerStatus(pod, one, placement.startMs, isInit));
  const main = statuses(moment.main, false);
  const init = statuses(moment.init, true);
  const { hostIP, podIP } = placement;
  return {
    ...pod.status,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase: moment.phase,
    conditions: conditionsAt(pod, moment, timeText(nowMs)),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    startTime: pod.status?.startTime ?? timeText(placement.startMs),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: main,
  };
}

function containerStatus(
  pod: Pod,
  { container, script, view }: ContainerMoment,
  podStartMs: number,
  isInit: boolean,
): ContainerStatus {
  const time = (ms: number): string => timeText(podStartMs + ms);
  const terminated = (run: Run, restart: number): ContainerState => ({
    terminated: {
      exitCode: script.exitCode,
      reason: script.exitReason,
      startedAt: time(run.startMs),
      finishedAt: time(run.endMs),
      containerID: containerId(pod, container.name, restart),
    },
  });
  const { restarts } = view;
  // A kubelet that was started anew knows when the pod started to the second alone: what it reported stays as it was.
  const before = (isInit ? pod.status?.initContainerStatuses : pod.status?.containerStatuses)?.find(
    ({ name, restartCount }) => name === container.name && restartCount === restarts,
  );
  const isRestarting = view.kind === 'waiting' && view.last !== undefined;
  const created = view.kind !== 'waiting' || isRestarting;
  const state: ContainerState =
    view.kind === 'running'
      ? { running: before?.state.running ?? { startedAt: time(view.startMs) } }
      : view.kind === 'terminated'
        ? terminated(view.run, restarts)
        : {
            waiting: {
              reason: view.reason,
              ...(view.message === undefined ? {} : { message: waitingMessage(pod, view) }),
            },
          };
  const ready = isInit
    ? view.kind === 'terminated'
      ? script.exitCode === 0
      : view.kind === 'running' && container.restartPolicy === 'Always'
    : view.kind === 'running' && view.ready;
  return {
    name: container.name,
    state,
    lastState: view.last === undefined ? {} : terminated(view.last, isRestarting ? restarts : restarts - 1),
    ready,
    restartCount: restarts,
    image: container.image,
    imageID: created ? imageId(container.image) : '',
    ...(created ? { containerID: containerId(pod, container.name, restarts) } : {}),
    started: view.kind === 'running',
  };
}

function waitingMessage(pod: Pod, view: { readonly reason: string; readonly message?: string }): string {
  const { name, namespace, uid } = pod.metadata;
  const message = view.message ?? '';
  if (view.reason === 'CrashLoopBackOff') return `${message} pod=${name}_${namespace ?? ''}(${uid ?? ''})`;
  return view.reason === 'ImagePullBackOff' ? `Back-off pulling image: ErrImagePull: ${message}` : message;
}

function conditionsAt(pod: Pod, moment: PodMoment, now: string): readonly StoredCondition[] {
  const unready = moment.main.filter(({ view }) => !(view.kind === 'running' && view.ready));
  const pending = moment.init.filter(({ view, container }) =>
    container.restartPolicy === 'Always' ? view.kind !== 'running' : view.kind !== 'terminated',
  );
  const notReady =
    moment.phase === 'Succeeded'
      ? { reason: 'PodCompleted' }
      : moment.phase === 'Failed'
        ? { reason: 'PodFailed' }
        : {
            reason: 'ContainersNotReady',
            message: `containers with unready status: [${unready.map(({ container }) => container.name).join(' ')}]`,
          };
  const containersReady = unready.length === 0;
  const gates = (pod.spec.readinessGates ?? []).filter(
    ({ conditionType }) =>
      pod.status?.conditions?.some(({ type, status }) => type === conditionType && status === 'True') !== true,
  );
  const gated = {
    reason: 'ReadinessGatesNotReady',
    message: gates
      .map(
        ({ conditionType }) =>
          `corresponding condition of pod readiness gate ${JSON.stringify(conditionType)} does not exist.`,
      )
      .join(', '),
  };
  const wanted: readonly {
    readonly type: string;
    readonly ok: boolean;
    readonly because?: { reason: string; message?: string };
  }[] = [
    { type: 'PodReadyToStartContainers', ok: moment.phase === 'Pending' || moment.phase === 'Running' },
    moment.initialized
      ? {
          type: 'Initialized',
          ok: true,
          ...(moment.phase === 'Succeeded' ? { because: { reason: 'PodCompleted' } } : {}),
        }
      : {
          type: 'Initialized',
          ok: false,
          because: {
            reason: 'ContainersNotInitialized',
            message: `containers with incomplete status: [${pending.map(({ container }) => container.name).join(' ')}]`,
          },
        },
    { type: 'Ready', ok: containersReady && gates.length === 0, because: containersReady ? gated : notReady },
    { type: 'ContainersReady', ok: containersReady, because: notReady },
    { type: 'PodScheduled', ok: true },
  ];
  let conditions: readonly StoredCondition[] = pod.status?.conditions ?? [];
  const { generation } = pod.metadata;
  for (const { type, ok, because } of wanted) {
    const explains = because !== undefined && (!ok || because.reason === 'PodCompleted');
    conditions = setCondition(
      conditions,
      {
        type,
        ...(generation === undefined ? {} : { observedGeneration: generation }),
        status: ok ? 'True' : 'False',
        lastProbeTime: null,
        ...(explains ? because : {}),
      },
      now,
    );
  }
  const order = wanted.map(({ type }) => type);
  const place = ({ type }: StoredCondition): number => {
    const index = order.indexOf(type);
    return index < 0 ? -1 : index;
  };
  return [...conditions].sort((a, b) => place(a) - place(b));
}

function containerId(pod: Pod, container: string, restart: number): string {
  const hash = createHash('sha256')
    .update(`${pod.metadata.uid ?? ''}/${container}/${restart}`)
    .digest('hex');
  return `containerd://${hash}`;
}

function imageId(image: string): string {
  const at = image.indexOf('@');
  if (at >= 0) return image;
  return `${image.replace(/:[^:/]*$/, '')}@sha256:${createHash('sha256').update(image).digest('hex')}`;
}
