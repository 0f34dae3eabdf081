import type { Json, JsonObject } from '../../../base/json.ts';
import { at, field, stringAt } from '../../../base/json.ts';
import { age, humanDuration } from './age.ts';
import { list, number, orNone, text } from './fields.ts';
import type { Row } from './printer.ts';

const SUCCEEDED: Json = {
  type: 'Completed',
  status: 'True',
  reason: 'Succeeded',
  message: 'The pod has completed successfully.',
};
const FAILED: Json = { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' };

/** Source: kubernetes@1.34 pkg/printers/internalversion/printers.go printPod. */
export function podRow(pod: JsonObject, nowMs: number): Row {
  const total = list(pod, 'spec', 'containers').length + list(pod, 'spec', 'initContainers').filter(isSidecar).length;
  const { reason, ready, restarts, lastRestart } = summarize(pod);
  const phase = text(pod, 'status', 'phase');
  const gates = list(pod, 'spec', 'readinessGates');
  const passed = gates.filter((gate) =>
    list(pod, 'status', 'conditions').some(
      (one) => field(one, 'type') === field(gate, 'conditionType') && field(one, 'status') === 'True',
    ),
  ).length;
  const shownRestarts =
    lastRestart === undefined || restarts === 0
      ? String(restarts)
      : `${restarts} (${humanDuration(nowMs - lastRestart)} ago)`;
  return {
    cells: [
      text(pod, 'metadata', 'name'),
      `${ready}/${total}`,
      reason,
      shownRestarts,
      age(at(pod, 'metadata', 'creationTimestamp'), nowMs),
      orNone(text(list(pod, 'status', 'podIPs')[0], 'ip') || text(pod, 'status', 'podIP')),
      orNone(text(pod, 'spec', 'nodeName')),
      orNone(text(pod, 'status', 'nominatedNodeName')),
      gates.length === 0 ? '<none>' : `${passed}/${gates.length}`,
    ],
    ...(phase === 'Succeeded' ? { conditions: [SUCCEEDED] } : phase === 'Failed' ? { conditions: [FAILED] } : {}),
  };
}

interface Summary {
  readonly reason: string;
  readonly ready: number;
  readonly restarts: number;
  readonly lastRestart: number | undefined;
}

/** Restarts of some containers, and when the last of them was. */
class Restarts {
  count = 0;
  last: number | undefined;

  add(status: Json): void {
    this.count += number(status, 'restartCount');
    const finished = Date.parse(text(status, 'lastState', 'terminated', 'finishedAt'));
    if (!Number.isNaN(finished)) this.last = Math.max(this.last ?? 0, finished);
  }
}

function summarize(pod: JsonObject): Summary {
  let reason = text(pod, 'status', 'reason') || text(pod, 'status', 'phase');
  for (const condition of list(pod, 'status', 'conditions'))
    if (stringAt(condition, 'type') === 'PodScheduled' && stringAt(condition, 'reason') === 'SchedulingGated')
      reason = 'SchedulingGated';
  const init = initialization(pod);
  if (init.reason !== undefined) reason = init.reason;
  let { ready } = init;
  let restarts = init.all;
  if (init.reason === undefined || hasCondition(pod, 'Initialized')) {
    restarts = init.sidecars;
    let running = false;
    for (const status of [...list(pod, 'status', 'containerStatuses')].reverse()) {
      restarts.add(status);
      const waiting = text(status, 'state', 'waiting', 'reason');
      const terminated = at(status, 'state', 'terminated');
      if (waiting !== '') reason = waiting;
      else if (terminated !== undefined) reason = terminatedReason(terminated);
      else if (field(status, 'ready') === true && at(status, 'state', 'running') !== undefined) {
        running = true;
        ready++;
      }
    }
    if (reason === 'Completed' && running) reason = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
  }
  if (at(pod, 'metadata', 'deletionTimestamp') !== undefined) {
    const phase = text(pod, 'status', 'phase');
    if (text(pod, 'status', 'reason') === 'NodeLost') reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') reason = 'Terminating';
  }
  return { reason, ready, restarts: restarts.count, lastRestart: restarts.last };
}

function hasCondition(pod: JsonObject, type: string): boolean {
  return list(pod, 'status', 'conditions').some(
    (one) => field(one, 'type') === type && field(one, 'status') === 'True',
  );
}

function isSidecar(container: Json | undefined): boolean {
  return field(container, 'restartPolicy') === 'Always';
}

function terminatedReason(terminated: Json): string {
  const reason = text(terminated, 'reason');
  if (reason !== '') return reason;
  const signal = number(terminated, 'signal');
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${number(terminated, 'exitCode')}`;
}

interface Initialization {
  /** Why the pod is not past its init containers; undefined when it is. */
  readonly reason: string | undefined;
  /** Sidecars that are ready. */
  readonly ready: number;
  readonly all: Restarts;
  readonly sidecars: Restarts;
}

function initialization(pod: JsonObject): Initialization {
  const containers = list(pod, 'spec', 'initContainers');
  const [all, sidecars] = [new Restarts(), new Restarts()];
  let ready = 0;
  for (const [index, status] of list(pod, 'status', 'initContainerStatuses').entries()) {
    const sidecar = isSidecar(containers.find((one) => field(one, 'name') === field(status, 'name')));
    all.add(status);
    if (sidecar) sidecars.add(status);
    const terminated = at(status, 'state', 'terminated');
    if (terminated !== undefined && number(terminated, 'exitCode') === 0) continue;
    if (sidecar && field(status, 'started') === true) {
      if (field(status, 'ready') === true) ready++;
      continue;
    }
    const waiting = text(status, 'state', 'waiting', 'reason');
    const why =
      terminated !== undefined
        ? terminatedReason(terminated)
        : waiting !== '' && waiting !== 'PodInitializing'
          ? waiting
          : `${index}/${containers.length}`;
    return { reason: `Init:${why}`, ready, all, sidecars };
  }
  return { reason: undefined, ready, all, sidecars };
}
