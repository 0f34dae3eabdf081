import { equal, type Json } from '../../../base/json.ts';
import { type Context, itself, splitKey, type WorkloadController } from '../context.ts';
import type { Again } from '../queue.ts';
import { PODS } from '../resources.ts';
import { type ContainerStatus, type Pod, plain, shaped } from '../shapes.ts';
import { timeMs } from '../times.ts';
import { deleteObject, writtenOrGone } from '../writes.ts';
import type { Addresses } from './addresses.ts';
import { stopMs } from './behaviour.ts';
import { statusAt } from './pod-status.ts';
import { type PodMoment, podAt } from './timeline.ts';

const KUBELET = 'kubelet';

/** Plays the kubelets of the simulated nodes: brings pods up as their annotations say, and takes them down. */
export function kubeletController(context: Context, addresses: Addresses): WorkloadController {
  const { registry, clock, events } = context;
  /** Start of each pod on its node, to the millisecond; status has whole seconds. */
  const starts = new Map<string, number>();
  /** When a pod that is being deleted was told to stop. */
  const stops = new Map<string, number>();

  async function sync(key: string): Promise<Again> {
    const { namespace, name } = splitKey(key);
    const stored = registry.get(PODS, namespace, name);
    if (stored === undefined) return undefined;
    const pod = shaped<Pod>(stored);
    const hostIP = addresses.ofNode(pod.spec.nodeName);
    if (hostIP === undefined) return undefined;
    if (pod.metadata.deletionTimestamp !== undefined) return stop(pod);
    const isEnded = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (isEnded && pod.status?.startTime !== undefined) return undefined;
    return run(pod, hostIP);
  }

  async function run(pod: Pod, hostIP: string): Promise<Again> {
    const uid = pod.metadata.uid ?? '';
    const now = clock.now();
    let startMs = starts.get(uid);
    if (startMs === undefined) {
      startMs = pod.status?.startTime === undefined ? now : timeMs(pod.status.startTime);
      starts.set(uid, startMs);
    }
    const moment = podAt(pod, now - startMs);
    const started = moment.phase !== 'Pending' || moment.init.some(({ view }) => view.kind !== 'waiting');
    const podIP = started || pod.status?.podIP !== undefined ? addresses.ofPod(pod, hostIP) : undefined;
    const status = statusAt(pod, moment, { startMs, hostIP, podIP }, now);
    if (!equal(status as Json, pod.status as Json | undefined)) {
      announce(pod, moment);
      const next = plain({ ...pod, status });
      writtenOrGone(await registry.update(PODS, next, KUBELET, 'status'));
    }
    return moment.nextMs === undefined ? undefined : { againInMs: Math.max(1, startMs + moment.nextMs - now) };
  }

  async function stop(pod: Pod): Promise<Again> {
    const uid = pod.metadata.uid ?? '';
    const now = clock.now();
    let stopAt = stops.get(uid);
    if (stopAt === undefined) {
      stopAt = now + stopMs(pod);
      stops.set(uid, stopAt);
      for (const { name, state } of pod.status?.containerStatuses ?? []) {
        if (state.running === undefined) continue;
        record(pod, { type: 'Normal', reason: 'Killing', message: `Stopping container ${name}` }, name);
      }
    }
    if (now < stopAt) return { againInMs: stopAt - now };
    // What holds a finalizer stays visible after its end, and whoever holds it counts the exit.
    if (
      (pod.metadata.finalizers ?? []).length > 0 &&
      pod.status?.phase !== 'Succeeded' &&
      pod.status?.phase !== 'Failed'
    ) {
      const next = plain({ ...pod, status: { ...pod.status, phase: 'Failed' } });
      writtenOrGone(await registry.update(PODS, next, KUBELET, 'status'));
    }
    if (pod.metadata.deletionGracePeriodSeconds !== 0)
      await deleteObject(registry, PODS, pod, { gracePeriodSeconds: 0 });
    return undefined;
  }

  function record(
    pod: Pod,
    event: { type: 'Normal' | 'Warning'; reason: string; message: string },
    container: string,
    isInit = false,
  ): void {
    const fieldPath = `spec.${isInit ? 'initContainers' : 'containers'}{${container}}`;
    events.record(pod, KUBELET, { ...event, fieldPath }, pod.spec.nodeName);
  }

  /** The events of what changed since the stored status. */
  function announce(pod: Pod, moment: PodMoment): void {
    for (const isInit of [true, false]) {
      const before = isInit ? pod.status?.initContainerStatuses : pod.status?.containerStatuses;
      for (const { container, script, view } of isInit ? moment.init : moment.main) {
        const known = before?.find(({ name }) => name === container.name);
        const { name, image } = container;
        if (view.kind === 'waiting') {
          if (known?.state.waiting?.reason === view.reason) continue;
          if (view.reason === 'CrashLoopBackOff') {
            const id = `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`;
            const message = `Back-off restarting failed container ${name} in pod ${id}`;
            record(pod, { type: 'Warning', reason: 'BackOff', message }, name, isInit);
          } else if (view.reason === 'ErrImagePull') {
            record(pod, { type: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"` }, name, isInit);
            const message = `Failed to pull image "${image}": ${view.message ?? ''}`;
            record(pod, { type: 'Warning', reason: 'Failed', message }, name, isInit);
            record(pod, { type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull' }, name, isInit);
          } else if (view.reason === 'ImagePullBackOff') {
            record(
              pod,
              { type: 'Normal', reason: 'BackOff', message: `Back-off pulling image "${image}"` },
              name,
              isInit,
            );
            record(pod, { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' }, name, isInit);
          }
          continue;
        }
        if (hasStarted(known, view.restarts)) continue;
        const message = `Container image "${image}" already present on machine`;
        record(pod, { type: 'Normal', reason: 'Pulled', message }, name, isInit);
        record(pod, { type: 'Normal', reason: 'Created', message: `Created container: ${name}` }, name, isInit);
        record(pod, { type: 'Normal', reason: 'Started', message: `Started container ${name}` }, name, isInit);
        if (view.kind === 'running' && !view.ready && script.readyMs === undefined) {
          const text = 'Readiness probe failed: HTTP probe failed with statuscode: 503';
          record(pod, { type: 'Warning', reason: 'Unhealthy', message: text }, name, isInit);
        }
      }
    }
  }

  return {
    name: KUBELET,
    watches: [
      {
        resource: PODS,
        keys: (change) => {
          if (change.type !== 'DELETED') return itself(change);
          const uid = change.object.metadata.uid ?? '';
          starts.delete(uid);
          stops.delete(uid);
          addresses.free(uid);
          return [];
        },
      },
    ],
    sync,
  };
}

/** Whether the stored status has seen this run of the container. */
function hasStarted(known: ContainerStatus | undefined, restarts: number): boolean {
  if (known === undefined) return false;
  return known.restartCount >= restarts && (known.state.running !== undefined || known.state.terminated !== undefined);
}
